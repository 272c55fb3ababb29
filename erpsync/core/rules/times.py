"""Conditions on time: what they say at an instant, and the first instant at which they say otherwise.

Why exact to the microsecond: an order is looked at again at that instant and not by a timer that tries, so a look that
came a moment too early would find nothing changed and never come back.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from erpsync.core.facts import WEEKDAYS
from erpsync.core.rules.model import NEVER, Comparison, Operator

Span = tuple[datetime, datetime, bool]
"""From an instant until before another, a condition on the clock says the same."""

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
MOST_STEPS = 20
"""Bounds and changes of the offset within eight days: seven midnights, and no zone changes more often than that."""


def since_flip(operator: Operator, words: Decimal, unit: timedelta) -> tuple[timedelta, bool]:
    """Return how long after its instant a comparison of the time since then flips, and what it says before that."""
    limit = words * (unit // MICROSECOND)
    below = operator in (Operator.LT, Operator.LE)
    if operator in (Operator.LT, Operator.GE):
        return _microseconds(limit.to_integral_value(ROUND_CEILING)), below
    return _microseconds(limit.to_integral_value(ROUND_FLOOR) + 1), below


def left_flip(operator: Operator, words: Decimal, unit: timedelta) -> tuple[timedelta, bool]:
    """Return how long before its instant a comparison of the time until then flips, and what it says before that."""
    limit = words * (unit // MICROSECOND)
    above = operator in (Operator.GT, Operator.GE)
    if operator in (Operator.LT, Operator.GE):
        return _microseconds(limit.to_integral_value(ROUND_CEILING) - 1), above
    return _microseconds(limit.to_integral_value(ROUND_FLOOR)), above


def _microseconds(count: Decimal) -> timedelta:
    return timedelta(microseconds=int(count))


def clock_span(test: Comparison, zone: tzinfo) -> Callable[[datetime], Span]:
    """Return what tells, for an instant, what a condition on the clock or the weekday says and until when.

    The last answer is kept: instants are asked for in batches, and most fall into it.
    """
    inside, gap = _weekday(test) if test.fact == "weekday" else _clock(test)
    kept: list[Span] = []

    def span(now: datetime) -> Span:
        for found in kept:
            if found[0] <= now < found[1]:
                return found
        found = (now, _flip(zone, now, inside, gap), inside(now.astimezone(zone)))
        kept[:] = [found]
        return found

    return span


def _clock(test: Comparison) -> tuple[Callable[[datetime], bool], Callable[[datetime], timedelta]]:
    begin, end = (int(word) for word in test.words)

    def inside(local: datetime) -> bool:
        minute = local.hour * 60 + local.minute
        return begin <= minute < end if begin < end else minute >= begin or minute < end

    def gap(local: datetime) -> timedelta:
        so_far = _of_day(local)
        return min((timedelta(minutes=bound) - so_far) % DAY or DAY for bound in (begin, end))

    return inside, gap


def _weekday(test: Comparison) -> tuple[Callable[[datetime], bool], Callable[[datetime], timedelta]]:
    days = {WEEKDAYS.index(str(word)) for word in test.words}
    return lambda local: local.weekday() in days, lambda local: DAY - _of_day(local)


def _of_day(local: datetime) -> timedelta:
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _flip(
    zone: tzinfo, now: datetime, inside: Callable[[datetime], bool], gap: Callable[[datetime], timedelta]
) -> datetime:
    """Return the first instant after `now` at which the wall clock is on the other side.

    Between two bounds the wall clock may jump (summer time), so a change of its offset is a bound too.
    """
    says = inside(now.astimezone(zone))
    at = now
    for _ in range(MOST_STEPS):
        local = at.astimezone(zone)
        ahead = at + gap(local)
        if ahead.astimezone(zone).utcoffset() != local.utcoffset():
            ahead = _offset_change(zone, at, ahead)
        if inside(ahead.astimezone(zone)) is not says:
            return ahead
        at = ahead
    return NEVER


def _offset_change(zone: tzinfo, before: datetime, behind: datetime) -> datetime:
    """Return the first instant of the offset that counts at `behind`."""
    offset = before.astimezone(zone).utcoffset()
    while behind - before > MICROSECOND:
        middle = before + (behind - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            behind = middle
    return behind
