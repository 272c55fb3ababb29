"""Parcels that are told at their courier's first scan: they wait for it, and no longer than their shop does.

Why the scan and not the report that it left: shops fine sellers for parcels that are told as sent and do not move. Why
it ends some hours before the last instant all the same: what is told late is fined as well, and scans get lost.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, func, or_, select, update

from erpsync.core.deadline import ship_by
from erpsync.core.instants import stamp
from erpsync.core.orders import KnownOrder
from erpsync.flows.context import Channel, Context
from erpsync.flows.shipments.gate import rule
from erpsync.flows.shipments.packing import LoadedParcel, load_parcel
from erpsync.flows.shipments.tracks import SCAN
from erpsync.store.db.store import Stage, Tx
from erpsync.store.order_rules import OFF, marks_of
from erpsync.store.outbox.queue import IS_WAITING, SHIPMENT, Claimed, park
from erpsync.store.tables import orders, outbox, shipment
from erpsync.store.tasks import Task, open_tasks
from erpsync.store.tracks import is_scanned

AT_ONCE = 500


def wait_for_scans(ctx: Context, channel: Channel, rows: Sequence[Claimed]) -> list[Claimed]:
    """Park those of these claimed parcels that are told at their first scan and have none; return the others.

    It spares a reading of their orders. One that may not be told for another reason goes its way, so that this reason
    is seen; one that may have been told is looked for first.
    """
    with ctx.store.read() as connection:
        at_scan = _told_at_scan(connection, channel, [row.ref_id for row in rows])
    park_one = partial(_wait, channel=channel)
    return [
        row
        for row in rows
        if row.unknown or row.ref_id not in at_scan or not ctx.store.retrying(partial(park_one, row=row))
    ]


def _told_at_scan(connection: Connection, channel: Channel, shipment_ids: Sequence[int]) -> set[int]:
    """Return those of these parcels that are told at the first scan: as a mark of the order says, else its channel."""
    if not shipment_ids:
        return set()
    query = select(shipment.c.id, shipment.c.order_id).where(shipment.c.id.in_(shipment_ids))
    order_of = {row.id: row.order_id for row in connection.execute(query)}
    marks = marks_of(connection, order_of.values())
    told = {order_id: mark.value for order_id, of in marks.items() if (mark := of.get("tell")) and mark.value != OFF}
    return {id for id, order_id in order_of.items() if told.get(order_id, channel.orders.tell) == SCAN}


def _wait(tx: Tx, *, channel: Channel, row: Claimed) -> bool:
    parcel = load_parcel(tx, row.ref_id)
    said = {"forced": parcel.forced, "confirmed": row.confirmed, "unread_ok": row.unread_ok}
    passes = rule(tx, channel, parcel.order, parcel.units, **said).passes
    return passes and park_unscanned(tx, channel, row, parcel)


def park_unscanned(tx: Tx, channel: Channel, row: Claimed, parcel: LoadedParcel) -> bool:
    """Park a claimed parcel, its order locked, if it has to wait for its scan; whether it has to."""
    sent = parcel.shipment
    if tx.now >= latest(channel, parcel.order) or row.ref_id not in _told_at_scan(tx.connection, channel, [row.ref_id]):
        return False
    if is_scanned(tx, sent.carrier, sent.tracking):
        return False
    if park(tx, row, waiting_for="scan", error="no courier has scanned it yet"):
        tx.execute(update(shipment).where(shipment.c.id == row.ref_id).values(state="waiting"))
    return True


def latest(channel: Channel, order: KnownOrder) -> datetime:
    """Return from when on a parcel is told without a scan."""
    return ship_by(order, channel.orders) - timedelta(hours=channel.orders.latest_h)


def ask_for_scan(tx: Tx, channel: Channel, shipment_id: int) -> None:
    """Have a person look for a parcel that the channel was told of though no courier has scanned it."""
    if not _told_at_scan(tx.connection, channel, [shipment_id]):
        return
    parcel = load_parcel(tx, shipment_id)
    sent, order = parcel.shipment, parcel.order
    if is_scanned(tx, sent.carrier, sent.tracking):
        return
    until = stamp(ship_by(order, channel.orders))
    reason = (
        f"{channel.name} was told of parcel {sent.number} of order {order.number} ({order.external_id}), "
        f"as it wants to be by {until}, and no scan of {sent.carrier} {sent.tracking} "
        f"is known; find out whether it left, then `erpsync tasks done ID`"
    )
    open_tasks(
        tx, [Task(kind="scan_missing", key=sent.number, reason=reason, channel_id=channel.id, order_id=order.id)]
    )


def free_unscanned(ctx: Context, shop: Channel) -> int:
    """Let parcels of a channel go that have waited for their scan as long as they may; return how many."""
    return ctx.store.retrying(partial(_free_late, shop=shop))


def _free_late(tx: Tx, *, shop: Channel) -> int:
    margin, within = timedelta(hours=shop.orders.latest_h), timedelta(hours=shop.orders.ship_within_h)
    since = func.coalesce(orders.c.paid_at, orders.c.ready_at, orders.c.placed_at)
    late = or_(
        orders.c.ship_by_at <= tx.now + margin,
        orders.c.ship_by_at.is_(None) & (since <= tx.now + margin - within),
    )
    waits = (outbox.c.destination_id == shop.id, outbox.c.waiting_for == SCAN, IS_WAITING)
    query = (
        select(outbox.c.id)
        .join(shipment, shipment.c.id == outbox.c.ref_id)
        .join(orders, orders.c.id == shipment.c.order_id)
        .where(*waits, outbox.c.kind == SHIPMENT, late)
        .order_by(outbox.c.id)
        .limit(AT_ONCE)
    )
    ids = list(tx.execute(query).scalars())
    freed = update(outbox).where(outbox.c.id.in_(ids), *waits)
    done = tx.execute(freed.values(state="pending", waiting_for="", run_at=tx.now)).rowcount if ids else 0
    if done:
        tx.wake(Stage.PUSH)
    return done
