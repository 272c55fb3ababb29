"""What leaves apart: other parts, more than a parcel may hold, what nobody has weighed; and what must not be split."""

from dataclasses import replace

import pytest

from erpsync.core.parcels import HeldKey, OrderMarks, PartMark, Reason
from erpsync.core.parcels.model import Plan
from tests.unit.core.parcels.builders import (
    CUP,
    FISH,
    GOODS,
    GZ,
    PLATE,
    SCARF,
    SH,
    UNWEIGHED,
    WANG,
    candidate,
    desk,
    gift,
    line,
    order,
    packing,
    sent,
    why,
)

FROZEN = PartMark(name="frozen", by="sku_tag", words=("frozen",))
SEALED = OrderMarks(no_split=True)


def because(got: Plan) -> list[tuple[Reason, dict[str, int | str]]]:
    return [(each.code, dict(each.values)) for parcel in got.parcels for each in parcel.because]


def test_a_part_leaves_in_a_parcel_of_its_own() -> None:
    got = desk(candidate(order(1, line(10), line(11, FISH), line(12, PLATE))), marks={1: OrderMarks(parts=(FROZEN,))})

    assert sent(got.plan().parcels) == [(SH, {10: 1, 12: 1}), (SH, {11: 1})]
    assert [parcel.part for parcel in got.plan().parcels] == ["", "frozen"]


def test_what_two_parts_are_about_belongs_to_the_first_by_name() -> None:
    china = PartMark(name="china", by="sku", words=("CUP", "PLA*"))
    marks = {1: OrderMarks(parts=(china, PartMark(name="heavy", by="sku", words=("CUP", "FISH"))))}
    got = desk(candidate(order(1, line(10), line(11, FISH), line(12, PLATE), line(13, SCARF))), marks=marks).plan()

    assert [(parcel.part, [piece.line_id for piece in parcel.pieces]) for parcel in got.parcels] == [
        ("", [13]),
        ("china", [10, 12]),
        ("heavy", [11]),
    ]


def test_a_set_goes_where_one_of_its_goods_belongs() -> None:
    got = desk(candidate(order(1, line(10, parts={CUP: 1, FISH: 1}))), marks={1: OrderMarks(parts=(FROZEN,))}).plan()

    assert [(parcel.part, parcel.units) for parcel in got.parcels] == [("frozen", 2)]


def test_a_gift_of_which_nothing_sold_is_in_the_same_part_stays() -> None:
    got = desk(candidate(order(1, line(10, FISH), gift(11))), marks={1: OrderMarks(parts=(FROZEN,))}).plan()

    assert sent(got.parcels) == [(SH, {10: 1})]
    assert why(got.stays) == [(11, SH, 1, "gift_alone")]


def test_a_parcel_holds_no_more_units_than_it_may() -> None:
    got = desk(candidate(order(1, line(10, CUP, 7), line(11, PLATE, 2))), policy=packing(max_units=4)).plan()

    assert sent(got.parcels) == [(SH, {10: 4}), (SH, {10: 3, 11: 1}), (SH, {11: 1})]
    assert because(got) == [(Reason.SPLIT, {"parcels": 3})] * 3


def test_a_parcel_weighs_no_more_than_it_may() -> None:
    got = desk(candidate(order(1, line(10, CUP, 4), line(11, PLATE, 2))), policy=packing(max_weight_g=1000)).plan()

    assert [(parcel.weight_g, parcel.units) for parcel in got.parcels] == [(900, 3), (800, 2), (500, 1)]


def test_a_parcel_may_weigh_just_as_much_as_it_may() -> None:
    got = desk(candidate(order(1, line(10, PLATE, 2))), policy=packing(max_weight_g=1000, max_units=2)).plan()

    assert sent(got.parcels) == [(SH, {10: 2})]
    assert because(got) == []


def test_a_unit_that_is_too_much_by_itself_leaves_by_itself_and_says_so() -> None:
    heavy = candidate(order(1, line(10, FISH), line(11, CUP)))
    got = desk(heavy, policy=packing(max_weight_g=900)).plan()

    assert sent(got.parcels) == [(SH, {10: 1}), (SH, {11: 1})]
    assert because(got) == [
        (Reason.SPLIT, {"parcels": 2}),
        (Reason.OVER_WEIGHT, {"weight_g": 1000, "most_g": 900}),
        (Reason.SPLIT, {"parcels": 2}),
    ]


