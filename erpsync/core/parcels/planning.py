"""What leaves now, in which parcels: the units of each order, then orders of one recipient together.

Why oldest due first and first fit: who waits longest is never left out for a younger order, and the same orders make
the same parcels however they come in. The fewest parcels are not promised; what is: no two parcels of one recipient,
warehouse, part, kind, currency and wish for couriers could have been one within the limits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from erpsync.core.parcels.marks import NO_MARKS, OrderMarks
from erpsync.core.parcels.model import (
    Because,
    Candidate,
    Goods,
    HeldKey,
    PackingPolicy,
    Parcel,
    Plan,
    Reason,
    Stay,
)
from erpsync.core.parcels.packing import Box, Item
from erpsync.core.parcels.portions import ALONE, ALONE_GIFT, Portion, portions, unweighed
from erpsync.core.release import Piece

ByLine = dict[int, dict[int, dict[int, int]]]


def plan(
    orders: Iterable[Candidate],
    held: Mapping[HeldKey, int],
    goods: Mapping[int, Goods],
    marks: Mapping[int, OrderMarks],
    policy: PackingPolicy,
) -> Plan:
    """Return which units leave together, and for all others of the orders why they stay.

    Args:
        orders: those with anything held; others may be among them.
        held: our units that no release has yet.
        goods: by SKU id, all that is held.
        marks: by order id; an order without any may be missing.

    Raises `ValueError` for units that are held for a line of none of the orders.
    """
    by_line = _by_line(held)
    known = sorted(orders, key=lambda candidate: (candidate.order.due, candidate.order.id))
    found: list[Portion] = []
    stays: list[Stay] = []
    for candidate in known:
        of_order = {line.id: by_line.pop(line.id) for line in candidate.order.lines if line.id in by_line}
        said = marks.get(candidate.order.id, NO_MARKS)
        leaving, staying = portions(candidate, of_order, goods, said, policy.of(candidate.order.channel_id))
        found += leaving
        stays += staying
    if by_line:
        line_id = min(by_line)
        raise ValueError(f"units are held for line {line_id}, which is of none of the orders")
    parcels, alone = group(found, goods, policy)
    return Plan(parcels=tuple(parcels), stays=(*stays, *alone))


def _by_line(held: Mapping[HeldKey, int]) -> ByLine:
    by_line: ByLine = {}
    for (line_id, sku_id, warehouse_id), qty in held.items():
        by_line.setdefault(line_id, {}).setdefault(warehouse_id, {})[sku_id] = qty
    return by_line


def group(
    found: Iterable[Portion], goods: Mapping[int, Goods], policy: PackingPolicy
) -> tuple[list[Parcel], list[Stay]]:
    """Return the parcels that portions make, oldest due first, and the gifts that found no parcel to go with."""
    parcels: list[Parcel] = []
    shared: dict[tuple[object, ...], list[Portion]] = {}
    for portion in found:
        if portion.may_merge:
            shared.setdefault(_key(portion), []).append(portion)
        else:
            parcels += _apart(portion, goods)
    stays: list[Stay] = []
    for together in shared.values():
        for opened in _first_fit(together, policy):
            if all(portion.is_gift_only for portion in opened.portions):
                stays += _gifts_stay(opened.portions)
            else:
                boxes = [portion.boxes[0] for portion in opened.portions]
                parcels.append(_parcel(opened.portions, boxes, goods))
    return sorted(parcels, key=_turn), stays


def _turn(parcel: Parcel) -> tuple[object, ...]:
    """Return whose turn it is; the boxes of one order stay as they were packed."""
    return (parcel.due, parcel.order_ids, parcel.warehouse_id, parcel.part)


def _key(portion: Portion) -> tuple[object, ...]:
    """Return what portions that share a parcel have in common."""
    candidate = portion.candidate
    kind = candidate.kind if candidate.kind in ALONE else ""
    place = (portion.warehouse_id, portion.part, candidate.merge_index)
    return (*place, candidate.order.currency, portion.marks.carrier, kind)


def _apart(portion: Portion, goods: Mapping[int, Goods]) -> Iterator[Parcel]:
    """Yield a parcel for each box of a portion that shares none."""
    for box in portion.boxes:
        yield _parcel([portion], [box], goods)


@dataclass(slots=True, eq=False)
class _Open:
    """A parcel that portions may still join."""

    portions: list[Portion]
    channels: set[int]
    pieces: int
    weight_g: int | None


def _first_fit(together: Sequence[Portion], policy: PackingPolicy) -> list[_Open]:
    """Return portions of one recipient in as many parcels as the limits ask for; gifts look for a parcel last."""
    opened: list[_Open] = []
    joinable: list[_Open] = []
    for portion in sorted(together, key=lambda portion: portion.is_gift_only):
        [box] = portion.boxes
        weight_g = None if any(item.weight_g is None for item in box.items) else box.weight_g
        channel = portion.candidate.order.channel_id
        parcel = next((each for each in joinable if _fits(each, channel, box.pieces, weight_g, policy)), None)
        if parcel is None:
            parcel = _Open([], set(), 0, 0)
            opened.append(parcel)
            joinable.append(parcel)
        parcel.portions.append(portion)
        parcel.channels.add(channel)
        parcel.pieces += box.pieces
        parcel.weight_g = _both(parcel.weight_g, weight_g)
        if len(parcel.portions) >= min(policy.of(each).merge_orders for each in parcel.channels):
            joinable.remove(parcel)
    return opened


def _fits(parcel: _Open, channel: int, pieces: int, weight_g: int | None, policy: PackingPolicy) -> bool:
    """Whether a portion may join: what nobody can weigh joins nothing where weight is limited."""
    if not all(policy.may_share(channel, each) for each in parcel.channels):
        return False
    weight_g = _both(parcel.weight_g, weight_g)
    for each in (policy.of(channel_id) for channel_id in (*parcel.channels, channel)):
        if len(parcel.portions) >= each.merge_orders:
            return False
        if each.max_units is not None and parcel.pieces + pieces > each.max_units:
            return False
        limits = [limit for limit in (each.max_weight_g, each.merge_weight_g) if limit is not None]
        if limits and (weight_g is None or weight_g > min(limits)):
            return False
    return True


def _both(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _gifts_stay(together: Iterable[Portion]) -> Iterator[Stay]:
    for portion in together:
        for item in portion.boxes[0].items:
            for sku_id, per_unit in item.line.parts.items():
                yield Stay(
                    order_id=portion.candidate.order.id,
                    line_id=item.line.id,
                    sku_id=sku_id,
                    warehouse_id=portion.warehouse_id,
                    qty=item.units * per_unit,
                    because=ALONE_GIFT,
                )


def _parcel(together: Sequence[Portion], boxes: Sequence[Box], goods: Mapping[int, Goods]) -> Parcel:
    together = sorted(together, key=lambda portion: (portion.candidate.order.due, portion.candidate.order.id))
    first = together[0]
    order = first.candidate.order
    items = [item for box in boxes for item in box.items]
    return Parcel(
        warehouse_id=first.warehouse_id,
        order_ids=tuple(portion.candidate.order.id for portion in together),
        part=first.part,
        pieces=_pieces(items),
        due=order.due,
        merge_index=first.candidate.merge_index,
        kind=first.candidate.kind if first.candidate.kind in ALONE else "",
        currency=order.currency,
        carrier=first.marks.carrier,
        weight_g=_total((item.weight_g, item.units) for item in items),
        volume_cm3=_total((item.volume_cm3, item.units) for item in items),
        units=sum(item.units * item.pieces for item in items),
        goods_minor=sum(item.units * item.line.price_minor for item in items),
        because=tuple(_because(first, boxes, goods)),
    )


def _pieces(items: Iterable[Item]) -> tuple[Piece, ...]:
    return tuple(
        Piece(line_id=item.line.id, sku_id=sku_id, qty=item.units * per_unit, units=item.units)
        for item in items
        for sku_id, per_unit in sorted(item.line.parts.items())
    )


def _total(measures: Iterable[tuple[int | None, int]]) -> int | None:
    total = 0
    for measure, units in measures:
        if measure is None:
            return None
        total += measure * units
    return total


def _because(first: Portion, boxes: Sequence[Box], goods: Mapping[int, Goods]) -> Iterator[Because]:
    """Yield what is to be known of a parcel before it is packed; only one of a single portion is beyond a limit."""
    if first.missing:
        yield Because(code=Reason.PARTIAL, values={"missing": first.missing})
    if len(first.boxes) > 1:
        yield Because(code=Reason.SPLIT, values={"parcels": len(first.boxes)})
    limits = boxes[0].limits
    if limits.max_weight_g is not None:
        items = [item for box in boxes for item in box.items]
        if skus := sorted(unweighed(items, goods)):
            yield Because(code=Reason.UNKNOWN_WEIGHT, values={"skus": ", ".join(skus)})
        weight_g = sum(box.weight_g for box in boxes)
        if weight_g > limits.max_weight_g:
            yield Because(code=Reason.OVER_WEIGHT, values={"weight_g": weight_g, "most_g": limits.max_weight_g})
    units = sum(box.pieces for box in boxes)
    if limits.max_units is not None and units > limits.max_units:
        yield Because(code=Reason.OVER_UNITS, values={"units": units, "most": limits.max_units})
