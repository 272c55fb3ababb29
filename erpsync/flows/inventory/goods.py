"""What our SKUs are: title, barcode, weight, volume, floor price, tags, and the shelf they lie on in each warehouse.

Why a row that is bad stops no other: whoever loads the data of ten thousand SKUs mends the three that are wrong and
loads the file again, which changes nothing of what is right.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from erpsync.core.allocation import StockKey
from erpsync.flows.context import Context
from erpsync.flows.imports import ROWS_PER_COMMIT, ImportResult
from erpsync.flows.inventory.goods_cells import Said, Value, contradiction, read_cells
from erpsync.flows.inventory.unmapped import relook_unmapped
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.goods import COLUMNS, own_goods_of, own_shelves_of, skus_with_barcode, write_goods, write_shelves
from erpsync.store.registry import lock_skus, make_skus, sku_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsRow:
    """A row of goods data as it stands there; in `cells` an empty one changes nothing and `-` unsets.

    Args:
        warehouse: where its shelf is; empty where the row names none.
        cells: by the names of `goods_cells.FIELDS`.
        source: file and line.
    """

    sku: str
    warehouse: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    row: GoodsRow
    said: Said


def import_goods(
    ctx: Context, rows: Iterable[GoodsRow], *, actor: str, progress: Callable[[int], None] = lambda done: None
) -> ImportResult:
    """Set what the rows say, a batch per commit; a row that cannot be taken is refused by its source.

    A SKU that is new is made, and what waited for its code is mapped at once. `notes` name what looks wrong and is
    taken all the same.
    """
    result = ImportResult()
    pending = iter(rows)
    first: dict[tuple[str, str], tuple[Value, str]] = {}
    while batch := list(islice(pending, ROWS_PER_COMMIT)):
        taken = []
        for row in batch:
            said = read_cells(row.cells)
            problems = [*_problems(ctx, row, said), *said.problems]
            problems = problems or list(contradiction(said, first, row.sku, row.source))
            result.refused += [(row.source, problem) for problem in problems]
            if not problems:
                taken.append(_Taken(row=row, said=said))
        fresh, shared = ctx.store.retrying(partial(_take, ctx=ctx, taken=taken, actor=actor))
        relook_unmapped(ctx, fresh)
        result.taken += len(taken)
        result.notes += [(each.row.source, note) for each in taken for note in each.said.notes]
        result.notes += shared
        progress(len(batch))
    return result


def _problems(ctx: Context, row: GoodsRow, said: Said) -> Iterable[str]:
    if not row.sku.strip():
        yield "sku is empty"
    if row.warehouse and row.warehouse not in ctx.codes():
        yield f"warehouse {row.warehouse} is not configured"
    if said.shelf is not None and not row.warehouse:
        yield "a shelf needs its warehouse"


def _take(tx: Tx, ctx: Context, taken: Sequence[_Taken], actor: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Set what rows say; return the codes of SKUs that are new, and notes on barcodes that several SKUs have."""
    if not taken:
        return [], []
    codes = {each.row.sku for each in taken}
    fresh = sorted(codes - sku_ids(tx.connection, codes).keys())
    ids = make_skus(tx, codes)
    lock_skus(tx, ids.values())
    before, shelves = own_goods_of(tx.connection, ids.values()), own_shelves_of(tx.connection, ids.values())
    after = {id: dict(row) for id, row in before.items()}
    placed = dict(shelves)
    for each in taken:
        after[ids[each.row.sku]] |= each.said.values
        if each.said.shelf is not None:
            placed[StockKey(ids[each.row.sku], ctx.warehouse_id(each.row.warehouse))] = each.said.shelf
    changed = {id: row for id, row in after.items() if row != before[id]}
    moved = {place: shelf for place, shelf in placed.items() if shelf != shelves.get(place, "")}
    write_goods(tx, changed)
    write_shelves(tx, moved)
    events = [_changed(id, before[id], row, actor) for id, row in sorted(changed.items())]
    events += [_placed(place, shelves.get(place, ""), shelf, actor) for place, shelf in sorted(moved.items())]
    if events or fresh:
        detail = {"rows": len(taken), "skus": len(fresh)}
        write_events(tx, [*events, Event(kind="goods.imported", detail=detail, actor=actor)])
    return fresh, _shared(tx, taken)


def _changed(id: int, before: Mapping[str, Any], after: Mapping[str, Any], actor: str) -> Event:
    changed = {name: [_told(before[name]), _told(after[name])] for name in COLUMNS if before[name] != after[name]}
    return Event(kind="goods.changed", sku_id=id, detail=changed, actor=actor)


def _told(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, tuple) else value


def _placed(place: StockKey, before: str, after: str, actor: str) -> Event:
    detail = {"warehouse_id": place.warehouse_id, "shelf": [before, after]}
    return Event(kind="goods.changed", sku_id=place.sku_id, detail=detail, actor=actor)


def _shared(tx: Tx, taken: Sequence[_Taken]) -> list[tuple[str, str]]:
    """Return notes on barcodes that another SKU has as well: a scan would not tell which of them it is."""
    given = {str(each.said.values["barcode"]) for each in taken if each.said.values.get("barcode")}
    holders = skus_with_barcode(tx.connection, given)
    notes = []
    for each in taken:
        barcode = str(each.said.values.get("barcode") or "")
        others = [code for code in holders.get(barcode, ()) if code != each.row.sku]
        if others:
            notes.append((each.row.source, f"barcode {barcode} is that of {others[0]} too"))
    return notes
