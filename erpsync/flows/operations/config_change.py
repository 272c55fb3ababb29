"""Putting a changed configuration into force: who waits may be served now, numbers and holds may be others.

Why a digest is kept per channel: at a start nobody knows whether the configuration was edited since, and planning and
telling everything anew each time would make a start slow for nothing.
"""

import zlib
from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import or_, select

from erpsync.core.order_holds import HoldReason, addressed
from erpsync.core.orders import KnownOrder
from erpsync.core.release import OPEN_PHASES
from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.decide import redecide
from erpsync.flows.orders.hold_reasons import asks_for_address
from erpsync.flows.shipments.tracks import SCAN
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.sequence import read_mark, set_mark
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import SHIPMENT, free_waiting
from erpsync.store.tables import backorder, bundle, listing, orders

AT_ONCE = 500
log = structlog.get_logger()


def replan_changed(ctx: Context) -> int:
    """Plan anew what the configuration changed since this was last asked; return how many SKUs were looked at."""
    for channel in ctx.channels.values():
        _judge_addresses(ctx, channel)
        _judge_scans(ctx, channel)
    changed = [channel for channel in ctx.sellers if _known(ctx, channel) != _digest(ctx, channel)]
    if not changed:
        return 0
    skus = _concerned(ctx, [channel.id for channel in changed])
    for start in range(0, len(skus), AT_ONCE):
        part = skus[start : start + AT_ONCE]
        ctx.store.retrying(partial(allocate, ctx=ctx, changes=[], also=part))
    with ctx.store.begin() as tx:
        for channel in changed:
            set_mark(tx, f"policy:{channel.name}", _digest(ctx, channel))
    log.info("stock.replanned", channels=len(changed), skus=len(skus))
    return len(skus)


def _judge_addresses(ctx: Context, channel: Channel) -> None:
    """Hold or free the open orders of a channel that asks for an address now and did not, or the other way round."""
    name, asked = f"address:{channel.name}", (channel.orders.require_address, channel.carries_recipients)
    digest = zlib.crc32(repr(asked).encode())
    with ctx.store.read() as connection:
        if read_mark(connection, name) == digest:
            return
        # Scans orders: the open ones of a channel, once after its policy has changed.
        unaddressed = (orders.c.channel_id == channel.id) & orders.c.address_complete.is_not(True)
        query = select(orders.c.id).where(unaddressed, orders.c.phase.in_((*OPEN_PHASES, "held")))
        ids = list(connection.execute(query).scalars())
    for part in in_parts(ids, AT_ONCE):
        ctx.store.retrying(partial(_judge_again, ctx=ctx, channel=channel, ids=part))
    with ctx.store.begin() as tx:
        set_mark(tx, name, digest)


def _judge_scans(ctx: Context, channel: Channel) -> None:
    """Look again at parcels that wait for their scan, where the channel is told at another instant now."""
    name, digest = f"tell:{channel.name}", zlib.crc32(repr((channel.orders.tell, channel.orders.latest_h)).encode())
    with ctx.store.read() as connection:
        if read_mark(connection, name) == digest:
            return
    with ctx.store.begin() as tx:
        free_waiting(tx, SCAN, destination_id=channel.id, kind=SHIPMENT)
        set_mark(tx, name, digest)


def _judge_again(tx: Tx, *, ctx: Context, channel: Channel, ids: Sequence[int]) -> None:
    stored = lock_order_ids(tx, ids).values()
    wrong = [(order, order) for order in stored if _lacks_address(channel, order) != _is_held_for_it(order)]
    if wrong:
        redecide(tx, ctx, wrong, event="order.changed")


def _lacks_address(channel: Channel, order: KnownOrder) -> bool:
    return asks_for_address(channel, order) and not addressed(order)


def _is_held_for_it(order: KnownOrder) -> bool:
    return HoldReason.INCOMPLETE_ADDRESS in order.holds


def _digest(ctx: Context, channel: Channel) -> int:
    """Return a number that changes with whatever decides which stock the channel gets and is told."""
    places = [ctx.warehouses[warehouse_id] for warehouse_id in ctx.sourcing.of(channel.id)]
    return zlib.crc32(repr((channel.stock, channel.enabled, places)).encode())


def _known(ctx: Context, channel: Channel) -> int | None:
    with ctx.store.read() as connection:
        return read_mark(connection, f"policy:{channel.name}")


def _concerned(ctx: Context, channel_ids: Sequence[int]) -> list[int]:
    # Who waits for the warehouses of no channel may be served from others now as well.
    who = or_(backorder.c.channel_id.in_(channel_ids), backorder.c.channel_id.is_(None))
    with ctx.store.read() as connection:
        waiting = connection.execute(select(backorder.c.sku_id).where(who))
        listed = select(listing.c.sku_id).where(listing.c.channel_id.in_(channel_ids), listing.c.sku_id.is_not(None))
        skus = {*waiting.scalars(), *connection.execute(listed).scalars()}
        held = select(bundle.c.sku_id).join(listing, listing.c.sku_id == bundle.c.bundle_id)
        parts = connection.execute(held.where(listing.c.channel_id.in_(channel_ids)))
        return sorted(skus | set(parts.scalars()))
