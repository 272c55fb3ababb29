"""What of an order leaves while some of it is missing, held back or under way; and why the rest stays."""

import pytest

from erpsync.core.parcels import HeldKey, OrderMarks, Reason, plan
from erpsync.core.parcels.model import PackingPolicy
from erpsync.core.release import Piece
from erpsync.sdk.types import OrderState
from tests.unit.core.parcels.builders import (
    CUP,
    FISH,
    GOODS,
    GZ,
    NOON,
    PLATE,
    SCARF,
    SH,
    WANG,
    candidate,
    desk,
    gift,
    line,
    order,
    packing,
    sent,
    together,
    why,
)

READY = packing(partial="ready", partial_min_minor={"CNY": 2000})
SET = {CUP: 2, PLATE: 1}


def test_an_order_that_is_all_held_leaves_in_one_parcel() -> None:
    got = desk(candidate(order(1, line(10, CUP, 2), line(11, PLATE)), WANG)).plan()

    [parcel] = got.parcels
    assert parcel.pieces == (
        Piece(line_id=10, sku_id=CUP, qty=2, units=2),
        Piece(line_id=11, sku_id=PLATE, qty=1, units=1),
    )
    assert (parcel.warehouse_id, parcel.order_ids, parcel.merge_index) == (SH, (1,), WANG)
    assert (parcel.weight_g, parcel.volume_cm3, parcel.units, parcel.goods_minor) == (1100, 2800, 3, 3000)
    assert (parcel.currency, parcel.due, parcel.because) == ("CNY", (NOON.replace(minute=1), "S1"), ())
    assert got.stays == ()


def test_an_order_waits_until_all_of_it_is_held() -> None:
    got = desk(candidate(order(1, line(10), line(11, PLATE, 2))), held={HeldKey(10, CUP, SH): 1}).plan()

    assert got.parcels == ()
    assert why(got.stays) == [(11, None, 2, "short"), (10, SH, 1, "not_whole")]
    assert got.stays[1].because.values == {"missing": 2}


def test_a_shop_that_sends_what_is_ready_sends_what_is_worth_it() -> None:
    held = {HeldKey(10, CUP, SH): 2}
    got = desk(candidate(order(1, line(10, CUP, 2), line(11, PLATE))), held=held, policy=READY).plan()

    assert sent(got.parcels) == [(SH, {10: 2})]
    assert why(got.stays) == [(11, None, 1, "short")]
    assert [(each.code, each.values) for each in got.parcels[0].because] == [(Reason.PARTIAL, {"missing": 1})]


def test_what_is_ready_but_worth_too_little_waits_and_says_what_it_is_worth() -> None:
    got = desk(candidate(order(1, line(10, CUP), line(11))), held={HeldKey(10, CUP, SH): 1}, policy=READY).plan()

    assert got.parcels == ()
    assert why(got.stays) == [(11, None, 1, "short"), (10, SH, 1, "below_least")]
    assert got.stays[1].because.values == {"worth_minor": 1000, "least_minor": 2000}


def test_what_is_worth_just_enough_leaves() -> None:
    held = {HeldKey(10, CUP, SH): 2}
    got = desk(candidate(order(1, line(10, CUP, 3))), held=held, policy=READY).plan()

    assert sent(got.parcels) == [(SH, {10: 2})]


def test_the_last_units_of_an_order_leave_whatever_they_are_worth() -> None:
    got = desk(candidate(order(1, line(10, CUP, 3, shipped_qty=2))), policy=READY).plan()

    assert sent(got.parcels) == [(SH, {10: 1})]


def test_an_order_in_two_warehouses_leaves_out_of_both_at_once() -> None:
    held = {HeldKey(10, CUP, GZ): 2, HeldKey(10, CUP, SH): 1, HeldKey(11, PLATE, SH): 1}
    got = desk(candidate(order(1, line(10, CUP, 3), line(11, PLATE))), held=held).plan()

    assert sent(got.parcels) == [(SH, {10: 1, 11: 1}), (GZ, {10: 2})]


