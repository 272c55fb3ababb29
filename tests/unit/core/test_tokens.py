"""When people hear of a token that ends, and how often a platform is asked for another one."""

from datetime import UTC, datetime, timedelta

import pytest

from erpsync.core.tokens import alarm_days, is_news, pause_s

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("lasts", "alarm"),
    [
        (14 * DAY + SECOND, None),
        (14 * DAY, 14),
        (3 * DAY + SECOND, 14),
        (3 * DAY, 3),
        (DAY + SECOND, 3),
        (DAY, 1),
        (-DAY, 1),
    ],
)
def test_a_token_alarms_14_3_and_1_days_before_its_end(lasts: timedelta, alarm: int | None) -> None:
    assert alarm_days(NOON + lasts, NOON) == alarm


def test_an_alarm_is_news_when_none_so_near_was_heard() -> None:
    assert is_news(14, warned=0)
    assert is_news(3, warned=14)
    assert not is_news(14, warned=14)
    assert not is_news(14, warned=3)


@pytest.mark.parametrize(("tries", "pause"), [(0, 300), (1, 600), (5, 9600), (6, 14_400), (10_000, 14_400)])
def test_after_each_try_the_pause_is_twice_as_long_up_to_four_hours(tries: int, pause: float) -> None:
    assert pause_s(tries) == pause
