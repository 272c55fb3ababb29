"""A program that takes messages: checks signature and clock, keeps each id once."""

import hmac
import threading
from collections.abc import Mapping
from typing import ClassVar

from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse
from erpsync.sdk.signing import ID, SIGNATURE, TIMESTAMP, decode_key, sign

SECRET = "whsec_bWVzc2FnZXMtc2FuZGJveC1zZWNyZXQ="  # noqa: S105 - of the sandbox
TOLERANCE_S = 300


class MessageTaker(Sandbox):
    """Keeps what it was told.

    Attributes:
        bodies: bodies by `webhook-id`, in the order in which they first came.
        attempts: the id of every signed call.
    """

    addresses: ClassVar[Mapping[str, str]] = {"url": "/messages"}
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(self, *, secret: str = SECRET, clock: Clock | None = None, faults: FaultPlan | None = None) -> None:
        super().__init__(faults=faults)
        self.clock = clock or SystemClock()
        self.bodies: dict[str, bytes] = {}
        self.attempts: list[str] = []
        self._key = decode_key(secret)
        self._lock = threading.Lock()

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Check the signature over the raw bytes, then keep what it says."""
        headers = request.headers
        id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
        wanted = sign(self._key, request.body, id=id, timestamp=timestamp)
        good = hmac.compare_digest(wanted, headers.get(SIGNATURE, ""))
        off_s = abs(self.clock.now().timestamp() - int(timestamp)) if timestamp.isdigit() else TOLERANCE_S + 1
        if not good or off_s > TOLERANCE_S or self.faults.strikes(Fault.EXPIRED_TOKEN):
            return SandboxResponse.of_json({"error": "the signature is wrong"}, status=401)
        with self._lock:
            if request.json()["type"] == "message":
                self.attempts.append(id)
                if self.faults.strikes(Fault.PLATFORM_ERROR):
                    return SandboxResponse.of_json({"error": "no room"}, status=400)
                self.bodies.setdefault(id, request.body)
        return SandboxResponse.of_json({"ok": True})
