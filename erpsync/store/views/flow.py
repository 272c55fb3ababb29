"""What flows through: parcels by the hour, and open orders by the time that is left to send them.

Why apart from the figures of `status`: those are asked for by every probe; these are for people who look at the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, case, func, literal, select, text, type_coerce, union_all

from erpsync.core.order_holds import HoldReason
from erpsync.store.late_orders import OPEN
from erpsync.store.late_orders import due as due_in
from erpsync.store.status.counts import HOUR, HOURS, micros_of
from erpsync.store.tables import channel, dead_letter, micros, order_hold, orders, shipment, task
from erpsync.store.tables.base import instant
from erpsync.store.views.values import Json, iso

SOON_H = (0, 4, 12, 24)
"""Where the steps of the time that is left end: overdue, less than 4 h, 12 h, 24 h; then what has more."""

STEPS = ("overdue", "4h", "12h", "24h", "later")
NEXT = 6
CAUSES = 8
UNMAPPED = HoldReason.UNMAPPED_SKU.value
_PAGE, _LOOK = 4096, 64


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
    # Scans orders: those that are open. They are few beside the ones that ended, however long the history is. Looked up
    # once for both answers: each lies on another page of the table.
    waits = select(orders.c.id, orders.c.phase, due_in(within_h).label("due")).where(OPEN).cte("waits")
    ends = ((waits.c.due < micros(now + timedelta(hours=h)), at) for at, h in enumerate(SOON_H))
    step, held = case(*ends, else_=len(SOON_H)).label("step"), case((waits.c.phase == "held", 1), else_=0).label("held")
    counts = select(literal("count"), step, held, func.count()).group_by(text("step"), text("held"))
    first = select(literal("next"), waits.c.id, literal(0), waits.c.due).order_by(waits.c.due, waits.c.id).limit(NEXT)
    numbers: dict[str, dict[str, int]] = {"to_send": {}, "held": {}}
    due: list[tuple[int, int]] = []
    for what, at, is_held, number in connection.execute(union_all(counts, select(first.subquery()))):
        if what == "next":
            due.append((number, at))
        else:
            numbers["held" if is_held else "to_send"][STEPS[at]] = number
    return Ages(**numbers, next=_next(connection, sorted(due)))


def _next(connection: Connection, due: Sequence[tuple[int, int]]) -> list[Json]:
    """Return orders, given as (instant they are due at, id), as the overview shows them."""
    query = select(orders.c.id, orders.c.number, orders.c.phase, orders.c.hold_reason, channel.c.name)
    named = query.join(channel, channel.c.id == orders.c.channel_id).where(orders.c.id.in_([id for _, id in due]))
    rows = {row.id: row for row in connection.execute(named)}
    return [
        {
            "number": rows[id].number,
            "channel": rows[id].name,
            "held": rows[id].hold_reason or ("held" if rows[id].phase == "held" else ""),
            "due_at": iso(instant(at)),
        }
        for at, id in due
    ]


def asked_of_people(connection: Connection) -> list[Json]:
    """Return open dead letters, tasks and orders that wait for a mapping by cause, most first, with the oldest one."""
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
    return causes + _wait_for_mapping(connection, names)


def _wait_for_mapping(connection: Connection, names: Mapping[int, str]) -> list[Json]:
    # Computed, so that no planner walks through all orders along an index of their channels.
    of = (orders.c.channel_id + 0).label("of")
    held = select(of, func.count().label("count"), func.min(order_hold.c.at).label("since")).select_from(order_hold)
    held = held.join(orders, orders.c.id == order_hold.c.order_id).where(order_hold.c.reason == UNMAPPED)
    # Scans order_hold: what is held now, no history.
    rows = connection.execute(held.group_by(text("of")).order_by(text("count DESC")))
    return [
        {"what": "mapping", "kind": UNMAPPED, "channel": names[row.of], "count": row.count}
        | {"since": iso(row.since), "text": "", "source": ""}
        for row in rows
    ]


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
