"""How long orders and webhooks took to get in, and numbers to get there: percentiles by channel, of the recent past.

Why ranked by the database: an hour of a flash sale is many thousand rows, and three numbers per channel are wanted.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, case, func, or_, select, type_coerce

from erpsync.store.tables import inbox, orders, outbox

RECENT = timedelta(hours=1)
PERCENTS = (50, 95, 99)

Latencies = Mapping[tuple[int, str], float]
"""Seconds by channel and quantile: `0.5`, `0.95`, `0.99`."""


def order_latencies(connection: Connection, now: datetime) -> Latencies:
    """Return how long after they were placed the orders of the last hour were stored."""
    took = type_coerce(orders.c.imported_at, BigInteger) - type_coerce(orders.c.placed_at, BigInteger)
    recent = select(orders.c.channel_id, took.label("took")).where(orders.c.placed_at > now - RECENT)
    return _percentiles(connection, recent)


def stock_latencies(connection: Connection, now: datetime) -> Latencies:
    """Return how long after the change the numbers of the last hour had reached their channel."""
    return _told_latencies(connection, now, "stock")


def shipment_latencies(connection: Connection, now: datetime) -> Latencies:
    """Return how long after they were recorded the channel knew of the parcels of the last hour."""
    return _told_latencies(connection, now, "shipment")


def _told_latencies(connection: Connection, now: datetime, kind: str) -> Latencies:
    took = type_coerce(outbox.c.done_at, BigInteger) - type_coerce(outbox.c.marked_at, BigInteger)
    accepted = and_(outbox.c.kind == kind, outbox.c.state == "done", outbox.c.error == "")
    recent = select(outbox.c.destination_id.label("channel_id"), case((accepted, took)).label("took"))
    return _percentiles(connection, recent.where(outbox.c.done_at > now - RECENT))


def webhook_latencies(connection: Connection, now: datetime) -> Latencies:
    """Return how long after they came the webhooks of the last hour were applied."""
    took = type_coerce(inbox.c.applied_at, BigInteger) - type_coerce(inbox.c.received_at, BigInteger)
    recent = select(inbox.c.channel_id, took.label("took"))
    return _percentiles(connection, recent.where(inbox.c.applied_at > now - RECENT))


def said(seconds: float | None) -> str | None:
    """Return a latency as people say it, tenths below ten seconds; None where there is none."""
    if seconds is None:
        return None
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def _percentiles(connection: Connection, those: Select[Any]) -> Latencies:
    # First what is recent, then its places: to rank by channel at once, SQLite would walk the whole past by channel.
    recent = those.cte("recent").prefix_with("MATERIALIZED")
    place = func.row_number().over(partition_by=recent.c.channel_id, order_by=recent.c.took).label("place")
    total = func.count().over(partition_by=recent.c.channel_id).label("total")
    ranked = select(recent, place, total).where(recent.c.took.is_not(None)).subquery()
    wanted = or_(*(ranked.c.place == _at(ranked.c.total, percent) for percent in PERCENTS))
    latencies: dict[tuple[int, str], float] = {}
    for row in connection.execute(select(ranked).where(wanted)):
        for percent in PERCENTS:
            if row.place == _at(row.total, percent):
                latencies[row.channel_id, f"{percent / 100:g}"] = max(0, row.took) / 1e6
    return latencies


def _at(total: Any, percent: int) -> Any:
    """Return the place of a percentile among so many, from 1 on: the smallest that covers the share."""
    return (total * percent + 99) // 100
