"""The envelope of an answer.

Why both shapes are read: with `simplify` the platform leaves out the root key and the list wrappers, and the official
SDK accepts errors without their wrapper as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from erpsync.sdk.errors import PayloadError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The inside of an answer and when the call began and ended, on our clock."""

    body: Mapping[str, Any]
    sent_at: datetime
    received_at: datetime


def root_key(method: str) -> str:
    """Return the root key of a method's answer. Source: protocol note taobao.md section 9 [JSDK]."""
    return method.removeprefix("taobao.").replace(".", "_") + "_response"


def error_part(document: object) -> Mapping[str, Any] | None:
    """Return what an error answer says, None when the answer is none."""
    if not isinstance(document, dict):
        return None
    wrapped = document.get("error_response")
    if isinstance(wrapped, dict):
        return wrapped
    flat = "code" in document and ("msg" in document or "sub_code" in document)
    return document if flat else None


def body_of(method: str, document: object) -> Mapping[str, Any] | None:
    """Return what stands under the root key, None when the answer is none of this method."""
    if not isinstance(document, dict):
        return None
    body = document.get(root_key(method))
    if isinstance(body, dict):
        return body
    simplified = "request_id" in document and not any(key.endswith("_response") for key in document)
    return document if simplified else None


def rows_of(holder: Mapping[str, Any], plural: str, singular: str, *, path: str = "$") -> list[Mapping[str, Any]]:
    """Return the rows of a list such as `trades.trade[]`; absent, null and `{}` are an empty list.

    Raises `PayloadError` when what stands there is no list of objects.
    """
    value: Any = holder.get(plural)
    where = f"{path}.{plural}"
    if isinstance(value, dict):
        value, where = value.get(singular), f"{where}.{singular}"
    if value is None:
        return []
    if not isinstance(value, list):
        raise PayloadError(f"expected a list, found {type(value).__name__}", path=where)
    for index, row in enumerate(value):
        if not isinstance(row, dict):
            raise PayloadError(f"expected an object, found {type(row).__name__}", path=f"{where}[{index}]")
    return value
