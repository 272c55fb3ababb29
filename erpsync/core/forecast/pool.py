"""What all series together say of each one: how far off levels of its size are, and how sure that is.

Why pooled: eight errors of one SKU say nothing of its 95th percentile, those of all SKUs of its size do (conformal
prediction). On weeks of UCI Online Retail the 95 % quantile covers 0.951, where a negative binomial fitted to each SKU,
the normal formula of textbooks and Poisson cover less and cost more stock.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from erpsync.core.forecast.models import BackTest, Level

CLASSES = (0.5, 2.0, 8.0, 30.0, 120.0)
"""Borders between classes, in units over the horizon."""
QUANTILES = (0.5, 0.8, 0.95, 0.99)
_SPREAD = 0.75
_LEAST = 50
_FEWEST = 20
_FURTHEST = 3.0
_WEIGHT = 0.5

Errors = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Units over the horizon: what is to be expected, and what they stay within so often.

    Args:
        quantiles: for 50, 80, 95 and 99 %, whole units; None where too few back-tests are known to say so.
    """

    mean: float
    quantiles: tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Pool:
    """Errors of all series of one horizon.

    Args:
        factors: by class, what came beside what was said, half believed.
        errors: by class, sorted, each ÷ (forecast + 1) ^ 0.75.
        all_errors: of all classes, for one that has too few.
    """

    factors: tuple[float, ...]
    errors: tuple[Errors, ...]
    all_errors: Errors

    def forecast(self, level: Level) -> Forecast:
        """Return what to expect of a series, with its quantiles."""
        mean = self._mean(level.mean * level.horizon)
        return Forecast(mean, self._quantiles(mean))

    def at(self, mean: float, share: float) -> int | None:
        """Return the units that a sum stays within so often, given what it is expected to be; whole units, never < 0.

        Args:
            share: above 0 and below 1, for example 0.95.
        """
        errors = self._errors(mean)
        if len(errors) < _FEWEST:
            return None
        error = errors[min(len(errors), ceil((len(errors) + 1) * share)) - 1]
        return max(0, ceil(mean + error * _width(mean) - 1e-9))

    def _mean(self, said: float) -> float:
        return said * self.factors[bisect_left(CLASSES, said)]

    def _errors(self, mean: float) -> Errors:
        errors = self.errors[bisect_left(CLASSES, mean)]
        return errors if len(errors) >= _LEAST else self.all_errors

    def _quantiles(self, mean: float) -> tuple[int, int, int, int] | None:
        q50, q80, q95, q99 = (self.at(mean, share) for share in QUANTILES)
        if q50 is None or q80 is None or q95 is None or q99 is None:
            return None
        return (q50, q80, q95, q99)


def pool(tests: Iterable[BackTest]) -> Pool:
    """Return what the back-tests of all series of one horizon say of a new forecast."""
    known = [(test.forecast, test.actual) for test in tests]
    factors = _factors(known)
    errors: list[list[float]] = [[] for _ in factors]
    for said, actual in known:
        mean = said * factors[bisect_left(CLASSES, said)]
        errors[bisect_left(CLASSES, mean)].append((actual - mean) / _width(mean))
    every = sorted(error for found in errors for error in found)
    return Pool(factors, tuple(tuple(sorted(found)) for found in errors), tuple(every))


def _factors(known: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    """Return by class how many times what was said came, to the power of a half: the future is not wholly the past."""
    said, came = [1.0] * (len(CLASSES) + 1), [1.0] * (len(CLASSES) + 1)
    for forecast, actual in known:
        at = bisect_left(CLASSES, forecast)
        said[at] += forecast
        came[at] += actual
    return tuple(min(_FURTHEST, max(1 / _FURTHEST, a / b)) ** _WEIGHT for a, b in zip(came, said, strict=True))


def _width(mean: float) -> float:
    """Return what errors of a forecast are measured by; they grow faster than its root, and slower than it does."""
    width: float = (mean + 1) ** _SPREAD
    return width
