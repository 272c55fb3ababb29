"""One pass over a series: the levels after each of its last weeks.

Why five constants side by side in plain variables: the pass runs for every SKU each night, and lists in its inmost loop
cost half of its speed again. Why a constant starts as 1 ÷ weeks: the first weeks are a mean, and none of them is told
what came later.
"""

from dataclasses import dataclass

from erpsync.core.forecast.weeks import Says, Series

POWER = 0.6
WINDOW = 8
LAST = 4
_SHARE = 2 / 3
_TSB = 0.1


@dataclass(frozen=True, slots=True)
class State:
    """Levels after a week, in units per week.

    Args:
        week: its place in the series.
        smoothed: two parts simple smoothing, its constant of 0.1 to 0.3 that with the least squared error so far, and
            one part the last 8 weeks, both of units to the power of 0.6.
        last: the last week again.
        few: the mean of the last 4 weeks.
        tsb: what a sale comes to, times how often there is one.
    """

    week: int
    smoothed: float
    last: float
    few: float
    tsb: float


def states(series: Series, keep: int) -> tuple[list[State], int]:
    """Return the levels after each of the last `keep` weeks, oldest first, and how many weeks said something.

    A week that says at least so much counts where it sold more than the level; one that says nothing leaves all as it
    was.
    """
    since = len(series.units) - keep
    a = b = c = d = e = sse_a = sse_b = sse_c = sse_d = sse_e = window = rate = size = 0.0
    powers: list[float] = []
    values: list[float] = []
    found: list[State] = []
    seen = hits = 0
    for week, (units, says) in enumerate(zip(series.units, series.says, strict=True)):
        power = units**POWER if units > 0 else 0.0
        counts = not says or (
            says == Says.AT_LEAST and power > min((sse_a, a), (sse_b, b), (sse_c, c), (sse_d, d), (sse_e, e))[1]
        )
        if counts:
            seen += 1
            first = 1 / seen
            sse_a += (off := power - a) * off
            a += (first if first > 0.1 else 0.1) * off  # noqa: FURB136 (a call for each would double the time)
            sse_b += (off := power - b) * off
            b += (first if first > 0.15 else 0.15) * off  # noqa: FURB136
            sse_c += (off := power - c) * off
            c += (first if first > 0.2 else 0.2) * off  # noqa: FURB136
            sse_d += (off := power - d) * off
            d += (first if first > 0.25 else 0.25) * off  # noqa: FURB136
            sse_e += (off := power - e) * off
            e += (first if first > 0.3 else 0.3) * off  # noqa: FURB136
            powers.append(power)
            values.append(units)
            window += power - (powers[-WINDOW - 1] if seen > WINDOW else 0.0)
            if units > 0:
                hits += 1
                size += max(_TSB, 1 / hits) * (units - size)
                rate += max(_TSB, first) * (1 - rate)
            else:
                rate -= max(_TSB, first) * rate
        if week >= since and seen:
            best = min((sse_a, a), (sse_b, b), (sse_c, c), (sse_d, d), (sse_e, e))[1]
            smoothed = _SHARE * _units(best) + (1 - _SHARE) * _units(window / min(seen, WINDOW))
            few = values[-LAST:]
            found.append(State(week, smoothed, values[-1], sum(few) / len(few), size * rate))
    return found, seen


def _units(power: float) -> float:
    """Return what a level of powers is in units; what is left of sums that should be nothing is nothing."""
    found: float = power ** (1 / POWER) if power > 1e-9 else 0.0
    return found
