"""Carrying out migrations: the database has every row it had and is at the new version, or it is as it was.

Why foreign keys are off meanwhile: SQLite changes most of a table by making it anew and dropping the old one, which
with foreign keys on deletes the rows that refer to it. So what they guard is asked for before the commit, and rows are
counted, because a table that was made anew without some of them breaks no rule. Source: sqlite.org/lang_altertable.html
section 7.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from erpsync.store.db.copies import make_copy
from erpsync.store.db.engine import UnusableError, sqlite_path, wait_at_most
from erpsync.store.db.trouble import cause_of
from erpsync.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

WAIT_S = 600
"""So long another process's migration is waited for; the unit gives a start more."""

VERSION_TABLE = "alembic_version"
RESTORING_TABLE = "erpsync_restoring"
"""Is there, empty, from before a backup is restored into a PostgreSQL database until all that follows is done."""

_LOCK = 0x65727073  # any number of our own: "erps"


class MigrationError(UnusableError):
    """A migration would have harmed the database; all of it was undone."""


def carry_out(engine: Engine, folder: Path, *, version: str) -> bool:
    """Bring a database to a version by the migrations of a folder; return whether there was anything to do.

    One process at a time does it, others wait. An SQLite database that has tables is copied beside itself first
    (`NAME.before-VERSION`). A migration that adds or takes rows names their tables in `COUNTS_CHANGE`.

    Raises:
        MigrationError: rows are lost, refer to none or fit no rule; the database is as it was.
        StoreError: there is no room for the copy; nothing was done.
    """
    path = sqlite_path(engine)
    with _alone(engine) as connection:
        versions = versions_in(connection)
        if versions == [version]:
            return False
        if path is not None and versions:
            make_copy(path, path.with_name(f"{path.name}.before-{version}"))
        harm = _upgrade(connection, folder, versions[0] if versions else "base", version)
        if harm:
            raise MigrationError(
                f"the migration of {path or engine.url.database} to version {version} was undone, {harm}:"
                " the database is as it was; install the erpsync you had again, and report this"
            )
    return True


def begin_restoring(connection: Connection) -> None:
    """Mark a PostgreSQL database, durably and before anything is restored into it, as one that no start may use."""
    connection.execute(text(f"CREATE TABLE {RESTORING_TABLE} ()"))


def bring_up_restored(engine: Engine, folder: Path, *, before: str, version: str) -> None:
    """Bring a PostgreSQL database into which a backup is being restored to a version; it says of none afterwards.

    Raises as `carry_out` does; the database is as it was then.
    """
    if before == version:
        return
    with _alone(engine) as connection:
        _say_version(connection, before)
        harm = _upgrade(connection, folder, before, version)
        if harm:
            raise MigrationError(f"the backup cannot be brought from version {before} to version {version}, {harm}")
        connection.execute(text(f"DELETE FROM {VERSION_TABLE}"))


def end_restored(connection: Connection, *, version: str) -> None:
    """Let a restored database say which version it is at: from then on it is one like any other."""
    _say_version(connection, version)
    connection.execute(text(f"DROP TABLE {RESTORING_TABLE}"))


def _say_version(connection: Connection, version: str) -> None:
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} (version_num) VALUES (:version)"), {"version": version})


def versions_in(connection: Connection) -> list[str]:
    """Return the versions that a database says it is at: one, or none when it is empty."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return []
    return list(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars())


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that others' migrations wait for; commit it at the end."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            wait_at_most(connection, WAIT_S)
            connection.detach()  # used for nothing else: its foreign keys are off
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")  # in a transaction it does nothing
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_S}s'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            yield connection


def _upgrade(connection: Connection, folder: Path, version_before: str, version: str) -> str:
    """Run the migrations; return what they harmed, in words, "" if nothing."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    tables = _tables(connection)
    _keep_writers_out(connection, tables)
    before = _counts(connection, tables)
    try:
        command.upgrade(config, version)
    except DBAPIError as error:
        if _may_pass(error):
            raise
        return f"because it failed ({cause_of(error)})"
    after = _counts(connection, tables & _tables(connection))
    other = {table for table in tables if after.get(table) != before[table]}
    if other:
        other -= _meant(config, version_before, version)
    return _lost(before, after, other) or _torn(connection)


def _tables(connection: Connection) -> set[str]:
    """Return the names of our tables. On PostgreSQL there may be others', an SQLite file belongs to one program."""
    names = set(inspect(connection).get_table_names()) - {VERSION_TABLE}
    return names if connection.dialect.name == "sqlite" else names & metadata.tables.keys()


def _keep_writers_out(connection: Connection, tables: set[str]) -> None:
    """Let no daemon that still runs add rows which the migration does not see. SQLite has one writer at a time."""
    if tables and connection.dialect.name == "postgresql":
        quote = connection.dialect.identifier_preparer.quote
        names = ", ".join(quote(table) for table in sorted(tables))
        connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def _counts(connection: Connection, tables: set[str]) -> dict[str, int]:
    # Scans every table: once in a version's life, by its smallest index.
    quote = connection.dialect.identifier_preparer.quote
    count = "SELECT count(*) FROM {}"
    return {table: connection.execute(text(count.format(quote(table)))).scalar_one() for table in sorted(tables)}


def _meant(config: "Config", version_before: str, version: str) -> set[str]:
    """Return the tables in which the migrations after `version_before` mean to add or take rows."""
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory.from_config(config).iterate_revisions(version, version_before)
    return {table for step in steps for table in getattr(step.module, "COUNTS_CHANGE", ())}


def _lost(before: dict[str, int], after: dict[str, int], other: set[str]) -> str:
    if not other:
        return ""
    table = min(other)
    return f"because the rows of {table} were {before[table]} and would be {after.get(table, 'none')}"


def _torn(connection: Connection) -> str:
    """Return the first reference that leads nowhere, in words. PostgreSQL keeps them itself."""
    if connection.dialect.name != "sqlite":
        return ""
    row = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    return "" if row is None else f"because rows of {row[0]} would refer to rows of {row[2]} that are not there"


def _may_pass(error: DBAPIError) -> bool:
    """Whether trying again may help: a lock, a full disk, a server that went. SQLite calls bad SQL operational too."""
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlite_errorname", "") != "SQLITE_ERROR"
