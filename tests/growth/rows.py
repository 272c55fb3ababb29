"""Many rows into a migrated database by the bare driver: COPY on PostgreSQL, prepared INSERTs on SQLite.

Why indexes are made after the rows: that takes a third of the time. Which there are is read from the database, so that
those of a later version are made again too. Foreign keys are not looked at meanwhile; tests ask for them afterwards.
Why not all of them on SQLite: it packs one that is made afterwards so full that each new key in the middle of it splits
a page, three writes for one. Where keys come in no order the index grows with its rows, as it does in use.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Protocol

import psycopg
from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.engine import make_url

from erpsync.store.tables import metadata

Values = tuple[Any, ...]

UNORDERED = ("ix_orders_phone_index", "ix_orders_buyer_index", "ix_order_line_sku_id_order_id", "ix_line_part_sku_id")


class Driver(Protocol):
    """One database while it is filled."""

    def write(self, table: str, columns: Sequence[str], rows: list[Values]) -> None:
        """Insert rows."""

    def finish(self) -> None:
        """Make the indexes, and have new ids go on after those that were written."""


class Loader:
    """Rows by table, written whenever many have gathered. Only the columns that are named are set."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._rows: dict[tuple[str, tuple[str, ...]], list[Values]] = {}

    def into(self, table: str, *columns: str) -> Callable[[Values], None]:
        """Return what takes the rows of a table, each a tuple of these columns."""
        known = metadata.tables[table].c
        missing = [name for name in columns if name not in known]
        if missing:
            raise LookupError(f"table {table} has no {', '.join(missing)}")
        return self._rows.setdefault((table, columns), []).append

    def flush(self) -> None:
        """Write what has gathered."""
        for (table, columns), rows in self._rows.items():
            if rows:
                self._driver.write(table, columns, rows)
                rows.clear()


@contextmanager
def loading(url: str) -> Iterator[Loader]:
    """Yield what fills a migrated database; all of it stands at the end, or nothing of any use."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(parsed.database), isolation_level=None)) as connection:
            yield from _load(_SQLite(connection))
    else:
        with psycopg.connect(url.replace("+psycopg", "", 1)) as server:
            yield from _load(_Postgres(server))
        with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as server:
            server.execute("VACUUM (ANALYZE)")  # as autovacuum would have done by now


def _load(driver: Driver) -> Iterator[Loader]:
    loader = Loader(driver)
    yield loader
    loader.flush()
    driver.finish()


class _SQLite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        for pragma in ("synchronous=OFF", "journal_mode=OFF", "cache_size=-262144", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        known = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        self._indexes = [(name, statement) for name, statement in sorted(known) if name not in UNORDERED]
        for name, _ in self._indexes:
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute("BEGIN")

    def write(self, table: str, columns: Sequence[str], rows: list[Values]) -> None:
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" for _ in columns)
        self._connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)

    def finish(self) -> None:
        self._connection.execute("COMMIT")
        for _, statement in self._indexes:
            self._connection.execute(statement)
        self._connection.execute("PRAGMA journal_mode=WAL")


class _Postgres:
    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        connection.execute("SET session_replication_role = replica")  # no look at foreign keys, row by row
        connection.execute("SET maintenance_work_mem = '256MB'")
        known = (
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
            "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) ORDER BY 1"
        )
        self._indexes = connection.execute(known).fetchall()
        for name, _ in self._indexes:
            connection.execute(f"DROP INDEX {name}".encode())

    def write(self, table: str, columns: Sequence[str], rows: list[Values]) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def finish(self) -> None:
        for _, statement in self._indexes:
            self._connection.execute(statement.encode())
        for table in metadata.sorted_tables:
            if _counts_up(table):
                last = (
                    f"SELECT setval(pg_get_serial_sequence(%s, 'id'), max(id)) FROM \"{table.name}\" HAVING max(id) > 0"
                )
                self._connection.execute(last.encode(), (table.name,))
        self._connection.commit()


def _counts_up(table: Table) -> bool:
    return table.autoincrement_column is not None and table.autoincrement_column.name == "id"
