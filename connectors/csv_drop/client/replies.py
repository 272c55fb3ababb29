"""Files that go out: written under a hidden name, flushed to disk, then renamed, so nobody reads half of one."""

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

from erpsync.sdk.digest import digest_of
from erpsync.sdk.folder import instant_text
from erpsync.sdk.formulas import Formulas, safe_row

STOCK_HEADER = ("channel_sku", "item_ref", "qty")
SHIPMENT_HEADER = ("order", "carrier", "tracking", "line_id", "qty")


def write_stock(
    folder: Path, at: datetime, rows: Iterable[Sequence[object]], encoding: str, formulas: Formulas
) -> Path:
    """Write `stock-INSTANT-N.csv`, N being the first number free at that instant; names sort by time."""
    content = _content(STOCK_HEADER, [safe_row(row, formulas) for row in rows], encoding)
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        target = folder / f"stock-{instant_text(at)}-{number:03}.csv"
        if _write_new(target, content):
            return target
    raise AssertionError("count has no end")


def write_shipment(
    folder: Path, number: str, rows: Iterable[Sequence[object]], encoding: str, formulas: Formulas
) -> Path:
    """Write `shipment-NUMBER.csv`; the same parcel is the same file, so a repetition changes nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"shipment-{_file_part(number)}.csv"
    hidden = target.with_name(f".{target.name}.{os.getpid()}-{id(rows):x}.tmp")
    _write(hidden, _content(SHIPMENT_HEADER, [safe_row(row, formulas) for row in rows], encoding), os.O_TRUNC)
    hidden.rename(target)
    _flush_folder(folder)
    return target


def _write_new(target: Path, content: bytes) -> bool:
    """Write `target` unless it exists; the exclusive hidden name keeps two writers apart."""
    hidden = target.with_name(f".{target.name}.tmp")
    try:
        _write(hidden, content, os.O_EXCL)
    except FileExistsError:
        return False
    if target.exists():
        hidden.unlink()
        return False
    hidden.rename(target)
    _flush_folder(target.parent)
    return True


def _write(path: Path, content: bytes, flag: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o666), "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _content(header: Sequence[str], rows: Iterable[Sequence[object]], encoding: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8" if encoding == "auto" else encoding)


def _file_part(number: str) -> str:
    """Return a number fit for a file name, still different for different numbers."""
    safe = re.sub(r"[^\w.-]", "_", number, flags=re.ASCII)[:100]
    return safe if safe == number else f"{safe}-{digest_of({'number': number})[:8]}"
