"""The platform's refusals as the sandbox speaks them."""

from collections.abc import Mapping
from typing import Any

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


def refused(service: str, reason: str, text: str = "") -> TopError:
    """Return a business refusal such as `isv.logistics-offline-service-error:B04`."""
    return TopError(15, f"isv.{service}-service-error:{reason}", text)
