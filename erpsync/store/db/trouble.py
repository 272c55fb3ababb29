"""Why the database could not be used, in words for people.

Why no error's own text where there is a better word: "database or disk is full" and "OperationalError" send nobody to
the right place at night; the folder that has no space left does.
"""

import shutil
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError

from erpsync.store.db.turns import LOCKED, NoTurnError

FULL_BYTES = 1 << 20
_LOCK_BYTE = 120
"""Of a WAL database's `-shm` file, held by whoever writes. Source: sqlite.org/walformat.html section 2.3.1."""

_SERVER = {
    "53100": "no space left on the disk of the database server",
    "53300": "the database server takes no more connections",
    "55P03": "another program holds a lock in the database",
    "57014": "the database server was too slow",
    "57P01": "the database server is stopping",
    "57P02": "the database server is stopping",
    "57P03": "the database server is starting or stopping",
}


def cause_of(error: Exception, file: Path | None = None) -> str:
    """Return why the database could not be used; `file` is that of an SQLite database, where it is known."""
    if isinstance(error, TimeoutError):
        return "all connections to the database are in use"
    if isinstance(error, NoTurnError) and error.locked:
        return _locked(file)
    if not isinstance(error, DBAPIError):
        return type(error).__name__ if isinstance(error, SQLAlchemyError) else _first_line(error)
    name = getattr(error.orig, "sqlite_errorname", "")
    if name:
        return _of_sqlite(name, error.orig, file)
    return _SERVER.get(getattr(error.orig, "sqlstate", None) or "", _first_line(error.orig))


def _of_sqlite(name: str, error: BaseException | None, file: Path | None) -> str:
    place = f"the disk of {file.parent}" if file else "the database's disk"
    if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and file and _is_full(file.parent)):
        return f"no space left on {place}"
    if name.startswith("SQLITE_IOERR"):
        return f"{place} fails: {_first_line(error)}"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return _locked(file)
    if name.startswith("SQLITE_READONLY"):
        return f"{file or 'the database'} may not be written to"
    return _first_line(error)


def _locked(file: Path | None) -> str:
    holder = lock_holder(file) if file else None
    return f"{LOCKED} ({holder[1]})" if holder else LOCKED


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < FULL_BYTES
    except OSError:
        return False


def lock_holder(file: Path) -> tuple[int, str] | None:
    """Return the process that writes to an SQLite file now, as id and words; None where that cannot be told.

    The list of locks is looked at and not the file: a process that opens and closes it loses its own locks on it.
    Source: proc_locks(5); fcntl(2) on closing.
    """
    try:
        inode = file.with_name(f"{file.name}-shm").stat().st_ino
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    for line in lines:
        words = line.split()
        if len(words) == 8 and words[1] == "POSIX" and words[3] == "WRITE" and words[5].endswith(f":{inode}"):
            pid, first, last = int(words[4]), int(words[6]), words[7]
            if first <= _LOCK_BYTE and (last == "EOF" or int(last) >= _LOCK_BYTE):
                return pid, f"process {pid}{_name_of(pid)}"
    return None


def _name_of(pid: int) -> str:
    try:
        return f", {Path(f'/proc/{pid}/comm').read_text(encoding='utf-8').strip()}"
    except (OSError, ValueError):
        return ""


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]
