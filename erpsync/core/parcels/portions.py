"""What of one order may leave, by warehouse and part, and why the rest of it stays.

Why gifts are counted last: they wait for what was sold and never the other way round, and alone they are no parcel.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from erpsync.core.order_holds import first_reason
from erpsync.core.orders import KnownLine, KnownOrder, Origin
from erpsync.core.parcels.marks import OrderMarks
from erpsync.core.parcels.model import Because, Candidate, ChannelPacking, Goods, Reason, Stay
from erpsync.core.parcels.packing import Box, Item, Limits, pack

HeldOfLine = Mapping[int, Mapping[int, int]]
"""Our units held for a line, by warehouse and SKU."""

TORN, SURPLUS, SHORT = (Because(code=code) for code in (Reason.TORN, Reason.SURPLUS, Reason.SHORT))
ALONE_GIFT = Because(code=Reason.GIFT_ALONE)
COD = "cod"
ALONE = (COD, "gift_recipient")
"""Kinds of orders that share a parcel with their own kind only: what is paid at the door, and what another opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Units of one order that would leave together: out of one warehouse, of one part.

    Args:
        boxes: how they are parted by the limits of a parcel.
        left_over: gifts for which none of them has room.
        missing: sold units of the order that are not held.
    """

    candidate: Candidate
    marks: OrderMarks
    warehouse_id: int
    part: str
    boxes: Sequence[Box]
    left_over: Sequence[Item]
    missing: int

    @property
    def is_gift_only(self) -> bool:
        """Whether nothing of it was sold."""
        return all(item.is_gift for box in self.boxes for item in box.items)

    @property
    def may_merge(self) -> bool:
        """Whether it may share a parcel: the recipient is known, nobody forbids it, all is held, one box holds it."""
        known = self.candidate.merge_index is not None
        return known and not self.marks.no_merge and not self.missing and len(self.boxes) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """Whole units of a line by warehouse, and those that are not held."""

    line: KnownLine
    units: Mapping[int, int]
    missing: int


class _Order:
    """One order while it is decided on; every unit that stays is noted."""

    def __init__(self, candidate: Candidate, marks: OrderMarks, packing: ChannelPacking) -> None:
        self.candidate = candidate
        self.order = candidate.order
        self.marks = marks
        self.packing = packing
        self.no_split = marks.no_split or candidate.kind == COD
        self.stays: list[Stay] = []

    def stay(self, line_id: int, sku_id: int, warehouse_id: int | None, qty: int, because: Because) -> None:
        if qty > 0:
            self.stays.append(
                Stay(
                    order_id=self.order.id,
                    line_id=line_id,
                    sku_id=sku_id,
                    warehouse_id=warehouse_id,
                    qty=qty,
                    because=because,
                )
            )

    def stay_units(self, line: KnownLine, warehouse_id: int, units: int, because: Because) -> None:
        for sku_id, per_unit in line.parts.items():
            self.stay(line.id, sku_id, warehouse_id, units * per_unit, because)

    def stay_items(self, warehouse_id: int, items: Sequence[Item], because: Because) -> None:
        for item in items:
            self.stay_units(item.line, warehouse_id, item.units, because)


def portions(
    candidate: Candidate,
    held: Mapping[int, HeldOfLine],
    goods: Mapping[int, Goods],
    marks: OrderMarks,
    packing: ChannelPacking,
) -> tuple[list[Portion], list[Stay]]:
    """Return what of an order may leave, and every unit of it that stays.

    Args:
        held: our units by line id, warehouse and SKU.
        packing: how orders of its channel leave.
    """
    deciding = _Order(candidate, marks, packing)
    why = against(candidate.order, marks)
    waits = why is None or why.code in (Reason.HELD, Reason.BAD_MARK)
    placed = [_place(deciding, line, held.get(line.id, {}), waits=waits) for line in candidate.order.lines]
    missing = sum(each.missing for each in placed if each.line.origin is not Origin.GIFT)
    why = why or _incomplete(deciding, placed, missing)
    found = [] if why else _portions(deciding, placed, goods, missing)
    why = why or _sealed(deciding, found, goods)
    if why is None:
        return [p for p in found if not _stays_behind(deciding, p)], deciding.stays
    for each in placed:
        for warehouse_id, units in each.units.items():
            deciding.stay_units(each.line, warehouse_id, units, why)
    return [], deciding.stays


def against(order: KnownOrder, marks: OrderMarks) -> Because | None:
    """Return why nothing of an order may leave, whatever is held."""
    if marks.void:
        return Because(code=Reason.VOID)
    if order.ready_at is None:
        return Because(code=Reason.NOT_READY)
    if order.holds:
        return Because(code=Reason.HELD, values={"hold": first_reason(order.holds) or min(order.holds)})
    if marks.unreadable:
        return Because(code=Reason.BAD_MARK, values={"mark": marks.unreadable[0]})
    return None


def _place(deciding: _Order, line: KnownLine, held: HeldOfLine, *, waits: bool) -> _Placed:
    """Return whole units of a line by warehouse, and note what of it makes none: short, torn apart, too many.

    Args:
        waits: whether units that are held nowhere are waited for.
    """
    left = _open(line, deciding.candidate.under_way)
    units: dict[int, int] = {}
    for warehouse_id, of_sku in sorted(held.items()):
        whole = min([of_sku.get(s, 0) // per_unit for s, per_unit in line.parts.items()], default=0)
        if taken := min(whole, left):
            units[warehouse_id] = taken
            left -= taken
    wanted = {sku_id: left * per_unit for sku_id, per_unit in line.parts.items()} if left else {}
    for warehouse_id, of_sku in sorted(held.items()):
        for sku_id, qty in sorted(of_sku.items()):
            if rest := qty - units.get(warehouse_id, 0) * line.parts.get(sku_id, 0):
                torn = min(rest, wanted.get(sku_id, 0))
                wanted[sku_id] = wanted.get(sku_id, 0) - torn
                deciding.stay(line.id, sku_id, warehouse_id, torn, TORN)
                deciding.stay(line.id, sku_id, warehouse_id, rest - torn, SURPLUS)
    if waits:
        for sku_id, qty in wanted.items():
            deciding.stay(line.id, sku_id, None, qty, SHORT)
    return _Placed(line=line, units=units, missing=left)


def _open(line: KnownLine, under_way: Mapping[tuple[int, int], int]) -> int:
    """Return the units of a line that no release has: one of which a part is under way is under way whole."""
    if not under_way:
        return line.open_qty
    gone = max((-(-under_way.get((line.id, s), 0) // per_unit) for s, per_unit in line.parts.items()), default=0)
    return max(0, line.open_qty - gone)


def _incomplete(deciding: _Order, placed: Sequence[_Placed], missing: int) -> Because | None:
    """Return why what is held of an order may not leave without the rest of it."""
    under_way = sum(deciding.candidate.under_way.values())
    if deciding.no_split and (missing or under_way):
        values = {"missing": missing} if missing else {"under_way": under_way}
        return Because(code=Reason.SEALED, values=values)
    if not missing:
        return None
    if deciding.packing.partial == "whole":
        return Because(code=Reason.NOT_WHOLE, values={"missing": missing})
    worth = sum(each.line.price_minor * sum(each.units.values()) for each in placed)
    least = deciding.packing.partial_min_minor.get(deciding.order.currency, 0)
    if worth < least:
        return Because(code=Reason.BELOW_LEAST, values={"worth_minor": worth, "least_minor": least})
    return None


def _portions(deciding: _Order, placed: Sequence[_Placed], goods: Mapping[int, Goods], missing: int) -> list[Portion]:
    """Return the units by warehouse and part."""
    grouped: dict[tuple[int, str], list[Item]] = {}
    for each in placed:
        if not each.units:
            continue
        part = _part_of(each.line, goods, deciding.marks)
        for warehouse_id, units in each.units.items():
            grouped.setdefault((warehouse_id, part), []).append(_item(each.line, units, goods))
    limits = Limits(max_weight_g=deciding.packing.max_weight_g, max_units=deciding.packing.max_units)
    found = []
    for (warehouse_id, part), items in sorted(grouped.items(), key=lambda pair: pair[0]):
        boxes, left_over = pack(items, limits, for_gifts=not deciding.no_split)
        found.append(
            Portion(
                candidate=deciding.candidate,
                marks=deciding.marks,
                warehouse_id=warehouse_id,
                part=part,
                boxes=boxes,
                left_over=left_over,
                missing=missing,
            )
        )
    return found


def _part_of(line: KnownLine, goods: Mapping[int, Goods], marks: OrderMarks) -> str:
    """Return the name of the first part that is about one of a line's SKUs: a set is never torn."""
    for part in marks.parts:
        if any(part.takes(goods[sku_id].sku, goods[sku_id].tags) for sku_id in line.parts):
            return part.name
    return ""


