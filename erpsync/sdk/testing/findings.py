"""The names of the defects that the suite finds.

Why names: a connector author reads `CURSOR_TOO_EARLY` and knows what to look for, and the suite's own tests prove that
each broken connector is caught for the right reason.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NoReturn

from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    PayloadError,
    RateLimitedError,
    RejectedError,
    TransientError,
)


class Finding(StrEnum):
    """What is wrong with a connector."""

    NO_HARNESS = "the harness lacks a method that this role needs"
    LOST_PAGE = "a record on the platform never reached the daemon"
    STALE_RECORD = "the daemon kept an old version of a record that changed on the platform"
    CURSOR_TOO_EARLY = "a page's mark covers records that were not handed over yet"
    HIDDEN_PROGRESS = "progress is kept in the connector, so a page that was not committed is not read again"
    OWN_CLOCK = "windows follow our clock instead of the platform's, and what changes between the two is lost"
    INVENTED_RECORD = "a record was handed over that the platform does not have"
    UNSTABLE_DIGEST = "an unchanged record looks changed on every reading"
    SWALLOWED_ERROR = "a failed call looks like the end of the data"
    UNMAPPED_ERROR = "an exception leaves the connector that is none of the six error classes"
    UNPROVOKED_ERROR = "the connector raises although nothing is wrong"
    WRONG_ERROR_CLASS = "an error says that the wrong one has to act"
    REPEATED_NEVER_CALL = "an effect that must not be repeated was sent again without asking"
    EFFECT_DENIED = "an error says that nothing happened, but it did"
    EFFECT_CLAIMED = "a call returned as if accepted, but the platform did nothing"
    DOUBLED_EFFECT = "an effect declared safe to repeat happened twice"
    CANNOT_LOOK = "repeat is LOOK_FIRST, but looking does not tell what the platform has"
    FLOAT_MONEY = "money is not an integer of minor units with an ISO currency"
    WRONG_MONEY = "an amount differs from what the platform says"
    NAIVE_TIME = "an instant carries no time zone"
    WRONG_TIME = "an instant differs from what the platform means"
    BAD_QUANTITY = "a quantity is not an integer of zero or more"
    NOT_PURE = "normalise depends on more than its argument, or changes it"
    UNMAPPED_PAYLOAD = "a mutilated payload raises something else than PayloadError"
    WRONG_PATH = "a PayloadError does not name the field that is wrong"
    BLOCKED_BY_ONE = "one refused listing kept the others from being set"
    STOCK_NOT_SET = "a level was reported as accepted, but the platform shows another number"
    UNKNOWN_KEY = "push_stock answers for a key that it was not given"
    IO_IN_INIT = "the connector called the platform while it was made"
    CHECK_CHANGES = "check changed something on the platform"
    PERSONAL_DATA = "the text of an error holds personal data"
    FORGED_WEBHOOK = "a webhook with a wrong signature was accepted"
    UNREAD_WEBHOOK = "a genuine webhook was refused, or says nothing"
    LOST_LISTING = "a listing of the catalogue was not reported"
    LOST_REPORT = "a report never reached the daemon"
    BROKEN_TEXT = "a text was cut within a character, or is longer than the platform takes"
    EMPTY_NUMBER = "a booking without a number was handed over as a waybill"
    WRONG_NUMBER = "a waybill has other numbers than the courier gave"
    UNPROVEN_CANCEL = "a booking was told to be void, but the courier never said so"
    BAD_LABEL = "bytes that are no label were handed over as one"
    LOST_NODE = "something that happened to a parcel was not told"
    DOUBLED_NODE = "what happened once has several keys, or one key came twice"
    WRONG_NODE = "what happened to a parcel was told wrongly, or out of order"
    TOLD_SECRET = "the text of an error holds a credential"  # noqa: S105 - no secret


class ConformanceError(AssertionError):
    """A connector does not do what its role promises; `finding` says what."""

    def __init__(self, finding: Finding, detail: str) -> None:
        super().__init__(f"{finding.name}: {finding.value}: {detail}")
        self.finding = finding
        self.detail = detail


ACTORS = (TransientError, RateLimitedError, OutcomeUnknownError, AuthError, RejectedError, PayloadError)


def fail(finding: Finding, detail: str) -> NoReturn:
    """Raise the finding."""
    raise ConformanceError(finding, detail)


def judge_error(error: Exception, personal_data: Sequence[str], where: str) -> ConnectorError:
    """Return an error that left a connector; fails when it is of no class that says who acts, or names a person."""
    if isinstance(error, ConformanceError):
        raise error
    if not isinstance(error, ACTORS):
        raise ConformanceError(Finding.UNMAPPED_ERROR, f"{where} raised {error!r}") from error
    if isinstance(error, RateLimitedError) and error.retry_after_s < 0:
        fail(Finding.WRONG_ERROR_CLASS, f"{where}: retry_after_s is {error.retry_after_s}")
    text = f"{error} {error!r}"
    if any(item and item in text for item in personal_data):
        fail(Finding.PERSONAL_DATA, f"{where}: {type(error).__name__} quotes it")
    return error
