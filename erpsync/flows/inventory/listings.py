"""Which channel things are which of our SKUs, as people say; and what our bundles consist of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import select, tuple_

from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.context import Context
from erpsync.flows.imports import ROWS_PER_COMMIT, ImportResult
from erpsync.flows.inventory.remap import remap_codes, want_remap
from erpsync.flows.inventory.unmapped import relook_unmapped
from erpsync.flows.orders.changed import mapping_events, mappings
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.listings import map_listings
from erpsync.store.registry import lock_skus, make_skus
from erpsync.store.tables import listing


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingMapping:
    """One row of a listings file: `factor` of our units are in one of the channel's; none where it is no goods."""

    channel: str
    channel_sku: str
    sku: str
    factor: int = 1
    no_stock: bool = False
    item_ref: str = ""
    source: str = ""


def import_listings(
    ctx: Context, rows: Iterable[ListingMapping], *, actor: str, progress: Callable[[int], None] = lambda done: None
) -> ImportResult:
    """Map listings, a batch per commit; orders that were held for them, or wait, are mapped anew at once."""
    result = ImportResult()
    pending = iter(rows)
    names = {channel.name for channel in ctx.channels.values()}
    while batch := list(islice(pending, ROWS_PER_COMMIT)):
        good = [row for row in batch if not _listing_problem(row, names)]
        result.refused += [(row.source, problem) for row in batch if (problem := _listing_problem(row, names))]
        ctx.store.retrying(partial(_take_listings, ctx=ctx, rows=good, actor=actor))
        relook_unmapped(ctx, [row.channel_sku for row in good])
        for name in sorted({row.channel for row in good}):
            remap_codes(ctx, ctx.channel(name).id, {row.channel_sku for row in good if row.channel == name})
        result.taken += len(good)
        progress(len(batch))
    return result


def _listing_problem(row: ListingMapping, names: set[str]) -> str:
    if row.channel not in names:
        return f"channel {row.channel} is not configured"
    if not row.channel_sku.strip() or not (row.sku.strip() or row.no_stock):
        return "channel_sku and sku must not be empty"
    return "" if row.factor >= 1 else f"factor must be 1 or more, is {row.factor}"


def _take_listings(tx: Tx, ctx: Context, rows: Sequence[ListingMapping], actor: str) -> None:
    if not rows:
        return
    ids = make_skus(tx, [row.sku for row in rows if not row.no_stock])
    latest = {(ctx.channel(row.channel).id, row.channel_sku, row.item_ref): row for row in rows}
    values: list[dict[str, Any]] = [
        {
            "channel_id": key[0],
            "channel_sku": key[1],
            "item_ref": key[2],
            "sku_id": None if row.no_stock else ids[row.sku],
            "factor": row.factor,
            "no_stock": row.no_stock,
        }
        for key, row in sorted(latest.items(), key=lambda item: item[0])
    ]
    things = {(row["channel_id"], row["channel_sku"]) for row in values}
    _lock(tx, values)
    before = mappings(tx, things)
    map_listings(tx, values)
    want_remap(tx)
    write_events(tx, mapping_events(before, mappings(tx, things), actor))
    write_events(tx, [Event(kind="listings.imported", detail={"rows": len(values)}, actor=actor)])
    allocate(tx, ctx, [], also=_mapped_skus(values))


def _lock(tx: Tx, values: Sequence[dict[str, Any]]) -> None:
    """Lock the SKUs that the listings are to be, and were: a sale of them locks its SKUs first as well."""
    same = tuple_(listing.c.channel_id, listing.c.channel_sku).in_(
        sorted({(row["channel_id"], row["channel_sku"]) for row in values})
    )
    before = tx.execute(select(listing.c.sku_id).where(same, listing.c.sku_id.is_not(None))).scalars()
    lock_skus(tx, {*before, *_mapped_skus(values)})


def _mapped_skus(values: Sequence[dict[str, Any]]) -> list[int]:
    return [row["sku_id"] for row in values if row["sku_id"] is not None]
