"""The brake on a wave of zeros that nobody can explain: when it trips, and how a person or a right count ends it."""

from datetime import timedelta

import structlog
from sqlalchemy import and_, func, or_, select

from erpsync.core.availability import (
    braked,
)
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import Refused
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.queue import IS_WAITING, STOCK, free_waiting
from erpsync.store.tables import listing, outbox
from erpsync.store.tasks import Task, close_tasks, open_tasks

TASK = "brake"
log = structlog.get_logger()


def confirm_stock(ctx: Context, channel: str, *, actor: str) -> int:
    """Let the zeros that the brake holds back go; return how many."""
    try:
        wanted = ctx.channel(channel)
    except LookupError as error:
        raise Refused(str(error)) from error

    def free_zeros(tx: Tx) -> int:
        freed = free_waiting(tx, "brake", destination_id=wanted.id, kind=STOCK, confirmed=True)
        _release(tx, wanted, by=actor)
        detail = {"listings": freed}
        write_events(tx, [Event(kind="stock.confirmed", channel_id=wanted.id, detail=detail, actor=actor)])
        return freed

    return ctx.store.retrying(free_zeros)


BRAKE_WINDOW = timedelta(seconds=60)


def end_brake(tx: Tx, channel: Channel) -> None:
    """Close the brake's task once no number of the channel waits for it any more: a right count has made them void."""
    waits = and_(outbox.c.destination_id == channel.id, outbox.c.waiting_for == "brake", IS_WAITING)
    if tx.execute(select(outbox.c.id).where(waits).limit(1)).first() is None:
        _release(tx, channel, by="erpsync")


def _release(tx: Tx, channel: Channel, *, by: str) -> None:
    if close_tasks(tx, TASK, [channel.name], by=by):
        write_events(tx, [Event(kind="brake.released", channel_id=channel.id, actor=by)])


def hold_zeros(tx: Tx, channel: Channel, zeros: int) -> None:
    """Ask a person about zeros that are held back; said once until they are let go or void."""
    reason = (
        f"{zeros} or more listings would be set to 0 without a sale; look at the stock, "
        f"then `erpsync stock confirm {channel.name}` lets them go"
    )
    if open_tasks(tx, [Task(kind=TASK, key=channel.name, reason=reason, channel_id=channel.id)]):
        write_events(tx, [Event(kind="brake.held", channel_id=channel.id, detail={"listings": zeros})])
    log.error("brake.tripped", channel=channel.name, listings=zeros, action="look, then erpsync stock confirm")


def brake_trips(tx: Tx, channel: Channel) -> bool:
    """Whether too many of the channel's listings went to zero for no reason known, over the last 60 seconds.

    Those that wait since an earlier wave count with them, or they would leak out one by one.
    """
    of_channel = listing.c.channel_id == channel.id
    waiting = select(outbox.c.ref_id).where(
        outbox.c.destination_id == channel.id, outbox.c.waiting_for == "brake", IS_WAITING
    )
    zeroed = or_(listing.c.zeroed_at > tx.now - BRAKE_WINDOW, listing.c.id.in_(waiting))
    above = select(func.count()).where(of_channel, or_(listing.c.told_qty > 0, zeroed))
    zeros = select(func.count()).where(of_channel, zeroed)
    return braked(
        unexplained_zeros=int(tx.execute(zeros).scalar_one()),
        told_above_zero=int(tx.execute(above).scalar_one()),
        policy=channel.stock.brake,
    )
