"""On which days people work, and how far apart days are when only those count."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from erpsync.core.forecast.calendar import Span


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Days on which nobody works.

    Args:
        days_off: weekdays, Monday is 0.
        closed: longer times, for example the Spring Festival.
    """

    days_off: Collection[int] = ()
    closed: tuple[Span, ...] = ()


class WorkDays:
    """Working days from a day on, which is day 0; days are numbers, so that a plan can count fast.

    Raises:
        ValueError: every weekday is off.
    """

    __slots__ = ("_days", "_known", "_off", "_today", "_upto")

    def __init__(self, calendar: WorkCalendar, today: date) -> None:
        if len(set(calendar.days_off)) >= 7:
            raise ValueError("a calendar needs a day of the week on which people work")
        self._today = today
        self._off = frozenset(calendar.days_off)
        self._known = _numbers(calendar.closed, today)
        self._days: list[int] = []
        self._upto: list[int] = [0]

    def ahead(self, day: int, count: int) -> int:
        """Return the day on which so many working days after a day are over; the day itself for none."""
        if not count:
            return day
        self._reach(day)
        place = self._upto[day] + count
        while place >= len(self._days):
            self._reach(len(self._upto) + 30)
        return self._days[place]

    def back(self, day: int, count: int) -> int | None:
        """Return the latest day to begin what takes so many working days and is due on a day; None for before day 0."""
        if not count:
            return day
        self._reach(day)
        place = self._upto[day + 1] - 1 - count
        return self._days[place] if place >= 0 else None

    def at_work(self, day: int) -> int | None:
        """Return the last working day up to a day; None where day 0 is later."""
        self._reach(day)
        place = self._upto[day + 1] - 1
        return self._days[place] if place >= 0 else None

    def _reach(self, day: int) -> None:
        for number in range(len(self._upto) - 1, day + 1):
            weekday = (self._today + timedelta(days=number)).weekday()
            if weekday not in self._off and number not in self._known:
                self._days.append(number)
            self._upto.append(len(self._days))


def _numbers(closed: Iterable[Span], today: date) -> frozenset[int]:
    return frozenset(
        number
        for span in closed
        for number in range((span.first - today).days, (span.last - today).days + 1)
        if number >= 0
    )
