"""What flows through: parcels by the hour, and open orders by the time that is left to send them.

Why apart from the figures of `status`: those are asked for by every probe; these are for people who look at the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, case, func, literal, select, text, type_coerce

from erpsync.core.policy import OrderPolicy
from erpsync.store.status.counts import HOUR, HOURS, micros_of
from erpsync.store.tables import channel, dead_letter, micros, orders, shipment, task
from erpsync.store.tables.base import instant
from erpsync.store.views.values import Json, iso

SOON_H = (0, 4, 12, 24)
"""Where the steps of the time that is left end: overdue, less than 4 h, 12 h, 24 h; then what has more."""

STEPS = ("overdue", "4h", "12h", "24h", "later")
NEXT = 6
CAUSES = 8
_PAGE, _LOOK = 4096, 64
_OPEN = text("orders.phase IN ('ready', 'held', 'partially_shipped')")


def parcels_by_hour(connection: Connection, hours: Sequence[datetime]) -> tuple[int, ...]:
    """Return how many parcels left in each of the last hours."""
    left = type_coerce(shipment.c.shipped_at, BigInteger)
    bucket = ((left - micros(hours[0])) // micros_of(HOUR)).label("bucket")
    query = select(bucket, func.count()).where(
        shipment.c.id >= _first_id(connection, hours[0]),
        shipment.c.shipped_at >= hours[0],
        shipment.c.shipped_at < hours[-1] + HOUR,
    )
    counts = [0] * HOURS
    # Scans shipment: those of the last day, from the key on that is found below.
    for at, count in connection.execute(query.group_by(text("bucket"))):
        counts[at] = count
    return tuple(counts)


def _first_id(connection: Connection, since: datetime) -> int:
    """Return a key below that of every parcel that left since then, as far as they were recorded when they left.

    Keys rise as parcels are recorded, and there is no index by instant: from the newest back in steps that double,
    until none of a handful left since.
    """
    newest = connection.execute(select(func.max(shipment.c.id))).scalar() or 0
    step = _PAGE
    while (at := newest - step) > 0:
        handful = select(shipment.c.shipped_at).where(shipment.c.id >= at).order_by(shipment.c.id).limit(_LOOK)
        latest = connection.execute(select(func.max(handful.subquery().c.shipped_at))).scalar()
        if latest is None or latest < since:
            return int(at)
        step *= 2
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """Open orders by the time that is left to send them.

    Args:
        to_send: by step, orders that nothing keeps from leaving but their goods and the packing.
        held: by step, orders that somebody or something holds.
        next: those that are due first.
    """

    to_send: Mapping[str, int]
    held: Mapping[str, int]
    next: Sequence[Json]


def ages(connection: Connection, within_h: Mapping[int, float], now: datetime) -> Ages:
    """Return open orders by the time that is left: what the channel says, else so many hours after the payment.

    Args:
        within_h: those hours, by channel.
    """
    due = _due(within_h)
    step = case(*((due < micros(now + timedelta(hours=h)), at) for at, h in enumerate(SOON_H)), else_=len(SOON_H))
    counts: dict[str, dict[str, int]] = {"to_send": {}, "held": {}}
    grouped = select(step.label("step"), (orders.c.phase == "held").label("held"), func.count())
    # Scans orders: those that are open. They are few beside the ones that ended, however long the history is.
    for at, held, count in connection.execute(grouped.where(_OPEN).group_by(text("step"), text("held"))):
        counts["held" if held else "to_send"][STEPS[at]] = count
    return Ages(**counts, next=_next(connection, due))


def _next(connection: Connection, due: Any) -> list[Json]:
    query: Select[Any] = select(orders.c.number, orders.c.channel_id, orders.c.phase, orders.c.hold_reason)
    first = query.add_columns(due.label("due")).where(_OPEN).order_by(text("due"), orders.c.id).limit(NEXT)
    names = {row.id: row.name for row in connection.execute(select(channel.c.id, channel.c.name))}
    # Scans orders: those that are open, as above.
    return [
        {
            "number": row.number,
            "channel": names[row.channel_id],
            "held": row.hold_reason or ("held" if row.phase == "held" else ""),
            "due_at": iso(instant(row.due)),
        }
        for row in connection.execute(first)
    ]


def _due(within_h: Mapping[int, float]) -> Any:
    """Return by when an order is to be told as sent, in microseconds, as `core.deadline.ship_by` says."""
    instants = ("paid_at", "ready_at", "placed_at")
    since = func.coalesce(*(type_coerce(orders.c[name], BigInteger) for name in instants))
    allowed = {id: _span(hours) for id, hours in within_h.items()}
    usual = _span(OrderPolicy().ship_within_h)
    span = case(allowed, value=orders.c.channel_id, else_=usual) if allowed else usual
    return func.coalesce(type_coerce(orders.c.ship_by_at, BigInteger), since + span)


def _span(hours: float) -> Any:
    return literal(micros_of(timedelta(hours=hours)), BigInteger)


def asked_of_people(connection: Connection) -> list[Json]:
    """Return open dead letters and tasks by cause, most first, each with its oldest one."""
    letters = select(dead_letter.c.kind, dead_letter.c.channel_id, func.count().label("count"))
    letters = letters.add_columns(func.min(dead_letter.c.id).label("first")).where(text("dead_letter.state = 'open'"))
    tasks = select(task.c.kind, task.c.channel_id, func.count().label("count"))
    tasks = tasks.add_columns(func.min(task.c.id).label("first")).where(text("task.closed_at IS NULL"))
    names = {row.id: row.name for row in connection.execute(select(channel.c.id, channel.c.name))}
    causes = []
    for what, query, table in (("letter", letters, dead_letter), ("task", tasks, task)):
        grouped = query.group_by(query.selected_columns[0], query.selected_columns[1])
        most = connection.execute(grouped.order_by(text("count DESC"), text("first")).limit(CAUSES)).all()
        oldest = {
            row.id: row for row in connection.execute(select(table).where(table.c.id.in_([row.first for row in most])))
        }
        causes += [_cause(what, row, oldest[row.first], names) for row in most]
    return causes


def _cause(what: str, row: Any, oldest: Any, names: Mapping[int, str]) -> Json:
    is_letter = what == "letter"
    return {
        "what": what,
        "kind": row.kind,
        "channel": names.get(row.channel_id),
        "count": row.count,
        "since": iso(oldest.at if is_letter else oldest.opened_at),
        "text": oldest.error if is_letter else oldest.reason,
        "source": oldest.source if is_letter else "",
    }
