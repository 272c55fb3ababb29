"""The number a channel is told, when it has to be told, and the brake."""

import pytest

from erpsync.core.availability import (
    Own,
    Shelf,
    Told,
    braked,
    capped,
    explained,
    is_sure,
    pack_sent,
    share,
    unpack_sent,
)
from erpsync.core.policy import BrakePolicy, StockPolicy


@pytest.mark.parametrize(
    ("available", "unpaid", "factor", "ratio", "buffer", "want"),
    [
        (10, 0, 1, 1.0, 0, 10),
        (10, 3, 1, 1.0, 0, 7),
        (10, 0, 3, 1.0, 0, 3),
        (10, 0, 1, 0.5, 0, 5),
        (5, 0, 1, 0.5, 0, 2),
        (10, 0, 1, 1.0, 4, 6),
        (10, 1, 2, 0.9, 2, 3),
        (10, 0, 1, 1.0, 11, 0),
        (10, 12, 1, 1.0, 0, 0),
        (0, 0, 1, 1.0, 0, 0),
        (100, 0, 1, 0.29, 0, 29),  # binary floats would give 28
    ],
)
def test_the_number_is_what_the_formula_says(
    available: int, unpaid: int, factor: int, ratio: float, buffer: int, want: int
) -> None:
    policy = StockPolicy(ratio=ratio, buffer=buffer)

    assert share(available=available, unpaid=unpaid, policy=policy).qty // factor == want


def test_units_free_to_promise_are_never_below_zero() -> None:
    assert Shelf(on_hand=10, reserved=3, safety_stock=2).available == 5
    assert Shelf(on_hand=3, reserved=5, safety_stock=2).available == 0


def test_a_warehouse_that_is_paused_promises_nothing() -> None:
    assert Shelf(on_hand=10, reserved=3, safety_stock=2, paused=True).available == 0


@pytest.mark.parametrize(
    ("own", "want"),
    [
        (Own(safety=4), 1),  # half of the six that are offered, less the channel's buffer
        (Own(safety=11), 0),
        (Own(buffer=3), 2),
        (Own(buffer=0), 5),
        (Own(safety=2, buffer=1), 3),
    ],
)
def test_what_people_set_for_one_sku_comes_before_the_channels_share(own: Own, want: int) -> None:
    policy = StockPolicy(ratio=0.5, buffer=2)

    assert share(available=10, unpaid=0, policy=policy, own=own).qty == want


@pytest.mark.parametrize(
    ("channels", "own", "want"),
    [(None, None, 9), (5, None, 5), (5, 7, 7), (5, 12, 9), (None, 3, 3), (5, 0, 0), (0, None, 0)],
)
def test_a_cap_of_its_own_counts_in_place_of_the_channels(channels: int | None, own: int | None, want: int) -> None:
    assert capped(9, policy=StockPolicy(cap=channels), own=Own(cap=own)) == want


def test_a_number_told_surely_is_not_told_again() -> None:
    assert not Told(accepted=5, sure=True).needs(5)
    assert Told(accepted=5, sure=True).needs(4)


def test_unsure_is_never_equal() -> None:
    assert Told(accepted=5, sure=False, sent_since=(5,)).needs(5)


@pytest.mark.parametrize(
    ("told", "qty", "lowers"),
    [
        (Told(accepted=5, sure=True), 4, True),
        (Told(accepted=5, sure=True), 5, False),
        (Told(accepted=5, sure=False, sent_since=(2, 9)), 3, False),
        (Told(accepted=5, sure=False, sent_since=(2, 9)), 1, True),
        (Told(accepted=None, sure=False), 3, False),
        (Told(accepted=None, sure=False), 0, True),
        (Told(accepted=0, sure=False), 0, False),
        (Told(accepted=0, sure=False, sent_since=(4,)), 0, True),
    ],
)
def test_a_number_only_lowers_when_it_is_below_all_that_the_channel_may_show(
    told: Told, qty: int, lowers: bool
) -> None:
    assert told.lowers(qty) is lowers


@pytest.mark.parametrize(
    ("told", "lowest"),
    [
        (Told(accepted=None, sure=False), None),
        (Told(accepted=5, sure=True), 5),
        (Told(accepted=0, sure=True, sent_since=(3,)), 0),
        (Told(accepted=5, sure=False, sent_since=(2, 9)), 2),
        (Told(accepted=5, sure=False, late=(1,)), 1),
        (Told(accepted=None, sure=False, sent_since=(4,)), 4),
    ],
)
def test_the_channel_may_be_showing_any_number_that_was_sent(told: Told, lowest: int | None) -> None:
    assert told.lowest == lowest


def test_a_late_call_may_take_effect_until_its_time_is_over() -> None:
    assert Told(accepted=0, sure=False, late=(4,)).still_late == (4,)
    assert Told(accepted=0, sure=False, late=(4,), late_over=True).still_late == ()


@pytest.mark.parametrize(("late", "over", "lowers"), [((4,), True, True), ((4,), False, False), ((0,), True, False)])
def test_a_zero_that_a_late_call_has_overwritten_is_told_once_more_when_none_can_follow(
    late: tuple[int, ...], over: bool, lowers: bool
) -> None:
    assert Told(accepted=0, sure=False, late=late, late_over=over).lowers(0) is lowers


def test_a_number_is_sure_unless_a_call_without_an_answer_said_another() -> None:
    assert is_sure(3, [])
    assert is_sure(3, [3, 3])
    assert not is_sure(3, [3, 4])
    assert not is_sure(3, [2])


def test_numbers_sent_come_back_as_they_were_stored() -> None:
    assert unpack_sent(pack_sent([3, 4])) == (3, 4)


@pytest.mark.parametrize(
    ("zeros", "above", "want"), [(6, 20, False), (7, 20, True), (40, 100, True), (19, 19, False), (0, 100, False)]
)
def test_the_brake_trips_above_its_share_of_enough_listings(zeros: int, above: int, want: bool) -> None:
    assert braked(unexplained_zeros=zeros, told_above_zero=above, policy=BrakePolicy()) is want


def test_the_brake_needs_enough_listings_before_it_trips() -> None:
    policy = BrakePolicy(zero_share=0.0, min_listings=2)

    assert not braked(unexplained_zeros=1, told_above_zero=1, policy=policy)
    assert braked(unexplained_zeros=1, told_above_zero=2, policy=policy)
    assert not braked(unexplained_zeros=0, told_above_zero=2, policy=policy)


def test_a_fall_to_zero_is_explained_only_by_as_many_units_taken() -> None:
    assert explained(told_qty=3, units=2, taken=6)
    assert not explained(told_qty=3, units=2, taken=5)
