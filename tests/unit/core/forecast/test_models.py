"""The level of a series, and what it would have said earlier."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.forecast import BackTest, Profile, Says, Series, profile, run
from erpsync.core.forecast.smoothing import states
from tests.unit.core.forecast.builders import UNTIL, series

ALL, AT_LEAST, NOTHING = Says.ALL, Says.AT_LEAST, Says.NOTHING


def plain(units: list[float], power: float) -> float:
    """Return the level as its definition has it: each constant for itself, and the last eight weeks."""
    powers = [each**power for each in units]
    best = None
    for constant in (0.1, 0.15, 0.2, 0.25, 0.3):
        level = error = 0.0
        for seen, each in enumerate(powers, 1):
            error += (each - level) ** 2
            level += max(constant, 1 / seen) * (each - level)
        best = min(best or (error, level), (error, level))
    assert best is not None
    last = powers[-8:]
    return 2 / 3 * best[1] ** (1 / power) + 1 / 3 * (sum(last) / len(last)) ** (1 / power)


def test_a_level_that_never_changes_is_found() -> None:
    level = run(series(*[6.0] * 30), 4)

    assert level.mean == pytest.approx(6)
    assert level.naive == 6
    assert level.weeks == 30
    assert level.tests == (BackTest(pytest.approx(24), 24, 24),) * 8


@given(st.lists(st.integers(0, 500).map(float), min_size=1, max_size=60))
def test_the_level_is_what_its_definition_says(units: list[float]) -> None:
    found, seen = states(series(*units), 5)

    assert found[-1].smoothed == pytest.approx(plain(units, 0.6), rel=1e-6, abs=1e-6)
    assert seen == len(units)


def test_one_bulk_order_raises_the_level_by_little() -> None:
    usual = [5.0] * 20

    assert run(series(*usual, 500, *usual[:6]), 4).mean < 30
    assert run(series(*usual, 500, *usual[:6]), 4).mean > 5


@given(
    st.lists(st.tuples(st.integers(0, 99).map(float), st.sampled_from(Says)), min_size=14, max_size=70),
    st.integers(1, 6),
    st.lists(st.integers(0, 10**6).map(float), min_size=8, max_size=8),
)
def test_an_origin_never_sees_what_came_later(
    known: list[tuple[float, Says]], horizon: int, poison: list[float]
) -> None:
    units = [each for each, _ in known]
    says = [each for _, each in known]
    poisoned = [*units[:-8], *poison]

    before = {state.week: state for state in states(series(*units, says=says), 60)[0]}
    after = {state.week: state for state in states(series(*poisoned, says=says), 60)[0]}

    for week, state in before.items():
        assert week >= len(units) - 8 or after[week] == state


def test_back_tests_are_the_levels_of_their_origins_beside_what_came() -> None:
    units = [3.0, 0, 4, 8, 1, 0, 0, 5, 9, 2, 6, 5, 3, 8, 7, 1, 2, 4]

    tests = run(series(*units), 3).tests

    assert [test.actual for test in tests] == [7, 10, 16, 18, 16, 14, 13, 17]
    for back, test in enumerate(tests):
        until = run(series(*units[: 15 - back]), 3)
        assert test.forecast == pytest.approx(3 * until.mean)
        assert test.naive == pytest.approx(3 * until.naive)


def test_a_sold_out_week_counts_only_where_it_sold_more_than_the_level() -> None:
    usual = [10.0] * 12
    less = run(series(*usual, 2, says=[ALL] * 12 + [AT_LEAST]), 2)
    more = run(series(*usual, 20, says=[ALL] * 12 + [AT_LEAST]), 2)

    assert (less.weeks, less.mean) == (12, pytest.approx(10))
    assert more.weeks == 13
    assert more.mean > 10


def test_what_came_in_weeks_that_say_less_is_no_back_test() -> None:
    says = [ALL] * 20
    says[15] = NOTHING

    tests = run(series(*map(float, range(20)), says=says), 2).tests

    assert [test.actual for test in tests] == [37, 35, 33, 27, 25, 23, 21, 19]


def test_a_series_that_stopped_months_ago_is_forecast_as_what_it_was_last() -> None:
    level = run(series(*[40.0] * 30, *[0.0] * 12), 4)

    assert (level.model, level.mean) == ("last", 0)


def test_another_model_needs_four_back_tests_and_a_quarter_of_the_error() -> None:
    assert run(series(*[40.0] * 8, *[0.0] * 5), 2).model == "smoothed"
    assert run(series(*[float(week % 2) for week in range(40)]), 1).model == "smoothed"


def yearly(weeks: int) -> tuple[list[date], list[float]]:
    first = UNTIL - timedelta(days=7 * weeks)
    starts = [first + timedelta(days=7 * at) for at in range(weeks)]
    return starts, [30.0 if start.isocalendar().week > 40 else 10.0 for start in starts]


def test_the_shops_year_is_taken_where_it_was_far_better() -> None:
    """Four weeks ago autumn began, in which the shop sells five times as much; no level could have known."""
    year = Profile(tuple(5.0 if week >= 40 else 1.0 for week in range(1, 54)))
    sku = Series(date(2026, 10, 26), (10.0,) * 60 + (50.0,) * 4, (ALL,) * 64)

    assert run(sku, 4).model == "smoothed"
    assert run(sku, 4, year, year).model == "year"
    assert [test.forecast for test in run(sku, 4, year, year).tests[:2]] == [pytest.approx(200), pytest.approx(160)]


def test_two_years_make_a_profile_and_less_makes_none() -> None:
    starts, units = yearly(160)

    found = profile(starts, units)

    assert found is not None
    assert found.factors[45] > 1.7
    assert found.factors[20] < 0.8
    assert profile(starts[:103], units[:103]) is None
    assert profile(starts, [0.0] * 160) is None


def test_a_horizon_is_at_least_a_week() -> None:
    with pytest.raises(ValueError, match="at least 1 week, not 0"):
        run(series(1.0), 0)


def test_nothing_sold_is_no_level() -> None:
    empty = run(series(), 4)

    assert (empty.mean, empty.weeks, empty.tests) == (0, 0, ())
    assert replace(empty, horizon=4) == empty
