"""Weeks of demand: what counts, and which weeks say less."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from erpsync.core.forecast import Says, Series, Span, weeks

TODAY = date(2026, 11, 30)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def at(days: int, hour: int = 0) -> datetime:
    return datetime.combine(ago(days), datetime.min.time(), SHANGHAI) + timedelta(hours=hour)


def made(
    *rows: tuple[int, int],
    sold_out: list[tuple[datetime, datetime | None]] | None = None,
    events: list[Span] | None = None,
) -> Series:
    return weeks([(ago(days), qty) for days, qty in rows], sold_out or [], events or [], TODAY, SHANGHAI)


def test_weeks_end_with_yesterday_and_begin_with_the_week_of_the_first_sale() -> None:
    got = made((1, 2), (7, 3), (8, 4), (22, 5))

    assert got.units == (5, 0, 4, 5)
    assert got.starts() == [ago(28), ago(21), ago(14), ago(7)]


def test_today_is_not_over_and_does_not_count() -> None:
    assert made((0, 9), (-3, 9), (1, 1)).units == (1,)


@pytest.mark.parametrize("rows", [[], [(5, 0)], [(-1, 4)]])
def test_what_was_never_sold_has_no_weeks(rows: list[tuple[int, int]]) -> None:
    assert made(*rows).units == ()


def test_a_week_sold_out_for_more_than_a_day_says_at_least_and_one_for_a_day_says_all() -> None:
    got = made((10, 1), (1, 1), sold_out=[(at(7), at(6)), (at(14), at(13, 1))])

    assert got.says == (Says.AT_LEAST, Says.ALL)


def test_hours_sold_out_add_up_over_a_week_and_go_on_until_there_is_an_end() -> None:
    pieces = made((10, 1), (1, 1), sold_out=[(at(4), at(4, 13)), (at(2), at(2, 12))])
    still = made((10, 1), (1, 1), sold_out=[(at(9, 20), None)])

    assert pieces.says == (Says.ALL, Says.AT_LEAST)
    assert still.says == (Says.AT_LEAST, Says.AT_LEAST)


def test_sold_out_hours_are_measured_on_the_clock_of_the_world() -> None:
    """New York's clock jumps on 8 March 2026: what looks like 25 hours there are 24."""
    zone = ZoneInfo("America/New_York")
    begun = datetime(2026, 3, 7, 12, tzinfo=zone)

    got = weeks([(date(2026, 3, 6), 1)], [(begun, datetime(2026, 3, 8, 13, tzinfo=zone))], [], date(2026, 3, 10), zone)

    assert got.says == (Says.ALL,)


def test_instants_of_any_zone_fall_into_the_sellers_weeks() -> None:
    got = made(
        (10, 1), (1, 1), sold_out=[(datetime(2026, 11, 22, 16, tzinfo=UTC), datetime(2026, 11, 23, 17, tzinfo=UTC))]
    )

    assert got.says == (Says.ALL, Says.AT_LEAST)


def test_days_of_an_event_say_nothing_and_the_others_stand_for_the_week() -> None:
    got = made((7, 4), (6, 4), (3, 100), (2, 100), (1, 100), events=[Span(ago(3), ago(1))])

    assert got.units == (14,)
    assert got.says == (Says.ALL,)


def test_a_week_with_fewer_than_four_plain_days_says_nothing() -> None:
    got = made((14, 3), (7, 9), (1, 50), events=[Span(ago(7), ago(4))])

    assert got.units == (3, 0)
    assert got.says == (Says.ALL, Says.NOTHING)


def test_a_day_in_two_events_is_left_out_once() -> None:
    assert made((7, 5), events=[Span(ago(2), ago(1)), Span(ago(1), ago(1))]).units == (7,)
