"""Parcels that a channel accepted and whose order it goes on showing as unshipped.

Why it asks for the order: a channel that took a parcel and lost it changes nothing, so no list of changes would ever
bring that order up again. Why once per parcel: what a person has been told needs no second telling.
"""

from datetime import timedelta

import structlog
from sqlalchemy import literal_column, select, update

from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.shipments.gate import UnreadError, reread
from erpsync.sdk.errors import PayloadError, RejectedError
from erpsync.sdk.roles import OrderSource, playing
from erpsync.sdk.types import OrderState
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.tables import orders, shipment
from erpsync.store.tasks import Task, open_tasks

AT_ONCE = 10
GRACE = timedelta(minutes=10)
"""So long a channel may take to show an order as shipped."""

NO_OLDER = timedelta(days=3)
TASK = "shipment_missing"
log = structlog.get_logger()


def look_for_shipments(ctx: Context, channel: Channel, *, most: int = AT_ONCE) -> int:
    """Read orders again whose parcels the channel took and does not show; return how many of them lack their parcel."""
    source = playing(channel.connector, OrderSource)
    if source is None or not source.rereads or not may_call(ctx, channel):
        return 0
    missing = 0
    for order_id in _unseen(ctx, channel, most):
        try:
            missing += _look(ctx, channel, order_id)
        except UnreadError as unread:
            log.warning("shipment.not_looked_for", channel=channel.name, error=repr(unread.cause))
            break
    return missing


def _unseen(ctx: Context, channel: Channel, most: int) -> list[int]:
    """Return orders that left whole and are still shown as paid, longest waiting first."""
    now = ctx.store.clock.now()
    query = (
        select(shipment.c.order_id)
        .join(orders, orders.c.id == shipment.c.order_id)
        .where(
            orders.c.channel_id == channel.id,
            orders.c.phase == literal_column("'shipped'"),  # text, so that SQLite sees that the partial index fits
            orders.c.state == literal_column("'paid'"),
            shipment.c.state == "sent",
            shipment.c.looked_at.is_(None),
            shipment.c.sent_at < now - GRACE,
            shipment.c.sent_at > now - NO_OLDER,
        )
        .order_by(shipment.c.sent_at)
        .limit(most)
    )
    with ctx.store.read() as connection:
        return list(dict.fromkeys(connection.execute(query).scalars()))


def _look(ctx: Context, channel: Channel, order_id: int) -> bool:
    stored = ctx.store.retrying(lambda tx: lock_order_ids(tx, [order_id]))
    unseen = ""
    try:
        reread(ctx, channel, stored[order_id])
    except UnreadError as unread:
        if not isinstance(unread.cause, RejectedError | PayloadError):
            raise
        unseen = str(unread)
    return ctx.store.retrying(lambda tx: _note(tx, channel, order_id, unseen))


def _note(tx: Tx, channel: Channel, order_id: int, unseen: str) -> bool:
    """Tell a person when the channel still shows the order as paid, or why (`unseen`) it does not show it at all."""
    order = lock_order_ids(tx, [order_id])[order_id]
    sent = (shipment.c.order_id == order_id) & (shipment.c.state == "sent")
    numbers = list(tx.execute(select(shipment.c.number).where(sent).order_by(shipment.c.number)).scalars())
    tx.execute(update(shipment).where(sent).values(looked_at=tx.now))
    if order.state is not OrderState.PAID:
        return False
    shows = f"does not show the order ({unseen})" if unseen else "still shows the order as unshipped"
    reason = f"the channel accepted parcel {', '.join(numbers)} and {shows}; look at it there"
    open_tasks(tx, [Task(kind=TASK, key=order.number, reason=reason, channel_id=channel.id, order_id=order_id)])
    detail = {"shipments": numbers}
    write_events(tx, [Event(kind="shipment.missing", order_id=order_id, channel_id=channel.id, detail=detail)])
    log.warning("shipment.missing", channel=channel.name, order=order.number)
    return True
