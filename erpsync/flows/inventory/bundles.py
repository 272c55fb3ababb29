"""What our bundles consist of, as people say."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import delete, select

from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.imports import ImportResult
from erpsync.flows.inventory.remap import remap_skus, want_remap
from erpsync.flows.inventory.unmapped import relook_unmapped
from erpsync.flows.orders.changed import bundle_events, contents
from erpsync.store.db.bulk import in_parts, insert_many
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.items import made_among
from erpsync.store.registry import make_skus, sku_ids
from erpsync.store.tables import bundle, listing, sku


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePart:
    """One row of a bundles file."""

    bundle: str
    sku: str
    qty: int
    source: str = ""


def import_bundles(
    ctx: Context, rows: Iterable[BundlePart], *, actor: str, progress: Callable[[int], None] = lambda done: None
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
    nested = ctx.store.retrying(partial(_take_bundles, ctx=ctx, parts=parts, actor=actor))
    for name in sorted(nested):
        result.refused += [(part.source, nested[name]) for part in parts[name].values()]
        result.taken -= len(parts.pop(name))
    relook_unmapped(ctx, parts)
    with ctx.store.read() as connection:
        ids = sku_ids(connection, parts)
    remap_skus(ctx, ids.values())
    return result


def drop_bundle(ctx: Context, name: str, *, actor: str) -> None:
    """Let a bundle be goods of its own; what waits for it wants units of itself from then on, with an event."""
    dropped_id = ctx.store.retrying(partial(_drop, ctx=ctx, name=name, actor=actor))
    remap_skus(ctx, [dropped_id])


def _drop(tx: Tx, ctx: Context, name: str, actor: str) -> int:
    id = sku_ids(tx.connection, [name]).get(name)
    if id is None or not contents(tx, [id]):
        raise Refused(f"{name} is no bundle")
    _write_bundles(tx, ctx, {name: {}}, actor)
    return id


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
    for part in in_parts(ids[code] for code in held if code in ids):
        outer_codes = select(sku.c.code).join(bundle, bundle.c.bundle_id == sku.c.id).where(sku.c.id.in_(part))
        inner |= set(tx.execute(outer_codes).scalars())
    kept = {ids[code] for code in parts if code in ids}
    for part in in_parts(kept):
        query = select(sku.c.code, bundle.c.bundle_id).join(bundle, bundle.c.sku_id == sku.c.id)
        outer |= {row.code for row in tx.all(query.where(sku.c.id.in_(part))) if row.bundle_id not in kept}
    refused = dict.fromkeys(outer, "it is part of another bundle; a bundle cannot hold a bundle")
    return refused | {name: "a bundle cannot hold a bundle" for name in parts if inner & parts[name].keys()}


def _take_bundles(tx: Tx, ctx: Context, parts: Mapping[str, Mapping[str, BundlePart]], actor: str) -> Mapping[str, str]:
    """Replace what bundles consist of; return why some cannot be taken, by name."""
    made = made_among(tx.connection, parts)
    nested = _nested(tx, parts) | dict.fromkeys(made, "it is made, and a bundle is taken apart and never made")
    _write_bundles(tx, ctx, {name: named for name, named in parts.items() if name not in nested}, actor)
    return nested


def _write_bundles(tx: Tx, ctx: Context, parts: Mapping[str, Mapping[str, BundlePart]], actor: str) -> None:
    if not parts:
        return
    ids = make_skus(tx, {*parts, *(code for named in parts.values() for code in named)})
    bundles = list(in_parts(ids[name] for name in parts))
    before = contents(tx, (ids[name] for name in parts))
    for part in bundles:
        tx.execute(delete(bundle).where(bundle.c.bundle_id.in_(part)))
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
    for part in bundles:
        also |= set(tx.execute(select(listing.c.sku_id).where(listing.c.sku_id.in_(part))).scalars())
    allocate(tx, ctx, [], also=also)
