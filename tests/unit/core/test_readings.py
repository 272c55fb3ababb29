"""Which of two readings of one record counts. failures.md row 2."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.readings import (
    TRANSITIONS,
    Reading,
    Verdict,
    is_further,
    is_old_news,
    is_refund_further,
    is_settled,
    judge,
)
from erpsync.sdk.types import OrderState, RefundState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def reading(version_s: float = 0, digest: str = "a", read: tuple[float, float] = (10, 11)) -> Reading:
    began, ended = (NOON + timedelta(seconds=second) for second in read)
    return Reading(version_at=NOON + timedelta(seconds=version_s), digest=digest, read_from=began, read_to=ended)


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (reading(1, "b", (0, 1)), Verdict.NEWER),
        (reading(-1, "b", (20, 21)), Verdict.OLDER),
        (reading(0, "a", (20, 21)), Verdict.SAME),
        (reading(0, "b", (20, 21)), Verdict.NEWER),
        (reading(0, "b", (1, 2)), Verdict.OLDER),
        (reading(0, "b", (10.5, 20)), Verdict.READ_AGAIN),
        (reading(0, "b", (11, 12)), Verdict.READ_AGAIN),
    ],
    ids=["newer version", "older version", "same digest", "read later", "read earlier", "overlapping", "touching"],
)
def test_the_version_counts_first_then_the_digest_then_the_time_of_reading(new: Reading, verdict: Verdict) -> None:
    assert judge(reading(), new, further=False, rereads=True) is verdict


@pytest.mark.parametrize(
    ("new", "further", "back", "verdict"),
    [
        (reading(0, "b", (10.5, 20)), False, False, Verdict.NEWER),
        (reading(0, "b", (10.5, 20)), False, True, Verdict.DISPUTED),
        (reading(0, "b", (20, 21)), False, True, Verdict.DISPUTED),
        (reading(0, "b", (10, 11)), False, False, Verdict.NEWER),
        (reading(0, "b", (10, 11)), False, True, Verdict.DISPUTED),
        (reading(0, "b", (5, 10.5)), False, True, Verdict.OLDER),
        (reading(0, "b", (5, 10.5)), True, False, Verdict.NEWER),
        (reading(0, "a", (20, 21)), False, True, Verdict.SAME),
        (reading(1, "b", (20, 21)), False, True, Verdict.NEWER),
    ],
    ids=[
        "later",
        "later and back",
        "read later and back",
        "at once",
        "at once and back",
        "earlier",
        "further",
        "equal",
        "newer version",
    ],
)
def test_where_nothing_can_be_read_again_the_later_arrival_counts_unless_it_goes_back(
    new: Reading, further: bool, back: bool, verdict: Verdict
) -> None:
    assert judge(reading(), new, further=further, rereads=False, back=back) is verdict


@pytest.mark.parametrize(
    ("version_s", "received_s", "settled"),
    [(0, 99, True), (-1, 99, True), (1, 0, False), (None, 10, True), (None, 11, False), (None, None, True)],
)
def test_an_unread_view_is_settled_by_one_of_its_version_or_where_it_has_none_by_one_that_came_later(
    version_s: float | None, received_s: float | None, settled: bool
) -> None:
    version_at = None if version_s is None else NOON + timedelta(seconds=version_s)
    received_at = None if received_s is None else NOON + timedelta(seconds=received_s)

    assert is_settled(version_at, received_at, reading()) is settled


@pytest.mark.parametrize(
    ("version_s", "digest", "old"),
    [(-1, "b", True), (0, "a", True), (0, "b", False), (1, "a", False), (None, "a", False)],
)
def test_an_unread_view_is_old_news_beside_a_newer_one_or_beside_itself(
    version_s: float | None, digest: str, old: bool
) -> None:
    version_at = None if version_s is None else NOON + timedelta(seconds=version_s)

    assert is_old_news(version_at, digest, reading()) is old


def test_a_record_never_seen_is_new() -> None:
    assert judge(None, reading(), further=False, rereads=True) is Verdict.NEW


@given(st.sampled_from(OrderState), st.sampled_from(OrderState))
def test_no_two_states_are_each_further_than_the_other(one: OrderState, other: OrderState) -> None:
    assert not (is_further(one, other) and is_further(other, one))


def test_every_state_can_be_cancelled_and_a_cancelled_order_stays_so() -> None:
    ends = {state for state, after in TRANSITIONS.items() if OrderState.CANCELLED not in after}

    assert ends == {OrderState.CANCELLED}
    assert not TRANSITIONS[OrderState.CANCELLED]


def test_a_granted_refund_is_never_asked_for_again() -> None:
    assert is_refund_further(RefundState.GRANTED, RefundState.OPEN)
    assert is_refund_further(RefundState.GRANTED, RefundState.CLOSED)
    assert not is_refund_further(RefundState.OPEN, RefundState.GRANTED)
