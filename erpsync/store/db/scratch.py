"""A folder for what is being made: gone when it is done with, and when its process was killed, with the next one.

Why a lock on the folder: half a file that a killed process has left looks like one that another process is writing.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def scratch(beside: Path, purpose: str) -> Iterator[Path]:
    """Yield an empty folder of this process alone (0700), on the disk of `beside`; it is removed at the end.

    What killed processes have left of the same purpose beside the same file is removed first.
    """
    prefix = f".{beside.name}.{purpose}-"
    for left in beside.parent.glob(f"{prefix}*"):
        _remove_if_left(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=beside.parent))
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def put_in_place(whole: Path, target: Path, *, replace: bool = False) -> None:
    """Give a file its name at once and durably.

    Args:
        replace: take the place of a file of that name; else `FileExistsError` is raised, and nothing changes.
    """
    sync(whole)
    if replace:
        whole.replace(target)
    else:
        target.hardlink_to(whole)  # a rename would replace what somebody has just made
        whole.unlink()
    sync(target.parent)


def sync(path: Path) -> None:
    """Return once a file or folder is safe on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_if_left(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
