"""Bringing a database to this version, and telling one that cannot be brought there.

Why one row is looked at first: importing Alembic takes a second, and almost every start finds nothing to do.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, inspect

from erpsync.store.db.engine import StoreError, UnusableError, sqlite_path
from erpsync.store.db.migration import RESTORING_TABLE, VERSION_TABLE, carry_out, versions_in
from erpsync.store.tables import metadata

VERSION = "0036"
_NOT_OURS = "erpsync did not make it; name another one under `database`"


class SchemaError(UnusableError):
    """No migration brings the database to this version: a newer erpsync made it, or another program.

    Trying again never helps; a person has to choose another program or another database.
    """


def migrations_folder() -> Path:
    """Return the folder of migrations: the checkout's own if there is one, else the one packed into the wheel."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package.parent / "migrations", package / "_migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise StoreError("the migrations are missing from this installation")


def current_version(engine: Engine) -> str | None:
    """Return the schema version of a database, this one or an older one; None when it is empty.

    Raises `SchemaError` for a database of a newer version and for one that erpsync did not make.
    """
    path = sqlite_path(engine)
    if path is not None and not path.exists():
        return None
    with engine.connect() as raw:
        connection = raw.execution_options(erpsync_reads=True)  # asking takes no lock
        versions = versions_in(connection)
        if versions == [VERSION]:
            return VERSION
        _refuse(engine, versions, set(inspect(connection).get_table_names()) - {VERSION_TABLE})
    return versions[0] if versions else None


def _refuse(engine: Engine, versions: list[str], tables: set[str]) -> None:
    """Raise for what no migration of ours begins with: these `versions`, `tables` beside them."""
    if RESTORING_TABLE in tables:
        raise SchemaError(
            f"{_named(engine)} holds a backup whose restoring did not come to its end: run `erpsync restore FILE` again"
        )
    if len(versions) > 1:
        raise SchemaError(f"{_named(engine)} claims several versions ({', '.join(sorted(versions))}): {_NOT_OURS}")
    if not versions:
        # PostgreSQL's extensions keep tables of their own; an SQLite file belongs to one program.
        foreign = tables if engine.dialect.name == "sqlite" else tables & metadata.tables.keys()
        if foreign:
            raise SchemaError(f"{_named(engine)} holds tables ({min(foreign)}, …) and no version: {_NOT_OURS}")
    elif versions[0] not in _versions():
        if not _is_newer(versions[0]):
            raise SchemaError(f"{_named(engine)} is at version '{versions[0]}', which no erpsync ever had: {_NOT_OURS}")
        raise SchemaError(
            f"{_named(engine)} is at version {versions[0]}, newer than this erpsync ({VERSION}):"
            f" install the newer erpsync again, or {_way_back(engine)}"
        )


def _versions() -> set[str]:
    return {file.name.partition("_")[0] for file in (migrations_folder() / "versions").glob("[0-9]*.py")}


def _is_newer(version: str) -> bool:
    return len(version) == len(VERSION) and version.isdecimal() and version > VERSION


def _named(engine: Engine) -> str:
    return f"the database {sqlite_path(engine) or engine.url.database}"


def _way_back(engine: Engine) -> str:
    """Return how this version's data is had again: by the copy that a newer erpsync made before its migration."""
    path = sqlite_path(engine)
    if path is None:
        return "restore the backup made before that version"
    copies = [copy for copy in sorted(path.parent.glob(f"{path.name}.before-*")) if _version_in(copy) in _versions()]
    if not copies:
        return "restore a copy made before that version"
    return f"put {copies[-1]} in its place, which lacks what came since (docs/install.md, An update)"


def _version_in(copy: Path) -> str | None:
    """Return the version of a copy that nobody writes to; None when it is no database."""
    try:
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


def is_current(engine: Engine) -> bool:
    """Whether the database has this version's schema."""
    return current_version(engine) == VERSION


def migrate(engine: Engine) -> bool:
    """Bring the database to this version, or leave it as it is; return whether anything was done.

    An SQLite database that has tables is copied beside itself first (`NAME.before-VERSION`).
    """
    if current_version(engine) == VERSION:
        return False
    path = sqlite_path(engine)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    return carry_out(engine, migrations_folder(), version=VERSION)
