"""The clock that every part of the product is given.

Why it is an argument: tests and the simulation decide what time it is, and on PostgreSQL all nodes must use the
database's clock.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump, for measuring durations."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`."""
        ...


# Goes on while the machine sleeps: a node that wakes up is to know that its leases are over.
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some fixed instant, those in which the machine slept included."""
        return time.clock_gettime(_ELAPSED)

    def sleep(self, seconds: float) -> None:
        """Block this thread for `seconds`."""
        time.sleep(seconds)


class ManualClock:
    """A clock that stands still until told otherwise; sleeping moves it."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._passed_s = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the instant last set."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """Return the seconds that this clock was moved on by; being set does not count."""
        with self._lock:
            return self._passed_s

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds` at once."""
        self.advance(seconds=seconds)

    def advance(self, *, seconds: float) -> None:
        """Move on by `seconds`."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._passed_s += seconds

    def jump(self, *, seconds: float) -> None:
        """Set the clock forward or, with a negative number, back, without time going by."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
