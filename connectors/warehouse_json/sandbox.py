"""A warehouse system as its developer would write it: checks signatures, keeps releases, reports in a feed."""

import hmac
import json
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse
from erpsync.sdk.signing import ID, SIGNATURE, TIMESTAMP, decode_key, sign

SECRET = "whsec_d2FyZWhvdXNlLXNhbmRib3gtc2VjcmV0"  # noqa: S105 - of the sandbox
TOLERANCE_S = 300


class JsonWarehouse(Sandbox):
    """A warehouse with releases and a feed.

    Args:
        secret: shared with erpsync.

    Attributes:
        says: what it answers when asked to stop something that has not left: true, or null for "later".
    """

    addresses: ClassVar[Mapping[str, str]] = {"url": "/erpsync"}
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(self, *, secret: str = SECRET, clock: Clock | None = None, faults: FaultPlan | None = None) -> None:
        super().__init__(faults=faults)
        self.clock = clock or SystemClock()
        self.says: bool | None = True
        self.releases: dict[str, dict[str, Any]] = {}
        self.stopped: set[str] = set()
        self.left: set[str] = set()
        self.feed: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.release_attempts: list[str] = []
        self._key = decode_key(secret)
        self._lock = threading.RLock()

    # ---- what happens in the warehouse -----------------------------------------------------------------------------

    def ship(self, number: str, tracking: str, *, carrier: str = "SF") -> None:
        """Send all of a release off, unless it was stopped."""
        with self._lock:
            if number in self.stopped:
                return
            self.left.add(number)
            lines = [{name: line[name] for name in ("line", "sku", "qty")} for line in self.releases[number]["lines"]]
            data = {"release": number, "carrier": carrier, "tracking": tracking, "lines": lines}
            self.report("dispatch", **data, left_at=self.clock.now().isoformat())

    def count_stock(self, sku: str, on_hand: int, *, as_of: datetime | None = None) -> None:
        """Report what was counted, now or at `as_of`."""
        self.report("count", sku=sku, on_hand=on_hand, as_of=(as_of or self.clock.now()).isoformat())

    def decide(self, number: str, *, stopped: bool, reason: str = "") -> None:
        """Answer later whether a release was stopped."""
        with self._lock:
            if stopped:
                self.stopped.add(number)
            self.report("cancel_answer", release=number, stopped=stopped, reason=reason)

    def report(self, type: str, **data: Any) -> None:
        """Add anything to the feed."""
        with self._lock:
            self.feed.append({"type": type, "data": {"id": str(len(self.feed) + 1), **data}})

    # ---- what erpsync asks -----------------------------------------------------------------------------------------

    def _carry_out(self, type: str, data: Mapping[str, Any]) -> SandboxResponse:
        """Carry out one call."""
        with self._lock:
            self.calls.append(type)
            if type == "ping":
                return SandboxResponse.of_json({"ok": True})
            if type == "release":
                return self._release(data)
            if type == "find_release":
                return SandboxResponse.of_json({"found": data["number"] in self.releases})
            if type == "cancel":
                return self._cancel(str(data["number"]))
            if type == "reports":
                start = int(data["after"] or 0)
                rows = self.feed[start : start + int(data["limit"])]
                return SandboxResponse.of_json({"reports": rows, "mark": str(start + len(rows))})
            return SandboxResponse.of_json({"error": f"no call {type}"}, status=404)

    def _release(self, data: Mapping[str, Any]) -> SandboxResponse:
        number = str(data["number"])
        self.release_attempts.append(number)
        if number in self.releases:
            return SandboxResponse.of_json({"error": "known already"}, status=409)
        if number in self.stopped:
            return SandboxResponse.of_json({"error": "stopped before it came"}, status=409)
        self.releases[number] = dict(data)
        return SandboxResponse.of_json({"ok": True})

    def _cancel(self, number: str) -> SandboxResponse:
        if number in self.left:
            return SandboxResponse.of_json({"stopped": False})
        if self.says:
            self.stopped.add(number)
        return SandboxResponse.of_json({"stopped": self.says})

    # ---- the wire --------------------------------------------------------------------------------------------------

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Check the signature, then carry the call out."""
        headers = request.headers
        id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
        wanted = sign(self._key, request.body, id=id, timestamp=timestamp)
        good = hmac.compare_digest(wanted, headers.get(SIGNATURE, ""))
        off_s = abs(self.clock.now().timestamp() - int(timestamp)) if timestamp.isdigit() else TOLERANCE_S + 1
        if not good or off_s > TOLERANCE_S or self.faults.strikes(Fault.EXPIRED_TOKEN):
            return SandboxResponse.of_json({"error": "the signature is wrong"}, status=401)
        message = json.loads(request.body)
        return self._carry_out(message["type"], message["data"])