def _item(line: KnownLine, units: int, goods: Mapping[int, Goods]) -> Item:
    of_parts = [(goods[sku_id], per_unit) for sku_id, per_unit in line.parts.items()]
    return Item(
        line=line,
        units=units,
        pieces=sum(line.parts.values()),
        weight_g=_sum((each.weight_g, per_unit) for each, per_unit in of_parts),
        volume_cm3=_sum((each.volume_cm3, per_unit) for each, per_unit in of_parts),
    )


def unweighed(items: Iterable[Item], goods: Mapping[int, Goods]) -> set[str]:
    """Return the SKUs of items whose weight is not known."""
    return {goods[sku_id].sku for item in items for sku_id in item.line.parts if goods[sku_id].weight_g is None}


def _sum(measures: Iterable[tuple[int | None, int]]) -> int | None:
    total = 0
    for measure, per_unit in measures:
        if measure is None:
            return None
        total += measure * per_unit
    return total


def _sealed(deciding: _Order, found: Sequence[Portion], goods: Mapping[int, Goods]) -> Because | None:
    """Return that an order cannot leave in the one parcel in which it is to leave."""
    if not deciding.no_split:
        return None
    boxes = [box for portion in found if not portion.is_gift_only for box in portion.boxes]
    if len(boxes) < 2:
        return None
    skus = sorted({sku for box in boxes if box.unknown for sku in unweighed(box.items, goods)})
    values: dict[str, int | str] = {"parcels": len(boxes)}
    return Because(code=Reason.SEALED, values={**values, "unknown_weight": ", ".join(skus)} if skus else values)


def _stays_behind(deciding: _Order, portion: Portion) -> bool:
    """Note gifts that can go with nothing; whether nothing else is in the portion, and it has to share a parcel."""
    deciding.stay_items(portion.warehouse_id, portion.left_over, ALONE_GIFT)
    if not portion.is_gift_only or (portion.may_merge and not deciding.no_split):
        return False
    for box in portion.boxes:
        deciding.stay_items(portion.warehouse_id, box.items, ALONE_GIFT)
    return True