def test_a_parcel_that_is_too_heavy_takes_nothing_more_not_even_what_weighs_nothing() -> None:
    goods = {**GOODS, CUP: replace(GOODS[CUP], weight_g=0), SCARF: replace(GOODS[SCARF], weight_g=None)}
    heavy = candidate(order(1, line(10, FISH), line(11, CUP), gift(12)))
    got = desk(heavy, goods=goods, policy=packing(max_weight_g=900)).plan()

    assert sent(got.parcels) == [(SH, {10: 1}), (SH, {11: 1, 12: 1})]


def test_a_set_of_more_units_than_a_parcel_may_hold_is_not_torn() -> None:
    got = desk(candidate(order(1, line(10, parts={CUP: 3}, qty=2))), policy=packing(max_units=2)).plan()

    assert sent(got.parcels) == [(SH, {10: 3}), (SH, {10: 3})]
    assert because(got)[1] == (Reason.OVER_UNITS, {"units": 3, "most": 2})


def test_what_nobody_has_weighed_leaves_apart_together_where_weight_is_limited() -> None:
    unweighed = candidate(order(1, line(10, CUP, 9), line(11, PLATE)))
    got = desk(unweighed, goods=UNWEIGHED, policy=packing(max_weight_g=5000)).plan()

    assert sent(got.parcels) == [(SH, {10: 9}), (SH, {11: 1})]
    assert [parcel.weight_g for parcel in got.parcels] == [None, 500]
    assert because(got) == [
        (Reason.SPLIT, {"parcels": 2}),
        (Reason.UNKNOWN_WEIGHT, {"skus": "CUP"}),
        (Reason.SPLIT, {"parcels": 2}),
    ]


def test_what_nobody_has_weighed_still_keeps_the_limit_of_units() -> None:
    got = desk(
        candidate(order(1, line(10, CUP, 5))), goods=UNWEIGHED, policy=packing(max_weight_g=5000, max_units=3)
    ).plan()

    assert sent(got.parcels) == [(SH, {10: 3}), (SH, {10: 2})]


def test_where_weight_is_not_limited_nobody_asks_for_it() -> None:
    got = desk(candidate(order(1, line(10), line(11, PLATE))), goods=UNWEIGHED, policy=packing(max_units=9)).plan()

    assert sent(got.parcels) == [(SH, {10: 1, 11: 1})]
    assert (got.parcels[0].weight_g, because(got)) == (None, [])


def test_a_gift_that_nobody_has_weighed_goes_along_and_its_parcel_says_so() -> None:
    unweighed = candidate(order(1, line(10, PLATE, 2), gift(11, CUP)))
    got = desk(unweighed, goods=UNWEIGHED, policy=packing(max_weight_g=1000)).plan()

    assert sent(got.parcels) == [(SH, {10: 2, 11: 1})]
    assert because(got) == [(Reason.UNKNOWN_WEIGHT, {"skus": "CUP"})]


def test_a_gift_that_nobody_has_weighed_goes_with_what_nobody_has_weighed() -> None:
    unweighed = candidate(order(1, line(10, PLATE), line(11, CUP), gift(12, CUP)))
    got = desk(unweighed, goods=UNWEIGHED, policy=packing(max_weight_g=1000)).plan()

    assert sent(got.parcels) == [(SH, {10: 1}), (SH, {11: 1, 12: 1})]


def test_a_gift_that_is_weighed_goes_with_what_is_weighed() -> None:
    unweighed = candidate(order(1, line(10, CUP), line(11, PLATE), gift(12)))
    got = desk(unweighed, goods=UNWEIGHED, policy=packing(max_weight_g=1000)).plan()

    assert sent(got.parcels) == [(SH, {10: 1}), (SH, {11: 1, 12: 1})]


def test_a_gift_for_which_no_parcel_has_room_takes_a_sold_unit_along() -> None:
    got = desk(candidate(order(1, line(10, CUP, 3), gift(11))), policy=packing(max_units=3)).plan()

    assert sent(got.parcels) == [(SH, {10: 2, 11: 1}), (SH, {10: 1})]


def test_gifts_leave_no_parcel_without_anything_sold() -> None:
    got = desk(candidate(order(1, line(10, CUP, 2), gift(11, qty=5))), policy=packing(max_units=2)).plan()

    assert sent(got.parcels) == [(SH, {10: 1, 11: 1}), (SH, {10: 1, 11: 1})]
    assert why(got.stays) == [(11, SH, 3, "gift_alone")]


