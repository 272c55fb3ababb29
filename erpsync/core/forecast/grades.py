"""How good forecasts were, once the weeks that they spoke of are over.

Why beside "as last month": an error has no size of its own, and whoever plans would do that without us. Where it was
no worse, its number is used and the page says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GRADED = 8
"""How many of the newest graded forecasts count, and how many are needed to prefer the naive number."""
_BANDS = (0.5, 0.8, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Graded:
    """A forecast of which the weeks are over, in units over its horizon.

    Args:
        quantiles: for 50, 80, 95 and 99 %; None where none were given.
        actual: what came; weeks that were sold out are never graded.
    """

    mean: float
    naive: float
    quantiles: tuple[int, int, int, int] | None
    actual: float


@dataclass(frozen=True, slots=True)
class Grade:
    """What the newest graded forecasts say together.

    Args:
        count: how many they are, 8 at most per SKU.
        skill: 1 - error ÷ naive's error; 0 where both are nothing; None where nothing is graded yet, or where only
            naive was without error.
        bias: forecast ÷ actual - 1; None where nothing came.
        covered: shares of what came that lay within 50, 80, 95 and 99 %; None without quantiles.
        left: units said too many.
        missed: units said too few.
    """

    count: int
    skill: float | None
    bias: float | None
    covered: tuple[float, ...] | None
    left: float
    missed: float
    use_naive: bool


def grade(graded: Sequence[Graded]) -> Grade:
    """Return the grade of forecasts: of one SKU its newest 8, of a group or a class those of all its SKUs.

    A skill of nothing or less on 8 or more says that the naive number is to be used.
    """
    error = sum(abs(each.mean - each.actual) for each in graded)
    naive = sum(abs(each.naive - each.actual) for each in graded)
    actual = sum(each.actual for each in graded)
    return Grade(
        count=len(graded),
        skill=_skill(error, naive) if graded else None,
        bias=sum(each.mean for each in graded) / actual - 1 if actual else None,
        covered=_covered(graded),
        left=sum(max(0.0, each.mean - each.actual) for each in graded),
        missed=sum(max(0.0, each.actual - each.mean) for each in graded),
        use_naive=len(graded) >= GRADED and error >= naive,
    )


def newest(graded: Sequence[Graded]) -> Sequence[Graded]:
    """Return those that count of one SKU's graded forecasts, which are given oldest first."""
    return graded[-GRADED:]


def _skill(error: float, naive: float) -> float | None:
    if naive:
        return 1 - error / naive
    return None if error else 0.0


def _covered(graded: Sequence[Graded]) -> tuple[float, ...] | None:
    known = [(each.quantiles, each.actual) for each in graded if each.quantiles is not None]
    if not known:
        return None
    return tuple(sum(actual <= quantiles[at] for quantiles, actual in known) / len(known) for at in range(len(_BANDS)))
