"""Days that are not as others: sales of the shops, and the Spring Festival; and how many times more is bought in them.

Why factors are pooled: a SKU lives through an event twice a year, the others of its group beside it. A promotion costs
half of its error so. Why a person's number wins until then: nothing was lived through.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from erpsync.core.forecast.spring import LAST_YEAR, spring_festival

_PSEUDO_EVENTS = 8.0
_LEAP = (2, 29)


@dataclass(frozen=True, slots=True)
class Span:
    """Days of an event, the last one included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class YearDays:
    """The same days of every year, as (month, day), both included; one that ends earlier ends in the next year."""

    first: tuple[int, int]
    last: tuple[int, int]

    def between(self, first: date, last: date) -> list[Span]:
        """Return its spans that touch the days from `first` to `last`, oldest first."""
        over = self.last < self.first
        spans = [
            Span(_day(year, self.first), _day(year + over, self.last)) for year in range(first.year - 1, last.year + 1)
        ]
        return _touching(spans, first, last)


@dataclass(frozen=True, slots=True)
class FestivalDays:
    """Days around the first day of the Spring Festival, that many before and after it."""

    before_days: int
    after_days: int

    def between(self, first: date, last: date) -> list[Span]:
        """Return its spans that touch the days from `first` to `last`, oldest first.

        Raises:
            ValueError: the Spring Festival of one of these years is not in the table.
        """
        festivals = [spring_festival(year) for year in range(first.year, last.year + 1)]
        if last.year < LAST_YEAR:  # days before one may lie in the year before it
            festivals.append(spring_festival(last.year + 1))
        before, after = timedelta(days=self.before_days), timedelta(days=self.after_days)
        return _touching([Span(day - before, day + after) for day in festivals], first, last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Days that are not as others, year by year.

    Args:
        uplift: how many times as much as on other days a person expects; None where nobody said.
        fixed: whether that number is kept also when the event was lived through.
    """

    name: str
    days: YearDays | FestivalDays
    uplift: float | None = None
    fixed: bool = False


def _touching(spans: Iterable[Span], first: date, last: date) -> list[Span]:
    return [span for span in spans if span.last >= first and span.first <= last]


def _day(year: int, day: tuple[int, int]) -> date:
    """Return a day of a year; 29 February is the 28th where there is none."""
    try:
        return date(year, *day)
    except ValueError:
        if day != _LEAP:
            raise
        return date(year, 2, 28)


@dataclass(frozen=True, slots=True)
class Lived:
    """What one SKU sold in one event that is over.

    Args:
        units: in the days of the event.
        expected: what its level before them came to for as many days.
    """

    sku_id: int
    units: float
    expected: float


@dataclass(frozen=True, slots=True)
class Factor:
    """How many times as much as on other days is bought in an event.

    Args:
        because: lived (measured), said (a person's number), unknown (1, which somebody should be told).
    """

    value: float
    because: str


def factors(event: Event, lived: Iterable[Lived]) -> tuple[Factor, Mapping[int, Factor]]:
    """Return an event's factor for SKUs of one group, and for those of them that lived through it.

    A SKU's own factor is shrunk to the group's as if it had lived through 8 more events that were as the group's.
    """
    known = [each for each in lived if each.expected > 0]
    if event.uplift is not None and (event.fixed or not known):
        return Factor(event.uplift, "said"), {}
    if not known:
        return Factor(1.0, "unknown"), {}
    pooled = sum(each.units for each in known) / sum(each.expected for each in known)
    return Factor(pooled, "lived"), {
        sku_id: Factor(_shrunk(own, pooled), "lived") for sku_id, own in _by_sku(known).items()
    }


def _by_sku(known: Iterable[Lived]) -> Mapping[int, Sequence[Lived]]:
    found: dict[int, list[Lived]] = {}
    for each in known:
        found.setdefault(each.sku_id, []).append(each)
    return found


def _shrunk(own: Sequence[Lived], pooled: float) -> float:
    expected = sum(each.expected for each in own)
    pseudo = _PSEUDO_EVENTS * expected / len(own)
    return (sum(each.units for each in own) + pseudo * pooled) / (expected + pseudo)


def uplifted(first: date, days: int, spans: Iterable[tuple[Span, Factor]]) -> float:
    """Return how many plain days the days from `first` on are worth; of two events on one day the stronger one counts.

    Args:
        spans: events that come, each with its factor.
    """
    worth = [1.0] * days
    known = list(spans)
    for at in range(days):
        day = first + timedelta(days=at)
        here = [factor.value for span, factor in known if span.first <= day <= span.last]
        if here:
            worth[at] = max(here, key=lambda value: abs(value - 1.0))
    return sum(worth)
