"""When a department is told: quiet hours, digests, budgets and what an alarm changes about them."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.messages import MINUTE, Quiet, RoutePolicy, Tell, Wait, Waiting, plan
from tests.support.whens import when

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NIGHT = Quiet(begins=time(22), ends=time(7))
LUNCH = Quiet(begins=time(12), ends=time(13))


def route(**more: Any) -> RoutePolicy:
    return RoutePolicy(**{"id": "sales", "to": "robot", "when": when(event="order.")} | more)


def waiting(*levels: str, at: datetime = NOON) -> list[Waiting]:
    return [Waiting(id=id, at=at, level=level) for id, level in enumerate(levels, 1)]


def decide(policy: RoutePolicy, events: Sequence[Waiting], *, now: datetime = NOON, **more: Any) -> Tell | Wait:
    return plan(policy, events, now=now, zone=SHANGHAI, **{"sent": (), **more})


@pytest.mark.parametrize(
    ("quiet", "hour", "ends"),
    [
        (NIGHT, (21, 59), None),
        (NIGHT, (22, 0), (3, 7)),
        (NIGHT, (23, 30), (3, 7)),
        (NIGHT, (6, 59), (2, 7)),
        (NIGHT, (7, 0), None),
        (LUNCH, (11, 59), None),
        (LUNCH, (12, 0), (2, 13)),
        (LUNCH, (13, 0), None),
    ],
)
def test_quiet_hours_begin_and_end_by_the_sellers_clock(
    quiet: Quiet, hour: tuple[int, int], ends: tuple[int, int] | None
) -> None:
    at = datetime(2026, 3, 2, *hour, tzinfo=SHANGHAI).astimezone(UTC)

    until = quiet.until(at, SHANGHAI)

    assert until == (None if ends is None else datetime(2026, 3, ends[0], ends[1], tzinfo=SHANGHAI))


def test_each_event_is_a_message_of_its_own_where_nothing_else_is_said() -> None:
    assert decide(route(), waiting("info", "warn")) == Tell(groups=[[1], [2]])


def test_a_digest_waits_from_the_first_event_on_and_holds_all_that_came() -> None:
    policy = route(digest_s=60)

    assert decide(policy, waiting("info", "info")) == Wait(until=NOON + MINUTE)
    assert decide(policy, waiting("info", "info"), now=NOON + MINUTE) == Tell(groups=[[1, 2]])


def test_a_digest_of_an_event_from_the_future_waits_no_longer_than_its_span() -> None:
    events = waiting("info", at=NOON + timedelta(days=1))

    assert decide(route(digest_s=60), events) == Wait(until=NOON + MINUTE)


def test_more_than_the_budget_allows_is_one_message() -> None:
    sent = [NOON - timedelta(seconds=30)] * 3

    assert decide(route(most_per_min=5), waiting("info", "info"), sent=sent) == Tell(groups=[[1], [2]])
    assert decide(route(most_per_min=5), waiting("info", "info", "info"), sent=sent) == Tell(groups=[[1, 2, 3]])
    assert decide(route(most_per_min=3), waiting("info"), sent=sent) == Wait(until=NOON + timedelta(seconds=30))


def test_what_the_clock_has_not_reached_was_never_sent() -> None:
    """The clock was set back by hours: a route must not be silent until it has caught up."""
    assert decide(route(most_per_min=1), waiting("info"), sent=[NOON + timedelta(hours=2)]) == Tell(groups=[[1]])


def test_quiet_hours_hold_everything_back_and_the_morning_brings_it_as_one() -> None:
    at = datetime(2026, 3, 2, 23, 0, tzinfo=SHANGHAI)
    morning = datetime(2026, 3, 3, 7, 0, tzinfo=SHANGHAI)
    policy = route(quiet=NIGHT)

    assert decide(policy, waiting("info", "alarm", at=at), now=at) == Wait(until=morning)
    assert decide(policy, waiting("info", "info", at=at), now=morning) == Tell(groups=[[1, 2]])
    assert decide(policy, waiting("info", "info", at=morning), now=morning) == Tell(groups=[[1], [2]])


@pytest.mark.parametrize("more", [{}, {"alarm_behind": True}])
def test_an_alarm_comes_through_quiet_hours_and_digests_where_it_may(more: dict[str, bool]) -> None:
    at = datetime(2026, 3, 2, 23, 0, tzinfo=SHANGHAI)
    events = waiting("info", "info" if more else "alarm", at=at)

    assert decide(route(quiet=NIGHT, quiet_lets="alarm", digest_s=600), events, now=at, **more) == Tell(groups=[[1, 2]])
    assert isinstance(decide(route(quiet=NIGHT), events, now=at, **more), Wait)


def test_an_alarm_keeps_the_budget() -> None:
    policy = route(quiet=NIGHT, quiet_lets="alarm", most_per_min=1)

    assert decide(policy, waiting("alarm"), sent=[NOON]) == Wait(until=NOON + MINUTE)


def test_after_trouble_all_that_waits_is_one_message_to_try_with() -> None:
    assert decide(route(), waiting("info", "info"), troubled=True) == Tell(groups=[[1, 2]])


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), max_size=60),
    st.integers(1, 15),
    st.sampled_from([0, 5, 30]),
)
def test_no_minute_has_more_messages_than_allowed_and_no_event_is_left_out(
    bursts: list[tuple[int, int]], most: int, digest_s: int
) -> None:
    policy = route(most_per_min=most, digest_s=digest_s)
    now, sent, told = NOON, list[datetime](), list[int]()
    queue: list[Waiting] = []
    count = 0
    for pause_s, events in [*bursts, *[(61, 0)] * 3]:
        now += timedelta(seconds=pause_s)
        for _ in range(events):
            count += 1
            queue.append(Waiting(id=count, at=now))
        if not queue:
            continue
        decided = decide(policy, queue, now=now, sent=sent)
        if isinstance(decided, Wait):
            assert decided.until > now
            continue
        for group in decided.groups:
            sent.append(now)
            told += group
        queue = [event for event in queue if event.id > told[-1]]

    assert told == list(range(1, count + 1))
    assert all(sum(timedelta(0) <= other - one < MINUTE for other in sent) <= most for one in sent)
