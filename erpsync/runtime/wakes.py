"""Wake-ups from other processes: a command or another node has committed something.

SQLite: `PRAGMA data_version` on a connection of its own changes with every commit of any other one. PostgreSQL:
NOTIFY. Both are hints; whoever misses one finds the work at the next tick.
Source: https://www.sqlite.org/pragma.html#pragma_data_version
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
import structlog

from erpsync.store.db.engine import sqlite_path
from erpsync.store.db.store import CHANNEL, Stage, Store

log = structlog.get_logger("erpsync.runtime.wakes")

LOOK_S = 0.1
RECONNECT_S = 2.0


class Watcher(Protocol):
    """Listens in a thread until it is told to stop."""

    def start(self) -> None:
        """Begin to listen."""
        ...

    def stop(self) -> None:
        """Listen no more; returns within about a second."""
        ...


class _Watcher(threading.Thread):
    def __init__(self, wake: Callable[[set[Stage]], None]) -> None:
        super().__init__(name="wakes", daemon=True)
        self._wake = wake
        self._ended = threading.Event()
        self._lost = False

    def stop(self) -> None:
        """Listen no more."""
        self._ended.set()
        if self.ident is not None:
            self.join(timeout=2)

    def run(self) -> None:
        """Listen, and begin again when the connection is lost."""
        while not self._ended.is_set():
            try:
                self._listen()
            except (sqlite3.Error, psycopg.Error, OSError) as error:
                if not self._lost:
                    log.warning("wakes.lost", error=type(error).__name__)
                self._lost = True
                self._ended.wait(RECONNECT_S)

    def _listen(self) -> None:
        raise NotImplementedError

    def _hears(self) -> None:
        """Note that the connection is there; what was missed meanwhile is looked for."""
        if self._lost:
            self._lost = False
            log.info("wakes.restored")
        self._wake(set(Stage))


class SqliteWatcher(_Watcher):
    """Looks ten times a second whether anyone has committed."""

    def __init__(self, path: Path, wake: Callable[[set[Stage]], None]) -> None:
        super().__init__(wake)
        self._path = path

    def _listen(self) -> None:
        with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            seen = _version(connection)
            self._hears()
            while not self._ended.wait(LOOK_S):
                now = _version(connection)
                if now != seen:
                    seen = now
                    self._wake(set(Stage))


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


class PostgresWatcher(_Watcher):
    """Listens for NOTIFY on a connection of its own; what this process has committed it knows already."""

    def __init__(self, store: Store, wake: Callable[[set[Stage]], None]) -> None:
        super().__init__(wake)
        self._owner = store.owner
        arguments, keywords = store.engine.dialect.create_connect_args(store.engine.url)
        self._arguments: Any = arguments
        self._keywords: Any = keywords

    def _listen(self) -> None:
        with psycopg.connect(*self._arguments, **self._keywords, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._hears()
            while not self._ended.is_set():
                for notice in connection.notifies(timeout=0.5, stop_after=1):
                    owner, _, names = notice.payload.rpartition(" ")
                    if owner != self._owner:
                        self._wake({stage for stage in Stage if stage in names.split(",")})


def watcher(store: Store, wake: Callable[[set[Stage]], None]) -> Watcher:
    """Return the watcher for this database; `wake` gets the stages, all of them when they are not known."""
    path = sqlite_path(store.engine)
    return PostgresWatcher(store, wake) if path is None else SqliteWatcher(path, wake)
