"""`pg_dump` and `pg_restore`: found, asked for their version, run without a password in sight.

Why PostgreSQL's own programs: they know every kind of column, sequence and index that a server has, and what they write
can be read by whoever has no erpsync at hand.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, cast

from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from erpsync.store.db.engine import StoreError
from erpsync.store.db.migration import VERSION_TABLE

CHUNK = 1 << 20
_MAJOR = re.compile(r"(\d+)(?:\.|\D|$)")
_PASSWORD = "PGPASSWORD"  # noqa: S105 the name of the variable; in a command line everybody on the machine could read it


class _Tool:
    """One of the programs, as found on the path."""

    def __init__(self, name: str) -> None:
        path = shutil.which(name)
        if path is None:
            raise StoreError(
                f"{name} is not installed: install the client programs of PostgreSQL (Debian: postgresql-client),"
                " of the server's version or newer"
            )
        self.name, self.path = name, path

    def refuse_older(self, server: int) -> None:
        """Raise `StoreError` unless the program is of the server's major version or newer."""
        said = subprocess.run([self.path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        found = _MAJOR.search(said)
        if found is None or int(found[1]) < server:
            version = found[1] if found else "unknown"
            raise StoreError(
                f"{self.path} has version {version} and cannot serve a server of version {server}:"
                " install the client programs of that version or newer"
            )

    @contextmanager
    def running(
        self, url: URL, arguments: Sequence[str], **streams: IO[bytes] | int
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Yield the running program; raises `StoreError` with its own words when it fails, and ends it on any error."""
        command = [self.path, *arguments, f"--dbname={_conninfo(url)}"]
        environ = os.environ | ({_PASSWORD: str(url.password)} if url.password is not None else {})
        with TemporaryFile() as said:
            process = subprocess.Popen(command, stderr=said, env=environ, **streams)  # type: ignore[call-overload]  # noqa: S603
            with process:
                try:
                    yield process
                except BaseException:
                    process.kill()
                    raise
            if process.returncode != 0:
                said.seek(0)
                raise StoreError(f"{self.name} failed: {_reason(said.read().decode(errors='replace'))}")


def server_major(connection: Connection) -> int:
    """Return the major version of the server."""
    return int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000


def dump(url: URL, *, tables: Iterable[str], schema: str, snapshot: str, server: int) -> Iterator[bytes]:
    """Yield a dump of these tables as one snapshot sees them, but for the row that says which version they are at.

    Without that row nobody takes a database for whole whose restoring did not come to its end.
    """
    tool = _Tool("pg_dump")
    tool.refuse_older(server)
    arguments = [
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--snapshot={snapshot}",
        f"--exclude-table-data={_pattern(schema, VERSION_TABLE)}",
        *(f"--table={_pattern(schema, table)}" for table in tables),
    ]
    with tool.running(url, arguments, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        output = cast("IO[bytes]", process.stdout)
        while chunk := output.read(CHUNK):
            yield chunk


def load(url: URL, chunks: Iterable[bytes], *, server: int) -> None:
    """Restore a dump, all of it or nothing."""
    tool = _Tool("pg_restore")
    tool.refuse_older(server)
    arguments = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    with tool.running(url, arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        inlet = cast("IO[bytes]", process.stdin)
        with suppress(BrokenPipeError), inlet:  # one that has ended before says why
            for chunk in chunks:
                inlet.write(chunk)


def _pattern(schema: str, table: str) -> str:
    return f'"{schema}"."{table}"'


def _conninfo(url: URL) -> str:
    """Return where the database is, without the password."""
    known = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    options = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    return make_conninfo("", **{name: value for name, value in (known | options).items() if value})


def _reason(said: str) -> str:
    """Return the line that says why; pg_restore names what it was doing before it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line or "ERROR:" in line]
    first = [*errors, *lines[-1:], "?"][0]
    return first.partition("error: ")[2] or first
