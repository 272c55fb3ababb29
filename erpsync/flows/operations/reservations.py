"""Reservations whose time is over end, and so do the days for which unpaid orders count."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import select, update

from erpsync.core.fulfilment import LINE
from erpsync.flows.availability.unpaid import age_unpaid
from erpsync.flows.channels.clocks import ask_about_leap
from erpsync.flows.context import Context
from erpsync.flows.operations.upkeep import AT_ONCE, log
from erpsync.flows.orders.decide import redecide
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.tables import (
    hold,
    order_line,
)


def expire_reservations(ctx: Context) -> int:
    """End reservations whose time is over, and the days unpaid orders count; return how many orders gave units back."""
    ask_about_leap(ctx)
    age_unpaid(ctx)
    if ctx.store.clock.unsettled:
        ctx.store.retrying(partial(_bound_reservations, ctx=ctx))
    done = last = 0
    while ids := _run_out(ctx, last):
        done += ctx.store.retrying(partial(_end_reservations, ctx=ctx, ids=ids))
        last = ids[-1]
    if done:
        log.info("reservations.ended", orders=done)
    return done


def _bound_reservations(tx: Tx, *, ctx: Context) -> None:
    """Let no reservation run longer from now than any may: the clock was set back since it was made."""
    longest = max((channel.orders.reserve_minutes for channel in ctx.channels.values()), default=0)
    until = tx.now + timedelta(minutes=longest)
    of_lines = hold.c.owner_kind == LINE
    tx.execute(update(hold).where(of_lines, hold.c.expires_at > until).values(expires_at=until))


def _run_out(ctx: Context, last: int) -> list[int]:
    """Return the next orders, by id, with a reservation whose time is over."""
    query = (
        select(order_line.c.order_id)
        .join(hold, (hold.c.owner_kind == LINE) & (hold.c.owner_id == order_line.c.id))
        .where(hold.c.expires_at <= ctx.store.trusted_now(), order_line.c.order_id > last)
        .distinct()
        .order_by(order_line.c.order_id)
        .limit(AT_ONCE)
    )
    with ctx.store.read() as connection:
        return list(connection.execute(query).scalars())


def _end_reservations(tx: Tx, *, ctx: Context, ids: Sequence[int]) -> int:
    """End what still runs out of it by now: an order that was paid in between keeps its units for good."""
    unready = [order for order in lock_order_ids(tx, ids).values() if order.ready_at is None]
    if unready:
        redecide(tx, ctx, [(order, order) for order in unready], event="order.reservation_ended")
    return len(unready)
