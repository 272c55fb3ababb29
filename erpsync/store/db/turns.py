"""Whose turn it is to write to an SQLite file: one of this process's threads at a time.

Why not SQLite's own lock and not `threading.Lock`: both let the quick starve the patient. Why requests from outside
have a line of their own: somebody waits for them, so they go before work of the daemon, which gets every second turn.
"""

import threading
from collections import deque

from erpsync.store.db.engine import StoreError

LOCKED = "another program holds the database's lock"


class NoTurnError(StoreError):
    """What was asked for could not be begun in time; `locked` if the one before it waits for another program."""

    def __init__(self, text: str, *, locked: bool = False) -> None:
        super().__init__(text)
        self.locked = locked


class Turns:
    """A lock that is given in the order it was asked for, to the two lines by turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._border: deque[threading.Lock] = deque()
        self._inner: deque[threading.Lock] = deque()
        self._holder: int | None = None
        self._border_was_last = False
        self._begun = False

    @property
    def waiting(self) -> int:
        """How many threads wait for their turn."""
        return len(self._border) + len(self._inner)

    def enter(self, wait_s: float | None = None) -> None:
        """Wait for one's turn; a request from outside says how long at most and gets `NoTurnError` then."""
        me, line = threading.get_ident(), self._inner if wait_s is None else self._border
        with self._lock:
            if self._holder is None:
                self._take(me, line)
                return
            if self._holder == me:
                raise RuntimeError("this thread has a transaction open already")
            turn = threading.Lock()
            turn.acquire()
            line.append(turn)
        if not turn.acquire(timeout=-1 if wait_s is None else wait_s) and self._leaves(line, turn):
            if not self._begun:
                raise NoTurnError(LOCKED, locked=True)
            raise NoTurnError(f"other work of this daemon takes longer than {wait_s:g} s")
        with self._lock:
            self._take(me, line)

    def begun(self) -> None:
        """Note that the database has given its lock to whoever has the turn."""
        self._begun = True

    def leave(self) -> None:
        """Give the turn to whoever waits longest."""
        with self._lock:
            second = self._border_was_last and self._inner
            line = self._border if self._border and not second else self._inner
            self._begun = False
            if line:
                self._holder = 0
                line.popleft().release()
            else:
                self._holder = None

    def _take(self, me: int, line: "deque[threading.Lock]") -> None:
        self._holder, self._border_was_last = me, line is self._border

    def _leaves(self, line: "deque[threading.Lock]", turn: threading.Lock) -> bool:
        """Leave the line; False when the turn came at the same instant."""
        with self._lock:
            if turn not in line:
                return False
            line.remove(turn)
            return True
