"""From SKUs whose numbers changed to rows of the outbox, one for each listing that shows them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import or_, select

from erpsync.flows.context import Channel, Context
from erpsync.sdk.roles import StockSink
from erpsync.store.db.store import Tx
from erpsync.store.listings import doubt
from erpsync.store.outbox.dirty import Mark, mark_dirty, take_dirty
from erpsync.store.outbox.queue import (
    LANE_REST,
    LANE_URGENT,
    STOCK,
    Effect,
    enqueue,
)
from erpsync.store.tables import bundle, listing

MARKS_AT_ONCE = 500


def fan_out(ctx: Context) -> bool:
    """Turn dirty SKUs into one pending row per listing concerned; True when there is more to turn."""

    def turn_marks(tx: Tx) -> int:
        marks = take_dirty(tx, limit=MARKS_AT_ONCE)
        if marks:
            enqueue(tx, _effects(tx, ctx, {mark.sku_id: mark for mark in marks}))
        return len(marks)

    return ctx.store.retrying(turn_marks) == MARKS_AT_ONCE


def _effects(tx: Tx, ctx: Context, marks: Mapping[int, Mark]) -> list[Effect]:
    holding: dict[int, list[int]] = {}
    for row in tx.all(select(bundle).where(bundle.c.sku_id.in_(sorted(marks)))):
        holding.setdefault(row.bundle_id, []).append(row.sku_id)
    listed = select(listing.c.id, listing.c.channel_id, listing.c.channel_sku, listing.c.item_ref, listing.c.sku_id)
    rows = tx.all(listed.where(listing.c.sku_id.in_(sorted({*marks, *holding}))))
    effects: list[Effect] = []
    untold: list[int] = []
    for row in rows:
        channel = ctx.channels.get(row.channel_id)
        if channel is None or not pushes(channel, row.item_ref):
            untold.append(row.id)
            continue
        causes = [marks[sku_id] for sku_id in (row.sku_id, *holding.get(row.sku_id, ())) if sku_id in marks]
        effects.append(_effect(tx, channel, row.id, causes))
    if untold:  # so that they are told as soon as their channel is pushed to
        doubt(tx, listing.c.id.in_(untold))
    return effects


def pushes(channel: Channel, item_ref: str) -> bool:
    """Whether a listing of this channel is told numbers at all."""
    kind = channel.connector_kind
    if kind is None or not issubclass(kind, StockSink):
        return False
    return channel.enabled and channel.stock.push and bool(item_ref or not kind.needs_item_ref)


def _effect(tx: Tx, channel: Channel, listing_id: int, causes: Sequence[Mark]) -> Effect:
    first = min(mark.first_at for mark in causes)
    urgent = any(mark.urgent for mark in causes)
    own = [m.cause for m in causes if m.cause is not None and m.cause.channel_id == channel.id]
    fresh_after = min(c.pass_began_at for c in own) - timedelta(microseconds=1) if len(own) == len(causes) else first
    return Effect(
        destination_id=channel.id,
        kind=STOCK,
        key=str(listing_id),
        ref_id=listing_id,
        serial_key=f"listing:{listing_id}",
        lane=LANE_URGENT if urgent else LANE_REST,
        run_at=tx.now if urgent else first + timedelta(seconds=channel.stock.settle_s),
        marked_at=first,
        fresh_after_at=fresh_after,
    )


def mark_untold(ctx: Context) -> None:
    """Mark every listing that was never told or not surely, so that a start pushes what a reload or a crash left."""

    def mark_listings(tx: Tx) -> None:
        query = select(listing.c.sku_id).where(
            listing.c.sku_id.is_not(None), or_(listing.c.told_sure.is_(False), listing.c.told_qty.is_(None))
        )
        mark_dirty(tx, set(tx.execute(query.distinct()).scalars()))

    ctx.store.retrying(mark_listings)
