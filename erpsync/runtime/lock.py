"""One daemon per SQLite file: an OS lock on `NAME.lock` beside it, which holds the daemon's process id.

Why the OS and not a row: the lock must end with its process, however that dies, so that the next one may take over at
once what it had leased. The file stays when the lock ends; removing it would let two daemons lock two files.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TRIES = 5
MOMENT_S = 0.02


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
    path = _path(database)
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


def holder(database: Path) -> str | None:
    """Return the process that is the only daemon of an SQLite file, None when there is none.

    To look, the lock is shared for some microseconds; whoever begins just then tries again.
    """
    path = _path(database)
    with _held_lock:
        if path in _held:
            return str(os.getpid())
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(handle)
    finally:
        os.close(handle)
    return None


def _path(database: Path) -> Path:
    return database.resolve().with_name(f"{database.name}.lock")


def _written(handle: int) -> str:
    """Return the process that a locked file names."""
    return os.pread(handle, 20, 0).decode("ascii", errors="replace").strip() or "unknown"


def _lock(path: Path, database: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not any(_locked(handle) for _ in range(TRIES)):
        process = _written(handle)
        os.close(handle)
        raise AlreadyRunningError(f"another daemon (process {process}) runs on {database}; one per SQLite file")
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
    return handle


def _locked(handle: int) -> bool:
    """Whether the lock could be had; if not, a moment has passed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(MOMENT_S)
        return False
    return True
