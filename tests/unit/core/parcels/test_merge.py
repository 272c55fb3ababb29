"""Which orders of one recipient leave together, and which do not."""

from collections.abc import Mapping

import pytest

from erpsync.core.parcels import Candidate, ChannelPacking, HeldKey, OrderMarks, PackingPolicy
from tests.unit.core.parcels.builders import (
    CUP,
    FISH,
    GZ,
    JD,
    LI,
    PLATE,
    SCARF,
    SH,
    TMALL,
    UNWEIGHED,
    WANG,
    all_held,
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


def two(first: Mapping[str, object] | None = None, second: Mapping[str, object] | None = None) -> list[Candidate]:
    """Return two orders of one recipient."""
    return [candidate(order(1, **(first or {})), WANG), candidate(order(2, **(second or {})), WANG)]


def test_orders_of_one_recipient_share_a_parcel_oldest_due_first() -> None:
    orders = [
        candidate(order(3, line(30, PLATE)), WANG),
        candidate(order(1, line(10, CUP, 2)), WANG),
        candidate(order(2), LI),
    ]
    got = desk(*orders).plan()

    assert together(got.parcels) == [(1, 3), (2,)]
    assert sent(got.parcels) == [(SH, {10: 2, 30: 1}), (SH, {20: 1})]
    assert (got.parcels[0].due[1], got.parcels[0].weight_g, got.parcels[0].units) == ("S1", 1100, 3)
    assert (got.parcels[0].merge_index, got.parcels[0].goods_minor, got.parcels[0].because) == (WANG, 3000, ())


def test_orders_whose_recipient_nobody_knows_leave_apart() -> None:
    """Row 33: whoever is masked or incomplete is nobody's neighbour."""
    assert together(desk(candidate(order(1)), candidate(order(2))).plan().parcels) == [(1,), (2,)]


@pytest.mark.parametrize("sealed", [1, 2])
def test_a_sealed_order_leaves_by_itself(sealed: int) -> None:
    got = desk(*two(), marks={sealed: OrderMarks(no_merge=True)}).plan()

    assert together(got.parcels) == [(1,), (2,)]


def test_an_order_that_must_not_be_split_may_share_a_parcel() -> None:
    assert together(desk(*two(), marks={1: OrderMarks(no_split=True)}).plan().parcels) == [(1, 2)]


def test_other_currencies_leave_apart() -> None:
    assert together(desk(*two(second={"currency": "USD"})).plan().parcels) == [(1,), (2,)]


def test_other_wishes_for_couriers_leave_apart() -> None:
    same, other = OrderMarks(carrier=("SF", "EMS")), OrderMarks(carrier=("EMS", "SF"))

    assert together(desk(*two(), marks={1: same, 2: same}).plan().parcels) == [(1, 2)]
    assert together(desk(*two(), marks={1: same, 2: other}).plan().parcels) == [(1,), (2,)]
    assert together(desk(*two(), marks={1: same}).plan().parcels) == [(1,), (2,)]
    assert desk(*two(), marks={1: same, 2: same}).plan().parcels[0].carrier == ("SF", "EMS")


def test_other_warehouses_leave_apart() -> None:
    held = {HeldKey(10, CUP, SH): 1, HeldKey(20, CUP, GZ): 1}

    assert together(desk(*two(), held=held).plan().parcels) == [(1,), (2,)]


@pytest.mark.parametrize(("kinds", "parcels"), [
    (("channel", "phone"), [(1, 2)]),
    (("cod", "cod"), [(1, 2)]),
    (("cod", "channel"), [(1,), (2,)]),
    (("gift_recipient", "phone"), [(1,), (2,)]),
    (("gift_recipient", "cod"), [(1,), (2,)]),
])  # fmt: skip
def test_what_is_paid_at_the_door_or_opened_by_another_goes_with_its_own_kind(
    kinds: tuple[str, str], parcels: list[tuple[int, ...]]
) -> None:
    orders = [candidate(order(id), WANG, kind=kind) for id, kind in zip((1, 2), kinds, strict=True)]
    got = desk(*orders).plan()

    assert together(got.parcels) == parcels
    assert got.parcels[0].kind == (kinds[0] if kinds[0] in ("cod", "gift_recipient") else "")


def test_shops_share_a_parcel_only_where_somebody_said_so() -> None:
    orders = two(second={"channel_id": JD})
    shared = PackingPolicy(across=(frozenset({TMALL, JD}),))

    assert together(desk(*orders).plan().parcels) == [(1,), (2,)]
    assert together(desk(*orders, policy=shared).plan().parcels) == [(1, 2)]


def test_two_shops_that_share_with_a_third_do_not_share_with_each_other() -> None:
    pairs = PackingPolicy(across=(frozenset({TMALL, JD}), frozenset({JD, 3})))
    orders = [candidate(order(id, channel_id=channel), WANG) for id, channel in ((1, TMALL), (2, 3), (3, JD))]

    assert together(desk(*orders, policy=pairs).plan().parcels) == [(1, 3), (2,)]


def test_a_parcel_holds_no_more_orders_than_it_may() -> None:
    orders = [candidate(order(id), WANG) for id in range(1, 6)]

    assert together(desk(*orders, policy=packing(merge_orders=2)).plan().parcels) == [(1, 2), (3, 4), (5,)]
    assert together(desk(*orders, policy=packing(merge_orders=1)).plan().parcels) == [(1,), (2,), (3,), (4,), (5,)]


def test_ten_orders_share_a_parcel_where_nothing_is_said() -> None:
    orders = [candidate(order(id), WANG) for id in range(1, 12)]

    assert [len(ids) for ids in together(desk(*orders).plan().parcels)] == [10, 1]


@pytest.mark.parametrize(
    "limit", [{"merge_weight_g": 1000}, {"max_weight_g": 1000}, {"merge_weight_g": 1000, "max_weight_g": 9000}]
)
def test_a_younger_order_that_still_fits_joins_where_an_older_one_is_too_heavy(limit: dict[str, int]) -> None:
    orders = [candidate(order(id, line(id * 10, sku)), WANG) for id, sku in ((1, PLATE), (2, FISH), (3, PLATE))]

    assert together(desk(*orders, policy=packing(**limit)).plan().parcels) == [(1, 3), (2,)]


def test_a_parcel_of_several_orders_holds_no_more_units_than_one_may() -> None:
    orders = [candidate(order(id, line(id * 10, CUP, 2)), WANG) for id in (1, 2, 3)]

    assert together(desk(*orders, policy=packing(max_units=4)).plan().parcels) == [(1, 2), (3,)]


def test_a_parcel_of_two_shops_keeps_the_limits_of_both() -> None:
    policy = PackingPolicy(
        by_channel={TMALL: ChannelPacking(), JD: ChannelPacking(max_units=2)}, across=(frozenset({TMALL, JD}),)
    )
    orders = [candidate(order(id, channel_id=channel), WANG) for id, channel in ((1, TMALL), (2, JD), (3, TMALL))]

    assert together(desk(*orders, policy=policy).plan().parcels) == [(1, 2), (3,)]


def test_what_nobody_has_weighed_joins_nothing_where_weight_is_limited() -> None:
    orders = [candidate(order(1), WANG), candidate(order(2, line(20, PLATE)), WANG)]

    assert together(desk(*orders, goods=UNWEIGHED, policy=packing(merge_weight_g=9000)).plan().parcels) == [(1,), (2,)]
    assert together(desk(*orders, goods=UNWEIGHED).plan().parcels) == [(1, 2)]


def test_an_order_of_which_something_is_missing_shares_no_parcel() -> None:
    orders = [candidate(order(1), WANG), candidate(order(2, line(20, CUP, 2)), WANG)]
    held = {HeldKey(10, CUP, SH): 1, HeldKey(20, CUP, SH): 1}
    got = desk(*orders, held=held, policy=packing(partial="ready")).plan()

    assert together(got.parcels) == [(1,), (2,)]


def test_a_missing_gift_keeps_nothing_from_sharing_a_parcel() -> None:
    orders = [candidate(order(1), WANG), candidate(order(2, line(20), gift(21)), WANG)]

    assert together(desk(*orders, held=all_held(*two())).plan().parcels) == [(1, 2)]


def test_an_order_that_needs_two_parcels_shares_none() -> None:
    orders = [candidate(order(1, line(10, CUP, 3)), WANG), candidate(order(2), WANG)]

    assert together(desk(*orders, policy=packing(max_units=2)).plan().parcels) == [(1,), (1,), (2,)]


def test_a_gift_that_was_left_behind_goes_with_the_next_order_of_its_recipient() -> None:
    behind = candidate(order(1, line(10, CUP, 1, shipped_qty=1), gift(11)), WANG)
    got = desk(behind, candidate(order(2), WANG)).plan()

    assert together(got.parcels) == [(1, 2)]
    assert sent(got.parcels) == [(SH, {20: 1, 11: 1})]


def test_gifts_of_two_orders_make_no_parcel() -> None:
    behind = [candidate(order(id, line(id * 10, CUP, 1, shipped_qty=1), gift(id * 10 + 1)), WANG) for id in (1, 2)]
    got = desk(*behind).plan()

    assert got.parcels == ()
    assert why(got.stays) == [(11, SH, 1, "gift_alone"), (21, SH, 1, "gift_alone")]


def test_the_gift_of_an_order_that_must_not_be_split_goes_with_no_other_order() -> None:
    held = {HeldKey(10, CUP, SH): 1, HeldKey(11, SCARF, GZ): 1, HeldKey(20, CUP, GZ): 1}
    orders = [candidate(order(1, line(10), gift(11)), WANG), candidate(order(2), WANG)]
    got = desk(*orders, held=held, marks={1: OrderMarks(no_split=True)}).plan()

    assert sent(got.parcels) == [(SH, {10: 1}), (GZ, {20: 1})]
    assert why(got.stays) == [(11, GZ, 1, "gift_alone")]
