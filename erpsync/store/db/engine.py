"""Engines for SQLite and PostgreSQL, set up so that both keep the same promises.

SQLite: WAL, `synchronous=FULL`, foreign keys, writers start with BEGIN IMMEDIATE (a deferred transaction that reads
and then writes fails at once under concurrency whatever the busy time-out), readers stay deferred.
PostgreSQL: READ COMMITTED, every row is locked before it is decided on; prepared plans are made anew so that a plan
made on an empty table is not kept while the table grows, and none is compiled: that takes longer than our statements.
"""

import math
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import QueuePool

BUSY_TIMEOUT_S, POOL_TIMEOUT_S, CONNECT_TIMEOUT_S = 30, 30, 10
WAL_TRIES = 100
POSTGRESQL_POOL, POSTGRESQL_BORDER_POOL = (20, 12), (4, 4)
"""Connections that are kept, and how many more there may be: of a hundred a server usually grants, two nodes fit."""

PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA temp_store=MEMORY",
)


class StoreError(Exception):
    """The store cannot be used as it is; the text says what to do."""


class UnusableError(StoreError):
    """The store cannot be used, and trying again never helps: a person has to put something in its place."""


def make_engine(url: str | URL, *, wait_s: float | None = None) -> Engine:
    """Return an engine for a `sqlite:///` or `postgresql+psycopg://` URL, ready for use by threads.

    Args:
        wait_s: how long anything is waited for at most: a connection, a lock, on PostgreSQL a statement. For who is
            waited for by somebody; without it work waits as long as makes sense.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, BUSY_TIMEOUT_S if wait_s is None else wait_s)
    if parsed.drivername != "postgresql+psycopg":
        raise StoreError(f"database must be sqlite:/// or postgresql+psycopg://, is {parsed.drivername}://")
    options = "-c timezone=UTC -c plan_cache_mode=force_custom_plan -c jit=off"
    waits_s = wait_s or POOL_TIMEOUT_S
    if wait_s is not None:
        wait_ms = round(wait_s * 1000)
        options += f" -c lock_timeout={wait_ms * 4 // 5} -c statement_timeout={wait_ms}"  # so that a lock is called one
    size, more = POSTGRESQL_POOL if wait_s is None else POSTGRESQL_BORDER_POOL
    return create_engine(
        parsed,
        hide_parameters=True,
        pool_size=size,
        max_overflow=more,
        pool_timeout=waits_s,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={"options": options, **_networking(min(waits_s, CONNECT_TIMEOUT_S))},
    )


def _networking(wait_s: float) -> dict[str, int]:
    """Return after what libpq takes a server for gone, which otherwise is not for hours.

    Source: PostgreSQL manual, "Parameter Key Words": connect_timeout below 2 s counts as 2 s.
    """
    whole_s = max(2, math.ceil(wait_s))
    alive = {"keepalives_idle": whole_s, "keepalives_interval": whole_s, "keepalives_count": 2}
    return {"connect_timeout": whole_s, "tcp_user_timeout": whole_s * 1000, **alive}


def wait_at_most(connection: Connection, seconds: float) -> None:
    """Let the transactions of an SQLite connection wait no longer for another program's lock; none is begun."""
    raw: Any = connection.connection.driver_connection
    raw.execute(f"PRAGMA busy_timeout = {max(0, round(seconds * 1000))}")


def sqlite_path(engine: Engine) -> Path | None:
    """Return the file of an SQLite engine, None for PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return None
    return Path(str(engine.url.database))


def _sqlite(url: URL, wait_s: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("database must be a file: sqlite:///path/to/erpsync.db")
    engine = create_engine(
        url,
        poolclass=QueuePool,
        hide_parameters=True,
        pool_size=20,
        max_overflow=20,
        pool_timeout=wait_s,
        connect_args={"timeout": wait_s, "check_same_thread": False, "isolation_level": None},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: sqlite3.Connection, record: Any) -> None:
    del record
    mode = _begin_wal(connection)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    if mode != "wal":
        raise StoreError(f"SQLite cannot use WAL here (journal mode is {mode}); put the database on a local disk")


def _begin_wal(connection: sqlite3.Connection) -> str:
    """Return the journal mode that was asked for and had.

    On a new file the mode is changed by who reads it already. Such a one is refused at once, whatever the busy
    time-out, when another process does the same; a transaction that begins by locking the file is not.
    """
    for _ in range(WAL_TRIES):
        try:
            return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY":
                raise
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
    raise StoreError("SQLite cannot use WAL: other programs keep the new database from being made")


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("erpsync_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
