"""How many orders wait, by status and by what holds them: what stands beside the filters of the list.

Why no counts of what has ended: they would grow with the history, and nobody acts on them. Why no number beyond
`MOST`: who reads "1000+" knows all that is to be known, and a page must not count a million orders.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, func, literal, select, union_all

from erpsync.core.order_holds import kind_of
from erpsync.store.db.lookups import has
from erpsync.store.tables import channel, order_hold, orders
from erpsync.store.views.orders import DERIVED, order_status

MOST = 999
_PHASES = ("held", "unpaid", "partially_shipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCounts:
    """Open orders by status and by kind of what holds them; what stands in `more` is counted only so far."""

    statuses: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    more: frozenset[str] = frozenset()


def count_open(connection: Connection, channel_name: str | None = None) -> OpenCounts:
    """Return how many orders are open, of all channels or of one."""
    shop = _of_channel(connection, channel_name)
    # Scans orders: along the index by phase, those that are open, and no more than are counted.
    waiting = [select(literal(phase).label("status")).where(orders.c.phase == phase, *shop) for phase in _PHASES]
    ready = select(order_status().label("status")).where(orders.c.phase == "ready", *shop)
    parts = [select(part.limit(MOST + 1).subquery()) for part in (*waiting, ready)]
    each = union_all(*parts).subquery()
    rows = connection.execute(select(each.c.status, func.count()).group_by(each.c.status))
    statuses = Counter({status: int(number) for status, number in rows})
    reasons = _reasons(connection, shop)
    derived = sum(statuses[status] for status in DERIVED)
    more = {status for status, number in statuses.items() if number > MOST}
    more |= {status for status in DERIVED if derived > MOST}
    more |= {reason for reason in reasons if reasons.total() > MOST}
    return OpenCounts(statuses=dict(statuses), reasons=dict(reasons), more=frozenset(more))


def _of_channel(connection: Connection, name: str | None) -> list[ColumnElement[bool]]:
    """Return what an order of a channel fits; its id is asked first, a join would begin at the channel's orders."""
    if name is None:
        return []
    return [orders.c.channel_id == connection.execute(select(channel.c.id).where(channel.c.name == name)).scalar()]


def _reasons(connection: Connection, shop: Sequence[ColumnElement[bool]]) -> Counter[str]:
    # Scans order_hold: what is held now, no history, and no more than is counted.
    held = select(order_hold.c.reason)
    if shop:
        held = held.where(has(select(orders.c.id).where(orders.c.id == order_hold.c.order_id, *shop), of=order_hold))
    capped = held.limit(MOST + 1).subquery()
    rows = connection.execute(select(capped.c.reason, func.count()).group_by(capped.c.reason))
    kinds = Counter[str]()
    for reason, number in rows:
        kinds[kind_of(reason)] += int(number)
    return kinds
