"""What SF's codes mean for us.

Why two tables: the gateway says whether a call reached the service, and the service says what it did; both answer 200.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from erpsync.sdk.errors import AuthError, ConnectorError, RateLimitedError, RejectedError, TransientError
from erpsync.sdk.http import lost

MAX_TEXT = 200
WAIT_S = 2.0


class Verdict(StrEnum):
    """What a code says about the call: not done, perhaps done, wait, an operator must act, or refused."""

    RETRY = "retry"
    UNSURE = "unsure"
    WAIT = "wait"
    OPERATOR = "operator"
    REFUSED = "refused"


GATEWAY: Mapping[str, Verdict] = {
    "A1002": Verdict.OPERATOR,
    "A1003": Verdict.OPERATOR,
    "A1004": Verdict.OPERATOR,
    "A1005": Verdict.WAIT,
    "A1006": Verdict.OPERATOR,
    "A1007": Verdict.UNSURE,
    "A1009": Verdict.UNSURE,
    "A1010": Verdict.OPERATOR,
    "A1099": Verdict.UNSURE,
}
"""Source: protocol note couriers.md section 1.2. A call that the gateway knows already, a service that it did not
reach in time and an error of its own leave open what was done; what stands in no table counts as refused."""

BUSINESS: Mapping[str, Verdict] = {
    "6126": Verdict.OPERATOR,
    "8119": Verdict.OPERATOR,
    "8013": Verdict.RETRY,
    "8177": Verdict.RETRY,
}
"""Source: section 1.3: a monthly account that is none, a number that is not there yet, too many bookings at once."""

ORDER_EXISTS = "8016"
CANCELLED = "8037"
CONFIRMED = "8252"
NOT_FOUND = frozenset({"8018", "6150", "8024"})


def error_of(
    code: str, text: object, table: Mapping[str, Verdict], *, repeatable: bool, hidden: Iterable[str] = ()
) -> ConnectorError:
    """Return the error that a code stands for.

    Args:
        repeatable: whether the call may be done twice; if so "perhaps done" is no more than a reason to try again.
        hidden: values that are blotted out should SF quote them.
    """
    said = _text(text, hidden)
    verdict = table.get(code, Verdict.REFUSED)
    if verdict is Verdict.WAIT:
        return RateLimitedError(said, retry_after_s=WAIT_S, code=code)
    if verdict is Verdict.UNSURE:
        return lost(said, repeatable=repeatable, code=code)
    kinds: Mapping[Verdict, type[ConnectorError]] = {Verdict.RETRY: TransientError, Verdict.OPERATOR: AuthError}
    return kinds.get(verdict, RejectedError)(said, code=code)


def _text(text: object, hidden: Iterable[str]) -> str:
    said = text if isinstance(text, str) and text else "SF gave no reason"
    for value in sorted(filter(None, hidden), key=len, reverse=True):
        said = said.replace(value, "***")
    return said[:MAX_TEXT]