def test_a_set_leaves_whole_and_parts_that_lie_apart_stay() -> None:
    held = {HeldKey(10, CUP, SH): 3, HeldKey(10, PLATE, SH): 1, HeldKey(10, CUP, GZ): 1, HeldKey(10, PLATE, GZ): 1}
    got = desk(candidate(order(1, line(10, parts=SET, qty=2))), held=held, policy=packing(partial="ready")).plan()

    assert [(parcel.warehouse_id, parcel.pieces) for parcel in got.parcels] == [
        (SH, (Piece(line_id=10, sku_id=CUP, qty=2, units=1), Piece(line_id=10, sku_id=PLATE, qty=1, units=1)))
    ]
    assert why(got.stays) == [(10, SH, 1, "torn"), (10, GZ, 1, "torn"), (10, GZ, 1, "torn")]


def test_a_set_that_is_torn_apart_keeps_an_order_that_leaves_whole() -> None:
    held = {HeldKey(10, CUP, SH): 2, HeldKey(10, PLATE, GZ): 1, HeldKey(11, FISH, SH): 1}
    got = desk(candidate(order(1, line(10, parts=SET), line(11, FISH))), held=held).plan()

    assert got.parcels == ()
    assert why(got.stays) == [(10, SH, 2, "torn"), (10, GZ, 1, "torn"), (11, SH, 1, "not_whole")]


def test_what_of_a_set_is_held_nowhere_is_short_by_its_own_units() -> None:
    got = desk(candidate(order(1, line(10, parts=SET, qty=2))), held={HeldKey(10, CUP, SH): 3}).plan()

    assert why(got.stays) == [(10, SH, 3, "torn"), (10, None, 1, "short"), (10, None, 2, "short")]


def test_units_that_nobody_wants_any_more_stay() -> None:
    held = {HeldKey(10, CUP, SH): 3, HeldKey(10, CUP, GZ): 1, HeldKey(10, PLATE, SH): 2}
    got = desk(candidate(order(1, line(10, CUP, 3, closed_qty=1))), held=held).plan()

    assert sent(got.parcels) == [(SH, {10: 2})]
    assert why(got.stays) == [(10, SH, 1, "surplus"), (10, SH, 2, "surplus"), (10, GZ, 1, "surplus")]


def test_what_is_no_goods_is_waited_for_by_nobody() -> None:
    got = desk(candidate(order(1, line(10), line(11, PLATE, no_stock=True))), held={HeldKey(10, CUP, SH): 1}).plan()

    assert together(got.parcels) == [(1,)]
    assert got.stays == ()


def test_units_that_a_release_has_already_are_neither_missing_nor_sent_again() -> None:
    under_way = candidate(order(1, line(10, CUP, 3), line(11, PLATE)), under_way={(10, CUP): 2})
    got = desk(under_way, held={HeldKey(10, CUP, SH): 1, HeldKey(11, PLATE, SH): 1}).plan()

    assert sent(got.parcels) == [(SH, {10: 1, 11: 1})]
    assert got.stays == ()


def test_a_set_of_which_a_part_is_under_way_is_under_way_whole() -> None:
    under_way = candidate(order(1, line(10, parts=SET, qty=2)), under_way={(10, CUP): 1})
    got = desk(under_way, held={HeldKey(10, CUP, SH): 4, HeldKey(10, PLATE, SH): 2}).plan()

    assert sent(got.parcels) == [(SH, {10: 3})]
    assert why(got.stays) == [(10, SH, 2, "surplus"), (10, SH, 1, "surplus")]


def test_an_order_that_is_held_stays_by_its_most_pressing_reason() -> None:
    held_back = order(1, line(10), line(11, PLATE), holds={"operator": "ask", "refund_open": "r1"})
    got = desk(candidate(held_back), held={HeldKey(10, CUP, SH): 1}).plan()

    assert got.parcels == ()
    assert why(got.stays) == [(11, None, 1, "short"), (10, SH, 1, "held")]
    assert got.stays[1].because.values == {"hold": "refund_open"}


