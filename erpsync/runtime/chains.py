"""A chain: one stage that runs when it is woken, never twice at once, and never misses a wake.

    idle ──wake──▶ queued ──a thread is free──▶ running ──▶ idle
                                                   └─ woken meanwhile ──▶ queued

Why not the scheduler's `max_instances`: it drops a tick that comes while a job runs, and a commit that happens just
after the job has looked would then wait for the next interval.
"""

import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Protocol

LOST_AFTER_S = 60
RETRY_S = 2.0


class Launcher(Protocol):
    """Runs chains on threads, now or later."""

    def submit(self, chain: "Chain") -> None:
        """Run the chain as soon as a thread of its pool is free."""
        ...

    def wake_in(self, chain: "Chain", seconds: float) -> None:
        """Wake the chain once after `seconds`; replaces what was asked before."""
        ...


class _State(Enum):
    IDLE = "idle"
    QUEUED = "queued"
    RUNNING = "running"


class Chain:
    """A named stage.

    Args:
        work: does what there is to do; returns after how many seconds it wants another run (0: at once, behind the
            others of its pool), None when it needs none. If it raises, it runs again after `RETRY_S`.
        pool: names the pool for the next run.
    """

    def __init__(
        self, name: str, work: Callable[[], float | None], *, launcher: Launcher, pool: Callable[[], str]
    ) -> None:
        self.name = name
        self.pool = pool
        self._work = work
        self._launcher = launcher
        self._lock = threading.Lock()
        self._state = _State.IDLE
        self._queued_at = 0.0
        self._again = False
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a run is queued or under way."""
        with self._lock:
            return self._state is not _State.IDLE

    def wake(self) -> None:
        """Let the stage look once more, after this instant."""
        with self._lock:
            if self._closed:
                return
            if self._state is _State.RUNNING:
                self._again = True
                return
            if self._state is _State.QUEUED and time.monotonic() - self._queued_at < LOST_AFTER_S:
                return
            self._queue()
        self._launcher.submit(self)

    def close(self) -> None:
        """Begin no further run; one that is under way goes on."""
        with self._lock:
            self._closed = True

    def run(self) -> None:
        """Do the work once, on the calling thread; called by the launcher."""
        with self._lock:
            if self._state is not _State.QUEUED:
                return
            if self._closed:
                self._state = _State.IDLE
                return
            self._state = _State.RUNNING
            self._again = False
        rest_s: float | None = RETRY_S
        try:
            rest_s = self._work()
        finally:
            self._ended(rest_s)

    def _ended(self, rest_s: float | None) -> None:
        with self._lock:
            now = not self._closed and (self._again or rest_s == 0)
            later = not self._closed and not now and rest_s is not None
            if now:
                self._queue()
            else:
                self._state = _State.IDLE
        if now:
            self._launcher.submit(self)
        elif later and rest_s is not None:
            self._launcher.wake_in(self, rest_s)

    def _queue(self) -> None:
        self._state = _State.QUEUED
        self._queued_at = time.monotonic()


class Run:
    """One run under way; `touch` tells that it still gets on."""

    def __init__(self, name: str, deadline_s: float) -> None:
        self.name = name
        self.deadline_s = deadline_s
        self.began_at_s = self.touched_at_s = time.monotonic()

    def touch(self) -> None:
        """Say that a step was done."""
        self.touched_at_s = time.monotonic()

    @property
    def overdue(self) -> bool:
        """Whether nothing was heard of it for longer than its deadline."""
        return time.monotonic() - self.touched_at_s > self.deadline_s


class Runs:
    """The runs that are under way in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Run] = []

    def begin(self, name: str, *, deadline_s: float) -> Run:
        """Note that a run begins."""
        run = Run(name, deadline_s)
        with self._lock:
            self._open.append(run)
        return run

    def end(self, run: Run) -> None:
        """Note that a run has ended."""
        with self._lock:
            self._open.remove(run)

    def names(self) -> list[str]:
        """Return what is running now."""
        with self._lock:
            return sorted(run.name for run in self._open)

    def overdue(self) -> list[str]:
        """Return the runs that are past their deadline."""
        with self._lock:
            return sorted(run.name for run in self._open if run.overdue)
