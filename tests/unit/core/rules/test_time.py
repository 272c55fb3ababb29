"""When an answer changes by itself: to the microsecond, over midnight, and where the clocks are moved."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from erpsync.core.rules import Condition, Every, Operator, Some
from tests.unit.core.rules.builders import NEW_YORK, NOW, SHANGHAI, asks, order, rule, verdict

MICROSECOND = timedelta(microseconds=1)
NIGHT = asks("clock", Operator.WITHIN, 1320, 480)


def look_at(when: Condition, now: datetime = NOW, zone: ZoneInfo = SHANGHAI, **said: object) -> datetime | None:
    return verdict([rule(when)], order(**said), now, zone).look_at


def held(when: Condition, now: datetime, zone: ZoneInfo = SHANGHAI, **said: object) -> bool:
    return bool(verdict([rule(when)], order(**said), now, zone).holds)


@pytest.mark.parametrize(
    ("fact", "operator", "flips"),
    [
        ("paid_min", Operator.LT, timedelta(minutes=15)),
        ("paid_min", Operator.GE, timedelta(minutes=15)),
        ("paid_min", Operator.LE, timedelta(minutes=15) + MICROSECOND),
        ("paid_min", Operator.GT, timedelta(minutes=15) + MICROSECOND),
        ("ship_by_h", Operator.LT, timedelta(hours=33) + MICROSECOND),
        ("ship_by_h", Operator.GE, timedelta(hours=33) + MICROSECOND),
        ("ship_by_h", Operator.LE, timedelta(hours=33)),
        ("ship_by_h", Operator.GT, timedelta(hours=33)),
    ],
)
def test_a_length_of_time_ends_to_the_microsecond(fact: str, operator: Operator, flips: timedelta) -> None:
    when = asks(fact, operator, Decimal(15))
    said = {"paid_at": NOW, "ship_by_at": NOW + timedelta(hours=48)}
    at = NOW + flips

    assert look_at(when, **said) == at
    assert held(when, at - MICROSECOND, **said) is not held(when, at, **said)
    assert look_at(when, at, **said) is None


@pytest.mark.parametrize(
    ("now", "flips"),
    [
        (datetime(2027, 3, 2, 13, 59, tzinfo=UTC), datetime(2027, 3, 2, 14, tzinfo=UTC)),
        (datetime(2027, 3, 2, 14, tzinfo=UTC), datetime(2027, 3, 3, 0, tzinfo=UTC)),
        (datetime(2027, 3, 2, 23, 59, 59, 999999, tzinfo=UTC), datetime(2027, 3, 3, 0, tzinfo=UTC)),
    ],
)
def test_a_night_reaches_over_midnight(now: datetime, flips: datetime) -> None:
    assert look_at(NIGHT, now) == flips
    assert held(NIGHT, flips - MICROSECOND) is not held(NIGHT, flips)


def test_a_window_that_the_clocks_skip_half_of_begins_when_they_are_moved() -> None:
    half_past_two = asks("clock", Operator.WITHIN, 150, 240)
    moved = datetime(2027, 3, 14, 7, tzinfo=UTC)

    assert look_at(half_past_two, datetime(2027, 3, 14, 5, tzinfo=UTC), NEW_YORK) == moved
    assert held(half_past_two, moved, NEW_YORK)
    assert look_at(half_past_two, moved, NEW_YORK) == datetime(2027, 3, 14, 8, tzinfo=UTC)


def test_a_window_that_the_clocks_repeat_holds_twice() -> None:
    first_hour = asks("clock", Operator.WITHIN, 60, 90)
    begins = datetime(2027, 11, 7, 5, tzinfo=UTC)

    found = [begins - MICROSECOND]
    for _ in range(4):
        following = look_at(first_hour, found[-1], NEW_YORK)
        assert following is not None
        found.append(following)
    assert found[1:] == [begins + timedelta(minutes=minutes) for minutes in (0, 30, 60, 90)]


def test_a_day_of_the_week_ends_at_the_shops_midnight() -> None:
    assert look_at(asks("weekday", Operator.ONE_OF, "tue")) == datetime(2027, 3, 2, 16, tzinfo=UTC)
    assert look_at(asks("weekday", Operator.ONE_OF, "tue", "wed")) == datetime(2027, 3, 3, 16, tzinfo=UTC)


def test_time_that_cannot_change_the_answer_is_not_waited_for() -> None:
    large = asks("total", Operator.GE, Decimal(3000))

    assert look_at(Every((NIGHT, large))) is None
    assert look_at(Some((NIGHT, asks("total", Operator.LT, Decimal(3000))))) is None
    assert look_at(Every((NIGHT, large)), total=Decimal(3000)) == datetime(2027, 3, 2, 14, tzinfo=UTC)


def test_what_has_to_hold_together_is_looked_at_when_the_last_of_it_may() -> None:
    late = asks("paid_min", Operator.GE, Decimal(60 * 20))

    assert look_at(Every((NIGHT, late)), paid_at=NOW) == NOW + timedelta(hours=20)


def test_a_limit_beyond_all_calendars_is_never_reached() -> None:
    end = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)

    assert look_at(asks("placed_min", Operator.LT, Decimal(5_256_000)), end, placed_at=end) is None
