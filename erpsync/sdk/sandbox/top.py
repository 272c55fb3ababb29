"""The gateway of the Taobao Open Platform: what it refuses, and the envelope it answers in.

Why the session is not checked here: that comes after the signature and for some methods only, and a wrong secret must
not look like an expired session.
"""

import hmac
import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sandbox import SandboxResponse
from erpsync.sdk.top.answers import root_key
from erpsync.sdk.top.signing import SIGN_METHODS, sign
from erpsync.sdk.top.times import parse_time

TIME_TOLERANCE = timedelta(minutes=10)
BAN_S = 1
PUBLIC = frozenset({"method", "app_key", "session", "timestamp", "v", "sign_method", "sign", "format", "simplify"})

MESSAGES: Mapping[int, str] = {
    7: "App Call Limited",
    15: "Remote service error",
    21: "Missing Method",
    22: "Invalid Method",
    23: "Invalid Format",
    24: "Missing Signature",
    25: "Invalid Signature",
    26: "Missing Session",
    27: "Invalid session",
    28: "Missing App Key",
    29: "Invalid App Key",
    30: "Missing Timestamp",
    31: "Invalid Timestamp",
    40: "Missing Required Arguments",
    41: "Invalid Arguments",
}
"""Source: protocol note taobao.md section 8."""


class TopError(Exception):
    """An error answer. `sub_msg` is shown to people, and carries the seconds of a ban."""

    def __init__(self, code: int, sub_code: str = "", sub_msg: str = "") -> None:
        super().__init__(sub_code or str(code))
        self.code = code
        self.sub_code = sub_code
        self.sub_msg = sub_msg

    def document(self, request_id: str) -> dict[str, Any]:
        """Return the answer's body."""
        error: dict[str, Any] = {"code": self.code, "msg": MESSAGES.get(self.code, "Remote service error")}
        if self.sub_code:
            error["sub_code"] = self.sub_code
        if self.sub_msg:
            error["sub_msg"] = self.sub_msg
        return {"error_response": {**error, "request_id": request_id}}


def missing(name: str) -> TopError:
    """Return the error for a parameter that is not there."""
    return TopError(40, f"isv.missing-parameter:{name}", f"{name} is missing")


def invalid(name: str) -> TopError:
    """Return the error for a parameter the platform does not take."""
    return TopError(41, f"isv.invalid-parameter:{name}", f"{name} is not valid")


def check_app(
    params: Mapping[str, str], *, app_key: str, app_secret: SecretStr, now: datetime, methods: Collection[str]
) -> None:
    """Raise what the gateway refuses before it looks at the session.

    Source: protocol note taobao.md sections 1 and 8.
    """
    if not params.get("method"):
        raise TopError(21)
    if params["method"] not in methods:
        raise TopError(22)
    if params.get("format", "xml") != "json":
        raise TopError(23, sub_msg="the sandbox speaks JSON only")
    for name, code in (("sign", 24), ("app_key", 28), ("timestamp", 30)):
        if not params.get(name):
            raise TopError(code)
    if params["app_key"] != app_key:
        raise TopError(29)
    method = params.get("sign_method", "md5")
    if method not in SIGN_METHODS:
        raise TopError(25)
    expected = sign(params, app_secret, method)
    if not hmac.compare_digest(expected, params["sign"].encode("ascii", "replace").decode("ascii")):
        raise TopError(25)
    try:
        at = parse_time(params["timestamp"], path="timestamp")
    except PayloadError:
        raise TopError(31) from None
    if abs(at - now) > TIME_TOLERANCE:
        raise TopError(31)


def check_session(params: Mapping[str, str], session: str, *, expired: bool) -> None:
    """Raise what the gateway refuses of a session."""
    if not params.get("session"):
        raise TopError(26)
    if expired or params["session"] != session:
        raise TopError(27, "invalid-sessionkey", "SessionKey非法")


def wrapped(method: str, body: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """Return the document that answers a method."""
    return {root_key(method): {**body, "request_id": request_id}}


def response_of(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> SandboxResponse:
    """Return a document as it travels: always status 200, errors are in the body."""
    text = json.dumps(document, ensure_ascii=False).encode("utf-8")
    return SandboxResponse(headers={"content-type": "application/json;charset=UTF-8", **(headers or {})}, body=text)


def too_many() -> SandboxResponse:
    """Return "too many calls" in the platform's words: error 7, the seconds in the text."""
    error = TopError(7, "accesscontrol.limited-by-api-access-count", f"This ban will last for {BAN_S} more seconds")
    return response_of(error.document("16sandbox-throttled"))
