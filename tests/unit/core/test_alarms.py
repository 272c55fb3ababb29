"""When what is wrong is told and when it is told to be over, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.alarms import HOLDS, Condition, Standing, moves
from erpsync.core.tokens import alarm_step

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BROKEN = Condition(rule="freshness", subject="shop", said="orders are stale")


def standing(raised_at: datetime | None = NOON, well_at: datetime | None = None, step: int = 0) -> Standing:
    return Standing(
        id=1,
        rule="freshness",
        subject="shop",
        channel_id=1,
        said="orders are stale",
        step=step,
        seen_at=NOON,
        raised_at=raised_at,
        well_at=well_at,
    )


def test_what_is_seen_once_is_not_told() -> None:
    assert moves([BROKEN], [], NOON).seen == [BROKEN]
    assert moves([BROKEN], [], NOON).raised == []


def test_what_still_stands_at_the_next_look_is_told() -> None:
    made = moves([BROKEN], [standing(raised_at=None)], NOON + MINUTE)

    assert made.raised == [(standing(raised_at=None), BROKEN)]


def test_two_looks_within_a_second_are_one() -> None:
    assert moves([BROKEN], [standing(raised_at=None)], NOON + timedelta(seconds=1)).raised == []
    assert moves([], [standing(well_at=NOON)], NOON + timedelta(seconds=1)).ended == []


def test_what_was_seen_once_and_is_gone_is_forgotten() -> None:
    assert moves([], [standing(raised_at=None)], NOON + MINUTE).forgotten == [standing(raised_at=None)]


def test_what_is_told_is_over_after_two_good_looks() -> None:
    assert moves([], [standing()], NOON + MINUTE).well == [standing()]
    over = standing(well_at=NOON + MINUTE)
    assert moves([], [over], NOON + 2 * MINUTE).ended == [over]


def test_what_gets_worse_is_told_again_and_what_gets_better_is_not() -> None:
    worse, better = replace(BROKEN, step=2), replace(BROKEN, step=1)

    assert moves([worse], [standing(step=1)], NOON + MINUTE).raised == [(standing(step=1), worse)]
    assert moves([better], [standing(step=2)], NOON + MINUTE).raised == []


def test_of_two_of_one_rule_the_worse_one_counts() -> None:
    worse = replace(BROKEN, step=3)

    assert moves([worse, BROKEN], [], NOON).seen == [worse]


def test_a_token_is_told_of_at_fourteen_three_and_one_days() -> None:
    steps = {days: alarm_step(days) for days in (14.1, 14, 3.1, 3, 1.1, 1, 0, -5)}

    assert steps == {14.1: None, 14: 1, 3.1: 1, 3: 2, 1.1: 2, 1: 3, 0: 3, -5: 3}


@given(st.lists(st.booleans(), max_size=40))
def test_each_way_is_told_in_turn_and_only_what_stood_for_two_looks(looks: list[bool]) -> None:
    """The machine is run by hand here, as the store does it."""
    alarm: Standing | None = None
    told: list[str] = []
    for at, wrong in enumerate(looks):
        now = NOON + at * MINUTE
        made = moves([BROKEN] if wrong else [], [alarm] if alarm else [], now)
        if made.seen:
            alarm = replace(standing(raised_at=None), seen_at=now)
        elif alarm and made.raised:
            told.append("raised")
            alarm = replace(alarm, raised_at=now, well_at=None)
            assert looks[at - 1 : at + 1] == [True, True]
        elif alarm and made.same:
            alarm = replace(alarm, well_at=None)
        elif alarm and made.well:
            alarm = replace(alarm, well_at=now)
        elif made.ended:
            told.append("ended")
            alarm = None
            assert looks[at - 1 : at + 1] == [False, False]
        elif made.forgotten:
            alarm = None

    assert told == ["raised", "ended"] * (len(told) // 2) + ["raised"] * (len(told) % 2)
    assert HOLDS < MINUTE
