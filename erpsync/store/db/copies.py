"""Copies of an SQLite database: from before its migration, whole under its name or not there; and while it is in use.

Why it is written under another name first: a program that is killed leaves half a copy, which nobody may take for the
way back.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from erpsync.store.db.engine import StoreError
from erpsync.store.db.scratch import sync

PAGES_AT_ONCE = 4096
Progress = Callable[[int, int], None]
"""Is told how many steps are done, and how many there are."""


def make_copy(source: Path, target: Path) -> None:
    """Copy a database to `target`, in place of what lies there, and return once the copy is safe on disk.

    Nobody may write to the database meanwhile. Raises `StoreError` when there can be no copy; `target` is as it was.
    """
    unfinished = target.with_name(f"{source.name}.unfinished-copy")
    try:
        _write(source, unfinished)
        unfinished.replace(target)
        sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            _remove(unfinished)
        raise StoreError(f"{target} cannot be written ({error}): without that copy nothing is migrated") from error


def copy_in_use(source: Path, target: Path, *, progress: Progress) -> None:
    """Copy a database that others go on writing to, as it stands when the copy begins.

    One reading transaction spans all of it: without it SQLite begins the copy anew whenever another process has
    written, which beside a busy daemon is for ever. Nobody waits for it; the write-ahead log grows meanwhile.
    Source: sqlite.org/backup.html, "File and Database Connection Locking"; sqlite.org/isolation.html.
    """
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        old.backup(new, pages=PAGES_AT_ONCE, progress=lambda _, left, pages: progress(pages - left, pages), sleep=0)
        old.execute("COMMIT")


def _write(source: Path, unfinished: Path) -> None:
    _remove(unfinished)
    unfinished.touch(mode=0o600, exist_ok=False)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(unfinished)) as new:
        old.backup(new)
    shutil.copymode(source, unfinished)
    sync(unfinished)


def _remove(unfinished: Path) -> None:
    """Remove what a run that was killed has left."""
    for ending in ("", "-journal"):
        unfinished.with_name(f"{unfinished.name}{ending}").unlink(missing_ok=True)
