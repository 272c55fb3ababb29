"""DingTalk's side of a custom robot: checks signature and clock, blocks who is too fast, answers 200 with errors."""

import hmac
import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.dingtalk_bot.signing import sign
from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse

ACCESS_TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"  # noqa: S105 - of the sandbox
SECRET = "SEC0123456789abcdef0123456789abcdef"  # noqa: S105 - of the sandbox
PER_MINUTE = 20
MOST_BYTES = 20_000
BLOCK = timedelta(minutes=10)
TOLERANCE_S = 3600


def said(code: int, text: str) -> SandboxResponse:
    """Return an answer as DingTalk writes it: HTTP 200 whatever it says."""
    return SandboxResponse.of_json({"errcode": code, "errmsg": text})


class DingtalkRobot(Sandbox):
    """A group with one robot that wants signatures.

    Attributes:
        keyword: what every message has to hold, if anything.
        texts: what stands in the group, oldest first.
        attempts: what was asked to be said, accepted or not.
        at: when each message was accepted.
        bodies: what was accepted, whole.
    """

    addresses: ClassVar[Mapping[str, str]] = {"gateway": "/robot/send"}
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(
        self,
        *,
        access_token: str = ACCESS_TOKEN,
        secret: str = SECRET,
        clock: Clock | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        super().__init__(faults=faults)
        self.clock = clock or SystemClock()
        self.access_token, self.secret = access_token, secret
        self.keyword = ""
        self.texts: list[str] = []
        self.attempts: list[str] = []
        self.at: list[datetime] = []
        self.bodies: list[Mapping[str, Any]] = []
        self._blocked_until: datetime | None = None
        self._lock = threading.Lock()

    def throttled(self, request: SandboxRequest) -> SandboxResponse:
        """Return DingTalk's words for more than 20 messages a minute."""
        del request
        return said(130101, "send too fast, exceed 20 times per minute")

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Say what is asked, unless token, signature, clock, keyword or rate forbid it."""
        with self._lock:
            if request.query.get("access_token") != self.access_token:
                return said(300005, "token is not exist")
            if not self._signed(request.query) or self.faults.strikes(Fault.EXPIRED_TOKEN):
                return said(310000, "sign not match")
            body = json.loads(request.body)
            if body.get("msgtype") != "text":
                return said(400105, "unsupported message type")
            return self._say(body)

    def _signed(self, query: Mapping[str, str]) -> bool:
        timestamp = query.get("timestamp", "")
        if not timestamp.isdigit() or abs(self.clock.now().timestamp() - int(timestamp) / 1000) > TOLERANCE_S:
            return False
        return hmac.compare_digest(sign(self.secret, timestamp), query.get("sign", ""))

    def _say(self, body: Mapping[str, Any]) -> SandboxResponse:
        content, now = body["text"].get("content", ""), self.clock.now()
        self.attempts.append(content)
        if self.keyword not in content:
            return said(310000, "keywords not in content")
        if len(content.encode()) > MOST_BYTES:
            return said(460101, "message too long")
        if self.faults.strikes(Fault.PLATFORM_ERROR):
            return said(43004, "invalid HTTP HEADER Content-Type")
        if self._blocked_until is None or now >= self._blocked_until:
            self._blocked_until = None
            if sum(at > now - timedelta(minutes=1) for at in self.at) >= PER_MINUTE:
                self._blocked_until = now + BLOCK
        if self._blocked_until is not None:
            return said(130101, "send too fast, exceed 20 times per minute")
        self.at.append(now)
        self.texts.append(content)
        self.bodies.append(body)
        return said(0, "ok")
