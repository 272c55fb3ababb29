"""The envelope of an answer, and the second flag inside it.

Why success is asked for twice: the gateway says `code: "0"` as soon as the service was reached; whether the service did
what was wanted stands one level deeper, under names that differ by method.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.jd.client.errors import SERVICES, error_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.http import lost

ENDINGS = ("_responce", "_response")
"""The platform spells it the first way; some documents show the second. Source: protocol note jd.md section 3.1."""

CODE_NAMES = ("errorCode", "error_code", "numberCode", "code")
TEXT_NAMES = (
    "chineseErrCode",
    "chinese_err_code",
    "englishErrCode",
    "english_err_code",
    "errorMsg",
    "message",
    "msg",
    "failReason",
)
"""Names under which services say why not. Source: sections 3.1, 4, 5 and 6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The inside of an answer, when the call began and ended on our clock, and the platform's Date."""

    body: Mapping[str, Any]
    sent_at: datetime
    received_at: datetime
    platform_at: datetime | None = None


def root_keys(method: str) -> tuple[str, str]:
    """Return the keys under which the answer to a method may stand, the usual one first."""
    name = method.replace(".", "_")
    return f"{name}{ENDINGS[0]}", f"{name}{ENDINGS[1]}"


def body_of(method: str, document: object) -> Mapping[str, Any] | None:
    """Return what stands under the root key, None when the answer is none of this method."""
    if not isinstance(document, dict):
        return None
    candidates = (document.get(key) for key in root_keys(method))
    return next((body for body in candidates if isinstance(body, dict)), None)


def truth(value: object) -> bool | None:
    """Return what a flag says; the platform writes true, "true" and 1. None when it says nothing we know."""
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def first(holder: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the first value that says something, as text; empty when none does."""
    values = (holder.get(name) for name in names)
    return next((str(value) for value in values if value not in (None, "", 0, "0", "0.0")), "")


def result_of(answer: Answer, name: str, *, repeatable: bool = True, flags: str = "") -> Mapping[str, Any]:
    """Return the business result that stands under `name`.

    Args:
        flags: the part of it that holds the success flag; empty when the flag stands in the result itself.
        repeatable: of the call, for the class of the error.

    Raises:
        ConnectorError: the service says that it failed, by `SERVICES`; or, for calls that must not be repeated, does
            not say that it succeeded.
    """
    result = answer.body.get(name)
    if not isinstance(result, dict):
        raise lost(f"the answer holds no {name}", repeatable=repeatable)
    said = result.get(flags) if flags else result
    demand_success(said if isinstance(said, dict) else {}, name, repeatable=repeatable)
    return result


def demand_success(flags: Mapping[str, Any], name: str, *, repeatable: bool) -> None:
    """Raise unless the flags say success; a reading call may leave the flag out.

    A failure without a code is tried again, unless it names a reason for not doing what a call was to do: a person can
    read that.
    """
    success = truth(flags.get("success"))
    if success is False:
        code, text = first(flags, CODE_NAMES), first(flags, TEXT_NAMES)
        if not code and (repeatable or not text):
            code = "0"
        raise error_of(code, text, repeatable=repeatable, table=SERVICES)
    if success is None and not repeatable:
        raise lost(f"the answer does not say {name}.success", repeatable=False)


def rows_of(holder: Mapping[str, Any], name: str, *, path: str = "$") -> list[Mapping[str, Any]]:
    """Return the rows of a plain list; absent and null are an empty one. Raises `PayloadError` for anything else."""
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise PayloadError(f"expected a list, found {type(value).__name__}", path=f"{path}.{name}")
    for index, row in enumerate(value):
        if not isinstance(row, dict):
            raise PayloadError(f"expected an object, found {type(row).__name__}", path=f"{path}.{name}[{index}]")
    return value


def total_of(holder: Mapping[str, Any], name: str) -> int | None:
    """Return how many rows the platform counts, None when it does not say."""
    text = str(holder.get(name))
    return int(text) if text.isascii() and text.isdigit() else None
