"""What takes long to count, counted once for all who look."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from erpsync.sdk.clock import Clock
from erpsync.store.db.turns import NoTurnError

Counted = TypeVar("Counted")
REST_FACTOR = 20


class Shared(Generic[Counted]):
    """Something counted once however many ask at a time.

    It is at most `keep_s` old, or twenty times as old as counting it took: looking never costs a shop with many
    listings more than a twentieth of a processor.

    Args:
        begin: asks for what has to be waited for, and returns what counts; only that is timed.
        keep_s: seconds that it is shared.
        wait_s: seconds that whoever asks waits while it is being counted.
    """

    def __init__(
        self, begin: Callable[[], Callable[[], Counted]], clock: Clock, *, keep_s: float, wait_s: float
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._keep_s = keep_s
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._kept: Counted | None = None
        self._kept_until_s = float("-inf")

    def get(self) -> Counted:
        """Return it; raises `NoTurnError` when it was not counted in time."""
        if not self._lock.acquire(timeout=self._wait_s):
            raise NoTurnError(f"the figures were not counted within {self._wait_s:g} s")
        try:
            if self._kept is None or self._clock.monotonic() >= self._kept_until_s:
                count = self._begin()
                began_s = self._clock.monotonic()
                self._kept = count()
                took_s = self._clock.monotonic() - began_s
                self._kept_until_s = began_s + max(self._keep_s, REST_FACTOR * took_s)
            return self._kept
        finally:
            self._lock.release()
