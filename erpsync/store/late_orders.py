"""By when an order is to be told as sent, and which open ones are past that and not told of yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, case, exists, func, literal, select, text, type_coerce

from erpsync.core.policy import OrderPolicy
from erpsync.store.db.store import Tx
from erpsync.store.tables import Instant, late_order, micros, orders

OPEN = text("orders.phase IN ('ready', 'held', 'partially_shipped')")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateOrder:
    """An order that should have left."""

    order_id: int
    channel_id: int
    due_at: datetime


def due(within_h: Mapping[int, float]) -> Any:
    """Return by when an order is to be told as sent, in microseconds, as `core.deadline.ship_by` says."""
    instants = ("paid_at", "ready_at", "placed_at")
    since = func.coalesce(*(type_coerce(orders.c[name], BigInteger) for name in instants))
    allowed = {id: _span(hours) for id, hours in within_h.items()}
    usual = _span(OrderPolicy().ship_within_h)
    span = case(allowed, value=orders.c.channel_id, else_=usual) if allowed else usual
    return func.coalesce(type_coerce(orders.c.ship_by_at, BigInteger), since + span)


def _span(hours: float) -> Any:
    return literal(timedelta(hours=hours) // _MICROSECOND, BigInteger)


def note_late(tx: Tx, within_h: Mapping[int, float], *, limit: int) -> list[LateOrder]:
    """Note open orders of these channels that are late and not noted yet, and return them.

    A leap ahead of the clock makes none late before it is confirmed: what is told once cannot be taken back.
    """
    due_us = due(within_h)
    noted = exists().where(late_order.c.order_id == orders.c.id)
    # Scans orders: those that are open. They are few beside the ones that ended, however long the history is.
    query = select(orders.c.id, orders.c.channel_id, type_coerce(due_us, Instant).label("due_at")).where(
        OPEN,
        orders.c.ready_at.is_not(None),
        orders.c.channel_id.in_(sorted(within_h)),
        due_us <= micros(tx.trusted_now),
        ~noted,
    )
    late = {row.id: row for row in tx.all(query.limit(limit))}
    if not late:
        return []
    rows = [{"order_id": id, "due_at": row.due_at, "told_at": tx.now} for id, row in sorted(late.items())]
    fresh = tx.insert(late_order).values(rows).on_conflict_do_nothing(index_elements=["order_id"])
    ours = sorted(tx.execute(fresh.returning(late_order.c.order_id)).scalars())
    return [LateOrder(order_id=id, channel_id=late[id].channel_id, due_at=late[id].due_at) for id in ours]
