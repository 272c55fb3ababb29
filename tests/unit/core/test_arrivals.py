"""What a shop's past says of a silence, without a database: half a year of orders, made up by a given chance."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.arrivals import WEEK_H, Quiet, expected, is_strange, learn, pace

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 9, 4, 0, tzinfo=UTC)  # Monday noon in Shanghai
NOW_H = int((NOW - EPOCH) / timedelta(hours=1))
SILENCE_S = 1800.0

DAY = (0, 0, 0, 0, 0, 0, 0, 1, 3, 6, 8, 9, 9, 8, 8, 8, 8, 7, 7, 9, 12, 12, 8, 3)
"""Minutes with orders in each hour of a day in Shanghai."""


def local(hour: int) -> int:
    """Return the hour of the day in Shanghai of an hour since 1970."""
    return (hour + 8) % 24


def history(rate: Callable[[int], float], weeks: int = 26, seed: int = 1) -> dict[int, int]:
    """Return arrivals by hour that came by chance at these rates, each minute at most once."""
    chance = random.Random(seed)
    counts = {}
    for hour in range(NOW_H - weeks * WEEK_H, NOW_H):
        came = sum(chance.random() < rate(hour) / 60 for _ in range(60))
        if came:
            counts[hour] = came
    return counts


def usual(hour: int) -> float:
    return float(DAY[local(hour)])


def learned(counts: dict[int, int]) -> tuple[float, ...]:
    pattern = learn(counts, NOW_H)
    assert pattern is not None
    return pattern


def quiet(pattern: tuple[float, ...], since: datetime, hours: float, **more: object) -> Quiet:
    until = since + timedelta(hours=hours)
    return Quiet(since=since, until=until, expected=expected(pattern, since, until), **more)  # type: ignore[arg-type]


def strange(pattern: tuple[float, ...], since: datetime, hours: float, **more: object) -> bool:
    return is_strange(quiet(pattern, since, hours, **more), silence_s=SILENCE_S)


def test_a_quiet_night_is_no_alarm_and_a_dead_midday_is() -> None:
    pattern = learned(history(usual))
    midnight = NOW + timedelta(hours=11.5)

    assert not strange(pattern, midnight, 8.5)  # from half past eleven to eight in the morning
    assert strange(pattern, NOW, 1.5)  # from noon to half past one


def test_a_silence_of_less_than_half_an_hour_is_never_strange() -> None:
    pattern = tuple([60.0] * WEEK_H)

    assert not strange(pattern, NOW, 0.49)
    assert strange(pattern, NOW, 0.5)


def test_a_platform_that_answers_that_it_has_nothing_is_believed_twice_as_long() -> None:
    pattern = tuple([8.0] * WEEK_H)

    assert strange(pattern, NOW, 1)
    assert not strange(pattern, NOW, 1, answers=True)
    assert strange(pattern, NOW, 2, answers=True)


def test_a_past_of_less_than_two_weeks_or_of_few_orders_tells_nothing() -> None:
    assert learn(history(usual, weeks=1), NOW_H) is None
    assert learn(history(lambda hour: 0.05, weeks=4), NOW_H) is None
    assert learn({}, NOW_H) is None


def test_a_sale_does_not_make_the_weeks_after_it_look_dead() -> None:
    counts = history(usual)
    sale = history(lambda hour: 60.0 if NOW_H - 2 * WEEK_H - 24 <= hour < NOW_H - 2 * WEEK_H else 0.0)

    without, with_sale = learned(counts), learned(counts | sale)

    assert sum(with_sale) <= 1.02 * sum(without)


def test_a_shop_that_opens_at_nine_sharp_is_not_missed_at_eight() -> None:
    pattern = learned(history(lambda hour: 40.0 if 9 <= local(hour) < 21 else 0.0))
    closed = NOW + timedelta(hours=9)  # nine in the evening

    assert not strange(pattern, closed, 12)
    assert strange(pattern, closed, 12.6)


def test_a_shop_that_sells_less_by_now_is_measured_by_that() -> None:
    faded = learned(history(lambda hour: usual(hour) if hour < NOW_H - 2 * WEEK_H else usual(hour) / 5))

    assert sum(faded) < 0.3 * sum(learned(history(usual)))


def test_files_that_come_once_a_day_are_one_arrival_each() -> None:
    pattern = learned({hour: 1 for hour in range(NOW_H - 8 * WEEK_H, NOW_H) if local(hour) == 9})

    assert not strange(pattern, NOW, 3 * 24)
    assert strange(pattern, NOW, 8 * 24)


def test_in_the_week_of_the_spring_festival_the_pace_of_its_days_counts() -> None:
    """A tenth of the usual orders: silences of hours are usual then, and none of them is told."""
    pattern = learned(history(usual))
    festival = history(lambda hour: usual(hour) / 10, weeks=1, seed=7)
    arrivals = sorted(EPOCH + timedelta(hours=hour, minutes=30) for hour in festival)
    began = EPOCH + timedelta(hours=NOW_H - WEEK_H + 48)
    told_without, told = 0, 0
    for since, until in pairwise(arrivals):
        if since < began:
            continue
        before = since - timedelta(hours=48)
        came = sum(count for hour, count in festival.items() if before <= EPOCH + timedelta(hours=hour) <= since)
        hours = (until - since) / timedelta(hours=1)
        told_without += strange(pattern, since, hours, answers=True)
        told += strange(pattern, since, hours, pace=pace(came, expected(pattern, before, since)), answers=True)

    assert told_without > 3  # else the pace would prove nothing here
    assert told == 0


@pytest.mark.parametrize("rate", [2.0, 8.0, 30.0])
def test_by_chance_alone_hardly_a_silence_is_told(rate: float) -> None:
    """Half a year of a shop that sells round the clock: at one in a thousand silences, and those are rare."""
    pattern = learned(history(lambda hour: rate))
    chance = random.Random(3)
    gaps = [chance.expovariate(rate) for _ in range(int(rate * 24 * 180))]

    told = sum(strange(pattern, NOW, gap) for gap in gaps)

    assert told <= 2 * len(gaps) / 1000


@given(
    st.lists(st.floats(0, 60), min_size=WEEK_H, max_size=WEEK_H),
    st.floats(0, 2000),
    st.floats(0, 500),
    st.floats(0, 500),
)
def test_what_is_expected_of_two_spans_is_that_of_both(rates: list[float], off: float, a: float, b: float) -> None:
    pattern, begin = tuple(rates), NOW + timedelta(hours=off)
    middle, end = begin + timedelta(hours=a), begin + timedelta(hours=a + b)

    whole = expected(pattern, begin, end)

    assert whole == pytest.approx(expected(pattern, begin, middle) + expected(pattern, middle, end), abs=1e-3)
    assert 0 <= whole <= 60 * (a + b) + 1e-3


@given(st.dictionaries(st.integers(NOW_H - 9 * WEEK_H, NOW_H + 5), st.integers(1, 60), max_size=400))
def test_no_hour_is_expected_to_bring_more_than_it_has_brought_in_two_weeks(counts: dict[int, int]) -> None:
    pattern = learn(counts, NOW_H)
    for slot, rate in enumerate(pattern or ()):
        own = sorted(counts.get(hour, 0) for hour in range(NOW_H - 8 * WEEK_H, NOW_H) if hour % WEEK_H == slot)
        assert rate <= own[-2]


@given(st.integers(0, 1000), st.floats(0, 1000))
def test_the_pace_never_makes_more_of_what_is_expected(came: int, was_expected: float) -> None:
    assert 0 < pace(came, was_expected) <= 1
