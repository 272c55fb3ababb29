"""Bringing a database to this version.

Why one row is looked at first: importing Alembic takes a second, and almost every start finds nothing to do.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from erpsync.store.engine import StoreError, sqlite_path

VERSION = "0009"
_LOCK = 0x65727073  # any number of our own: "erps"


def migrations_folder() -> Path:
    """Return the folder of migrations: the checkout's own if there is one, else the one packed into the wheel."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "migrations", package / "_migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise StoreError("the migrations are missing from this installation")


def current_version(engine: Engine) -> str | None:
    """Return the schema version of a database, None when it is empty."""
    path = sqlite_path(engine)
    if path is not None and not path.exists():
        return None
    with engine.connect() as raw:
        connection = raw.execution_options(erpsync_reads=True)  # asking takes no lock
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_current(engine: Engine) -> bool:
    """Whether the database has this version's schema."""
    return current_version(engine) == VERSION


def migrate(engine: Engine) -> bool:
    """Bring the database to this version under a lock; return whether anything was done.

    An SQLite database that has tables is copied beside itself first (`NAME.before-VERSION`).
    """
    found = current_version(engine)
    if found == VERSION:
        return False
    path = sqlite_path(engine)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if found is not None:
            _copy(path, path.with_name(f"{path.name}.before-{VERSION}"))
    _upgrade(engine)
    return True


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
