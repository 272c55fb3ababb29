"""Questions to the machine that may hang: put on a thread of their own, one at a time, and shared by all who ask.

Why on a thread of its own: whatever hangs, a database, a network drive or every other thread, the answer comes when it
is due. Why shared: a stranger who asks often makes no work.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

KEEP_S = 1.0
ANSWER_S = 4.5
T = TypeVar("T")


class Probe(Generic[T]):
    """Asks and keeps the answer.

    Args:
        silent: the answer as long as there is none.
        keep_s: for how long an answer counts.
        answer_s: after how long without an answer it is `silent`.
    """

    def __init__(self, ask: Callable[[], T], *, silent: T, keep_s: float = KEEP_S, answer_s: float = ANSWER_S) -> None:
        self._ask = ask
        self._silent = silent
        self._keep_s = keep_s
        self._answer_s = answer_s
        self._lock = threading.Lock()
        self._last: Future[T] | None = None
        self._began_s = self._good_until_s = float("-inf")

    def answer(self) -> T:
        """Return the answer, an old one only while it counts."""
        last, left_s = self.asked()
        try:
            return last.result(left_s)
        except NotYet:
            return self._silent

    async def answer_soon(self) -> T:
        """As `answer`, for the server's own loop."""
        last, left_s = self.asked()
        await asyncio.wait({asyncio.wrap_future(last)}, timeout=left_s)
        return last.result() if last.done() else self._silent

    def asked(self) -> tuple[Future[T], float]:
        """Return the answer that counts or will, asked for if need be, and how long to wait for it."""
        with self._lock:
            now_s, last = time.monotonic(), self._last
            if last is None or (last.done() and now_s >= self._good_until_s):
                self._last = last = Future()
                self._began_s = now_s
                threading.Thread(target=self._run, args=(last,), name="probe", daemon=True).start()
            return last, max(0.0, self._began_s + self._answer_s - now_s)

    def _run(self, asked: "Future[T]") -> None:
        try:
            answer = self._ask()
        except Exception as error:  # noqa: BLE001 - raised where the answer is waited for
            asked.set_exception(error)
            return
        self._good_until_s = time.monotonic() + self._keep_s
        asked.set_result(answer)
