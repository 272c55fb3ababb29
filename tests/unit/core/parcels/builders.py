"""A small warehouse in a few words: lines, orders of recipients, what is held of them, and what is planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from erpsync.core.orders import KnownLine, KnownOrder, Origin
from erpsync.core.parcels import (
    Candidate,
    ChannelPacking,
    Goods,
    HeldKey,
    OrderMarks,
    PackingPolicy,
    Parcel,
    Plan,
    Stay,
    plan,
)
from erpsync.core.readings import Reading
from erpsync.sdk.types import OrderState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CUP, PLATE, FISH, SCARF = 1, 2, 3, 4
SH, GZ = 10, 20
TMALL, JD = 1, 2
WANG, LI = b"wang", b"li"
GOODS = {
    CUP: Goods(sku="CUP", weight_g=300, volume_cm3=1000),
    PLATE: Goods(sku="PLATE", weight_g=500, volume_cm3=800),
    FISH: Goods(sku="FISH", weight_g=1000, volume_cm3=2000, tags=("frozen",)),
    SCARF: Goods(sku="SCARF", weight_g=100, volume_cm3=200),
}
UNWEIGHED = {**GOODS, CUP: replace(GOODS[CUP], weight_g=None)}


def line(id: int, sku: int = CUP, qty: int = 1, **more: object) -> KnownLine:
    fields = {"channel_sku": GOODS[sku].sku, "price_minor": 1000, "parts": {sku: 1}} | more
    return KnownLine(id=id, external_id=str(id), qty=qty, **fields)  # type: ignore[arg-type]


def gift(id: int, sku: int = SCARF, qty: int = 1) -> KnownLine:
    return line(id, sku, qty, price_minor=0, origin=Origin.GIFT)


def order(id: int, *lines: KnownLine, **more: object) -> KnownOrder:
    at = NOON + timedelta(minutes=id)
    fields: dict[str, object] = {
        "channel_id": TMALL,
        "external_id": f"o{id}",
        "number": f"S{id}",
        "state": OrderState.PAID,
        "reading": Reading(version_at=at, digest="", read_from=at, read_to=at),
        "placed_at": at,
        "paid_at": at,
        "ready_at": at,
        "currency": "CNY",
        "total_minor": 1000,
        "lines": lines or (line(id * 10),),
    }
    return KnownOrder(id=id, **(fields | more))  # type: ignore[arg-type]


def candidate(known: KnownOrder, merge_index: bytes | None = None, **more: object) -> Candidate:
    return Candidate(order=known, merge_index=merge_index, **more)  # type: ignore[arg-type]


@dataclass
class Desk:
    """Orders, and what is held of them: all that is open in one warehouse, unless a test says otherwise."""

    candidates: Sequence[Candidate]
    held: dict[HeldKey, int] = field(default_factory=dict)
    goods: Mapping[int, Goods] = field(default_factory=lambda: GOODS)
    marks: Mapping[int, OrderMarks] = field(default_factory=dict)
    policy: PackingPolicy = field(default_factory=PackingPolicy)

    def plan(self) -> Plan:
        return plan(self.candidates, self.held, self.goods, self.marks, self.policy)


def all_held(*candidates: Candidate, warehouse: int = SH) -> dict[HeldKey, int]:
    return {
        HeldKey(each.id, sku_id, warehouse): each.open_qty * per_unit
        for candidate in candidates
        for each in candidate.order.lines
        for sku_id, per_unit in each.parts.items()
        if each.open_qty
    }


def desk(*candidates: Candidate, held: dict[HeldKey, int] | None = None, **more: object) -> Desk:
    found = all_held(*candidates) if held is None else held
    return Desk(candidates=candidates, held=found, **more)  # type: ignore[arg-type]


def packing(**fields: object) -> PackingPolicy:
    """Return a policy that is the same for both shops."""
    each = ChannelPacking(**fields)  # type: ignore[arg-type]
    return PackingPolicy(by_channel={TMALL: each, JD: each})


def sent(parcels: Sequence[Parcel]) -> list[tuple[int, dict[int, int]]]:
    """Return the warehouse of each parcel and our units in it by line."""
    found = []
    for parcel in parcels:
        units: dict[int, int] = {}
        for piece in parcel.pieces:
            units[piece.line_id] = units.get(piece.line_id, 0) + piece.qty
        found.append((parcel.warehouse_id, units))
    return found


def together(parcels: Sequence[Parcel]) -> list[tuple[int, ...]]:
    return [parcel.order_ids for parcel in parcels]


def why(stays: Sequence[Stay]) -> list[tuple[int, int | None, int, str]]:
    """Return line, warehouse, units and reason of each that stays."""
    return [(stay.line_id, stay.warehouse_id, stay.qty, stay.because.code.value) for stay in stays]
