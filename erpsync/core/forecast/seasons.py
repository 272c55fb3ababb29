"""The shop's year: how its weeks differ from its mean week, for who has two years of history or more.

Why the shop's and not the SKU's: two weeks of one SKU, a year apart, say little; those of all SKUs together say when
people buy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from erpsync.core.forecast.weeks import DAYS

YEARS = 2
_WEEKS = 53
_WINDOW = 8
_PSEUDO = 1.0


@dataclass(frozen=True, slots=True)
class Profile:
    """By ISO week, 1 first, what it sells beside a mean week."""

    factors: tuple[float, ...]

    def of(self, day: date) -> float:
        """Return the factor of the seven days from a day on: that of the ISO week that most of them lie in."""
        return self.factors[(day + timedelta(days=DAYS // 2)).isocalendar().week - 1]

    def turn(self, last: date, horizon: int) -> float:
        """Return what the weeks after one sell beside those up to it, which the level is made of.

        Args:
            last: the first day of the last known week.
            horizon: how many weeks come.
        """
        ahead = [self.of(last + timedelta(days=DAYS * (at + 1))) for at in range(horizon)]
        behind = [self.of(last - timedelta(days=DAYS * at)) for at in range(_WINDOW)]
        return sum(ahead) / horizon / (sum(behind) / _WINDOW)


def profile(starts: Sequence[date], units: Sequence[float]) -> Profile | None:
    """Return the shop's year by its weekly units; None where two years are not known, or nothing was sold.

    A week's factor is shrunk to 1 as if one more year had been a mean one.
    """
    mean = sum(units) / len(units) if units else 0.0
    if len(units) < YEARS * 52 or mean <= 0:
        return None
    by_week: list[list[float]] = [[] for _ in range(_WEEKS)]
    for start, sold in zip(starts, units, strict=True):
        by_week[(start + timedelta(days=DAYS // 2)).isocalendar().week - 1].append(sold / mean)
    return Profile(tuple((sum(found) + _PSEUDO) / (len(found) + _PSEUDO) for found in by_week))
