"""The base of every sandbox platform: one function from request to response, with a fault plan around it.

Why a lost connection is an exception and not a response: nothing comes back then, and both the in-process mount and
the real server turn it into what a client sees, a connection that ends without an answer.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from erpsync.sdk.sandbox.faults import Fault, FaultPlan

STATUSES_BEFORE = (500, 502, 503, 504)
STATUSES_AFTER = (500, 502, 504)
HTML = b"<html><head><title>System busy</title></head><body>System busy, try again later.</body></html>"


class ConnectionLost(Exception):
    """The connection ends without an answer; `effect_done` says whether the platform had acted before."""

    def __init__(self, *, effect_done: bool) -> None:
        super().__init__("connection closed without an answer")
        self.effect_done = effect_done


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRequest:
    """A request as the platform sees it. `path` is without query, header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def form(self) -> dict[str, str]:
        """Return the fields of a form body; the last one of a name counts."""
        return dict(parse_qsl(self.body.decode("utf-8"), keep_blank_values=True))

    def json(self) -> Any:
        """Return the body read as JSON; raises ValueError when it is not."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxResponse:
    """An answer. A `content-length` header larger than the body is sent as it is: a body that was cut off."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of_json(cls, value: Any, *, status: int = 200) -> "SandboxResponse":
        """Return `value` as a JSON answer in UTF-8."""
        body = json.dumps(value, ensure_ascii=False).encode("utf-8")
        return cls(status=status, headers={"content-type": "application/json;charset=UTF-8"}, body=body)


class Sandbox(ABC):
    """A platform kept in memory. Subclasses hold the state, implement `answer` and do their own locking.

    `handle` is called by many threads at once when the sandbox is served.
    """

    def __init__(self, *, faults: FaultPlan | None = None) -> None:
        self.faults = faults or FaultPlan()

    @abstractmethod
    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Do what the request asks for and return what the platform would say, faults of the wire left out."""

    def sell(self) -> str | None:
        """Let a buyer order something and pay; return the order's id, None when nothing can be sold.

        `erpsync sandbox --orders` calls it. A platform that has no goods yet puts some on sale.
        """
        return None

    def throttled(self, request: SandboxRequest) -> SandboxResponse:
        """Return the platform's own words for "too many calls"; nothing has happened."""
        del request
        return SandboxResponse(status=429, headers={"retry-after": "1"}, body=b"too many requests")

    def handle(self, request: SandboxRequest) -> SandboxResponse:
        """Return the answer to one request as the fault plan lets it through; may raise `ConnectionLost`.

        Never says 503 or "too many calls" after an effect: those two are definite, a client may rely on them.
        """
        fault = self.faults.draw()
        if fault is Fault.TIMEOUT_BEFORE:
            raise ConnectionLost(effect_done=False)
        if fault is Fault.THROTTLE:
            return self.throttled(request)
        if fault is Fault.ERROR_5XX_BEFORE:
            return SandboxResponse(status=self.faults.choose(STATUSES_BEFORE), body=b"upstream error")
        return self._spoiled(fault, self.answer(request))

    def _spoiled(self, fault: Fault | None, response: SandboxResponse) -> SandboxResponse:
        if fault is Fault.TIMEOUT_AFTER:
            raise ConnectionLost(effect_done=True)
        if fault is Fault.ERROR_5XX_AFTER:
            return SandboxResponse(status=self.faults.choose(STATUSES_AFTER), body=b"upstream error")
        if fault is Fault.HTML_200:
            return SandboxResponse(headers={"content-type": "text/html"}, body=HTML)
        if fault is Fault.CUT_BODY:
            return _cut(response)
        return response


def _cut(response: SandboxResponse) -> SandboxResponse:
    """Return the first half of an answer that announced the whole."""
    headers = {**response.headers, "content-length": str(max(1, len(response.body)))}
    return replace(response, headers=headers, body=response.body[: len(response.body) // 2])
