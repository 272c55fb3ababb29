"""Engines for SQLite and PostgreSQL, set up so that both keep the same promises.

SQLite: WAL, `synchronous=FULL`, foreign keys, writers start with BEGIN IMMEDIATE (a deferred transaction that reads
and then writes fails at once under concurrency whatever the busy time-out), readers stay deferred.
PostgreSQL: READ COMMITTED, every row is locked before it is decided on; prepared plans are made anew so that a plan
made on an empty table is not kept while the table grows.
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import QueuePool

BUSY_TIMEOUT_S = 30
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA temp_store=MEMORY",
)


class StoreError(Exception):
    """The store cannot be used as it is; the text says what to do."""


def make_engine(url: str | URL, *, pool_size: int = 20) -> Engine:
    """Return an engine for a `sqlite:///` or `postgresql+psycopg://` URL, ready for use by threads."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size)
    if parsed.drivername != "postgresql+psycopg":
        raise StoreError(f"database must be sqlite:/// or postgresql+psycopg://, is {parsed.drivername}://")
    return create_engine(
        parsed,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=20,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={"options": "-c timezone=UTC -c plan_cache_mode=force_custom_plan", "connect_timeout": 10},
    )


def sqlite_path(engine: Engine) -> Path | None:
    """Return the file of an SQLite engine, None for PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return None
    return Path(str(engine.url.database))


def _sqlite(url: URL, pool_size: int) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("database must be a file: sqlite:///path/to/erpsync.db")
    engine = create_engine(
        url,
        poolclass=QueuePool,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=20,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False, "isolation_level": None},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: sqlite3.Connection, record: Any) -> None:
    del record
    for pragma in PRAGMAS:
        connection.execute(pragma)
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        raise StoreError(f"SQLite cannot use WAL here (journal mode is {mode}); put the database on a local disk")


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("erpsync_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
