"""Orders that should have left by now: each is told of once."""

from functools import partial

from erpsync.flows.context import Context
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.late_orders import note_late

AT_ONCE = 500


def tell_late(ctx: Context) -> int:
    """Tell of every open order, of an enabled channel or our own, whose time to be sent is over; return of how many."""
    within_h = {channel.id: channel.orders.ship_within_h for channel in ctx.sellers if channel.enabled}
    told = 0
    while within_h:
        some = ctx.store.retrying(partial(_tell_some, within_h=within_h))
        told += some
        if some < AT_ONCE:
            break
    return told


def _tell_some(tx: Tx, *, within_h: dict[int, float]) -> int:
    late = note_late(tx, within_h, limit=AT_ONCE)
    write_events(
        tx,
        [
            Event(
                kind="order.late",
                order_id=order.order_id,
                channel_id=order.channel_id,
                detail={"due_at": order.due_at.isoformat()},
            )
            for order in late
        ],
    )
    return len(late)