def test_a_hold_of_a_rule_is_named_too() -> None:
    got = desk(candidate(order(1, holds={"settle-time": "15 minutes"}))).plan()

    assert got.stays[0].because.values == {"hold": "settle-time"}


@pytest.mark.parametrize(
    ("fields", "marks", "code"),
    [
        ({"ready_at": None}, OrderMarks(), "not_ready"),
        ({"holds": {"operator": "void"}}, OrderMarks(void=True), "void"),
        ({}, OrderMarks(unreadable=("part:x", "seal")), "bad_mark"),
    ],
)
def test_an_order_that_must_not_leave_says_why(fields: dict[str, object], marks: OrderMarks, code: str) -> None:
    got = desk(candidate(order(1, **fields)), marks={1: marks}).plan()

    assert got.parcels == ()
    assert why(got.stays) == [(10, SH, 1, code)]


@pytest.mark.parametrize(("fields", "marks"), [({"ready_at": None}, OrderMarks()), ({}, OrderMarks(void=True))])
def test_an_order_that_wants_nothing_yet_is_short_of_nothing(fields: dict[str, object], marks: OrderMarks) -> None:
    assert desk(candidate(order(1, **fields)), held={}, marks={1: marks}).plan().stays == ()


def test_a_mark_that_cannot_be_read_is_named() -> None:
    got = desk(candidate(order(1)), marks={1: OrderMarks(unreadable=("part:x", "seal"))}).plan()

    assert got.stays[0].because.values == {"mark": "part:x"}


def test_what_is_still_held_of_a_cancelled_order_stays() -> None:
    cancelled = order(1, line(10, CUP, 1, closed_qty=1), state=OrderState.CANCELLED)
    got = desk(candidate(cancelled), held={HeldKey(10, CUP, SH): 1}).plan()

    assert got.parcels == ()
    assert why(got.stays) == [(10, SH, 1, "surplus")]


def test_a_gift_that_is_short_holds_nothing_back() -> None:
    got = desk(candidate(order(1, line(10), gift(11))), held={HeldKey(10, CUP, SH): 1}).plan()

    assert sent(got.parcels) == [(SH, {10: 1})]
    assert got.parcels[0].because == ()
    assert why(got.stays) == [(11, None, 1, "short")]


def test_a_gift_goes_with_what_was_sold() -> None:
    got = desk(candidate(order(1, line(10), gift(11)))).plan()

    assert sent(got.parcels) == [(SH, {10: 1, 11: 1})]
    assert got.parcels[0].goods_minor == 1000


@pytest.mark.parametrize("partial", ["whole", "ready"])
def test_a_gift_is_never_a_parcel_by_itself(partial: str) -> None:
    sold_left = order(1, line(10, CUP, 1, shipped_qty=1), gift(11))
    got = desk(candidate(sold_left), policy=packing(partial=partial)).plan()

    assert got.parcels == ()
    assert why(got.stays) == [(11, SH, 1, "gift_alone")]


def test_a_gift_does_not_leave_before_what_was_sold() -> None:
    waits = candidate(order(1, line(10), gift(11)))
    held = {HeldKey(11, SCARF, SH): 1}

    assert why(desk(waits, held=held).plan().stays) == [(10, None, 1, "short"), (11, SH, 1, "not_whole")]
    got = desk(waits, held=held, policy=packing(partial="ready")).plan()
    assert (got.parcels, why(got.stays)) == ((), [(10, None, 1, "short"), (11, SH, 1, "gift_alone")])


def test_a_gift_in_another_warehouse_stays_there() -> None:
    held = {HeldKey(10, CUP, SH): 1, HeldKey(11, SCARF, GZ): 1}
    got = desk(candidate(order(1, line(10), gift(11))), held=held).plan()

    assert sent(got.parcels) == [(SH, {10: 1})]
    assert why(got.stays) == [(11, GZ, 1, "gift_alone")]


def test_units_of_a_line_that_no_order_has_are_refused() -> None:
    with pytest.raises(ValueError, match="line 99, which is of none of the orders"):
        plan([], {HeldKey(99, CUP, SH): 1}, GOODS, {}, PackingPolicy())
