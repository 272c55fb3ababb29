"""What the platform's error codes mean for us.

Why a table: the platform answers 200 with an error body for everything, and a new code is one line here. The first rule
that fits decides.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    TransientError,
)

MAX_TEXT = 200
DEFAULT_BAN_S = 10.0


class Verdict(StrEnum):
    """What an error says about the call: not done, perhaps done, wait, an operator must act, or refused."""

    RETRY = "retry"
    UNSURE = "unsure"
    WAIT = "wait"
    OPERATOR = "operator"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Rule:
    """Fits an error whose code is among `codes` (empty: any) and whose sub_code matches `sub_code` (shell pattern)."""

    codes: frozenset[int]
    sub_code: str
    verdict: Verdict

    def fits(self, code: int, sub_code: str) -> bool:
        """Return whether this rule speaks of the error."""
        return (not self.codes or code in self.codes) and fnmatchcase(sub_code, self.sub_code)


def _codes(verdict: Verdict, *codes: int) -> Rule:
    return Rule(frozenset(codes), "*", verdict)


def _sub(verdict: Verdict, pattern: str) -> Rule:
    return Rule(frozenset(), pattern, verdict)


ERROR_RULES: tuple[Rule, ...] = (
    _codes(Verdict.WAIT, 7, 8),
    _sub(Verdict.WAIT, "accesscontrol.limited-by-*"),
    _codes(Verdict.OPERATOR, 11, 12, 13, 24, 25, 26, 27, 28, 29),
    _sub(Verdict.OPERATOR, "invalid-sessionkey"),
    _sub(Verdict.OPERATOR, "session-expired"),
    _sub(Verdict.OPERATOR, "isv.permission-*"),
    _codes(Verdict.RETRY, 30, 31),
    _sub(Verdict.REFUSED, "isp.null-pointer-exception"),
    _sub(Verdict.REFUSED, "isp.top-mapping-parse-error"),
    _sub(Verdict.RETRY, "isp.*service-unavailable"),
    _sub(Verdict.RETRY, "isp.system-busy"),
    _sub(Verdict.UNSURE, "isp.*"),
    _sub(Verdict.RETRY, "isv.*-service-error:S01"),
    _sub(Verdict.RETRY, "isv.*-service-error:B150"),
    _sub(Verdict.REFUSED, "isv.*"),
    _codes(Verdict.RETRY, 3, 10),
    _codes(Verdict.UNSURE, 15, 50),
    _codes(Verdict.REFUSED, 9, 21, 22, 23, 32, 33, 34, 40, 41, 42, 43),
)
"""Source: protocol note taobao.md section 8 [DOC-101617, JSDK, MCP, ERP] and the shipping errors of section 4.

30 and 31 (timestamp) are tried again because the client corrects its clock from the refusal's Date header.
An error that no rule fits counts as refused, so that a person sees it.
"""


def error_of(document: Mapping[str, Any], *, repeatable: bool, secrets: Iterable[str] = ()) -> ConnectorError:
    """Return the error that an error answer stands for.

    Args:
        document: the content of `error_response`.
        repeatable: whether the call may be done twice; if so "perhaps done" is no more than a reason to try again.
        secrets: values that are blotted out should the platform quote them.
    """
    code, sub_code = _number(document.get("code")), str(document.get("sub_code") or "")
    text = _text(document, secrets)
    verdict = next((rule.verdict for rule in ERROR_RULES if rule.fits(code, sub_code)), Verdict.REFUSED)
    shown = sub_code or str(code)
    if verdict is Verdict.WAIT:
        return RateLimitedError(text, retry_after_s=ban_s(document), code=shown)
    if verdict is Verdict.UNSURE:
        return (TransientError if repeatable else OutcomeUnknownError)(text, code=shown)
    kinds: Mapping[Verdict, type[ConnectorError]] = {
        Verdict.RETRY: TransientError,
        Verdict.OPERATOR: AuthError,
        Verdict.REFUSED: RejectedError,
    }
    return kinds[verdict](text, code=shown)


def ban_s(document: Mapping[str, Any]) -> float:
    """Return how many seconds the ban lasts; the number stands only in the text of sub_msg."""
    seconds = re.search(r"(\d+)\s*(?:more\s+)?second", str(document.get("sub_msg") or ""))
    return float(seconds.group(1)) if seconds else DEFAULT_BAN_S


def is_clock_error(document: Mapping[str, Any]) -> bool:
    """Return whether the platform refused our timestamp."""
    return _number(document.get("code")) in (30, 31)


def _text(document: Mapping[str, Any], secrets: Iterable[str]) -> str:
    text = str(document.get("sub_msg") or document.get("msg") or "the platform gave no text")
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text[:MAX_TEXT]


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 0
