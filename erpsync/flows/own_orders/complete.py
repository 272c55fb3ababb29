"""The end of own orders: completed so many days after the last parcel left, since no channel says so."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Select, exists, select

from erpsync.core.orders import phase
from erpsync.flows.context import Context
from erpsync.flows.orders.decide import redecide
from erpsync.sdk.types import OrderState
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.tables import orders, shipment

AT_ONCE = 500


def complete_own(ctx: Context) -> int:
    """Complete the own orders whose last parcel left long enough ago; return how many."""
    done = 0
    while True:
        before = ctx.store.trusted_now() - timedelta(days=ctx.complete_days)
        # Scans orders: own ones that have left, of which each is read until it is completed.
        with ctx.store.read() as connection:
            ids = list(connection.execute(_over(ctx.own.id, before)).scalars())
        done += ctx.store.retrying(partial(_complete, ctx=ctx, ids=ids)) if ids else 0
        if len(ids) < AT_ONCE:
            return done


def _over(own_id: int, before: datetime) -> Select[Any]:
    """Return a query for own orders that have left, and of which no parcel left after an instant."""
    later = exists().where(shipment.c.order_id == orders.c.id, shipment.c.shipped_at > before)
    left = select(orders.c.id).where(orders.c.channel_id == own_id, orders.c.phase == "shipped", ~later)
    return left.order_by(orders.c.placed_at).limit(AT_ONCE)


def _complete(tx: Tx, *, ctx: Context, ids: Sequence[int]) -> int:
    """Complete those of these orders that have still left whole: one may have been completed meanwhile."""
    stored = [order for order in lock_order_ids(tx, ids).values() if phase(order) == "shipped"]
    ended = [(order, replace(order, state=OrderState.COMPLETED)) for order in stored]
    redecide(tx, ctx, ended, event="order.changed")
    return len(ended)
