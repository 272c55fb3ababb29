"""Orders as `orders show` and `orders list` print them.

Why the status is computed here: what depends on holds and backorders changes without the order's row being written,
so it is derived in the very query that reads the order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, or_, select, union

from erpsync.core.order_holds import HoldReason, by_rule
from erpsync.core.orders import OrderKind, Origin
from erpsync.store.db.lookups import has
from erpsync.store.order_rules import OFF
from erpsync.store.tables import (
    backorder,
    channel,
    hold,
    line_part,
    order_hold,
    order_line,
    order_mark,
    orders,
    sku,
    warehouse,
)
from erpsync.store.views.marks import TAG, look_at, tags_among
from erpsync.store.views.parts import Parts, load_parts
from erpsync.store.views.values import Json, NotFound, row_json

Place = tuple[datetime, int]
"""Where in the list an order stands: when it was placed, and its row id."""

Walk = Callable[[Connection, Select[Any], Place | None, int], Iterator[Sequence[Any]]]
"""Yields pages of rows of a query, from a place on, so many at once."""

PAGE = 500
MOST_STEP = 5000
DERIVED = ("released", "backordered", "allocated", "open")
STATUSES = ("cancelled", "completed", "shipped", "partially_shipped", "held", "unpaid", *DERIVED)
OPEN_STATUSES = ("held", "unpaid", "backordered", "allocated", "released", "partially_shipped", "open")

_AMOUNTS = (
    "currency",
    "total_minor",
    "paid_minor",
    "refunded_minor",
    "goods_minor",
    "freight_minor",
    "discount_minor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders: all that is given must hold.

    Args:
        sku: ours, also inside bundles.
        since: the earliest `placed_at`; `until` is the first instant that is too late.
        warehouse: units are held there for it now.
        rule: it holds the order now.
        tag: it has this tag, set by a rule or by a person.
    """

    channel: str | None = None
    status: str | None = None
    sku: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    hold_reason: str | None = None
    warehouse: str | None = None
    rule: str | None = None
    tag: str | None = None

    @property
    def of_open(self) -> bool:
        """Whether only orders fit of which something is to be decided or sent: few, however long the history is."""
        asked = (self.hold_reason, self.warehouse, self.rule)
        return self.status in OPEN_STATUSES or any(name is not None for name in asked)


def order_status() -> ColumnElement[str]:
    """Return the SQL expression of an order's status, for queries that select from `orders`."""
    # Nested, not joined: SQLite without statistics would start a join at the holds of all orders.
    holds = exists().where(hold.c.owner_kind == "line", hold.c.owner_id == order_line.c.id)
    lines = select(order_line.c.id).where(order_line.c.order_id == orders.c.id)
    return case(
        (orders.c.phase != "ready", orders.c.phase),
        (has(lines.where(holds.where(hold.c.released).correlate(order_line)), of=orders), "released"),
        (has(select(backorder.c.order_id).where(backorder.c.order_id == orders.c.id), of=orders), "backordered"),
        (has(lines.where(holds.correlate(order_line)), of=orders), "allocated"),
        else_="open",
    )


def list_orders(
    connection: Connection, filters: OrderFilter | None = None, limit: int = 100, after: str | None = None
) -> list[Json]:
    """Return orders without their events, latest placed first.

    With a SKU among the filters, and none that only open orders fit, they come latest stored first.

    Args:
        limit: how many at most; 0 is all.
        after: the number of an order: only what comes after it in this list is returned.

    Raises:
        NotFound: no order has the number `after`.
        ValueError: there is no such status.
    """
    return list(iter_orders(connection, filters, limit, after))


def iter_orders(
    connection: Connection, filters: OrderFilter | None = None, limit: int = 100, after: str | None = None
) -> Iterator[Json]:
    """Yield what `list_orders` returns, read page by page, so that a million orders need no memory."""
    pages = _pages(connection, filters or OrderFilter(), min(limit, PAGE) if limit else PAGE, after)
    return islice((order for page in pages for order in page), limit or None)


def _pages(connection: Connection, filters: OrderFilter, size: int, after: str | None) -> Iterator[list[Json]]:
    names = _channel_names(connection)
    wanted = _base().where(*_conditions(filters, names))
    place = None if after is None else _place_of(connection, after)
    walk: Walk = _by_placing
    if filters.sku is not None:
        sku_id = connection.execute(select(sku.c.id).where(sku.c.code == filters.sku)).scalar()
        if sku_id is None:
            return
        if filters.of_open:
            wanted = wanted.where(_has_sku(sku_id))
        else:
            walk = partial(_by_arrival, sku_id=sku_id)
    for rows in walk(connection, wanted, place, size):
        parts = load_parts(connection, [row.id for row in rows])
        yield [_order(row, names, parts) for row in rows]


def _by_placing(connection: Connection, wanted: Select[Any], place: Place | None, size: int) -> Iterator[Sequence[Any]]:
    """Yield pages of rows, latest placed first."""
    while True:
        # Scans orders, hold: along an index by `placed_at`, no further than the page is long; holds are no history.
        query = wanted if place is None else wanted.where(_beyond(*place))
        rows = connection.execute(query.order_by(orders.c.placed_at.desc(), orders.c.id.desc()).limit(size)).all()
        yield rows
        if len(rows) < size:
            return
        place = (rows[-1].placed_at, rows[-1].id)


