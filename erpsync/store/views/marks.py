"""What rules and people want of orders, as it is shown; and what rules do to open orders in all."""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select, union

from erpsync.core.order_holds import HoldReason
from erpsync.store.order_rules import OFF
from erpsync.store.tables import order_gift, order_hold, order_look, order_mark, orders
from erpsync.store.views.values import Json, iso

TAG = "tag:"
UNKNOWN = "unknown:"


def list_marks(connection: Connection, order_ids: Sequence[int]) -> dict[int, list[Json]]:
    """Return the marks of orders by order id, by name; `off` is what a person took away from what a rule wants."""
    query = select(order_mark).where(order_mark.c.order_id.in_(order_ids))
    by_order: dict[int, list[Json]] = {}
    for row in connection.execute(query.order_by(order_mark.c.order_id, order_mark.c.name)):
        mark = {"name": row.name, "value": row.value, "rule": row.rule, "actor": row.actor}
        by_order.setdefault(row.order_id, []).append(mark)
    return by_order


def tags_among(marks: Iterable[Json]) -> list[str]:
    """Return the tags among the marks of an order."""
    return [mark["name"].removeprefix(TAG) for mark in marks if mark["name"].startswith(TAG) and mark["value"] != OFF]


def look_at(connection: Connection, order_id: int) -> str | None:
    """Return when an order is looked at again for what rules say; None when nothing but a change leads to it."""
    at = connection.execute(select(func.min(order_look.c.at)).where(order_look.c.order_id == order_id)).scalar()
    return None if at is None else iso(at)


def wanted_by_rules(connection: Connection, phases: Sequence[str]) -> Counter[str]:
    """Return of how many orders in these phases each rule wants anything: a hold, a mark, a gift."""
    # Scans orders, order_hold: those that are open, for whoever asks what rules do; what is held is no history.
    open_ids = select(orders.c.id).where(orders.c.phase.in_(phases))
    marks = select(order_mark.c.order_id, order_mark.c.rule.label("rule")).where(
        order_mark.c.order_id.in_(open_ids), order_mark.c.rule != "", ~order_mark.c.name.like(f"{UNKNOWN}%")
    )
    gifts = select(order_gift.c.order_id, order_gift.c.rule).where(order_gift.c.order_id.in_(open_ids))
    held = [
        select(order_hold.c.order_id, func.substr(order_hold.c.reason, len(kind.value) + 2).label("rule")).where(
            order_hold.c.reason.like(f"{kind.value}:%")
        )
        for kind in (HoldReason.RULE, HoldReason.VOID)
    ]
    wanted = union(marks, gifts, *held).subquery()
    query = select(wanted.c.rule, func.count().label("orders")).group_by(wanted.c.rule)
    return Counter({row.rule: row.orders for row in connection.execute(query)})
