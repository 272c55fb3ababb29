"""What refunds take out of an order and keep here, and what was to pay when they were granted. failures.md row 23."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from erpsync.core.orders import KnownOrder, with_shipped
from erpsync.core.refunds import (
    KnownRefund,
    covers_all,
    is_unplaced,
    keeps_here,
    lines_asked,
    names_units,
    to_pay_when_granted,
    unnamed_minor,
    with_refunds,
)
from erpsync.sdk.types import Refund, RefundState
from tests.support.views import NOON, asked, granted, known, line, merged, view

HOUR = timedelta(hours=1)
TWO = (line(), line("L2"))


def given(amount: int, *, id: str = "r1", at_h: int = 0, **units: int) -> Refund:
    return asked(amount, state=RefundState.GRANTED, id=id, at=NOON + at_h * HOUR, **units)


def stored(refund: Refund, to_pay: int | None) -> KnownRefund:
    values = {each.name: getattr(refund, each.name) for each in fields(refund)}
    return KnownRefund(**values, id=1, to_pay_minor=to_pay)


def lowered(by: int) -> KnownOrder:
    """Return an order of 2000 whose total a view of noon lowered."""
    return merged(known(), view(line(), total_minor=2000 - by)).order


# -- which units


def test_units_are_named_by_lines_that_the_order_has() -> None:
    assert names_units(known(*TWO), asked(L1=1, L2=1))
    assert not names_units(known(*TWO), asked())
    assert not names_units(known(*TWO), asked(L1=0))


@pytest.mark.parametrize(("at_h", "named"), [(-1, True), (0, True), (1, False)])
def test_a_line_that_the_order_lacks_was_taken_out_if_its_view_is_not_older_than_the_refund(
    at_h: int, named: bool
) -> None:
    assert names_units(known(), given(500, at_h=at_h, L9=1)) is named


def test_units_that_two_refunds_name_of_one_line_add_up() -> None:
    after = with_refunds(known(line(qty=5)), [given(1000, id="r1", L1=1), given(3000, id="r2", L1=3)])

    assert (after.lines[0].refunded_qty, after.open_qty) == (4, 1)


def test_more_units_than_a_line_has_are_all_of_them() -> None:
    assert with_refunds(known(), [given(0, L1=9)]).lines[0].refunded_qty == 2


def test_who_does_not_know_what_a_total_means_still_counts_named_units() -> None:
    decided = with_refunds(known(), [given(0, L1=1)])

    assert with_refunds(decided, [given(0, L1=2)], net=None).lines[0].refunded_qty == 2
    assert with_refunds(decided, [], net=None).lines[0].refunded_qty == 1


# -- what was to pay


def test_what_was_to_pay_is_the_total_where_nobody_lowered_it() -> None:
    assert to_pay_when_granted(known(), [given(500)]) == {"r1": 2000}
    assert to_pay_when_granted(known(), [given(2000)]) == {"r1": 2000}


def test_what_is_kept_is_not_asked_for_again() -> None:
    assert to_pay_when_granted(known(), [stored(given(500), 2500)]) == {}
    assert to_pay_when_granted(known(), [stored(given(500), None), asked(700, id="r2")]) == {"r1": 2000}


@pytest.mark.parametrize(("at_h", "to_pay"), [(-1, 2000), (0, 2000), (1, 1500)])
def test_a_total_that_was_lowered_counts_only_for_refunds_after_that(at_h: int, to_pay: int) -> None:
    assert to_pay_when_granted(lowered(500), [given(500, at_h=at_h)]) == {"r1": to_pay}


@pytest.mark.parametrize(
    ("most", "at_h", "to_pay"),
    [(None, -1, 2600), (None, 0, 2600), (None, 1, 600), (2000, 0, 2600), (2000, 1, 2000), (3000, 0, 3000)],
)
def test_more_money_than_the_total_was_taken_out_of_it_if_the_view_is_not_older(
    most: int | None, at_h: int, to_pay: int
) -> None:
    order = replace(known(total_minor=600), most_minor=most)

    assert to_pay_when_granted(order, [given(2000, at_h=at_h)]) == {"r1": to_pay}


def test_of_several_refunds_each_sees_what_was_given_back_from_then_on() -> None:
    order = replace(known(total_minor=100), reading=replace(known().reading, version_at=NOON + 3 * HOUR))
    first, second, third = (given(money, id=f"r{n}", at_h=n) for n, money in enumerate((300, 200, 100)))

    assert to_pay_when_granted(order, [third, first, second]) == {"r0": 700, "r1": 400, "r2": 100}


# -- whether money covers the order


def test_money_of_which_all_names_its_units_never_covers_the_order() -> None:
    assert not covers_all(known(*TWO), [given(2000, L1=1)], net=False)
    assert covers_all(known(*TWO), [given(1999, L1=1), given(1, id="r2")], net=False)


def test_a_refund_covers_what_was_to_pay_when_it_was_granted_or_is_now_if_that_is_more() -> None:
    assert not covers_all(known(), [stored(given(2000), 2500)], net=False)
    assert covers_all(known(), [stored(given(2500), 2500)], net=False)
    assert not covers_all(known(), [stored(given(1500), 1500)], net=False)


def test_a_later_refund_covers_the_order_with_those_after_it_only() -> None:
    refunds = [stored(given(100, id="r1"), 2600), stored(given(2400, id="r2", at_h=1), 2400)]

    assert covers_all(known(), refunds, net=False)
    assert not covers_all(known(), [refunds[0], stored(given(2300, id="r2", at_h=1), 2400)], net=False)


@pytest.mark.parametrize(("told", "covered"), [(1999, False), (2000, True), (2001, True), (None, False)])
def test_money_that_only_the_order_tells_of_counts_too(told: int | None, covered: bool) -> None:
    assert covers_all(known(refunded_minor=told), [], net=False) is covered


def test_an_order_that_costs_nothing_is_covered_by_no_money() -> None:
    free = known(total_minor=0)

    assert not covers_all(free, [given(100)], net=False)
    assert not covers_all(replace(free, refunded_minor=100), [], net=False)


def test_money_that_a_refund_and_money_that_the_order_alone_tells_of_add_up() -> None:
    order = known(refunded_minor=600)

    assert unnamed_minor(order, [given(300)]) == 600
    assert unnamed_minor(order, [given(300, L1=1)]) == 300


def test_money_that_the_order_tells_of_is_compared_with_the_most_that_was_to_pay() -> None:
    before = replace(lowered(500), refunded_minor=1500)

    assert not covers_all(before, [], net=False)
    assert covers_all(replace(before, refunded_minor=2000), [], net=False)


# -- money that nobody can place


def test_money_that_names_no_units_is_unplaced_as_long_as_units_are_to_leave() -> None:
    assert is_unplaced(known(), [given(500)])
    assert not is_unplaced(known(), [given(500, L1=1)])
    assert not is_unplaced(known(), [asked(500)])
    assert not is_unplaced(with_shipped(known(), {1: 2}), [given(500)])


def test_money_that_the_order_tells_of_beyond_its_refunds_is_unplaced() -> None:
    assert is_unplaced(known(refunded_minor=501), [given(500, L1=1)])
    assert not is_unplaced(known(refunded_minor=500), [given(500, L1=1)])


@pytest.mark.parametrize(("amount", "unplaced"), [(1000, False), (2000, False), (2001, True)])
def test_money_up_to_what_units_cost_that_were_taken_out_otherwise_was_for_those(amount: int, unplaced: bool) -> None:
    assert is_unplaced(known(line(), line("L2", cancelled_qty=2)), [given(amount)]) is unplaced


def test_units_that_another_refund_names_account_for_no_money_but_its_own() -> None:
    order = known(line(), line("L2", cancelled_qty=2))

    assert is_unplaced(order, [given(2000, id="r1", L2=2), given(500, id="r2")])
    assert not is_unplaced(order, [given(1000, id="r1", L2=1), given(1000, id="r2")])
    assert is_unplaced(order, [given(500, id="r1", L2=1), given(500, id="r2", L2=1), given(500, id="r3")])


# -- which lines stay


def with_words(told: str) -> KnownOrder:
    return known(*TWO, refund_asked=told)


def test_lines_that_a_refund_names_stay_and_no_others() -> None:
    assert lines_asked(known(*TWO), []) == frozenset()
    assert lines_asked(known(*TWO), [asked(L1=1, L2=0)]) == {"L1"}
    assert lines_asked(known(*TWO), [asked(L1=1), asked(id="r2", L2=1)]) == {"L1", "L2"}
    assert lines_asked(known(*TWO), [granted(L1=1)]) == frozenset()


def test_what_names_no_line_may_mean_any() -> None:
    assert lines_asked(known(*TWO), [asked()]) is None
    assert lines_asked(known(*TWO), [asked(L1=1), asked(id="r2")]) is None


def test_a_refund_that_the_view_names_and_that_is_known_adds_nothing() -> None:
    assert lines_asked(with_words("r1"), [asked(L1=1)]) == {"L1"}
    assert lines_asked(with_words("r1, r2"), [asked(L1=1)]) is None
    assert lines_asked(with_words("r1, r2"), [asked(L1=1), asked(id="r2", L2=1)]) == {"L1", "L2"}


def test_a_view_may_name_a_line_itself() -> None:
    assert lines_asked(with_words("line L2"), []) == {"L2"}
    assert lines_asked(with_words("line L2"), [asked(L1=1)]) == {"L1", "L2"}
    assert lines_asked(with_words("L2"), []) is None


@pytest.mark.parametrize(("at_h", "stay"), [(-1, None), (0, {"L1"}), (1, {"L1"})])
def test_words_that_name_none_are_about_a_refund_that_is_known_if_it_is_as_new(
    at_h: int, stay: set[str] | None
) -> None:
    assert lines_asked(with_words("return of goods"), [asked(at=NOON + at_h * HOUR, L1=1)]) == stay


def test_a_parcel_stays_with_any_of_those_lines_or_when_nobody_knows_what_is_in_it() -> None:
    assert keeps_here(None, ["L1"])
    assert keeps_here({"L1"}, ["L1", "L2"])
    assert keeps_here(set(), [])
    assert not keeps_here({"L1"}, ["L2"])
    assert not keeps_here(set(), ["L2"])
