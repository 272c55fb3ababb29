"""Which channel things are which of our SKUs, as people say; and what our bundles consist of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import delete, select, tuple_

from erpsync.flows.changed import bundle_events, contents, mapping_events, mappings
from erpsync.flows.fulfil import settle
from erpsync.flows.house import House
from erpsync.flows.relook import relook_unmapped
from erpsync.flows.remap import remap_codes, remap_skus, want_remap
from erpsync.flows.stock import ROWS_PER_COMMIT, ImportResult
from erpsync.store.bulk import in_parts, insert_many, update_many
from erpsync.store.notes import Event, write_events
from erpsync.store.places import lock_skus, make_skus, sku_ids
from erpsync.store.store import Tx
from erpsync.store.tables import bundle, listing, sku


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePart:
    """One row of a bundles file."""

    bundle: str
    sku: str
    qty: int
    source: str = ""


def import_listings(
    house: House, rows: Iterable[ListingMapping], *, actor: str, progress: Callable[[int], None] = lambda done: None
) -> ImportResult:
    """Map listings, a batch per commit; orders that were held for them, or wait, are mapped anew at once."""
    result = ImportResult()
    pending = iter(rows)
    names = {channel.name for channel in house.channels.values()}
    while batch := list(islice(pending, ROWS_PER_COMMIT)):
        good = [row for row in batch if not _listing_problem(row, names)]
        result.refused += [(row.source, problem) for row in batch if (problem := _listing_problem(row, names))]
        house.store.retrying(partial(_take_listings, house=house, rows=good, actor=actor))
        relook_unmapped(house, [row.channel_sku for row in good])
        for name in sorted({row.channel for row in good}):
            remap_codes(house, house.channel(name).id, {row.channel_sku for row in good if row.channel == name})
        result.taken += len(good)
        progress(len(batch))
    return result


def _listing_problem(row: ListingMapping, names: set[str]) -> str:
    if row.channel not in names:
        return f"channel {row.channel} is not configured"
    if not row.channel_sku.strip() or not (row.sku.strip() or row.no_stock):
        return "channel_sku and sku must not be empty"
    return "" if row.factor >= 1 else f"factor must be 1 or more, is {row.factor}"


def _take_listings(tx: Tx, house: House, rows: Sequence[ListingMapping], actor: str) -> None:
    if not rows:
        return
    ids = make_skus(tx, [row.sku for row in rows if not row.no_stock])
    latest = {(house.channel(row.channel).id, row.channel_sku, row.item_ref): row for row in rows}
    values: list[dict[str, Any]] = [
        {
            "channel_id": key[0],
            "channel_sku": key[1],
            "item_ref": key[2],
            "sku_id": None if row.no_stock else ids[row.sku],
            "factor": row.factor,
            "no_stock": row.no_stock,
            "told_sure": False,
        }
        for key, row in sorted(latest.items(), key=lambda item: item[0])
    ]
    things = {(row["channel_id"], row["channel_sku"]) for row in values}
    _lock(tx, values)
    before = mappings(tx, things)
    _spread(tx, values)
    new = tx.insert(listing)
    statement = new.on_conflict_do_update(
        index_elements=["channel_id", "channel_sku", "item_ref"],
        set_={name: new.excluded[name] for name in ("sku_id", "factor", "no_stock", "told_sure")},
    )
    if tx.dialect == "sqlite":
        tx.execute(statement, values)
    else:
        tx.execute(statement.values(values))
    want_remap(tx)
    write_events(tx, mapping_events(before, mappings(tx, things), actor))
    write_events(tx, [Event(kind="listings.imported", detail={"rows": len(values)}, actor=actor)])
    settle(tx, house, [], also=_mapped_skus(values))


def _lock(tx: Tx, values: Sequence[dict[str, Any]]) -> None:
    """Lock the SKUs that the listings are to be, and were: a sale of them locks its SKUs first as well."""
    same = tuple_(listing.c.channel_id, listing.c.channel_sku).in_(
        sorted({(row["channel_id"], row["channel_sku"]) for row in values})
    )
    before = tx.execute(select(listing.c.sku_id).where(same, listing.c.sku_id.is_not(None))).scalars()
    lock_skus(tx, {*before, *_mapped_skus(values)})


def _mapped_skus(values: Sequence[dict[str, Any]]) -> list[int]:
    return [row["sku_id"] for row in values if row["sku_id"] is not None]


def _spread(tx: Tx, values: Sequence[dict[str, Any]]) -> None:
    """A mapping given without the platform's ids holds for all listings of that seller code.

    To be done before those given with ids are written, which count more.
    """
    plain = [row for row in values if not row["item_ref"]]
    fields = ("channel_id", "channel_sku", "sku_id", "factor", "no_stock")
    rows = [{name: row[name] for name in fields} for row in plain]
    update_many(tx, listing, rows, keys=["channel_id", "channel_sku"])


def import_bundles(
    house: House, rows: Iterable[BundlePart], *, actor: str, progress: Callable[[int], None] = lambda done: None
) -> ImportResult:
    """Set what bundles consist of, each replaced whole; orders that wait get the new parts, with an event."""
    result = ImportResult()
    parts: dict[str, dict[str, BundlePart]] = {}
    for row in rows:
        problem = _bundle_problem(row)
        if problem:
            result.refused.append((row.source, problem))
        else:
            parts.setdefault(row.bundle, {})[row.sku] = row
            result.taken += 1
        progress(1)
    nested = house.store.retrying(partial(_take_bundles, house=house, parts=parts, actor=actor))
    for name in sorted(nested):
        result.refused += [(part.source, nested[name]) for part in parts[name].values()]
        result.taken -= len(parts.pop(name))
    relook_unmapped(house, parts)
    with house.store.read() as connection:
        ids = sku_ids(connection, parts)
    remap_skus(house, ids.values())
    return result


def _bundle_problem(row: BundlePart) -> str:
    if not row.bundle.strip() or not row.sku.strip():
        return "bundle and sku must not be empty"
    if row.bundle == row.sku:
        return f"bundle {row.bundle} cannot hold itself"
    return "" if row.qty >= 1 else f"qty must be 1 or more, is {row.qty}"


def _nested(tx: Tx, parts: Mapping[str, Mapping[str, BundlePart]]) -> dict[str, str]:
    """Return why bundles cannot be taken, by name: one would hold another, of this file or known before.

    A line is taken apart once, so what is inside an inner bundle would never be held.
    """
    held = {sku for named in parts.values() for sku in named}
    ids = sku_ids(tx.connection, {*parts, *held})
    inner, outer = set(parts), set[str]()
    for some in in_parts(ids[code] for code in held if code in ids):
        known = select(sku.c.code).join(bundle, bundle.c.bundle_id == sku.c.id).where(sku.c.id.in_(some))
        inner |= set(tx.execute(known).scalars())
    kept = {ids[code] for code in parts if code in ids}
    for some in in_parts(kept):
        query = select(sku.c.code, bundle.c.bundle_id).join(bundle, bundle.c.sku_id == sku.c.id)
        outer |= {row.code for row in tx.all(query.where(sku.c.id.in_(some))) if row.bundle_id not in kept}
    found = dict.fromkeys(outer, "it is part of another bundle; a bundle cannot hold a bundle")
    return found | {name: "a bundle cannot hold a bundle" for name in parts if inner & parts[name].keys()}


def _take_bundles(tx: Tx, house: House, parts: Mapping[str, Mapping[str, BundlePart]], actor: str) -> Mapping[str, str]:
    """Replace what bundles consist of; return why some cannot be taken, by name."""
    nested = _nested(tx, parts)
    _write_bundles(tx, house, {name: named for name, named in parts.items() if name not in nested}, actor)
    return nested


def _write_bundles(tx: Tx, house: House, parts: Mapping[str, Mapping[str, BundlePart]], actor: str) -> None:
    if not parts:
        return
    ids = make_skus(tx, {*parts, *(code for named in parts.values() for code in named)})
    bundles = list(in_parts(ids[name] for name in parts))
    before = contents(tx, (ids[name] for name in parts))
    for some in bundles:
        tx.execute(delete(bundle).where(bundle.c.bundle_id.in_(some)))
    insert_many(
        tx,
        bundle,
        [
            {"bundle_id": ids[name], "sku_id": ids[code], "qty": part.qty}
            for name, named in sorted(parts.items())
            for code, part in sorted(named.items())
        ],
    )
    want_remap(tx)
    after = {ids[name]: {ids[code]: part.qty for code, part in named.items()} for name, named in parts.items()}
    write_events(tx, bundle_events(before, after, actor))
    write_events(tx, [Event(kind="bundles.imported", detail={"bundles": sorted(parts)}, actor=actor)])
    also: set[int] = {ids[part] for named in parts.values() for part in named}
    for some in bundles:
        also |= set(tx.execute(select(listing.c.sku_id).where(listing.c.sku_id.in_(some))).scalars())
    settle(tx, house, [], also=also)
