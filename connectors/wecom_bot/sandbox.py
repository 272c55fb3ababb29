"""WeCom's side of a group robot: counts per minute, counts bytes, and answers HTTP 200 with its errors."""

import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse

KEY = "693a91f6-7aaa-4bc4-97a0-0ec2sandbox1"
PER_MINUTE = 20
MOST_BYTES = 2048


def said(code: int, text: str) -> SandboxResponse:
    """Return an answer as WeCom writes it: HTTP 200 whatever it says."""
    return SandboxResponse.of_json({"errcode": code, "errmsg": text})


class WecomRobot(Sandbox):
    """A group with one robot.

    Attributes:
        texts: what stands in the group, oldest first.
        attempts: what was asked to be said, accepted or not.
        mentioned: who was called by name, per message.
        at: when each message was accepted.
    """

    addresses: ClassVar[Mapping[str, str]] = {"gateway": "/cgi-bin/webhook/send"}
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(self, *, key: str = KEY, clock: Clock | None = None, faults: FaultPlan | None = None) -> None:
        super().__init__(faults=faults)
        self.clock = clock or SystemClock()
        self.key = key
        self.texts: list[str] = []
        self.attempts: list[str] = []
        self.mentioned: list[list[str]] = []
        self.at: list[datetime] = []
        self._lock = threading.Lock()

    def throttled(self, request: SandboxRequest) -> SandboxResponse:
        """Return WeCom's words for more than 20 messages a minute."""
        del request
        return said(45009, "api freq out of limit")

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Say what is asked, unless the key, the form, the size or the rate forbids it."""
        with self._lock:
            if request.query.get("key") != self.key or self.faults.strikes(Fault.EXPIRED_TOKEN):
                return said(93000, "invalid webhook url, hint: [sandbox]")
            body = json.loads(request.body)
            if body.get("msgtype") != "text":
                return said(40008, "invalid message type")
            return self._say(body["text"])

    def _say(self, text: Mapping[str, Any]) -> SandboxResponse:
        content = text.get("content", "")
        if content:
            self.attempts.append(content)
        if not content:
            return said(44004, "text content size out of limit")
        if len(content.encode()) > MOST_BYTES:
            return said(45002, "content size out of limit")
        if self.faults.strikes(Fault.PLATFORM_ERROR):
            return said(40058, "invalid request parameter")
        now = self.clock.now()
        if sum(at > now - timedelta(minutes=1) for at in self.at) >= PER_MINUTE:
            return said(45009, "api freq out of limit")
        self.at.append(now)
        self.texts.append(content)
        self.mentioned.append(list(text.get("mentioned_list", ())))
        return said(0, "ok")
