"""One daemon per SQLite file: an OS lock on `NAME.lock` beside it, which holds the daemon's process id.

Why the OS and not a row: the lock must end with its process, however that dies, so that the next one may take over at
once what it had leased. The file stays when the lock ends; removing it would let two daemons lock two files.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another daemon runs on this database; the text names it."""


_held: dict[Path, int] = {}
_held_lock = threading.Lock()


@contextmanager
def only_daemon(database: Path | None) -> Iterator[None]:
    """Be the only daemon of an SQLite file for the length of the block; None (PostgreSQL) needs no lock.

    Blocks of one process may nest. Raises `AlreadyRunningError` when another process is inside one.
    """
    if database is None:
        yield
        return
    path = database.resolve().with_name(f"{database.name}.lock")
    with _held_lock:
        nested = path in _held
        if not nested:
            _held[path] = _lock(path, database)
    try:
        yield
    finally:
        if not nested:
            with _held_lock:
                os.close(_held.pop(path))


def daemon_of(database: Path) -> int | None:
    """Return the process id of the daemon that runs on an SQLite file, or ran there last; None where none is noted."""
    try:
        return int(database.resolve().with_name(f"{database.name}.lock").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _lock(path: Path, database: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 20, 0).decode("ascii", errors="replace").strip()
        os.close(handle)
        raise AlreadyRunningError(
            f"another daemon (process {holder or 'unknown'}) runs on {database}; one per SQLite file"
        ) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
    return handle
