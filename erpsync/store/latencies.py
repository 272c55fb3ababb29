"""How long orders took to get here, and new numbers to get there: percentiles by channel, of the recent past.

Why ranked by the database: an hour of a flash sale is many thousand rows, and three numbers per channel are wanted.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, func, or_, select, text, type_coerce

from erpsync.store.tables import orders, outbox

RECENT = timedelta(hours=1)
PERCENTS = (50, 95, 99)

Latencies = Mapping[tuple[int, str], float]
"""Seconds by channel and quantile: `0.5`, `0.95`, `0.99`."""


def order_latencies(connection: Connection, now: datetime) -> Latencies:
    """Return how long after they were placed the orders of the last hour were stored."""
    took = type_coerce(orders.c.imported_at, BigInteger) - type_coerce(orders.c.placed_at, BigInteger)
    return _percentiles(connection, orders.c.channel_id, took, orders.c.placed_at > now - RECENT)


def stock_latencies(connection: Connection, now: datetime) -> Latencies:
    """Return how long after the change the numbers of the last hour had reached their channel."""
    took = type_coerce(outbox.c.done_at, BigInteger) - type_coerce(outbox.c.marked_at, BigInteger)
    recent = and_(text("outbox.done_at IS NOT NULL"), outbox.c.done_at > now - RECENT)
    accepted = and_(outbox.c.kind == "stock", outbox.c.state == "done", outbox.c.error == "")
    return _percentiles(connection, outbox.c.destination_id, took, and_(recent, accepted))


def _percentiles(connection: Connection, channel_id: Any, took: Any, which: Any) -> Latencies:
    place = func.row_number().over(partition_by=channel_id, order_by=took).label("place")
    total = func.count().over(partition_by=channel_id).label("total")
    ranked = select(channel_id.label("channel_id"), took.label("took"), place, total).where(which).subquery()
    wanted = or_(*(ranked.c.place == _at(ranked.c.total, percent) for percent in PERCENTS))
    found: dict[tuple[int, str], float] = {}
    for row in connection.execute(select(ranked).where(wanted)):
        for percent in PERCENTS:
            if row.place == _at(row.total, percent):
                found[row.channel_id, f"{percent / 100:g}"] = max(0, row.took) / 1e6
    return found


def _at(total: Any, percent: int) -> Any:
    """Return the place of a percentile among so many, from 1 on: the smallest that covers the share."""
    return (total * percent + 99) // 100
