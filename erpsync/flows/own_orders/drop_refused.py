"""Own orders that no warehouse takes: cancelled after so many days, where the settings say so.

Why own ones alone: what a shop has sold it must cancel itself, with its buyer.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Select, literal_column, select

from erpsync.flows.context import Context
from erpsync.flows.orders.actions import given_up
from erpsync.flows.orders.decide import redecide
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.tables import order_hold, orders

AT_ONCE = 200
ACTOR = "erpsync"


def drop_refused(ctx: Context) -> int:
    """Cancel the own orders that warehouses gave back too long ago; return how many. What has left of them stays so."""
    days = ctx.releases.refused.drop_after_days
    if days is None:
        return 0
    done, after = 0, 0
    while True:
        before = ctx.store.trusted_now() - timedelta(days=days)
        with ctx.store.read() as connection:
            ids = list(
                connection.execute(_held(ctx.own.id, before).where(orders.c.id > after).limit(AT_ONCE)).scalars()
            )
        done += ctx.store.retrying(partial(_drop, ctx=ctx, ids=ids, before=before, days=days)) if ids else 0
        if len(ids) < AT_ONCE:
            return done
        after = ids[-1]


def _held(own_id: int, before: datetime) -> Select[Any]:
    """Return a query for own orders that are held since before an instant because a warehouse gave them back."""
    reason = order_hold.c.reason == literal_column("'warehouse_refused'")
    held = select(orders.c.id).join(order_hold, order_hold.c.order_id == orders.c.id)
    return held.where(reason, order_hold.c.at <= before, orders.c.channel_id == own_id).order_by(orders.c.id)


def _drop(tx: Tx, *, ctx: Context, ids: Sequence[int], before: datetime, days: int) -> int:
    """Cancel those of these orders that are still held: a person may have released one, or cancelled it."""
    locked = lock_order_ids(tx, ids)
    held = set(tx.execute(_held(ctx.own.id, before).where(orders.c.id.in_(ids))).scalars())
    stored = [order for id, order in locked.items() if id in held and order.open_qty]
    reason = "no warehouse took it within a day" if days == 1 else f"no warehouse took it within {days} days"
    ended = [(order, given_up(order)) for order in stored]
    redecide(tx, ctx, ended, event="order.cancelled", actor=ACTOR, detail={"reason": reason})
    return len(ended)
