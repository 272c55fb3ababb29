"""A buyer's orders, by the keyed hash of who bought: looked up week by week, so that a long past costs no more."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from erpsync.store.db.bulk import in_parts
from erpsync.store.tables import ORDER_WEEK, orders, refund
from erpsync.store.tables.base import micros

WEEK_US = 604_800_000_000
WEEKS_AT_ONCE = 100

_BUYERS = orders.c.buyer_index.in_(bindparam("buyers", expanding=True))
_THEIRS = (
    select(orders.c.id, orders.c.number, orders.c.buyer_index, orders.c.placed_at, orders.c.phase)
    .add_columns(orders.c.channel_id, orders.c.external_id)
    .where(ORDER_WEEK.in_(bindparam("weeks", expanding=True)), _BUYERS)
)
_EDGE = select(ORDER_WEEK).where(orders.c.buyer_index.is_not(None)).limit(1)
_EDGES = select(
    _EDGE.order_by(ORDER_WEEK).scalar_subquery().label("first"),
    _EDGE.order_by(ORDER_WEEK.desc()).scalar_subquery().label("last"),
)
_REFUNDS = (
    select(refund.c.channel_id, refund.c.order_external_id, refund.c.version_at)
    .where(refund.c.channel_id == bindparam("channel"))
    .where(refund.c.order_external_id.in_(bindparam("order_ids", expanding=True)), refund.c.state != "closed")
)


def orders_of_buyers(
    connection: Connection, hashes: Iterable[bytes], *, weeks: Iterable[int] | None = None
) -> list[Any]:
    """Return id, number, buyer_index, placed_at, phase, channel_id and external_id of the orders of these buyers.

    Args:
        weeks: only those placed in these weeks since 1970; all in which a buyer is known if not given.
    """
    buyers = sorted(set(hashes))
    if not buyers:
        return []
    asked = _all_weeks(connection) if weeks is None else weeks
    return [
        row
        for part in in_parts(asked, WEEKS_AT_ONCE)
        for row in connection.execute(_THEIRS, {"weeks": part, "buyers": buyers})
    ]


def weeks_around(at: datetime, span: timedelta) -> range:
    """Return the weeks that hold the instants no further from `at` than `span`."""
    return range(micros(at - span) // WEEK_US, micros(at + span) // WEEK_US + 1)


def refunds_of_orders(connection: Connection, channel_id: int, external_ids: Iterable[str]) -> list[Any]:
    """Return channel_id, order_external_id and version_at of the refunds of these orders; those closed count not."""
    rows: list[Any] = []
    for part in in_parts(external_ids):
        rows += connection.execute(_REFUNDS, {"channel": channel_id, "order_ids": part}).all()
    return rows


def _all_weeks(connection: Connection) -> range:
    # Scans orders: the first and the last entry of an index.
    first, last = connection.execute(_EDGES).one()
    return range(0) if first is None or last is None else range(first, last + 1)
