"""Which of our SKUs a channel's thing is: by listing, else by an equal SKU code, else by nobody's guess."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import or_, select

from erpsync.core.orders import KnownLine
from erpsync.store.db.bulk import insert_many, new_ids, update_many
from erpsync.store.db.store import Tx
from erpsync.store.registry import ids_by_name, lock_skus
from erpsync.store.tables import bundle, listing


class Thing(NamedTuple):
    """What a channel sells: seller code and the platform's own ids."""

    channel_sku: str
    item_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Our SKU, our units in one of the channel's, and the SKUs those units consist of; none where it is no goods."""

    sku_id: int | None
    factor: int
    parts: Mapping[int, int]
    no_stock: bool = False


Ours = tuple[int | None, int]
"""SKU and factor; without a SKU it is no goods."""


def map_things(tx: Tx, channel_id: int, things: Iterable[Thing]) -> dict[Thing, Mapped]:
    """Return what is known of these things; a thing that is missing from the answer is unmapped.

    A listing row of exactly this thing counts first, then one of the same seller code without ids, then all others of
    that seller code if they agree, then a SKU whose code equals the seller code.
    """
    wanted = sorted(set(things))
    codes = sorted({thing.channel_sku for thing in wanted})
    exact, by_code = _listed(tx, channel_id, codes)
    missing = [t.channel_sku for t in wanted if t not in exact and t.channel_sku not in by_code]
    equal = ids_by_name(tx.connection, missing) if missing else {}
    by_thing: dict[Thing, Ours] = {}
    for thing in wanted:
        ours = exact.get(thing) or by_code.get(thing.channel_sku)
        if ours is None and thing.channel_sku in equal:
            ours = (equal[thing.channel_sku], 1)
        if ours is not None:
            by_thing[thing] = ours
    parts = bundle_parts(tx, [sku_id for sku_id, _ in by_thing.values() if sku_id is not None])
    return {thing: _as_mapped(sku_id, factor, parts) for thing, (sku_id, factor) in by_thing.items()}


def _as_mapped(sku_id: int | None, factor: int, parts: Mapping[int, Mapping[int, int]]) -> Mapped:
    if sku_id is None:
        return Mapped(sku_id=None, factor=1, parts={}, no_stock=True)
    return Mapped(sku_id=sku_id, factor=factor, parts=_explode(sku_id, factor, parts))


def _listed(tx: Tx, channel_id: int, codes: Sequence[str]) -> tuple[dict[Thing, Ours], dict[str, Ours]]:
    query = select(listing.c.channel_sku, listing.c.item_ref, listing.c.sku_id, listing.c.factor).where(
        listing.c.channel_id == channel_id,
        listing.c.channel_sku.in_(codes),
        or_(listing.c.sku_id.is_not(None), listing.c.no_stock),
    )
    exact = {Thing(row.channel_sku, row.item_ref): (row.sku_id, row.factor) for row in tx.all(query)}
    said: dict[str, set[Ours]] = {}
    for thing, ours in exact.items():
        said.setdefault(thing.channel_sku, set()).add(ours)
    agreed = {code: ours.pop() for code, ours in said.items() if len(ours) == 1}
    plain = {thing.channel_sku: ours for thing, ours in exact.items() if not thing.item_ref}
    return exact, agreed | plain


def bundle_parts(tx: Tx, ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """Return the components of those SKUs that are bundles, with their quantities."""
    wanted = sorted(set(ids))
    parts: dict[int, dict[int, int]] = {}
    if wanted:
        for row in tx.all(select(bundle).where(bundle.c.bundle_id.in_(wanted))):
            parts.setdefault(row.bundle_id, {})[row.sku_id] = row.qty
    return parts


def _explode(sku_id: int, factor: int, parts: Mapping[int, Mapping[int, int]]) -> dict[int, int]:
    return {part: qty * factor for part, qty in parts.get(sku_id, {sku_id: 1}).items()}


def map_line(line: KnownLine, mapped: Mapping[Thing, Mapped]) -> KnownLine:
    """Return the line with its SKU, if it has none yet and its thing is mapped."""
    mapping = mapped.get(Thing(line.channel_sku, line.item_ref))
    if line.parts or mapping is None:
        return line
    return as_mapped(line, mapping)


def as_mapped(line: KnownLine, ours: Mapped) -> KnownLine:
    """Return the line with what it is mapped to."""
    return replace(line, sku_id=ours.sku_id, factor=ours.factor, parts=ours.parts, no_stock=ours.no_stock)


def note_listings(
    tx: Tx,
    channel_id: int,
    seen: Mapping[Thing, str],
    mapped: Mapping[Thing, Mapped],
    *,
    lines: Iterable[KnownLine] = (),
) -> set[int]:
    """Make listing rows for things not listed yet (title by thing); return the SKUs now listed for the first time.

    What was listed before anybody knew its title, by an import, gets it.

    Args:
        lines: order lines to be settled in this transaction; their SKUs are locked first, as before every listing.
    """
    codes = sorted({thing.channel_sku for thing in seen})
    query = select(listing.c.id, listing.c.channel_sku, listing.c.item_ref, listing.c.title).where(
        listing.c.channel_id == channel_id, listing.c.channel_sku.in_(codes)
    )
    stored = {Thing(row.channel_sku, row.item_ref): row for row in tx.all(query)} if codes else {}
    named = [
        {"id": stored[t].id, "title": seen[t]} for t in stored.keys() & seen.keys() if seen[t] > stored[t].title == ""
    ]
    update_many(tx, listing, sorted(named, key=lambda row: row["id"]), keys=["id"])
    fresh = sorted(thing for thing in seen if thing not in stored)
    first = {sku_id for thing in fresh if thing in mapped for sku_id in mapped[thing].parts}
    if fresh:
        lock_skus(tx, {*first, *(sku_id for line in lines for sku_id in map_line(line, mapped).parts)})
    rows = []
    for thing, row_id in zip(fresh, new_ids(tx, listing, len(fresh)), strict=True):
        ours = mapped.get(thing)
        rows.append(
            {
                "id": row_id,
                "channel_id": channel_id,
                "channel_sku": thing.channel_sku,
                "item_ref": thing.item_ref,
                "title": seen[thing],
                "sku_id": ours.sku_id if ours else None,
                "factor": ours.factor if ours else 1,
                "no_stock": ours is not None and ours.no_stock,
            }
        )
    insert_many(tx, listing, rows)
    return first
