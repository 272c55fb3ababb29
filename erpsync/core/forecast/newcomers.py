"""SKUs that are too young to be forecast by themselves, and why one cannot be forecast at all.

Why said and not guessed: a number for what nobody knows looks like any other on a list of what to buy.
"""

from dataclasses import dataclass, replace

from erpsync.core.forecast.models import YOUNG, Level

LIKE = "like_sku"


@dataclass(frozen=True, slots=True)
class NoForecast:
    """Why a SKU cannot be forecast, and is to be planned by hand."""

    reason: str


def settle(level: Level, like: Level | None = None, like_factor: float = 1.0) -> Level | NoForecast:
    """Return the level of a SKU, or why there is none.

    Under 8 weeks what is known of another SKU, times a factor, fades into its own mean: each week of its own counts
    for an eighth.

    Args:
        like: the level of the SKU that it is like, over the same horizon; None where nobody named one.
        like_factor: how many times as much as that one it is thought to sell.
    """
    if level.weeks >= YOUNG:
        return level
    if like is None:
        return NoForecast(_why(level.weeks))
    if like.weeks < YOUNG:
        return NoForecast(
            f"it has {level.weeks} weeks of its own, and the SKU that it is like has no more than {like.weeks}"
        )
    if like.horizon != level.horizon:
        raise ValueError(f"levels over {level.horizon} and {like.horizon} weeks cannot be mixed")
    own = level.weeks / YOUNG
    mean = own * level.mean + (1 - own) * like_factor * like.mean
    naive = level.naive if level.weeks else like_factor * like.naive
    return replace(level, mean=mean, naive=naive, model=LIKE, tests=())


def _why(weeks: int) -> str:
    if not weeks:
        return "nothing was ever sold of it"
    return f"it has {weeks} of the {YOUNG} weeks that a forecast needs"
