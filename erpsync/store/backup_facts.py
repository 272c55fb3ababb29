"""What is said of a database in its backup, whichever version it is at.

Why by plain SQL and a look at the columns: a backup is made before an update too, when the tables are not yet those
that this program knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, inspect, text

from erpsync.store.db.clock import UNCONFIRMED
from erpsync.store.db.migration import RESTORING_TABLE, VERSION_TABLE, versions_in
from erpsync.store.db.privacy import sealed_with
from erpsync.store.encrypted import PROOF, SEALED
from erpsync.store.tables import instant, metadata

_KEY_ID = 11  # `v1|`, then eight hex digits


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFacts:
    """What a database holds; fields as in `Manifest`."""

    version: str
    key_ids: tuple[str, ...]
    orders: int
    last_order_at: datetime | None


def facts_of(connection: Connection) -> BackupFacts:
    """Return what a database of any version holds."""
    # Scans orders: all are counted, and the whole database is copied beside it.
    count, last = connection.execute(text("SELECT count(*), max(imported_at) FROM orders")).one()
    return BackupFacts(
        version=versions_in(connection)[0],
        key_ids=tuple(sorted(_key_ids(connection))),
        orders=int(count),
        last_order_at=None if last is None else instant(last),
    )


def unconfirmed(connection: Connection) -> timedelta:
    """Return by how much the clock has leapt ahead without anybody confirming it."""
    query = text("SELECT value FROM counter WHERE name = :name")
    return timedelta(microseconds=int(connection.execute(query, {"name": UNCONFIRMED}).scalar() or 0))


def our_tables(connection: Connection) -> list[str]:
    """Return the names of our tables that a database has, its version's included."""
    known = metadata.tables.keys() | {VERSION_TABLE, RESTORING_TABLE}
    return sorted(known & set(inspect(connection).get_table_names()))


def _key_ids(connection: Connection) -> Iterable[str]:
    """Return the names of all keys with which anything is sealed; two while keys are being rotated."""
    # Scans orders, order_line, payload, inbox, dead_letter: one value that an old key sealed is enough to need it.
    tables, ids = inspect(connection).get_table_names(), set[str]()
    for sealed in (PROOF, *SEALED):
        table, column = sealed.table.name, sealed.column
        if table in tables and column in {each["name"] for each in inspect(connection).get_columns(table)}:
            heads = text(
                f'SELECT DISTINCT substr("{column}", 1, {_KEY_ID + 1}) FROM "{table}" WHERE "{column}" IS NOT NULL'
            )
            ids |= {sealed_with(bytes(head)).decode() for head in connection.execute(heads).scalars()}
    return ids
