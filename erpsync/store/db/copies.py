"""The copy of an SQLite database from before its migration: whole under its name, or not there.

Why it is written under another name first: a program that is killed leaves half a copy, which nobody may take for the
way back.
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from erpsync.store.db.engine import StoreError


def make_copy(source: Path, target: Path) -> None:
    """Copy a database to `target`, in place of what lies there, and return once the copy is safe on disk.

    Nobody may write to the database meanwhile. Raises `StoreError` when there can be no copy; `target` is as it was.
    """
    unfinished = target.with_name(f"{source.name}.unfinished-copy")
    try:
        _write(source, unfinished)
        unfinished.replace(target)
        _sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            _remove(unfinished)
        raise StoreError(f"{target} cannot be written ({error}): without that copy nothing is migrated") from error


def _write(source: Path, unfinished: Path) -> None:
    _remove(unfinished)
    unfinished.touch(mode=0o600, exist_ok=False)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(unfinished)) as new:
        old.backup(new)
    shutil.copymode(source, unfinished)
    _sync(unfinished)


def _remove(unfinished: Path) -> None:
    """Remove what a run that was killed has left."""
    for ending in ("", "-journal"):
        unfinished.with_name(f"{unfinished.name}{ending}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
