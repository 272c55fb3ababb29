"""The trial write behind `/readyz` and the figures: at most one at a time and one a second, whoever asks.

Why on a thread of its own: whatever hangs, a database or every other thread, the answer comes when it is due.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

KEEP_S = 1.0
ANSWER_S = 4.5


class Probe:
    """Knows whether the store takes writes.

    Args:
        trial: writes and returns what kept it from that, or nothing.
        keep_s: for how long an answer counts.
        answer_s: after how long a trial without an answer is one that failed.
    """

    def __init__(self, trial: Callable[[], str], *, keep_s: float = KEEP_S, answer_s: float = ANSWER_S) -> None:
        self._trial = trial
        self._keep_s = keep_s
        self._answer_s = answer_s
        self._lock = threading.Lock()
        self._last: Future[str] | None = None
        self._began_s = self._good_until_s = float("-inf")

    def problem(self) -> str:
        """Return what keeps the store from being written to, or nothing."""
        trial, left_s = self._ask()
        try:
            return trial.result(left_s)
        except NotYet:
            return self._silence

    async def problem_soon(self) -> str:
        """As `problem`, for the server's own loop."""
        trial, left_s = self._ask()
        await asyncio.wait({asyncio.wrap_future(trial)}, timeout=left_s)
        return trial.result() if trial.done() else self._silence

    @property
    def _silence(self) -> str:
        return f"the database did not answer within {self._answer_s:g} s"

    def _ask(self) -> tuple[Future[str], float]:
        """Return the trial whose answer counts now, begun if need be, and how long to wait for it."""
        with self._lock:
            now_s, last = time.monotonic(), self._last
            if last is None or (last.done() and now_s >= self._good_until_s):
                self._last = last = Future()
                self._began_s = now_s
                threading.Thread(target=self._run, args=(last,), name="probe", daemon=True).start()
            return last, max(0.0, self._began_s + self._answer_s - now_s)

    def _run(self, trial: "Future[str]") -> None:
        try:
            found = self._trial()
        except BaseException as error:
            trial.set_exception(error)
            raise
        self._good_until_s = time.monotonic() + self._keep_s
        trial.set_result(found)
