"""Whether the file of an SQLite database is still the one that is open.

Why it is asked: a file that was removed or replaced stays open under its old connections. What is committed there is
gone with the process, and a webhook that was answered 200 with it. SQLite itself looks at this in its other journal
modes only. Source: sqlite.org/howtocorrupt.html section 4.
"""

import os
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from erpsync.store.db.engine import UnusableError, sqlite_path

Identity = tuple[int, int]
"""Device and inode."""


class FileMovedError(UnusableError):
    """The database's file was removed or replaced while it was open."""


class FileWatch:
    """The file that the first connection opened; every other one must open the same."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._lock = threading.Lock()
        self._opened: Identity | None = None

    def guard(self, engine: Engine) -> None:
        """Let an engine open this file only, and make none where it was."""
        event.listen(engine, "do_connect", self._on_opening)
        event.listen(engine, "connect", self._on_opened)

    def verify(self) -> None:
        """Raise `FileMovedError` when another file, or none, lies where the open one was found."""
        if self._opened is not None:
            self._compare(self._opened)

    def verify_written(self) -> None:
        """As `verify`, after a commit: it lies in the write-ahead log, which stays as long as anybody has it open."""
        self.verify()
        if not self._log.exists():
            raise FileMovedError(f"{self._log} was removed while it was in use: {_advice(self._path)}")

    def _compare(self, opened: Identity) -> None:
        identity = _identity(self._path)
        if identity == opened:
            return
        what = "removed" if identity is None else "replaced by another file"
        raise FileMovedError(f"the database {self._path} was {what} while it was in use: {_advice(self._path)}")

    def _on_opening(self, dialect: Any, record: Any, arguments: Any, options: Any) -> None:
        del dialect, record, arguments, options
        self.verify()

    def _on_opened(self, connection: Any, record: Any) -> None:
        del connection, record
        with self._lock:
            if self._opened is None:
                self._opened = _identity(self._path)
        self.verify()


def watch(engine: Engine) -> FileWatch | None:
    """Return the watch of an SQLite engine's file, whose connections it guards from now on; None for PostgreSQL."""
    path = sqlite_path(engine)
    if path is None:
        return None
    file_watch = FileWatch(path)
    file_watch.guard(engine)
    return file_watch


def _identity(path: Path) -> Identity | None:
    try:
        info = os.stat(path)  # noqa: PTH116 - asked twice in every transaction
    except (FileNotFoundError, NotADirectoryError):
        return None
    return info.st_dev, info.st_ino


def _advice(path: Path) -> str:
    return f"put the right {path.name} in its place with its -wal, if it has one, and start again"
