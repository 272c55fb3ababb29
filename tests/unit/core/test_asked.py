"""Which refunds an order's own view still tells of as asked for, beside the refunds that are known."""

from datetime import timedelta

import pytest

from erpsync.core.asked import still_asked
from erpsync.sdk.types import Refund, RefundState
from tests.support.views import NOON, asked

HOUR = timedelta(hours=1)


def closed(id: str, *, at_h: int = 0) -> Refund:
    return asked(id=id, state=RefundState.CLOSED, at=NOON + at_h * HOUR)


@pytest.mark.parametrize("told", ["r1", "r1, r2", "return or exchange"])
def test_what_the_view_tells_of_is_asked_for_as_long_as_nothing_was_decided(told: str) -> None:
    assert still_asked(told, NOON, []) == told.split(", ")
    assert still_asked(told, NOON, [asked(id="r1", at=NOON + HOUR)]) == told.split(", ")


def test_a_view_that_tells_of_none_asks_for_none() -> None:
    assert still_asked("", NOON, [asked(id="r1")]) == []


@pytest.mark.parametrize("at_h", [0, 1])
def test_a_refund_that_was_decided_since_the_view_is_asked_for_no_more(at_h: int) -> None:
    assert still_asked("r1, r2", NOON, [closed("r1", at_h=at_h)]) == ["r2"]


def test_a_refund_that_was_decided_before_the_view_is_asked_for_again() -> None:
    assert still_asked("r1", NOON, [closed("r1", at_h=-1)]) == ["r1"]


def test_words_that_name_no_refund_are_answered_by_any_that_was_decided_since() -> None:
    assert still_asked("return of goods", NOON, [closed("r7")]) == []
    assert still_asked("return of goods", NOON, [closed("r7", at_h=-1)]) == ["return of goods"]
