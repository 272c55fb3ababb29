"""What the platform's error codes mean for us.

Why two tables: the gateway's numbers and the services' own codes share digits and mean different things. A new code is
one line here.
"""

from collections.abc import Mapping
from enum import StrEnum

from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    TransientError,
)

MAX_TEXT = 200


class Verdict(StrEnum):
    """What an error says about the call: not done, perhaps done, wait, an operator must act, or refused."""

    RETRY = "retry"
    UNSURE = "unsure"
    WAIT = "wait"
    OPERATOR = "operator"
    REFUSED = "refused"


def _table(**codes: str) -> Mapping[str, Verdict]:
    return {code: Verdict(verdict) for verdict, text in codes.items() for code in text.split()}


GATEWAY: Mapping[str, Verdict] = _table(
    wait="2",
    retry="1 7 8 69",
    unsure="43 65 66 67 70",
    operator="3 9 10 11 12 18 19 20 21 22 24 25 64 71 72 73 2001",
    refused="4 5 6 13 14 15 16 17 23 50 60 61 62 63 68",
)
"""By the code of an `error_response`. Source: protocol note jd.md section 8 [JOSDOC, ERP, MCP]; 2001 is uncertain
there.

7 and 8 (time stamp) are tried again because the client corrects its clock from the refusal's Date header. A code that
is not listed counts as refused, so that a person sees it.
"""

SERVICES: Mapping[str, Verdict] = _table(unsure="999999 99999999 w06106", retry="0")
"""By the code inside a business result that says `success: false`. Source: section 4 [ERP]. A failure with code 0 names
no reason; whatever is not listed counts as refused."""

CLOCK_CODES = frozenset({"7", "8"})

OAUTH: Mapping[str, Verdict] = _table(unsure="500")
"""By the code of a refused token refresh; what is not listed is the operator's matter. Source: section 2."""

KINDS: Mapping[Verdict, type[ConnectorError]] = {
    Verdict.RETRY: TransientError,
    Verdict.OPERATOR: AuthError,
    Verdict.REFUSED: RejectedError,
}


def error_of(
    code: str,
    text: str,
    *,
    repeatable: bool,
    table: Mapping[str, Verdict] = GATEWAY,
    limit_wait_s: float = 0,
    secrets: tuple[str, ...] = (),
) -> ConnectorError:
    """Return the error that a code stands for.

    Args:
        repeatable: whether the call may be done twice; if so "perhaps done" is no more than a reason to try again.
        limit_wait_s: how long to wait where the code says that the call limit is reached.
        secrets: values that are blotted out should the platform quote them.
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    shown = (text or "the platform gave no text")[:MAX_TEXT]
    verdict = table.get(code, Verdict.REFUSED)
    if verdict is Verdict.WAIT:
        return RateLimitedError(shown, retry_after_s=limit_wait_s, code=code)
    if verdict is Verdict.UNSURE:
        return (TransientError if repeatable else OutcomeUnknownError)(shown, code=code)
    return KINDS[verdict](shown, code=code)
