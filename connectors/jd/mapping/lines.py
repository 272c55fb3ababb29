"""Which row of an order is which line, and how much of it has left.

Why ids of our own: the platform gives order rows no id. A SKU that stands once in an order is named by its skuId; where
it stands several times (a gift repeats a SKU at price 0) the skuUuid, or else price and rank, tell the rows apart,
never their place, because two readings may list them in another order.

Source: protocol note jd.md section 3.2.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.jd.mapping.values import Fields
from erpsync.sdk.errors import PayloadError


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row of `itemInfoList` with the id by which we call it."""

    line_id: str
    fields: Fields


def items_of(order: Fields) -> list[Item]:
    """Return the rows of an order with their line ids. Raises `PayloadError` when there is no list of objects.

    A row whose skuId cannot be read is called by its place; the error is told when the row itself is read.
    """
    rows = order.parts("itemInfoList")
    if not rows:
        raise order.error("itemInfoList", "expected a list of items, found none")
    times = Counter(_sku(row) for row in rows)
    names: dict[int, str] = {}
    for sku, count in times.items():
        same = [index for index, row in enumerate(rows) if _sku(row) == sku]
        names |= {same[0]: sku} if count == 1 and sku else _told_apart(sku, rows, same)
    return [Item(line_id=names[index], fields=row) for index, row in enumerate(rows)]


def _told_apart(sku: str, rows: Sequence[Fields], same: Sequence[int]) -> dict[int, str]:
    """Return ids for rows of one SKU: by skuUuid where each has its own, else the dearest first."""
    if not sku:
        return {index: f"row-{index}" for index in same}
    uuids = [str(rows[index].row.get("skuUuid") or "") for index in same]
    if all(uuids) and len(set(uuids)) == len(uuids):
        return {index: f"{sku}:{uuid}" for index, uuid in zip(same, uuids, strict=True)}
    ranked = sorted(same, key=lambda index: _rank(rows[index]))
    return {index: sku if place == 0 else f"{sku}:{place}" for place, index in enumerate(ranked)}


def _rank(row: Fields) -> tuple[int, str]:
    try:
        return -row.fen("jdPrice"), str(row.raw("itemTotal"))
    except PayloadError:
        return 1, ""


def _sku(row: Fields) -> str:
    try:
        return row.id_or_none("skuId") or ""
    except PayloadError:
        return ""


def sent_units(order: Fields, items: Sequence[Item]) -> dict[str, int]:
    """Return, by line id, the units that part shipments name. Raises `PayloadError`.

    Source: protocol note jd.md section 3.2, partialLogisticsInfoModel.
    """
    sent: Counter[str] = Counter()
    for parcel in order.parts("partialLogisticsInfoModel"):
        for row in parcel.parts("skus"):
            line_id = _line_of(row, items, sent)
            if line_id:
                sent[line_id] += row.count("num", least=0)
    return dict(sent)


def _line_of(row: Fields, items: Sequence[Item], sent: Counter[str]) -> str:
    """Return the line that a parcel's row speaks of: by skuUuid, else the first of that SKU that is not full yet."""
    sku, uuid = row.id_or_none("skuId"), row.text_or_none("skuUuid")
    of_sku = [item for item in items if item.fields.raw("skuId") is not None and _sku(item.fields) == sku]
    named = [item for item in of_sku if uuid and str(item.fields.row.get("skuUuid")) == uuid]
    open_ones = [item for item in of_sku if sent[item.line_id] < _units(item.fields)]
    chosen = named or open_ones or of_sku
    return chosen[0].line_id if chosen else ""


def _units(row: Fields) -> int:
    try:
        return row.count("itemTotal", least=0)
    except PayloadError:
        return 0
