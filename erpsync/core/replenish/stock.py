"""How much is kept for safety, and forecasts in whole units by day.

Why quantiles and no z × σ × √L: the textbook's formula covers 0.865 of what it says are 0.95 of lead times of real
retail, because demand is not normal.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil, floor

from erpsync.core.allocation import StockKey
from erpsync.core.replenish.model import Expected


def safety_qty(quantile: int | None, mean: float) -> int:
    """Return the units to be kept beyond what is expected; none where no quantile is known, or it lies below the mean.

    Args:
        quantile: units that the sum over lead and cover stays within as often as the service says.
        mean: what that sum is expected to be.
    """
    return 0 if quantile is None else max(0, ceil(quantile - mean))


def expected(key: StockKey, first: date, weeks: Sequence[float]) -> list[Expected]:
    """Return a weekly forecast in whole units, each on the first day of its week.

    Rounded as it adds up, so that half a unit a week is one every second week and not none.
    """
    found: list[Expected] = []
    total, told = 0.0, 0
    for at, units in enumerate(weeks):
        total += units
        qty = floor(total + 0.5) - told
        told += qty
        if qty:
            found.append(Expected(key, first + timedelta(weeks=at), qty))
    return found
