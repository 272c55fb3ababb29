"""The number a channel is told, when it has to be told, and the brake."""

import pytest

from erpsync.core.availability import Shelf, Told, braked, explained, level, pack_sent, unpack_sent
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

    assert level(available=available, unpaid=unpaid, factor=factor, policy=policy) == want


def test_units_free_to_promise_are_never_below_zero() -> None:
    assert Shelf(on_hand=10, reserved=3, safety_stock=2).available == 5
    assert Shelf(on_hand=3, reserved=5, safety_stock=2).available == 0


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


def test_numbers_sent_come_back_as_they_were_stored() -> None:
    assert unpack_sent(pack_sent([3, 4])) == (3, 4)


@pytest.mark.parametrize(("zeros", "above", "want"), [(6, 20, False), (7, 20, True), (19, 19, False), (0, 100, False)])
def test_the_brake_trips_above_its_share_of_enough_listings(zeros: int, above: int, want: bool) -> None:
    assert braked(unexplained_zeros=zeros, told_above_zero=above, policy=BrakePolicy()) is want


def test_a_fall_to_zero_is_explained_only_by_as_many_units_taken() -> None:
    assert explained(told_qty=3, units=2, taken=6)
    assert not explained(told_qty=3, units=2, taken=5)