def _by_arrival(
    connection: Connection, wanted: Select[Any], place: Place | None, size: int, *, sku_id: int
) -> Iterator[Sequence[Any]]:
    """Yield pages of rows with a SKU, latest stored first: the orders of a best seller are too many to sort.

    Where other filters leave few of them, more are looked through at once.
    """
    last, step = None if place is None else place[1], size
    while True:
        # Scans order_line, line_part: latest order first, and no further than the page is long.
        ids = list(connection.execute(_orders_with(sku_id, last, step)).scalars())
        if not ids:
            return
        page = wanted.where(orders.c.id.in_(ids)).order_by(orders.c.id.desc()).limit(size)
        rows = connection.execute(page).all()
        yield rows
        last = rows[-1].id if len(rows) == size else ids[-1]
        step = min(4 * step, MOST_STEP) if 2 * len(rows) < size else step


def first_placed_at(connection: Connection) -> datetime | None:
    """Return when the oldest order was placed that is stored, None where there is none."""
    # Scans orders: the first row of the index by `placed_at`.
    return connection.execute(select(func.min(orders.c.placed_at))).scalar()


def load_orders(connection: Connection, ids: Sequence[int]) -> dict[int, Json]:
    """Return these orders by row id as `list_orders` shows them, newest first."""
    rows = connection.execute(
        _base().where(orders.c.id.in_(ids)).order_by(orders.c.placed_at.desc(), orders.c.id.desc())
    ).all()
    parts, names = load_parts(connection, [row.id for row in rows]), _channel_names(connection)
    return {row.id: _order(row, names, parts) for row in rows}


def list_numbered(connection: Connection, numbers: Sequence[str]) -> list[Json]:
    """Return the orders of these numbers as `list_orders` shows them; a number that no order has is left out."""
    ids = list(connection.execute(select(orders.c.id).where(orders.c.number.in_(numbers))).scalars())
    return list(load_orders(connection, ids).values())


def show_order(connection: Connection, order: str) -> Json:
    """Return one order with its events.

    Args:
        order: our number, or the channel's id where only one channel has it.

    Raises:
        NotFound: no order, or more than one, has this name.
    """
    row = connection.execute(_base().where(orders.c.id == find_order(connection, order))).one()
    parts = load_parts(connection, [row.id], events=True)
    return _order(row, _channel_names(connection), parts) | {
        "marks": parts.marks.get(row.id, []),
        "look_at": look_at(connection, row.id),
        "events": parts.events.get(row.id, []),
    }


def find_order(connection: Connection, order: str) -> int:
    """Return the row id of an order by our number, else by the channel's id; raises `NotFound`."""
    by_number = connection.execute(select(orders.c.id).where(orders.c.number == order)).scalar()
    if by_number is not None:
        return int(by_number)
    # Channel ids alone have no index of their own: few channels, one look-up in each.
    query = select(orders.c.id, orders.c.number, channel.c.name).join(channel, channel.c.id == orders.c.channel_id)
    ids = select(channel.c.id)
    rows = connection.execute(query.where(orders.c.channel_id.in_(ids), orders.c.external_id == order)).all()
    if not rows:
        raise NotFound(f"no order {order}: neither a number of ours nor an id of a channel")
    if len(rows) > 1:
        several = ", ".join(f"{row.number} ({row.name})" for row in rows)
        raise NotFound(f"order {order} is in more than one channel; name one of {several}")
    return int(rows[0].id)


def list_holds(connection: Connection, order_id: int) -> list[str]:
    """Return the reasons that hold an order."""
    query = select(order_hold.c.reason).where(order_hold.c.order_id == order_id)
    return list(connection.execute(query.order_by(order_hold.c.reason)).scalars())


def _base() -> Select[Any]:
    # Not joined with its channel: a planner that has statistics would begin there, and read all of its orders.
    return select(orders, order_status().label("status"))


def _channel_names(connection: Connection) -> dict[int, str]:
    return {row.id: row.name for row in connection.execute(select(channel.c.id, channel.c.name))}


def _place_of(connection: Connection, number: str) -> Place:
    row = connection.execute(select(orders.c.placed_at, orders.c.id).where(orders.c.number == number)).first()
    if row is None:
        raise NotFound(f"no order {number} to go on after")
    return row.placed_at, row.id


def _beyond(placed_at: datetime, id: int) -> ColumnElement[bool]:
    return and_(orders.c.placed_at <= placed_at, or_(orders.c.placed_at < placed_at, orders.c.id < id))


