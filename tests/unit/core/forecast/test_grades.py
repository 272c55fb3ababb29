"""SKUs too young to be forecast, and how good forecasts were."""

from dataclasses import replace

import pytest

from erpsync.core.forecast import BackTest, Grade, Graded, Level, NoForecast, grade, newest, settle


def level(mean: float, weeks: int) -> Level:
    return Level(4, mean, mean, "smoothed", (BackTest(1, 1, 1),), weeks)


def graded(mean: float, naive: float, actual: float) -> Graded:
    return Graded(mean, naive, (5, 10, 15, 20), actual)


def test_eight_weeks_of_its_own_are_enough() -> None:
    assert settle(level(3, 8)) == level(3, 8)


@pytest.mark.parametrize(("weeks", "mean"), [(0, 20), (2, 15.75), (7, 5.125)])
def test_what_another_sku_says_fades_into_its_own_mean(weeks: int, mean: float) -> None:
    got = settle(level(3, weeks), like=level(10, 60), like_factor=2)

    assert isinstance(got, Level)
    assert (got.mean, got.model, got.tests) == (mean, "like_sku", ())


def test_a_sku_that_cannot_be_forecast_says_why() -> None:
    assert settle(level(0, 0)) == NoForecast("nothing was ever sold of it")
    assert settle(level(1, 3)) == NoForecast("it has 3 of the 8 weeks that a forecast needs")
    assert settle(level(1, 3), like=level(1, 5)) == NoForecast(
        "it has 3 weeks of its own, and the SKU that it is like has no more than 5"
    )


def test_levels_of_other_horizons_cannot_be_mixed() -> None:
    with pytest.raises(ValueError, match="over 4 and 6 weeks"):
        settle(level(1, 3), like=replace(level(1, 20), horizon=6))


def test_a_grade_says_skill_bias_coverage_and_what_the_error_cost() -> None:
    got = grade([graded(10, 4, 8), graded(6, 16, 12)])

    assert got == Grade(
        count=2,
        skill=pytest.approx(0),
        bias=pytest.approx(-0.2),
        covered=(0, 0.5, 1, 1),
        left=2,
        missed=6,
        use_naive=False,
    )


def test_no_skill_on_eight_or_more_prefers_the_naive_number() -> None:
    worse = graded(12, 9, 10)

    assert grade([worse] * 7).use_naive is False
    assert grade([worse] * 8).use_naive is True
    assert grade([graded(9, 12, 10)] * 8).use_naive is False


def test_where_neither_was_ever_wrong_naive_is_as_good() -> None:
    exact = graded(10, 10, 10)

    assert (grade([exact] * 8).skill, grade([exact] * 8).use_naive) == (0, True)
    assert grade([graded(9, 10, 10)] * 8).skill is None


def test_nothing_graded_yet_has_no_grade() -> None:
    got = grade([])

    assert (got.count, got.skill, got.bias, got.covered, got.use_naive) == (0, None, None, None, False)


def test_forecasts_without_quantiles_cover_nothing_and_the_newest_eight_count() -> None:
    rows = [Graded(float(at), 0, None, 1) for at in range(12)]

    assert grade(rows).covered is None
    assert [each.mean for each in newest(rows)] == [4, 5, 6, 7, 8, 9, 10, 11]
