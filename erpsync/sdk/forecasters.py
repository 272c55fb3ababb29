"""What a forecaster of others is: an installed package that is found by the entry-point group `erpsync.forecasters`.

Why all series at once: a model that learns over SKUs sees them all, and one that does not asks them one by one. What it
answers is graded as our own forecasts are, against what came and against "as last month".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Protocol, runtime_checkable

GROUP = "erpsync.forecasters"
SHARES = (0.5, 0.8, 0.95, 0.99)
"""How often demand is to stay within each quantile."""


@dataclass(frozen=True, slots=True)
class WeeklyDemand:
    """What buyers wanted of one SKU, in weeks of seven days, oldest first.

    Args:
        until: the day after the last week.
        units: per week, from that of the first sale on.
        counts: whether a week says all; one that does not was sold out or belongs to an event.
    """

    sku: str
    until: date
    units: tuple[float, ...]
    counts: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class DemandForecast:
    """Units of one SKU that will be wanted, summed over the horizon.

    Args:
        quantiles: for 50, 80, 95 and 99 %, rising; None where the model has none.
    """

    sku: str
    mean: float
    quantiles: tuple[float, float, float, float] | None = None


@runtime_checkable
class Forecaster(Protocol):
    """What an entry point of the group names: a class that is made without arguments."""

    def forecast(self, demand: Sequence[WeeklyDemand], horizon: int) -> Iterable[DemandForecast]:
        """Return a forecast of the next `horizon` weeks for every SKU that it can say something of, in any order."""
        ...


def problem(answers: Iterable[DemandForecast], demand: Iterable[WeeklyDemand]) -> str | None:
    """Return what is wrong with what a forecaster answered, in one line; nothing where it can be used."""
    asked = {each.sku for each in demand}
    seen: set[str] = set()
    for answer in answers:
        if answer.sku not in asked or answer.sku in seen:
            return f"it answered {answer.sku}, which was not asked or was answered before"
        seen.add(answer.sku)
        numbers = (answer.mean, *(answer.quantiles or ()))
        if not all(isfinite(number) and number >= 0 for number in numbers):
            return f"it said numbers of {answer.sku} that are below 0 or none at all"
        if list(numbers[1:]) != sorted(numbers[1:]):
            return f"its quantiles of {answer.sku} do not rise"
    return None
