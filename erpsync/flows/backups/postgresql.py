"""The place on a PostgreSQL server into which a backup is restored: made if it is absent, nobody else's, cleared again.

Why other sessions are asked for and not the daemons' own rows: those are in the database that was lost, while a daemon
that still runs connects again by itself, and would go on with what it remembers.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from erpsync.store.backup_facts import our_tables
from erpsync.store.db.engine import StoreError, make_engine
from erpsync.store.db.migration import RESTORING_TABLE, begin_restoring, bring_up_restored
from erpsync.store.db.postgresql_tools import load, server_major
from erpsync.store.db.schema import VERSION, current_version, migrations_folder
from erpsync.store.db.store import Store
from erpsync.store.db.trouble import cause_of

_LOCK = 0x65727074  # the number after that of migrations, which a restoring waits for in its turn
_MAINTENANCE = "postgres"
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
)


class Place:
    """A database for the length of a `with` block; what was loaded into it is removed when the block raises."""

    def __init__(self, open_store: Callable[[str], Store], url: str) -> None:
        self._url = make_url(url)
        self._open, self._address = open_store, url
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._make_if_absent()
            engine = make_engine(self._url)
            stack.callback(engine.dispose)
            connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection = stack.enter_context(connection)
            self._be_alone()
            self.store = self._open(self._address)
            stack.callback(self.store.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._stack:
            if kind is not None:
                self.store.close()
                self._clear()

    def load(self, chunks: Iterator[bytes], *, version: str) -> None:
        """Restore a dump, as a whole or not at all, and bring its tables from their version to this one.

        Until `end_restored` no start takes the database for whole.
        """
        begin_restoring(self._connection)
        load(self._url, chunks, server=server_major(self._connection))
        bring_up_restored(self.store.engine, migrations_folder(), before=version, version=VERSION)
        self._connection.execute(text("ANALYZE"))

    def _make_if_absent(self) -> None:
        engine = make_engine(self._url)
        try:
            engine.connect().close()
        except OperationalError:
            if _is_there(self._url):
                raise
            _make_database(self._url, str(self._url.database))
        finally:
            engine.dispose()

    def _be_alone(self) -> None:
        """Raise unless the database is empty, or holds what an earlier restoring has left, and nobody else is at it."""
        asked = self._connection
        if not asked.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar_one():
            raise StoreError(f"the database {self._url.database} is being restored already")
        others = int(asked.execute(_OTHERS).scalar_one())
        if others:
            name = self._url.database
            raise StoreError(
                f"another session is at the database {name}: stop the daemons, and whatever else uses it"
                if others == 1
                else f"{others} other sessions are at the database {name}: stop the daemons, and whatever else uses it"
            )
        if inspect(asked).has_table(RESTORING_TABLE):
            self._clear()
            return
        version = current_version(asked.engine)
        if version is not None:
            raise StoreError(
                f"the database {self._url.database} is there, at version {version}: rename it or name another first,"
                " a backup is only restored where there is none"
            )

    def _clear(self) -> None:
        """Remove what was restored, unless it was restored to the end."""
        if inspect(self._connection).has_table(RESTORING_TABLE):
            names = ", ".join(our_tables(self._connection))
            self._connection.execute(text(f"DROP TABLE {names} CASCADE"))


@contextmanager
def temporary_database(url: str) -> Iterator[str]:
    """Yield the address of an empty database on the same server, which is dropped at the end.

    Raises `StoreError` when the role may make none.
    """
    here = make_url(url)
    name = f"erpsync_verify_{secrets.token_hex(6)}"
    _make_database(here, name)
    try:
        yield here.set(database=name).render_as_string(hide_password=False)
    finally:
        with _maintenance(here) as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def _is_there(url: URL) -> bool:
    """Whether the server has the database. Why it cannot be reached is said in the server's language."""
    with _maintenance(url) as connection:
        known = text("SELECT count(*) FROM pg_database WHERE datname = :name")
        return bool(connection.execute(known, {"name": url.database}).scalar_one())


def _make_database(url: URL, name: str) -> None:
    try:
        with _maintenance(url) as connection:
            quoted = connection.dialect.identifier_preparer.quote_identifier(name)
            connection.execute(text(f"CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8'"))
    except DBAPIError as error:
        raise StoreError(
            f"the database {name} cannot be made ({cause_of(error)}): let the role of the configuration make databases"
            " (ALTER ROLE … CREATEDB), or have an administrator make it"
        ) from error


@contextmanager
def _maintenance(url: URL) -> Iterator[Connection]:
    engine = make_engine(url.set(database=_MAINTENANCE))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection
    finally:
        engine.dispose()
