"""What all series together say of each one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.forecast import BackTest, Level, Pool, pool


def level(mean: float, horizon: int = 4) -> Level:
    return Level(horizon, mean, mean, "smoothed", (), 52)


def came(*pairs: tuple[float, float], times: int) -> list[BackTest]:
    return [BackTest(said, said, actual) for said, actual in pairs] * times


def test_a_class_that_came_out_too_low_is_raised_half_the_way() -> None:
    known = pool(came((20, 45), times=1000))

    assert known.forecast(level(5)).mean == pytest.approx(30, rel=1e-3)
    assert known.forecast(level(100)).mean == 400


def test_a_class_is_believed_no_more_than_threefold() -> None:
    assert pool(came((20, 2000), times=100)).forecast(level(5)).mean == pytest.approx(20 * 3**0.5)


def test_quantiles_are_whole_units_and_hold_as_often_as_they_say() -> None:
    known = pool([BackTest(10, 10, float(units)) for units in range(21)] * 10)

    assert known.forecast(level(2.5)).quantiles == (10, 16, 20, 20)


def test_a_class_with_few_errors_borrows_those_of_all() -> None:
    known = pool([*came((10, 0), (10, 20), times=60), BackTest(300, 300, 300)])

    forecast = known.forecast(level(75))

    assert forecast.quantiles is not None
    assert forecast.quantiles[3] > 300


def test_too_few_back_tests_say_nothing_of_how_sure_it_is() -> None:
    known = pool(came((10, 12), times=19))

    assert known.forecast(level(2.5)).quantiles is None
    assert known.at(10, 0.95) is None


@given(
    st.lists(st.tuples(st.floats(0, 300), st.integers(0, 900)), min_size=20, max_size=80),
    st.floats(0, 300),
)
def test_quantiles_rise_and_are_never_below_nothing(pairs: list[tuple[float, int]], mean: float) -> None:
    known: Pool = pool(BackTest(said, said, actual) for said, actual in pairs)

    quantiles = known.forecast(level(mean)).quantiles

    assert quantiles is not None
    assert list(quantiles) == sorted(quantiles)
    assert quantiles[0] >= 0
