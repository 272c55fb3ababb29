"""What the orders of each channel say of when orders come: its past by the hour, and since when none came.

Why it is learned once a day and kept: two months of orders are read for it, along an index; a look every minute reads a
row per channel.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, Connection, distinct, func, select, type_coerce

from erpsync.core.arrivals import HOUR, MOST_WEEKS, PACE, STRANGE, WEEK_H, Pattern, Quiet, expected, pace
from erpsync.store.db.store import Tx
from erpsync.store.tables import arrival_pattern, channel, orders

LATE = timedelta(hours=48)
"""An order that came in so long after it was placed was read from the past and says nothing of when orders come."""

_MINUTE_US, _HOUR_US = 60_000_000, 3_600_000_000
_CAME = type_coerce(orders.c.imported_at, BigInteger)
_TOOK = _CAME - type_coerce(orders.c.placed_at, BigInteger)
_MINUTES = func.count(distinct(_CAME // _MINUTE_US))


def arrivals_by_hour(connection: Connection, channel_id: int, now: datetime) -> dict[int, int]:
    """Return how many minutes of each hour since 1970 brought orders of a channel, over the weeks that are learned."""
    since = now - HOUR * WEEK_H * MOST_WEEKS
    hour = (_CAME // _HOUR_US).label("hour")
    query = select(hour, _MINUTES).where(*_came(channel_id, since, now)).group_by(hour)
    return {int(at): int(count) for at, count in connection.execute(query)}


def _came(channel_id: int, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for orders that came in between two instants; the index is of when they were placed."""
    return (
        orders.c.channel_id == channel_id,
        orders.c.placed_at >= since - LATE,
        orders.c.imported_at >= since,
        orders.c.imported_at <= until,
        micros_of(LATE) >= _TOOK,
    )


def micros_of(span: timedelta) -> int:
    """Return a span in microseconds."""
    return span // timedelta(microseconds=1)


def keep_pattern(tx: Tx, channel_id: int, pattern: Pattern | None) -> None:
    """Keep what was learned of a channel; nothing where its past is too short to tell, which is asked again as well."""
    values = {"learned_at": tx.now, "rates": json.dumps(pattern)}
    row = tx.insert(arrival_pattern).values(channel_id=channel_id, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["channel_id"], set_=values))


def learned_before(connection: Connection, instant: datetime) -> set[int]:
    """Return the channels of which was learned since that instant."""
    query = select(arrival_pattern.c.channel_id).where(arrival_pattern.c.learned_at > instant)
    return set(connection.execute(query).scalars())


def quiet_channels(connection: Connection, ids: Iterable[int], now: datetime) -> dict[int, Quiet]:
    """Return since when nothing came of each of these channels of which is known when orders come.

    How slow the last days were is only counted where what did not come begins to be strange.
    """
    wanted = sorted(ids)
    newest = (
        select(orders.c.imported_at)
        .where(orders.c.channel_id == channel.c.id)
        .order_by(orders.c.placed_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    # Scans orders: the newest one of each shop, at the end of its index.
    query = select(channel.c.id, arrival_pattern.c.rates, newest.label("last_at")).join(
        arrival_pattern, arrival_pattern.c.channel_id == channel.c.id
    )
    quiet: dict[int, Quiet] = {}
    for row in connection.execute(query.where(channel.c.id.in_(wanted))).all():
        rates = json.loads(row.rates)
        if rates is None or row.last_at is None:
            continue
        pattern, since = tuple(rates), min(row.last_at, now)
        missing = expected(pattern, since, now)
        slow = _pace(connection, row.id, pattern, since) if missing >= STRANGE else 1.0
        quiet[row.id] = Quiet(since=since, until=now, expected=missing, pace=slow)
    return quiet


def _pace(connection: Connection, channel_id: int, pattern: Pattern, since: datetime) -> float:
    before = since - PACE
    came = connection.execute(select(_MINUTES).where(*_came(channel_id, before, since))).scalar_one()
    return pace(int(came), expected(pattern, before, since))
