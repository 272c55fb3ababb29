"""What a forecaster of others is asked, and what of its answers can be used."""

from collections.abc import Iterable, Sequence
from datetime import date

import pytest

from erpsync.sdk.forecasters import DemandForecast, Forecaster, WeeklyDemand, problem

MUG = WeeklyDemand("MUG", date(2026, 11, 30), (3.0, 5.0, 4.0), (True, True, True))
CUP = WeeklyDemand("CUP", date(2026, 11, 30), (1.0,), (True,))


class LastWeekAgain:
    def forecast(self, demand: Sequence[WeeklyDemand], horizon: int) -> Iterable[DemandForecast]:
        return [DemandForecast(each.sku, each.units[-1] * horizon) for each in demand]


def test_a_class_with_the_one_method_is_a_forecaster() -> None:
    model: Forecaster = LastWeekAgain()

    answers = list(model.forecast([MUG, CUP], 4))

    assert isinstance(model, Forecaster)
    assert answers == [DemandForecast("MUG", 16.0), DemandForecast("CUP", 4.0)]
    assert problem(answers, [MUG, CUP]) is None


def test_a_sku_may_be_left_out() -> None:
    assert problem([DemandForecast("MUG", 16, (15, 20, 28, 33))], [MUG, CUP]) is None


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([DemandForecast("HAT", 1)], "it answered HAT, which was not asked or was answered before"),
        (
            [DemandForecast("MUG", 1), DemandForecast("MUG", 2)],
            "it answered MUG, which was not asked or was answered before",
        ),
        ([DemandForecast("MUG", -1)], "it said numbers of MUG that are below 0 or none at all"),
        ([DemandForecast("MUG", float("nan"))], "it said numbers of MUG that are below 0 or none at all"),
        ([DemandForecast("MUG", 1, (1, 2, 3, float("inf")))], "it said numbers of MUG that are below 0 or none at all"),
        ([DemandForecast("MUG", 1, (1, 3, 2, 4))], "its quantiles of MUG do not rise"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(answers: list[DemandForecast], said: str) -> None:
    assert problem(answers, [MUG, CUP]) == said
