"""Files that go out: what the shop may sell, and parcels."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

from erpsync.sdk.files import csv_bytes, file_part, write_new, write_whole
from erpsync.sdk.folder import instant_text
from erpsync.sdk.formulas import Formulas

STOCK_HEADER = ("channel_sku", "item_ref", "qty")
SHIPMENT_HEADER = ("order", "carrier", "tracking", "line_id", "qty")


def write_stock(
    folder: Path, at: datetime, rows: Iterable[Sequence[object]], encoding: str, formulas: Formulas
) -> Path:
    """Write `stock-INSTANT-N.csv`, N being the first number free at that instant; names sort by time."""
    content = csv_bytes(STOCK_HEADER, rows, formulas, encoding=_encoding(encoding))
    names = (folder / f"stock-{instant_text(at)}-{number:03}.csv" for number in count(1))
    return next(target for target in names if write_new(target, content))


def write_shipment(
    folder: Path, number: str, rows: Iterable[Sequence[object]], encoding: str, formulas: Formulas
) -> Path:
    """Write `shipment-NUMBER.csv`; the same parcel is the same file, so a repetition changes nothing."""
    target = folder / f"shipment-{file_part(number)}.csv"
    write_whole(target, csv_bytes(SHIPMENT_HEADER, rows, formulas, encoding=_encoding(encoding)))
    return target


def _encoding(wanted: str) -> str:
    return "utf-8" if wanted == "auto" else wanted
