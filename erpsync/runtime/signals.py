"""Signals of the main thread, turned into words to wait for.

Why a queue: a handler runs between any two instructions of the main thread and must do next to nothing there.
"""

import os
import signal
import sys
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Any

WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """Collects SIGTERM, SIGINT and SIGHUP for the length of a `with` block on the main thread.

    A second SIGTERM or SIGINT ends the process at once with 128 + its number.
    """

    def __init__(self) -> None:
        self.last = ""
        self._queue: SimpleQueue[str] = SimpleQueue()
        self._before: dict[signal.Signals, Any] = {}
        self._ending = False

    @property
    def ending(self) -> bool:
        """Whether a signal to end has come."""
        return self._ending

    def __enter__(self) -> "Signals":
        for number in WATCHED:
            self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, timeout_s: float) -> str:
        """Return the name of the next signal, empty after `timeout_s` without one."""
        try:
            self.last = self._queue.get(timeout=timeout_s)
        except Empty:
            return ""
        return self.last

    def _came(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number != signal.SIGHUP:
            if self._ending:
                sys.stderr.flush()
                os._exit(128 + number)
            self._ending = True
        self._queue.put(signal.Signals(number).name)
