"""What of a new plan is written, and what of a forecast is planned."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.replenish import Changes, Expected, PlanItem, Row, Suggestion, changes, expected, safety_qty, slot
from tests.unit.core.replenish.builders import TODAY, buy, day, key

MUG = 1
ITEMS = {key(MUG): PlanItem(means="buy", order_multiple=6)}
NOTHING = Changes({}, {}, (), {})


def suggestion(start: int, qty: int, *, lead: int = 5) -> Suggestion:
    return Suggestion(key(MUG), "buy", day(start), day(start + lead), qty, qty, day(start + lead), qty, 0, ())


def row(at: Suggestion, number: int = 1, **more: int) -> Row:
    stored = Row(number, slot(at), at.start, at.due, at.qty)
    return replace(stored, touched=True, **more) if more else stored  # type: ignore[arg-type]


def test_the_same_plan_writes_nothing() -> None:
    plan = [suggestion(1, 6), suggestion(9, 12)]

    assert changes([row(plan[0], 1), row(plan[1], 2)], plan, ITEMS, TODAY) == NOTHING


def test_what_is_new_changed_or_gone_is_written_and_a_week_keeps_its_row() -> None:
    kept, moved, gone, new = suggestion(1, 6), suggestion(9, 12), suggestion(15, 6), suggestion(22, 18)
    later_that_week = suggestion(10, 18)

    got = changes([row(kept, 1), row(moved, 2), row(gone, 3)], [kept, later_that_week, new], ITEMS, TODAY)

    assert got == Changes({slot(new): [new]}, {2: [later_that_week]}, (3,), {})


def test_two_suggestions_of_a_week_share_a_row() -> None:
    plan = [suggestion(7, 6), suggestion(9, 12)]

    assert changes([], plan, ITEMS, TODAY).new == {slot(plan[0]): plan}
    assert changes([row(replace(plan[0], qty=18))], plan, ITEMS, TODAY) == NOTHING


def test_what_starts_in_eight_weeks_or_later_is_a_total() -> None:
    plan = [suggestion(55, 6), suggestion(56, 12), suggestion(90, 6)]

    got = changes([], plan, ITEMS, TODAY)

    assert list(got.new.values()) == [[plan[0]]]
    assert got.later_qty == {key(MUG): 18}


@pytest.mark.parametrize(("qty", "written"), [(18, False), (24, False), (12, False), (25, True), (11, True)])
def test_a_row_that_a_person_touched_is_left_alone_until_its_net_moved_by_more_than_a_lot(
    qty: int, written: bool
) -> None:
    dismissed = row(suggestion(1, 6), seen_qty=18)

    assert bool(changes([dismissed], [suggestion(1, qty)], ITEMS, TODAY).changed) is written


def test_a_touched_row_that_is_wanted_no_more_goes_once_that_is_more_than_a_lot() -> None:
    few = row(suggestion(1, 6), seen_qty=6)
    many = row(suggestion(1, 6), seen_qty=18)

    assert changes([few], [], ITEMS, TODAY).gone == ()
    assert changes([many], [], ITEMS, TODAY).gone == (1,)


def test_the_safety_is_what_the_quantile_has_beyond_the_mean() -> None:
    assert [safety_qty(20, 12.4), safety_qty(10, 12.4), safety_qty(None, 12.4)] == [8, 0, 0]


def test_half_a_unit_a_week_is_one_every_second_week() -> None:
    assert expected(key(MUG), day(1), [0.5] * 4) == [Expected(key(MUG), day(1), 1), Expected(key(MUG), day(15), 1)]


@given(st.lists(st.floats(0, 50), max_size=30))
def test_whole_units_are_never_half_a_unit_from_what_was_forecast(weeks: list[float]) -> None:
    got = expected(key(MUG), TODAY, weeks)

    for at in range(len(weeks)):
        told = sum(each.qty for each in got if each.day <= TODAY + timedelta(weeks=at))
        assert abs(told - sum(weeks[: at + 1])) <= 0.5 + 1e-9


def test_an_item_is_bought_in_ones_where_nothing_else_is_said() -> None:
    assert (buy().order_multiple, buy().order_min, buy().safety) == (1, 0, 0)
