"""Feishu's side of a custom bot: checks signature and clock, counts per minute and second, answers 200 with errors."""

import hmac
import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.feishu_bot.signing import sign
from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse

TOKEN = "b7a3f0c2-5d1e-4f6a-9c8b-sandbox00001"  # noqa: S105 - of the sandbox
SECRET = "feishuSecret123"  # noqa: S105 - of the sandbox
PER_MINUTE, PER_SECOND = 100, 5
MOST_BYTES = 20 * 1024
TOLERANCE_S = 3600


def said(code: int, text: str) -> SandboxResponse:
    """Return an answer as Feishu writes it: HTTP 200 whatever it says."""
    if code == 0:
        return SandboxResponse.of_json(
            {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": text}
        )
    return SandboxResponse.of_json({"code": code, "data": {}, "msg": text})


class FeishuBot(Sandbox):
    """A group with one bot that wants signatures.

    Attributes:
        texts: what stands in the group, titles first, oldest first.
        attempts: what was asked to be said, accepted or not.
        at: when each message was accepted.
        posts: what was accepted, whole.
    """

    addresses: ClassVar[Mapping[str, str]] = {"gateway": "/open-apis/bot/v2/hook"}
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(
        self,
        *,
        token: str = TOKEN,
        secret: str = SECRET,
        clock: Clock | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        super().__init__(faults=faults)
        self.clock = clock or SystemClock()
        self.token, self.secret = token, secret
        self.texts: list[str] = []
        self.attempts: list[str] = []
        self.at: list[datetime] = []
        self.posts: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()

    def throttled(self, request: SandboxRequest) -> SandboxResponse:
        """Return Feishu's words for too many messages."""
        del request
        return said(11232, "frequency limited psm[lark.oapi.app_platform_runtime]")

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Say what is asked, unless token, signature, clock, size or rate forbid it."""
        with self._lock:
            if request.path != f"/open-apis/bot/v2/hook/{self.token}":
                return said(19001, "param invalid: incoming webhook access token invalid")
            body = json.loads(request.body)
            if not self._signed(body) or self.faults.strikes(Fault.EXPIRED_TOKEN):
                return said(19021, "sign match fail or timestamp is not within one hour from current time")
            if body.get("msg_type") != "post":
                return said(9499, "Bad Request")
            return self._say(body["content"]["post"]["zh_cn"], len(request.body))

    def _signed(self, body: Mapping[str, Any]) -> bool:
        timestamp = str(body.get("timestamp", ""))
        if not timestamp.isdigit() or abs(self.clock.now().timestamp() - int(timestamp)) > TOLERANCE_S:
            return False
        return hmac.compare_digest(sign(self.secret, timestamp), str(body.get("sign", "")))

    def _say(self, post: Mapping[str, Any], size: int) -> SandboxResponse:
        pieces = [piece["text"] for line in post["content"] for piece in line if piece["tag"] == "text"]
        text, now = "\n".join([post["title"], *pieces]), self.clock.now()
        self.attempts.append(text)
        if size > MOST_BYTES or self.faults.strikes(Fault.PLATFORM_ERROR):
            return said(9499, "Bad Request")
        minute = sum(at > now - timedelta(minutes=1) for at in self.at)
        second = sum(at > now - timedelta(seconds=1) for at in self.at)
        if minute >= PER_MINUTE or second >= PER_SECOND:
            return said(11232, "frequency limited psm[lark.oapi.app_platform_runtime]")
        self.at.append(now)
        self.texts.append(text)
        self.posts.append(post)
        return said(0, "success")