def _conditions(wanted: OrderFilter, names: Mapping[int, str]) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if wanted.channel is not None:
        clauses.append(orders.c.channel_id == next((id for id, name in names.items() if name == wanted.channel), None))
    if wanted.since is not None:
        clauses.append(orders.c.placed_at >= wanted.since)
    if wanted.until is not None:
        clauses.append(orders.c.placed_at < wanted.until)
    if wanted.hold_reason is not None:
        clauses.append(orders.c.id.in_(select(order_hold.c.order_id).where(_is_for(wanted.hold_reason))))
    if wanted.rule is not None:
        # Scans order_hold: what is held now, no history.
        reasons = [by_rule(wanted.rule), by_rule(wanted.rule, void=True)]
        clauses.append(orders.c.id.in_(select(order_hold.c.order_id).where(order_hold.c.reason.in_(reasons))))
    if wanted.tag is not None:
        clauses.append(_has_tag(wanted.tag))
    if wanted.warehouse is not None:
        clauses.append(orders.c.id.in_(_served_from(wanted.warehouse)))
    if wanted.status is not None:
        clauses += _status_is(wanted.status)
    return clauses


def _is_for(reason: str) -> ColumnElement[bool]:
    """Return the condition that a hold is of a kind of reasons; those of rules also name the rule."""
    # Scans order_hold: what is held now, no history.
    if reason in (HoldReason.RULE, HoldReason.VOID):
        return order_hold.c.reason.like(f"{reason}:%")
    return order_hold.c.reason == reason


def _has_tag(tag: str) -> ColumnElement[bool]:
    """Whether an order has a tag, asked order by order."""
    named = (order_mark.c.order_id == orders.c.id, order_mark.c.name == f"{TAG}{tag}", order_mark.c.value != OFF)
    return has(select(order_mark.c.order_id).where(*named), of=orders)


def _served_from(code: str) -> Select[Any]:
    """Return a query for the ids of orders for which a warehouse holds units."""
    # Scans hold: what is open, no history.
    held = select(order_line.c.order_id).join(
        hold, and_(hold.c.owner_kind == "line", hold.c.owner_id == order_line.c.id)
    )
    return held.join(warehouse, warehouse.c.id == hold.c.warehouse_id).where(warehouse.c.code == code)


def _has_sku(sku_id: int) -> ColumnElement[bool]:
    """Whether an order has a SKU, alone or inside a bundle, asked order by order."""
    part = and_(line_part.c.line_id == order_line.c.id, line_part.c.sku_id == sku_id)
    lines = select(order_line.c.id).outerjoin(line_part, part).where(order_line.c.order_id == orders.c.id)
    return has(lines.where(or_(order_line.c.sku_id == sku_id, line_part.c.sku_id.is_not(None))), of=orders)


def _status_is(status: str) -> list[ColumnElement[bool]]:
    if status not in STATUSES:
        raise ValueError(f"no status {status!r}; there are {', '.join(STATUSES)}")
    if status not in DERIVED:
        return [orders.c.phase == status]
    # Said in conditions of their own, not by `order_status`: a planner joins those, and asks a CASE row by row.
    line_holds = exists().where(order_line.c.order_id == orders.c.id, hold.c.owner_kind == "line")
    held = line_holds.where(hold.c.owner_id == order_line.c.id)
    released, waits = held.where(hold.c.released), exists().where(backorder.c.order_id == orders.c.id)
    conditions: dict[str, list[ColumnElement[bool]]] = {
        "released": [released],
        "backordered": [waits, ~released],
        "allocated": [held, ~released, ~waits],
        "open": [~held, ~waits],
    }
    return [orders.c.phase == "ready", *conditions[status]]


def _orders_with(sku_id: int, before: int | None, size: int) -> Select[Any]:
    """Return a query for the ids of the latest orders with a SKU, alone or inside a bundle, below an id."""
    plain = select(order_line.c.order_id).where(order_line.c.sku_id == sku_id)
    inside = select(order_line.c.order_id).join(line_part, line_part.c.line_id == order_line.c.id)
    inside = inside.where(line_part.c.sku_id == sku_id)
    parts = []
    for query in (plain, inside):
        below = query if before is None else query.where(order_line.c.order_id < before)
        parts.append(select(below.distinct().order_by(order_line.c.order_id.desc()).limit(size).subquery()))
    both = union(*parts).subquery()
    return select(both.c.order_id).order_by(both.c.order_id.desc()).limit(size)


def _order(row: Any, names: Mapping[int, str], parts: Parts) -> Json:
    lines = parts.lines.get(row.id, [])
    return {
        "number": row.number,
        "channel": names[row.channel_id],
        "kind": row.kind,
        **row_json(row, ("external_id", "status")),
        "hold_reason": row.hold_reason or None,
        "tags": tags_among(parts.marks.get(row.id, [])),
        **row_json(row, ("placed_at", "paid_at", "ready_at", *_AMOUNTS)),
        "residual_minor": _residual_minor(row, lines),
        "seller_flag": row.seller_flag,
        "lines": lines,
        "shipments": parts.shipments.get(row.id, []),
        "refunds": parts.refunds.get(row.id, []),
    }


def _residual_minor(row: Any, lines: Sequence[Json]) -> int:
    """As `core.orders.residual_minor`, from what was read here."""
    own = row.kind != OrderKind.CHANNEL
    goods = sum(line["price_minor"] * line["qty"] for line in lines if own or line["origin"] == Origin.CHANNEL)
    return int(row.total_minor - goods - (row.freight_minor or 0) + (row.discount_minor or 0))
