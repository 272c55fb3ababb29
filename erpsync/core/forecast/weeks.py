"""What buyers wanted of one SKU, in weeks that end yesterday, and which weeks say nothing.

Why weeks: planning uses sums over lead times, days gain a hundredth of the error at seven times the work, and months
leave too few of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import IntEnum

from erpsync.core.forecast.calendar import Span

DAYS = 7
_LEAST_DAYS = 4
_DAY = timedelta(days=1)


class Says(IntEnum):
    """What a week says of demand: all of it, at least so much (it was sold out), or nothing (an event)."""

    ALL = 0
    AT_LEAST = 1
    NOTHING = 2


@dataclass(frozen=True, slots=True)
class Series:
    """Demand of one SKU by week, from the week of its first sale on, oldest first.

    Args:
        until: the day after the last week.
        units: per week; a week with event days is what its other days come to for seven.
        says: one for each week.
    """

    until: date
    units: tuple[float, ...]
    says: tuple[Says, ...]

    def starts(self) -> list[date]:
        """Return the first day of each week."""
        first = self.until - timedelta(days=DAYS * len(self.units))
        return [first + timedelta(days=DAYS * at) for at in range(len(self.units))]


def weeks(
    rows: Iterable[tuple[date, int]],
    sold_out: Iterable[tuple[datetime, datetime | None]],
    events: Sequence[Span],
    until: date,
    zone: tzinfo,
) -> Series:
    """Return demand in weeks that end with the day before `until`.

    A week sold out for more than a day in all says how much was wanted at least. A day of an event says nothing.

    Args:
        rows: units by day, in any order; days from `until` on are not over and do not count.
        sold_out: when none could be had, from and to; no end means: still.
        events: days that are not as others.
        until: today, as a rule.
        zone: the clock that days and weeks are counted by.
    """
    end = until.toordinal()
    known = [(end - 1 - day.toordinal(), qty) for day, qty in rows if day.toordinal() < end]
    count = 1 + max((back for back, qty in known if qty > 0), default=-1) // DAYS
    odd = _odd_days(events, end, count * DAYS)
    units = [0.0] * count
    for back, qty in known:
        if back < count * DAYS and back not in odd:
            units[count - 1 - back // DAYS] += qty
    says = [Says.ALL] * count
    for at in _gone(sold_out, until, count, zone):
        says[at] = Says.AT_LEAST
    _without_events(units, says, odd)
    return Series(until, tuple(units), tuple(says))


def _odd_days(events: Sequence[Span], end: int, most: int) -> frozenset[int]:
    """Return the days of events, counted back from yesterday as 0."""
    backs = (range(end - 1 - event.last.toordinal(), end - event.first.toordinal()) for event in events)
    return frozenset(back for days in backs for back in days if 0 <= back < most)


def _without_events(units: list[float], says: list[Says], odd: frozenset[int]) -> None:
    lost: dict[int, int] = {}
    for back in odd:
        at = len(units) - 1 - back // DAYS
        lost[at] = lost.get(at, 0) + 1
    for at, days in lost.items():
        left = DAYS - days
        if left < _LEAST_DAYS:
            units[at], says[at] = 0.0, Says.NOTHING
        else:
            units[at] *= DAYS / left


def _gone(sold_out: Iterable[tuple[datetime, datetime | None]], until: date, count: int, zone: tzinfo) -> list[int]:
    """Return the weeks in which the SKU was sold out for more than a day."""
    spans = list(sold_out)
    if not spans:
        return []
    borders = [datetime.combine(until - timedelta(days=DAYS * back), time(), zone) for back in range(count, -1, -1)]
    lost = [timedelta()] * count
    for begun, ended in spans:
        for at in range(count):
            last = borders[at + 1] if ended is None else min(ended, borders[at + 1])
            lost[at] += max(timedelta(), _apart(max(begun, borders[at]), last))
    return [at for at in range(count) if lost[at] > _DAY]


def _apart(first: datetime, last: datetime) -> timedelta:
    """Return how long it is between two instants, which clocks that jump do not change."""
    return timedelta(seconds=last.timestamp() - first.timestamp())
