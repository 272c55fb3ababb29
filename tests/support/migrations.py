"""Databases of older versions, and migrations of a test's own."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import migrations_folder
from tests.support.sources import ROOT

PROGRAM = """
import sys
import alembic.command
from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import migrate
print("ready", flush=True)
sys.stdin.readline()
print(migrate(make_engine(sys.argv[1])))
"""
REVISION = '''\
"""A migration of a test's own."""

import sqlalchemy as sa
from alembic import op

revision = "{version}"
down_revision = {before}
{constant}

def upgrade() -> None:
{steps}
'''


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Yield an engine that leaves no connection behind, whatever the test finds."""
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def bring_to(engine: Engine, version: str) -> None:
    """Bring an empty or older database to a version, by the migrations alone."""
    with engine.connect() as connection, connection.begin():
        command.upgrade(_config(connection), version)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    return config


def take_back(engine: Engine, version: str) -> None:
    """Bring an SQLite database to an older version; what only later ones know is lost."""
    with engine.connect() as connection:
        connection.detach()
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            command.downgrade(_config(connection), version)


def own_migrations(folder: Path, *steps: str, constant: str = "") -> Path:
    """Make a folder of migrations 0001, 0002, …, each with these lines in its `upgrade`, and return it.

    Args:
        constant: a line that the last of them says beside it.
    """
    versions = folder / "versions"
    versions.mkdir(parents=True)
    shutil.copy(migrations_folder() / "env.py", folder)
    for number, lines in enumerate(steps, 1):
        version = f"{number:04}"
        body = REVISION.format(
            version=version,
            before=repr(f"{number - 1:04}") if number > 1 else None,
            constant=constant if number == len(steps) else "",
            steps="".join(f"    {line}\n" for line in lines.splitlines()),
        )
        (versions / f"{version}_own.py").write_text(body, encoding="utf-8")
    return folder


def process_that_migrates(url: str) -> subprocess.Popen[str]:
    """Start a process that brings a database to this version once `go` is given it, and return it when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()
    return process


def go(process: subprocess.Popen[str]) -> None:
    """Let a process begin."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
