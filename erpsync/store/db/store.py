"""The one door to the database: `begin()` to write, `read()` to look.

Why wake-ups live here: a commit is the only moment at which another stage has something to do, so the transaction
carries the names of the stages to wake and tells them once it is durable.
"""

import copy
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Engine, Executable, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from erpsync.sdk.clock import Clock, SystemClock
from erpsync.store.db.clock import DatabaseClock, keep_time
from erpsync.store.db.engine import make_engine, wait_at_most
from erpsync.store.db.identity import watch
from erpsync.store.db.privacy import Vault
from erpsync.store.db.turns import NoTurnError, Turns

T = TypeVar("T")

CHANNEL = "erpsync_wake"
BORDER_WAIT_S = 4.0
"""So long a request from outside waits for its turn and the database's lock; its answer is due within 5 s."""

# serialisation failure, deadlock, lock not available; and a rival that made the same row first: seen by the next try
_REPEATABLE = {"40001", "40P01", "55P03", "23505"}


class Stage(StrEnum):
    """What of the daemon a commit may wake."""

    DIRTY = "dirty"
    LOOK = "look"
    RELEASE = "release"
    MAKE = "make"
    PUSH = "push"
    POLL = "poll"
    INBOX = "inbox"
    EVENTS = "events"


class Tx:
    """A write transaction: a connection, its instant, and the stages to wake when it is durable.

    Args:
        unconfirmed: how far the clock has leapt ahead without anybody confirming it.
    """

    def __init__(
        self, connection: Connection, now: datetime, vault: Vault | None, *, unconfirmed: timedelta = timedelta(0)
    ) -> None:
        self.connection = connection
        self.now = now
        self.trusted_now = now - unconfirmed
        self.dialect = connection.dialect.name
        self.wakes: set[Stage] = set()
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

    def insert(self, table: Table) -> postgresql.Insert:
        """Return an INSERT that may say what follows a conflict; both databases write it in the same words."""
        dialect = sqlite if self.dialect == "sqlite" else postgresql
        return cast("postgresql.Insert", dialect.insert(table))

    def wake(self, stage: Stage) -> None:
        """Wake a stage of the daemon once this transaction is durable."""
        self.wakes.add(stage)


_guards: ContextVar[tuple[tuple[str, Callable[[Tx], None]], ...]] = ContextVar("guards", default=())


@contextmanager
def guarded(owner: str, guard: Callable[[Tx], None]) -> Iterator[None]:
    """Let every transaction of this thread and this store's owner ask `guard` before it commits, inside the block.

    What it raises undoes the transaction: so a worker that was stopped for longer than its lease writes nothing,
    wherever it wakes up.
    """
    token = _guards.set((*_guards.get(), (owner, guard)))
    try:
        yield
    finally:
        _guards.reset(token)


@contextmanager
def unguarded() -> Iterator[None]:
    """Let no guard be asked inside the block: for what must be kept whoever holds the lease."""
    token = _guards.set(())
    try:
        yield
    finally:
        _guards.reset(token)


