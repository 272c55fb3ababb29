"""How our SKUs are planned, as people say: what is made, for whom, where it comes out, how a buyer's wishes are read.

Why a row that is bad stops no other: as with goods data, the three that are wrong are mended and the file is loaded
again, which changes nothing of what is right.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from erpsync.flows.context import Context
from erpsync.flows.imports import ROWS_PER_COMMIT, ImportResult
from erpsync.flows.inventory.remap import remap_skus, want_remap
from erpsync.flows.inventory.unmapped import relook_unmapped
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.items import COLUMNS, bundles_among, items_of, write_items
from erpsync.store.registry import lock_skus, make_skus, sku_codes, sku_ids
from erpsync.store.variants import bases_of

FIELDS = ("supply", "make_for", "warehouse", "spec", "offer", "lead_days")
SUPPLIES, MAKE_FOR = ("none", "make"), ("order", "stock")
"""The first one counts where a cell is empty."""

_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """A row of items as it stands there: cells by the names of `FIELDS`; an empty one is the default."""

    sku: str
    cells: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


def import_items(
    ctx: Context, rows: Iterable[ItemRow], *, actor: str, progress: Callable[[int], None] = lambda done: None
) -> ImportResult:
    """Set how SKUs are planned, a batch per commit; a row that cannot be taken is refused by its source.

    A SKU that is new is made. Orders that wait for a SKU whose specs are read otherwise are read again.
    """
    result = ImportResult()
    pending = iter(rows)
    seen: dict[str, str] = {}
    while batch := list(islice(pending, ROWS_PER_COMMIT)):
        taken: dict[str, tuple[str, dict[str, Any]]] = {}
        for row in batch:
            values, problems = _read(ctx, row, seen)
            result.refused += [(row.source, problem) for problem in problems]
            if not problems:
                taken[row.sku] = (row.source, values)
        done = ctx.store.retrying(partial(_take, ctx=ctx, taken=taken, actor=actor))
        relook_unmapped(ctx, done.fresh)
        remap_skus(ctx, done.otherwise)
        result.refused += done.refused
        result.taken += len(taken) - len(done.refused)
        progress(len(batch))
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What a commit did: codes of new SKUs, ids of those whose specs are read otherwise, and who was refused."""

    fresh: list[str]
    otherwise: list[int]
    refused: list[tuple[str, str]]


def _read(ctx: Context, row: ItemRow, seen: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return what a row says by column, and what is wrong with it."""
    cells = {name: row.cells.get(name, "").strip() for name in FIELDS}
    values: dict[str, Any] = {
        "supply": cells["supply"] or SUPPLIES[0],
        "make_for": cells["make_for"] or MAKE_FOR[0],
        "warehouse_id": None,
        "spec": cells["spec"],
    }
    problems = list(_problems(ctx, row, values, cells["warehouse"]))
    if not problems and cells["warehouse"]:
        values["warehouse_id"] = ctx.warehouse_id(cells["warehouse"])
    for name in ("offer", "lead_days"):
        text = cells[name] or "0"
        if not (text.isascii() and text.isdecimal() and int(text) <= _MOST):
            problems.append(f"{name} must be a whole number from 0, is {text}")
        else:
            values[name] = int(text)
    first = seen.setdefault(row.sku, row.source)
    if first != row.source:
        problems.append(f"{row.sku} stands on {first} already")
    return values, problems


def _problems(ctx: Context, row: ItemRow, values: Mapping[str, Any], warehouse: str) -> Iterable[str]:
    supply, make_for, spec = values["supply"], values["make_for"], values["spec"]
    if not row.sku.strip():
        yield "sku is empty"
    if supply not in SUPPLIES:
        yield f"supply must be make or none, is {supply}"
    if make_for not in MAKE_FOR:
        yield f"make_for must be order or stock, is {make_for}"
    if warehouse and warehouse not in ctx.codes():
        yield f"warehouse {warehouse} is not configured"
    if spec and spec not in ctx.specs:
        known = ", ".join(sorted(ctx.specs)) or "none"
        yield f"no {spec} in production.specs; known are {known}"
    if spec and supply == "none":
        yield "what is read as a buyer wants it has to be made: supply must be make"


def _take(tx: Tx, ctx: Context, taken: Mapping[str, tuple[str, dict[str, Any]]], actor: str) -> _Done:
    known = sku_ids(tx.connection, taken)
    refused = _refused(tx, taken, known)
    kept = {code: values for code, (_, values) in taken.items() if code not in refused}
    fresh = sorted(kept.keys() - known.keys())
    ids = make_skus(tx, kept)
    lock_skus(tx, ids.values())
    before = items_of(tx.connection, ids.values())
    changed = {ids[code]: values for code, values in kept.items() if values != before.get(ids[code])}
    write_items(tx, changed)
    otherwise = [id for id, values in sorted(changed.items()) if values["spec"] != before.get(id, {}).get("spec", "")]
    if otherwise:
        want_remap(tx)
    write_events(tx, [_changed(id, before.get(id), values, actor) for id, values in sorted(changed.items())])
    return _Done(fresh=fresh, otherwise=otherwise, refused=[(taken[code][0], why) for code, why in refused.items()])


def _refused(tx: Tx, taken: Mapping[str, tuple[str, Mapping[str, Any]]], known: Mapping[str, int]) -> dict[str, str]:
    """Return why rows cannot be taken, by SKU: bundles are taken apart and never made, variants are as their base."""
    bundles, bases = bundles_among(tx.connection, known.values()), bases_of(tx.connection, known.values())
    codes = sku_codes(tx.connection, bases.values())
    refused = {}
    for code, (_, values) in taken.items():
        id = known.get(code, 0)
        if id in bases:
            refused[code] = f"{code} is made as a buyer wants {codes[bases[id]]}: say it of that"
        elif id in bundles and values["supply"] == "make":
            refused[code] = f"{code} is a bundle, which is taken apart and never made"
    return refused


def _changed(id: int, before: Mapping[str, Any] | None, after: Mapping[str, Any], actor: str) -> Event:
    former: Mapping[str, Any] = before or {}
    changed = {name: [former.get(name), after[name]] for name in COLUMNS if former.get(name) != after[name]}
    return Event(kind="item.changed", sku_id=id, detail=changed, actor=actor)
