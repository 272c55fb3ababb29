"""What follows a failed call, by who acts next."""

import pytest
from sqlalchemy.exc import OperationalError

from erpsync.flows.retry import GIVES_UP_AFTER, Again, Dead, Next, Rest, after, after_delivery, backoff_s
from erpsync.sdk.errors import (
    AuthError,
    OutcomeUnknownError,
    PayloadError,
    RateLimitedError,
    RejectedError,
    TooLateError,
    TransientError,
)

UNREAD = PayloadError("no amount", path="$.payment")
AWAY = OperationalError("SELECT 1", {}, Exception("the server is gone"))
WAIT_S, LAST_S = backoff_s(3, 7), backoff_s(GIVES_UP_AFTER, 7)


@pytest.mark.parametrize(
    ("error", "first", "last"),
    [
        (RateLimitedError("quota", retry_after_s=9), Rest(9), Rest(9)),
        (AuthError("expired"), Rest(60), Rest(60)),
        (TooLateError("not sent"), Rest(0), Rest(0)),
        (TransientError("reset"), Again(WAIT_S, counts=True), Dead()),
        (OutcomeUnknownError("sent, no answer"), Again(WAIT_S, counts=True), Dead()),
        (UNREAD, Again(WAIT_S, counts=True), Dead()),
        (RejectedError("no such order"), Dead(), Dead()),
        (ValueError("a defect"), Dead(), Dead()),
        (AWAY, Again(WAIT_S, counts=False), Again(LAST_S, counts=False)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_class_of_an_error_says_what_follows_a_failed_call(error: Exception, first: Next, last: Next) -> None:
    assert after(error, attempts=3, row_id=7, auth_retry_s=60) == first
    assert after(error, attempts=GIVES_UP_AFTER, row_id=7, auth_retry_s=60) == last


def test_a_webhook_that_cannot_be_read_is_given_up_and_what_kept_it_from_being_applied_may_pass() -> None:
    assert after_delivery(UNREAD, attempts=0, row_id=7) == Dead()
    assert after_delivery(ValueError("a defect"), attempts=3, row_id=7) == Again(WAIT_S, counts=True)
    assert after_delivery(ValueError("a defect"), attempts=GIVES_UP_AFTER, row_id=7) == Dead()
    assert after_delivery(AWAY, attempts=GIVES_UP_AFTER, row_id=7) == Again(LAST_S, counts=False)
