"""What becomes of a parcel or release whose order cannot be read again: held, and at last given to a person.

Why it is never buried: nothing is wrong with it, and nothing was sent; only the channel can tell whether it may go.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import structlog
from sqlalchemy import Select, func, or_, select

from erpsync.core.deadline import asks_at, look_again_at, ship_by
from erpsync.core.instants import stamp
from erpsync.core.orders import KnownOrder
from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.retry import asked_s
from erpsync.flows.shipments.gate import UnreadError
from erpsync.store import tables
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.held import hold_back, hold_unclaimed
from erpsync.store.outbox.queue import IS_OPEN, IS_PENDING, SHIPMENT, Claimed
from erpsync.store.tables import orders, outbox, shipment
from erpsync.store.tasks import Task, open_tasks, task_key

AT_ONCE = 50
log = structlog.get_logger()


def hold(tx: Tx, ctx: Context, row: Claimed, orders: Sequence[KnownOrder], unread: UnreadError, *, facts: str) -> None:
    """Hold a claimed row back until its orders can be read, or until a person has to decide about the first due one.

    Args:
        facts: what is held and for whom, for people.
    """
    shop, since = unread.shop, row.held_since_at or tx.now
    waiting = [(ctx.seller(order.channel_id) or shop, order) for order in orders]
    due_shop, due = min(waiting, key=lambda pair: asks_at(pair[1], pair[0].orders))
    asks = asks_at(due, due_shop.orders)
    rest_s = asked_s(unread.cause, auth_retry_s=shop.poll.auth_retry_s)
    run_at = None if tx.now >= asks else look_again_at(since=since, asks=asks, now=tx.now, rest_s=rest_s)
    if not hold_back(tx, row, run_at=run_at, error=str(unread)):
        return
    if run_at is None:
        key = task_key(row.kind, row.ref_id)
        _ask(tx, due_shop, due, key, facts=facts, since=since, why=str(unread), unread=shop)
    else:
        log.warning("gate.held", channel=shop.name, kind=row.kind, key=row.key, error=str(unread))


def _ask(
    tx: Tx, shop: Channel, order: KnownOrder, key: str, *, facts: str, since: datetime, why: str, unread: Channel
) -> None:
    until = ship_by(order, shop.orders)
    whose = "its orders" if unread.id == shop.id else f"orders of {unread.name}"
    reason = (
        f"{facts}: {shop.name} is to be told by {stamp(until)} and {whose} cannot be read since "
        f"{stamp(since)} ({why}); look there whether it may go, then `erpsync tasks done ID` lets it go"
    )
    open_tasks(tx, [Task(kind="gate", key=key, reason=reason, channel_id=shop.id, order_id=order.id)])
    detail = {"ship_by": until.isoformat(), "since": since.isoformat(), "error": why}
    write_events(tx, [Event(kind="gate.asked", order_id=order.id, channel_id=shop.id, detail=detail)])
    log.error("gate.asked", channel=shop.name, order=order.number, error=why, action="look there, then tasks done")


def describe(tx: Tx, shipment_id: int, order: KnownOrder) -> str:
    """Return a parcel in words: its number, its order, and how it travels."""
    row = tx.execute(select(shipment).where(shipment.c.id == shipment_id)).one()
    return f"parcel {row.number} of order {order.number} ({order.external_id}), {row.carrier} {row.tracking}"


def ask_overdue(ctx: Context, shop: Channel) -> int:
    """Ask a person about parcels near their last instant that nobody claims; return how many.

    The gate cannot notice them: nothing is claimed while a channel is paused, blocked or refuses our credentials, nor
    while its refunds were never read to the end.
    """
    stuck = outbox.c.waiting_for == "refunds"
    if not may_call(ctx, shop, probing=True):
        stuck |= IS_PENDING
    with ctx.store.read() as connection:
        rows = connection.execute(_overdue(shop, ctx.store.clock.now()).where(stuck))
        parcels = [_Unclaimed._make(row) for row in rows]
    return sum(ctx.store.retrying(partial(_ask_one, shop=shop, overdue=parcel)) for parcel in parcels)


class _Unclaimed(NamedTuple):
    """A parcel near its last instant that nobody claims: its effect, what went wrong with it, and its order."""

    id: int
    shipment_id: int
    error: str
    order_id: int


def _overdue(shop: Channel, now: datetime) -> Select[tuple[int, int, str, int]]:
    margin, within = timedelta(hours=shop.orders.ship_margin_h), timedelta(hours=shop.orders.ship_within_h)
    since = func.coalesce(orders.c.paid_at, orders.c.ready_at, orders.c.placed_at)
    late = or_(
        orders.c.ship_by_at <= now + margin,
        orders.c.ship_by_at.is_(None) & (since <= now + margin - within),
    )
    return (
        select(outbox.c.id, outbox.c.ref_id, outbox.c.error, shipment.c.order_id)
        .join(shipment, shipment.c.id == outbox.c.ref_id)
        .join(orders, orders.c.id == shipment.c.order_id)
        .where(outbox.c.destination_id == shop.id, outbox.c.kind == SHIPMENT, IS_OPEN)
        .where(~outbox.c.unread_ok, outbox.c.sent_at.is_(None), late)
        .limit(AT_ONCE)
    )


def _ask_one(tx: Tx, *, shop: Channel, overdue: _Unclaimed) -> int:
    order = lock_order_ids(tx, [overdue.order_id])[overdue.order_id]
    row = tx.execute(select(tables.channel).where(tables.channel.c.id == shop.id)).one()
    paused = row.paused_reason or "the channel is paused"
    why = paused if row.paused else row.down_error or overdue.error or "the channel may not be called"
    if not hold_unclaimed(tx, overdue.id, error=why):
        return 0
    since = row.auth_failed_at or row.down_since_at or tx.now
    facts = describe(tx, overdue.shipment_id, order)
    _ask(tx, shop, order, task_key(SHIPMENT, overdue.shipment_id), facts=facts, since=since, why=why, unread=shop)
    return 1