def test_a_gift_that_is_too_heavy_beside_anything_sold_stays() -> None:
    got = desk(candidate(order(1, line(10, PLATE, 2), gift(11, FISH))), policy=packing(max_weight_g=1000)).plan()

    assert sent(got.parcels) == [(SH, {10: 2})]
    assert why(got.stays) == [(11, SH, 1, "gift_alone")]


def test_an_order_that_must_not_be_split_leaves_in_one_parcel() -> None:
    got = desk(candidate(order(1, line(10, CUP, 2), line(11))), marks={1: SEALED}, policy=packing(max_units=3)).plan()

    assert sent(got.parcels) == [(SH, {10: 2, 11: 1})]


def test_an_order_that_must_not_be_split_waits_until_one_parcel_holds_it() -> None:
    sealed = candidate(order(1, line(10, CUP, 2), line(11)))
    got = desk(sealed, marks={1: SEALED}, policy=packing(max_units=2)).plan()

    assert got.parcels == ()
    assert why(got.stays) == [(10, SH, 2, "sealed"), (11, SH, 1, "sealed")]
    assert got.stays[0].because.values == {"parcels": 2}


def test_it_waits_while_it_lies_in_two_warehouses() -> None:
    held = {HeldKey(10, CUP, SH): 1, HeldKey(10, CUP, GZ): 1}
    got = desk(candidate(order(1, line(10, CUP, 2))), held=held, marks={1: SEALED}).plan()

    assert why(got.stays) == [(10, GZ, 1, "sealed"), (10, SH, 1, "sealed")][::-1]


def test_it_waits_while_some_of_it_is_missing_although_the_shop_sends_what_is_ready() -> None:
    sealed = candidate(order(1, line(10, CUP, 3)))
    got = desk(sealed, held={HeldKey(10, CUP, SH): 2}, marks={1: SEALED}, policy=packing(partial="ready")).plan()

    assert why(got.stays) == [(10, None, 1, "short"), (10, SH, 2, "sealed")]
    assert got.stays[1].because.values == {"missing": 1}


def test_it_waits_while_a_release_has_some_of_it() -> None:
    under_way = candidate(order(1, line(10, CUP, 3)), under_way={(10, CUP): 1})
    got = desk(under_way, held={HeldKey(10, CUP, SH): 2}, marks={1: SEALED}).plan()

    assert got.stays[0].because.values == {"under_way": 1}


def test_it_says_that_a_weight_is_missing_where_that_splits_it() -> None:
    sealed = candidate(order(1, line(10, CUP), line(11, PLATE)))
    got = desk(sealed, goods=UNWEIGHED, marks={1: SEALED}, policy=packing(max_weight_g=9000)).plan()

    assert got.stays[0].because.values == {"parcels": 2, "unknown_weight": "CUP"}


@pytest.mark.parametrize("most", [1, 2])
def test_no_gift_keeps_it_from_leaving(most: int) -> None:
    held = {HeldKey(10, CUP, SH): 1, HeldKey(11, SCARF, SH): 1, HeldKey(12, SCARF, GZ): 1}
    sealed = candidate(order(1, line(10), gift(11), gift(12)), WANG)
    got = desk(sealed, held=held, marks={1: SEALED}, policy=packing(max_units=most)).plan()

    assert sent(got.parcels) == [(SH, {10: 1, 11: 1} if most > 1 else {10: 1})]
    assert why(got.stays) == [(11, SH, 1, "gift_alone")] * (most < 2) + [(12, GZ, 1, "gift_alone")]


def test_two_units_with_a_gift_that_does_not_fit_are_not_split_for_it() -> None:
    got = desk(candidate(order(1, line(10, CUP, 2), gift(11))), marks={1: SEALED}, policy=packing(max_units=2)).plan()

    assert sent(got.parcels) == [(SH, {10: 2})]
    assert why(got.stays) == [(11, SH, 1, "gift_alone")]


def test_an_order_that_is_paid_at_the_door_is_never_split() -> None:
    got = desk(candidate(order(1, line(10, CUP, 2)), kind="cod"), policy=packing(max_units=1)).plan()

    assert why(got.stays) == [(10, SH, 2, "sealed")]
