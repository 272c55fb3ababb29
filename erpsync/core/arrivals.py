"""Whether it is strange that no order came for so long, by what the shop's own past says of this hour of the week.

What is counted are minutes that brought orders and not orders: a file of five hundred, a sale's first second and what
was made up for after a standstill are one arrival each, and only so do arrivals come singly, as the rule below takes
them to.

Why everything is rounded towards silence: an alarm in a quiet night is switched off for good. What is expected of an
hour leaves its best week out, which was a sale's; it is no more than the hour itself has shown in two weeks, so that a
shop that opens at nine is not missed at eight; a shop that sells less than it did, and one whose last two days were
slow (a holiday), is measured by that.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
WEEK_H = 168
MOST_WEEKS, LEAST_WEEKS = 8, 2
LEAST_ARRIVALS = 50
STRANGE = 7.0
"""Arrivals that were to be expected and did not come: by chance that happens once in exp(7), a thousand times."""

PACE = timedelta(hours=48)
"""What the hours before the last order brought, beside what was expected of them, says how slow these days are."""

_PACE_NEEDS = 3.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Pattern = tuple[float, ...]
"""Arrivals to be expected in each hour of the week, in UTC, from the one that began 1970 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """How long a channel has brought nothing.

    Args:
        expected: arrivals that its past has at these hours.
        pace: arrivals of its last days as a share of what its past has there, at most 1.
        answers: whether its platform tells the time meanwhile and was asked for orders: then it has none.
    """

    since: datetime
    until: datetime
    expected: float
    pace: float = 1.0
    answers: bool = False


def learn(counts: Mapping[int, int], now_hour: int) -> Pattern | None:
    """Return what is to be expected of each hour of the week; None where the past is too short or too thin to tell.

    Args:
        counts: arrivals by hour since 1970; those of the running hour and later ones are left out.
        now_hour: the running hour.
    """
    past = {hour: count for hour, count in counts.items() if now_hour - MOST_WEEKS * WEEK_H <= hour < now_hour}
    weeks = min(MOST_WEEKS, (now_hour - min(past, default=now_hour)) // WEEK_H)
    if weeks < LEAST_WEEKS or sum(past.values()) < LEAST_ARRIVALS:
        return None
    share = _decline(past, now_hour, weeks)
    rates = [0.0] * WEEK_H
    for hour in range(now_hour - WEEK_H, now_hour):
        rates[hour % WEEK_H] = round(share * _rate(past, [hour - week * WEEK_H for week in range(weeks)]), 4)
    return tuple(rates)


def _rate(past: Mapping[int, int], same: list[int]) -> float:
    """Return what is to be expected of one hour, of which `same` are those of the weeks."""
    own = sorted((past.get(hour, 0) for hour in same), reverse=True)
    around = sorted(sum(past.get(hour + off, 0) for off in (-1, 0, 1)) / 3 for hour in same)
    usual = max(sum(own[1:]), sum(around[:-1])) / (len(same) - 1)
    return min(own[1], usual)


def _decline(past: Mapping[int, int], now_hour: int, weeks: int) -> float:
    """Return by which share less than in all weeks came in the last two, at most 1."""
    whole = sum(count for hour, count in past.items() if hour >= now_hour - weeks * WEEK_H) / weeks
    recent = sum(count for hour, count in past.items() if hour >= now_hour - LEAST_WEEKS * WEEK_H) / LEAST_WEEKS
    return min(1.0, recent / whole) if whole else 0.0


def expected(pattern: Pattern, since: datetime, until: datetime) -> float:
    """Return how many arrivals the pattern has between two instants; 0 where the second is not later."""
    if until <= since:
        return 0.0
    begin_h, end_h = (since - _EPOCH) / HOUR, (until - _EPOCH) / HOUR
    whole_weeks = int((end_h - begin_h) // WEEK_H)
    total, at = whole_weeks * math.fsum(pattern), begin_h + whole_weeks * WEEK_H
    while at < end_h:
        hour = math.floor(at)
        upto = min(end_h, hour + 1.0)
        total += (upto - at) * pattern[hour % WEEK_H]
        at = upto
    return total


def pace(came: int, was_expected: float) -> float:
    """Return arrivals of the last days as a share of what was expected of them, at most 1.

    One more than came is counted: the silence that follows is told by no more than they are.
    """
    return 1.0 if was_expected < _PACE_NEEDS else min(1.0, (came + 1) / was_expected)


def is_strange(quiet: Quiet, *, silence_s: float) -> bool:
    """Whether a silence is to be told; twice as long where the platform itself answers that it has no orders.

    Args:
        silence_s: how long it must last at least.
    """
    times = 2 if quiet.answers else 1
    lasted_s = (quiet.until - quiet.since).total_seconds()
    return lasted_s >= times * silence_s and quiet.expected * quiet.pace >= times * STRANGE
