"""What a warehouse is told to send, in whole units of the order's lines."""

from datetime import UTC, datetime

import pytest

from erpsync.core.orders import KnownLine, KnownOrder
from erpsync.core.readings import Reading
from erpsync.core.release import NotWholeError, Piece, may_leave, units_of
from erpsync.sdk.types import OrderState

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CUP, PLATE = 1, 2


def line(**more: object) -> KnownLine:
    fields = {"id": 1, "external_id": "1", "channel_sku": "A", "qty": 3, "price_minor": 100, "parts": {CUP: 1}} | more
    return KnownLine(**fields)  # type: ignore[arg-type]


def order(*lines: KnownLine, **more: object) -> KnownOrder:
    fields: dict[str, object] = {
        "id": 1,
        "channel_id": 1,
        "external_id": "o1",
        "number": "S1",
        "state": OrderState.PAID,
        "reading": Reading(version_at=NOON, digest="", read_from=NOON, read_to=NOON),
        "placed_at": NOON,
        "paid_at": NOON,
        "ready_at": NOON,
        "currency": "CNY",
        "total_minor": 100,
        "lines": lines or (line(),),
    }
    return KnownOrder(**(fields | more))  # type: ignore[arg-type]


def piece(sku_id: int, qty: int, units: int) -> Piece:
    return Piece(line_id=1, sku_id=sku_id, qty=qty, units=units)


def test_reported_pieces_are_counted_back_into_the_orders_units() -> None:
    released = {1: {CUP: piece(CUP, 8, 2), PLATE: piece(PLATE, 4, 2)}}

    assert units_of(released, {(1, CUP): 4, (1, PLATE): 2}) == {1: 1}
    with pytest.raises(NotWholeError):
        units_of(released, {(1, CUP): 4})
    with pytest.raises(NotWholeError):
        units_of(released, {(1, CUP): 6, (1, PLATE): 3})


def test_only_what_is_due_and_not_held_may_leave() -> None:
    assert may_leave(order())
    assert not may_leave(order(ready_at=None))
    assert not may_leave(order(holds={"operator": "look"}))
    assert not may_leave(order(line(closed_qty=3)))
    assert may_leave(order(line(shipped_qty=1)))
