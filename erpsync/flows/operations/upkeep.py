"""What has to be done from time to time: reservations that end, leases that ran out, old rows, sums that must agree."""

from functools import partial

import structlog
from sqlalchemy import select

from erpsync.flows.context import Context
from erpsync.flows.inventory.remap import remap_wanted
from erpsync.flows.inventory.unmapped import relook_unmapped, relook_unread, unmapped_codes
from erpsync.flows.operations.fill_notes import fill_notes
from erpsync.flows.operations.fill_recipients import fill_recipients
from erpsync.flows.shipments.held import ask_overdue
from erpsync.flows.shipments.unscanned import free_unscanned
from erpsync.store.cursors import read_cursors
from erpsync.store.db.store import Tx
from erpsync.store.outbox.dirty import mark_dirty
from erpsync.store.outbox.queue import STOCK, free_waiting, reclaim
from erpsync.store.tables import (
    listing,
)

AT_ONCE = 200
log = structlog.get_logger()


def reclaim_leases(ctx: Context, *, owner_gone: bool = False) -> int:
    """Take back what lost workers had leased; a stock number that may have been sent is marked dirty again."""

    def take_back(tx: Tx) -> int:
        rows = reclaim(tx, owner_gone=owner_gone)
        refs = [row.ref_id for row in rows if row.kind == STOCK]
        if refs:
            skus = select(listing.c.sku_id).where(listing.c.id.in_(refs), listing.c.sku_id.is_not(None))
            mark_dirty(tx, set(tx.execute(skus).scalars()))
        return len(rows)

    done = ctx.store.retrying(take_back)
    if done:
        log.warning("leases.reclaimed", rows=done)
    return done


def free_fresh(ctx: Context) -> int:
    """Let rows go on that wait for a pass which has ended meanwhile (their waker may have died).

    Parcels that wait for one that does not end are given to a person near their last instant; those that wait for a
    courier's scan go on then without it.
    """
    with ctx.store.read() as connection:
        rows = read_cursors(connection)
    freed = 0
    for channel in ctx.channels.values():
        row = rows.get((channel.id, "orders"))
        if row is not None and not row.wanted and row.complete_ended_at is not None:
            freed += ctx.store.retrying(partial(free_waiting, waiting_for="fresh", destination_id=channel.id))
        if channel.enabled:
            ask_overdue(ctx, channel)
        freed += free_unscanned(ctx, channel)
    return freed


def relook(ctx: Context) -> int:
    """Map what can be mapped by now, or otherwise than before, hold what an open letter speaks of, fill in what is new.

    It is the safety net of what died half-way.
    """
    looked = relook_unmapped(ctx, unmapped_codes(ctx)) + remap_wanted(ctx) + relook_unread(ctx)
    return looked + fill_notes(ctx) + fill_recipients(ctx)
