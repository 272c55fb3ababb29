"""Looking again at what was held because a SKU was not known, as soon as it may be.

Why transactions of its own: the caller has locked SKUs, and orders are locked before SKUs everywhere. Should the
process die in between, upkeep looks again.
"""

from collections.abc import Iterable
from functools import partial

from sqlalchemy import or_, select

from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.context import Context
from erpsync.flows.orders.decide import redecide, remapped
from erpsync.store.db.bulk import in_parts, update_many
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.registry import ids_by_name, lock_skus
from erpsync.store.tables import UNMAPPED_LINE, UNMAPPED_LISTING, listing, order_line
from erpsync.store.unread import unheld

AT_ONCE = 500


def relook_unmapped(ctx: Context, channel_skus: Iterable[str]) -> int:
    """Map what waits for one of these seller codes and can be mapped now; return how many orders changed."""
    codes = sorted(set(channel_skus))
    changed = 0
    for start in range(0, len(codes), AT_ONCE):
        part = codes[start : start + AT_ONCE]
        ctx.store.retrying(partial(_link_equal, ctx=ctx, codes=part))
        for ids in _waiting_for(ctx, part):
            changed += ctx.store.retrying(partial(_remap, ctx=ctx, ids=ids))
    return changed


def _link_equal(tx: Tx, ctx: Context, codes: list[str]) -> None:
    """Point unmapped listings whose seller code equals a SKU at it, and have them pushed."""
    query = select(listing.c.id, listing.c.channel_sku)
    waiting = query.where(UNMAPPED_LISTING, listing.c.channel_sku.in_(codes)).order_by(listing.c.id)
    equal = ids_by_name(tx.connection, [row.channel_sku for row in tx.all(waiting)])
    lock_skus(tx, equal.values())
    rows = [row for row in tx.all(waiting.with_for_update(key_share=True)) if row.channel_sku in equal]
    update_many(tx, listing, [{"id": row.id, "sku_id": equal[row.channel_sku]} for row in rows], keys=["id"])
    if equal:
        allocate(tx, ctx, [], also=equal.values())


def _waiting_for(ctx: Context, codes: list[str]) -> list[list[int]]:
    query = select(order_line.c.order_id).where(UNMAPPED_LINE, order_line.c.channel_sku.in_(codes))
    with ctx.store.read() as connection:
        ids = sorted(set(connection.execute(query).scalars()))
    return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]


def _remap(tx: Tx, ctx: Context, ids: list[int]) -> int:
    decided = remapped(tx, ctx, lock_order_ids(tx, ids).values())
    if decided:
        redecide(tx, ctx, decided, event="order.mapped")
    return len(decided)


def relook_unread(ctx: Context) -> int:
    """Hold orders that an open letter speaks of and that nothing holds for it; return how many.

    Letters of an older version of this program know their orders only since its migration.
    """
    with ctx.store.read() as connection:
        ids = unheld(connection, limit=AT_ONCE)
    return ctx.store.retrying(partial(_hold_unread, ctx=ctx, ids=ids)) if ids else 0


def _hold_unread(tx: Tx, ctx: Context, ids: list[int]) -> int:
    stored = lock_order_ids(tx, ids).values()
    redecide(tx, ctx, [(order, order) for order in stored], event="order.held")
    return len(stored)


def unmapped_codes(ctx: Context) -> list[str]:
    """Return the seller codes that orders or listings still wait for and that may be mapped by now."""
    with ctx.store.read() as connection:
        lines = connection.execute(select(order_line.c.channel_sku).where(UNMAPPED_LINE).distinct())
        codes = set(lines.scalars())
        rows = connection.execute(select(listing.c.channel_sku).where(UNMAPPED_LISTING).distinct())
        codes |= set(rows.scalars())
        mapped_ids = ids_by_name(connection, codes)
        mapped_codes = set(mapped_ids)
        for part in in_parts(codes):
            known_as = or_(listing.c.sku_id.is_not(None), listing.c.no_stock)
            mapped = select(listing.c.channel_sku).where(known_as, listing.c.channel_sku.in_(part))
            mapped_codes |= set(connection.execute(mapped).scalars())
        return sorted(mapped_codes)
