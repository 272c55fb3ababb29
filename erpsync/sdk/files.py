"""Files that we write for others: whole or not at all, under names and with cells that every system takes."""

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from erpsync.sdk.digest import digest_of
from erpsync.sdk.formulas import Formulas, safe_row


def file_part(number: str) -> str:
    """Return a number fit for a file name, still different for different numbers."""
    safe = re.sub(r"[^\w.-]", "_", number, flags=re.ASCII)[:100]
    return safe if safe == number else f"{safe}-{digest_of({'number': number})[:8]}"


def csv_bytes(
    header: Sequence[str], rows: Iterable[Sequence[object]], formulas: Formulas, *, encoding: str = "utf-8"
) -> bytes:
    """Return the content of a CSV file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(safe_row(row, formulas) for row in rows)
    return text.getvalue().encode(encoding)


class NamedFileError(OSError):
    """Something failed after a file had, or may have had, its name: whoever takes files from there may have it."""


def write_whole(target: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file that appears whole and on disk; one that has the name already is replaced by it.

    Args:
        mode: who may read and write it, as far as the process's mask lets them.

    Raises:
        NamedFileError: it may be there; after any other `OSError` it is not.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}.{os.getpid()}-{id(content):x}.tmp")
    _write(hidden, content, os.O_TRUNC, mode)
    _name(hidden, target)


def write_new(target: Path, content: bytes) -> bool:
    """As `write_whole`, unless the name is taken: then False. The exclusive hidden name keeps two writers apart."""
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{target.name}.tmp")
    try:
        _write(hidden, content, os.O_EXCL)
    except FileExistsError:
        return False
    if target.exists():
        hidden.unlink()
        return False
    _name(hidden, target)
    return True


def _name(hidden: Path, target: Path) -> None:
    """Give a file its name. A folder on a network may do so and fail to say it: then the hidden name is gone."""
    try:
        hidden.rename(target)
        _flush(target.parent)
    except OSError as error:
        if os.path.lexists(hidden):
            raise
        raise NamedFileError(error.errno, error.strerror, str(target)) from error


def _write(path: Path, content: bytes, flag: int, mode: int = 0o666) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, mode), "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
