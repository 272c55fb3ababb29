"""The one door to the database: `begin()` to write, `read()` to look.

Why wake-ups live here: a commit is the only moment at which another stage has something to do, so the transaction
carries the names of the stages to wake and tells them once it is durable.
"""

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Engine, Executable, text
from sqlalchemy.exc import DBAPIError, OperationalError

from erpsync.sdk.clock import Clock, SystemClock
from erpsync.store.engine import make_engine
from erpsync.store.privacy import Vault

T = TypeVar("T")

CHANNEL = "erpsync_wake"
_TICK = timedelta(microseconds=1)
# serialisation failure, deadlock, lock not available; and a rival that made the same row first: seen by the next try
_REPEATABLE = {"40001", "40P01", "55P03", "23505"}


class DatabaseClock:
    """The database's clock, told by this process between looks at it.

    On SQLite it is the machine's own clock. On PostgreSQL the offset is measured every `every_s` seconds against a
    monotonic clock, so that a jump of this machine's clock moves nothing.
    """

    def __init__(self, engine: Engine, base: Clock, *, every_s: float = 30) -> None:
        self._engine = engine
        self._base = base
        self._every_s = every_s
        self._lock = threading.Lock()
        self._measured_at = float("-inf")
        self._reference = base.now()
        self._last = self._reference - _TICK

    def now(self) -> datetime:
        """Return the database's current instant in UTC, later than every one told before.

        That two decisions of this process never share an instant is what lets "read since it was marked" be asked.
        """
        now = self._told()
        with self._lock:
            self._last = max(now, self._last + _TICK)
            return self._last

    def _told(self) -> datetime:
        if self._engine.dialect.name == "sqlite" or not isinstance(self._base, SystemClock):
            return self._base.now()
        with self._lock:
            if self._base.monotonic() - self._measured_at > self._every_s:
                self._measure()
            return self._reference + timedelta(seconds=self._base.monotonic() - self._measured_at)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return self._base.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`."""
        self._base.sleep(seconds)

    def _measure(self) -> None:
        with self._engine.connect() as connection:
            self._reference = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        self._measured_at = self._base.monotonic()


class Tx:
    """A write transaction: a connection, its instant, and the stages to wake when it is durable."""

    def __init__(self, connection: Connection, now: datetime, vault: Vault | None) -> None:
        self.connection = connection
        self.now = now
        self.dialect = connection.dialect.name
        self.wakes: set[str] = set()
        self._vault = vault

    @property
    def vault(self) -> Vault:
        """The keys for personal data; an error when this process runs without any."""
        if self._vault is None:
            raise LookupError("this command runs without encryption keys and cannot touch personal data")
        return self._vault

    def execute(self, statement: Executable, rows: Any = None) -> CursorResult[Any]:
        """Run one statement, for one or many rows of parameters."""
        result = self.connection.execute(statement, rows) if rows is not None else self.connection.execute(statement)
        return cast("CursorResult[Any]", result)

    def all(self, statement: Executable) -> Sequence[Any]:
        """Return all rows of a query."""
        return self.connection.execute(statement).all()

    def wake(self, stage: str) -> None:
        """Wake a stage of the daemon once this transaction is durable."""
        self.wakes.add(stage)


class _Queue:
    """A lock that is given in the order it was asked for; `threading.Lock` lets the quick starve the patient."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._holder: int | None = None

    def enter(self) -> None:
        """Wait for one's turn."""
        me = threading.get_ident()
        with self._lock:
            if self._holder is None:
                self._holder = me
                return
            if self._holder == me:
                raise RuntimeError("this thread has a transaction open already")
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()
        with self._lock:
            self._holder = me

    def leave(self) -> None:
        """Give the turn to whoever waits longest."""
        with self._lock:
            if self._waiting:
                self._holder = 0
                self._waiting.popleft().release()
            else:
                self._holder = None


class Store:
    """A database, its clock and its keys.

    Args:
        listen: called with the names of the stages to wake after each commit of this process.
    """

    def __init__(self, engine: Engine, *, clock: Clock | None = None, vault: Vault | None = None) -> None:
        self.engine = engine
        self.clock = DatabaseClock(engine, clock or SystemClock())
        self.vault = vault
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns():x}"
        self._listeners: list[Callable[[set[str]], None]] = []
        self._writer = _Queue() if engine.dialect.name == "sqlite" else None

    @classmethod
    def open(cls, url: str, *, clock: Clock | None = None, vault: Vault | None = None) -> "Store":
        """Return a store for a database URL."""
        return cls(make_engine(url), clock=clock, vault=vault)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    def listen(self, listener: Callable[[set[str]], None]) -> None:
        """Call `listener` with the stages to wake after each commit."""
        self._listeners.append(listener)

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Yield a transaction that is committed at the end, rolled back if the block raises."""
        with self._one_writer(), self.engine.connect() as connection, connection.begin():
            tx = Tx(connection, self.clock.now(), self.vault)
            yield tx
            if tx.wakes and not self.is_sqlite:
                told = f"{self.owner} {','.join(sorted(tx.wakes))}"
                connection.execute(text("SELECT pg_notify(:c, :p)"), {"c": CHANNEL, "p": told})
        if tx.wakes:
            for listener in self._listeners:
                listener(tx.wakes)

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """Queue this process's writers fairly on SQLite, whose own lock lets the quick starve the patient."""
        if self._writer is None:
            yield
            return
        self._writer.enter()
        try:
            yield
        finally:
            self._writer.leave()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for reading in one snapshot; it cannot be written through."""
        with self.engine.connect() as raw:
            connection = raw.execution_options(erpsync_reads=True)
            try:
                if not self.is_sqlite:
                    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
                yield connection
            finally:
                connection.rollback()

    def retrying(self, work: Callable[[Tx], T], *, tries: int = 3) -> T:
        """Run `work` in a transaction of its own, again when the database asks for it (deadlock, serialisation)."""
        for attempt in range(1, tries + 1):
            try:
                with self.begin() as tx:
                    return work(tx)
            except DBAPIError as error:
                if attempt == tries or not is_repeatable(error):
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def is_repeatable(error: DBAPIError) -> bool:
    """Whether the database gave up a transaction that may simply be run again."""
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return code in _REPEATABLE
    return isinstance(error, OperationalError) and "database is locked" in str(error)