class Store:
    """A database, its clock and its keys.

    Args:
        listen: called with the stages to wake after each commit of this process.
        wait_s: how long a transaction waits at most for its turn and the database's lock; the engine's own time if not
            given, and as long as it takes for its turn.
    """

    def __init__(
        self, engine: Engine, *, clock: Clock | None = None, vault: Vault | None = None, wait_s: float | None = None
    ) -> None:
        self.engine = engine
        self.clock = DatabaseClock(engine, clock or SystemClock())
        self.vault = vault
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns():x}"
        self._listeners: list[Callable[[set[Stage]], None]] = []
        self._turns = Turns() if engine.dialect.name == "sqlite" else None
        self._wait_s = wait_s
        self._keeping = threading.Lock()
        self._borders: list[Store] = []
        self._file = watch(engine)
        self._stamp: Callable[[Tx], None] | None = None

    @classmethod
    def open(
        cls, url: str, *, clock: Clock | None = None, vault: Vault | None = None, wait_s: float | None = None
    ) -> "Store":
        """Return a store for a database URL."""
        return cls(make_engine(url, wait_s=wait_s), clock=clock, vault=vault, wait_s=wait_s)

    def at_border(self, wait_s: float = BORDER_WAIT_S) -> "Store":
        """Return this store for requests from outside, which wait `wait_s` at most and have connections of their own.

        What the daemon is busy with can so neither hold them up nor use their connections up. It is closed with this.
        """
        border = copy.copy(self)
        border.engine = make_engine(self.engine.url, wait_s=wait_s)
        if self._file is not None:
            self._file.guard(border.engine)
        border._wait_s = wait_s
        border._borders = []
        self._borders.append(border)
        return border

    def stamped(self, stamp: Callable[[Tx], None]) -> "Store":
        """Return this store, whose first transaction that commits also writes what `stamp` writes."""
        stamped = copy.copy(self)
        stamped._stamp = stamp
        return stamped

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    def trusted_now(self) -> datetime:
        """Return the instant as of which things may be ended and erased: now, less a leap that nobody has confirmed."""
        if self.clock.is_due():
            with self.begin() as tx:
                return tx.trusted_now
        return self.clock.now() - self.clock.unconfirmed

    def verify(self) -> None:
        """Raise `FileMovedError` when the file of an SQLite database is no longer the one that is open."""
        if self._file is not None:
            self._file.verify()

    def listen(self, listener: Callable[[set[Stage]], None]) -> None:
        """Call `listener` with the stages to wake after each commit."""
        self._listeners.append(listener)

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Yield a transaction that is committed at the end, rolled back if the block raises.

        Raises `FileMovedError` when the database's file was removed or replaced: before anything is done, and when
        what was committed is in no file that a next start would find.
        """
        self.verify()
        with self._turn() as wait_s, self.engine.connect() as connection, self._begun(connection, wait_s) as now:
            tx = Tx(connection, now, self.vault, unconfirmed=self.clock.unconfirmed)
            yield tx
            if self._stamp is not None:
                self._stamp(tx)
            for owner, guard in _guards.get():
                if owner == self.owner:
                    guard(tx)
            if tx.wakes and not self.is_sqlite:
                told = f"{self.owner} {','.join(sorted(tx.wakes))}"
                connection.execute(text("SELECT pg_notify(:c, :p)"), {"c": CHANNEL, "p": told})
        self._stamp = None
        if self._file is not None:
            self._file.verify_written()
        if tx.wakes:
            for listener in self._listeners:
                listener(tx.wakes)

    def _keep_time(self, connection: Connection) -> None:
        """Keep the newest instant every few seconds, and at once when the clock has jumped."""
        if not self.clock.is_due():
            return
        if not self._keeping.acquire(blocking=False):  # another thread is at it
            if not self.clock.in_doubt:
                return
            if not self._keeping.acquire(timeout=-1 if self._wait_s is None else self._wait_s):
                raise NoTurnError("what a clock that was set back has left is being settled")
        try:
            if self.clock.is_due():
                with connection.begin():
                    now = self.clock.now()
                    jumps = self.clock.jumps()
                    seen = keep_time(Tx(connection, now, self.vault), self.clock)
                self.clock.kept(jumps, seen)
        finally:
            self._keeping.release()

    @contextmanager
    def _turn(self) -> Iterator[float | None]:
        """Hold this process's turn to write to SQLite; yield how long the database's lock may be waited for still."""
        if self._turns is None:
            yield None
            return
        began_s = time.monotonic()
        self._turns.enter(self._wait_s)
        try:
            yield None if self._wait_s is None else max(0.0, self._wait_s - (time.monotonic() - began_s))
        finally:
            self._turns.leave()

    @contextmanager
    def _begun(self, connection: Connection, wait_s: float | None) -> Iterator[datetime]:
        """Begin and yield the instant; nothing is decided by a clock that jumped before what is stored is settled."""
        if wait_s is not None:
            wait_at_most(connection, wait_s)
        self.clock.measure(connection)
        self._keep_time(connection)
        begun, now = connection.begin(), self.clock.now()
        if self.clock.in_doubt:
            begun.rollback()
            self._keep_time(connection)
            begun, now = connection.begin(), self.clock.now()
        with begun:
            if self._turns is not None:
                self._turns.begun()
            yield now

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for reading in one snapshot; it cannot be written through."""
        with self.engine.connect() as raw:
            if self.is_sqlite and self._wait_s is not None:
                wait_at_most(raw, self._wait_s)
            connection = raw.execution_options(erpsync_reads=True)
            try:
                if not self.is_sqlite:
                    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def looking(self) -> Iterator[Tx]:
        """Yield what a use case would be given now, over a connection that only reads: to see what it would decide."""
        with self.read() as connection:
            yield Tx(connection, self.clock.now(), None, unconfirmed=self.clock.unconfirmed)

    def retrying(self, work: Callable[[Tx], T], *, tries: int = 5) -> T:
        """Run `work` in a transaction of its own, again when the database asks for it (deadlock, serialisation).

        Nothing is tried again once the store's own waiting time is over.
        """
        until_s = float("inf") if self._wait_s is None else time.monotonic() + self._wait_s
        for attempt in range(1, tries + 1):
            try:
                with self.begin() as tx:
                    return work(tx)
            except DBAPIError as error:
                if attempt == tries or not is_repeatable(error) or time.monotonic() >= until_s:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def close(self) -> None:
        """Close all connections."""
        for border in self._borders:
            border.close()
        self.engine.dispose()


def is_repeatable(error: DBAPIError) -> bool:
    """Whether the database gave up a transaction that may simply be run again."""
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return code in _REPEATABLE
    return isinstance(error, OperationalError) and "database is locked" in str(error)
