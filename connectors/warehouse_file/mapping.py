"""Rows of the warehouse's files into reports, and releases into rows.

Our own layout; all quantities are pieces of our SKUs.

    shipments-*.csv   release, carrier, tracking [, line_id, sku, qty [, order]] [, left_at]
    stock-*.csv       sku, on_hand, as_of [, warehouse]
    answers-*.csv     release, stopped (yes or no) [, reason]
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from erpsync.sdk.carriers import as_in_file
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sheets import amount_of, has_lost_digits, instant
from erpsync.sdk.text import cut_to, quoted, storable
from erpsync.sdk.types import BadLine, CancelAnswer, Dispatch, Release, ReleaseLine, StockCount

RELEASE_HEADER = (
    "release", "order", "warehouse", "line_id", "sku", "qty", "title", "recipient", "phone", "province", "city",
    "district", "address", "ciphertext", "placed_at", "paid_at",
)  # fmt: skip
CANCEL_HEADER = ("release",)
NEEDED: Mapping[str, tuple[str, ...]] = {
    "shipments": ("release", "carrier", "tracking"),
    "stock": ("sku", "on_hand", "as_of"),
    "answers": ("release", "stopped"),
}
_MOST = 10**12
_WORDS = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}

Report = Dispatch | StockCount | CancelAnswer
Rows = Sequence[tuple[int, Mapping[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file's rows. `name` is for people, `digest` tells its content from any other."""

    name: str
    digest: str
    rows: Rows
    zone: ZoneInfo
    problems: Mapping[int, PayloadError] = field(default_factory=dict)
    carrier_map: Mapping[str, str] = field(default_factory=dict)

    def sound(self, line: int, row: Mapping[str, str]) -> Mapping[str, str]:
        """Return a row that could be split into its cells. Raises `PayloadError` for any other."""
        if problem := self.problems.get(line):
            raise problem
        return row

    def key(self, line: int) -> str:
        """Return the identity of what stands on a line, equal when the file is read again."""
        return f"{self.name}:{line}#{self.digest[:8]}"


def kind_of(name: str) -> str | None:
    """Return what a file holds by its name, None when that cannot be told."""
    return next((kind for kind in NEEDED if name.lower().startswith(f"{kind}-")), None)


def reports_of(kind: str, sheet: Sheet) -> Iterator[Report | BadLine]:
    """Yield what a file reports, in the order of first lines; what cannot be read is a bad line."""
    if kind == "shipments":
        yield from _dispatches(sheet)
        return
    read: Callable[[Sheet, int, Mapping[str, str]], Report] = _count if kind == "stock" else _answer
    for line, row in sheet.rows:
        try:
            yield read(sheet, line, sheet.sound(line, row))
        except PayloadError as error:
            yield _bad(sheet, line, row, error)


def _dispatches(sheet: Sheet) -> Iterator[Report | BadLine]:
    """Rows of one release and tracking number are one parcel, wherever they stand; one bad row withholds it.

    A parcel of which a row is missing would ship the rest on paper.
    """
    groups: dict[tuple[str, str], list[tuple[int, Mapping[str, str]]]] = {}
    for line, row in sheet.rows:
        groups.setdefault((row.get("release", ""), row.get("tracking", "")), []).append((line, row))
    for rows in groups.values():
        line, row = rows[0]
        try:
            yield _dispatch(sheet, [(number, sheet.sound(number, cells)) for number, cells in rows])
        except PayloadError as error:
            yield _bad(sheet, line, row, error)


def _dispatch(sheet: Sheet, rows: Rows) -> Dispatch:
    line, first = rows[0]
    if any(row.get("carrier") != first.get("carrier") for _, row in rows):
        raise PayloadError("the rows of one parcel name several carriers", path="carrier")
    named = [row for _, row in rows if row.get("line_id") or row.get("qty")]
    if named and len(named) != len(rows):
        raise PayloadError("must stand in all rows of a parcel or in none", path="line_id")
    return Dispatch(
        key=sheet.key(line),
        release=_needed(first, "release"),
        carrier=as_in_file(_needed(first, "carrier"), sheet.carrier_map),
        tracking=_needed(first, "tracking"),
        lines=tuple(
            ReleaseLine(
                line=_needed(row, "line_id"),
                sku=row.get("sku", ""),
                qty=_whole(row, "qty", 1),
                order=row.get("order", ""),
            )
            for row in named
        ),
        left_at=_instant(first, "left_at", sheet.zone) if first.get("left_at") else None,
        source=f"{sheet.name}:{line}",
    )


def _count(sheet: Sheet, line: int, row: Mapping[str, str]) -> StockCount:
    return StockCount(
        key=sheet.key(line),
        sku=_needed(row, "sku"),
        on_hand=_whole(row, "on_hand", 0),
        as_of=_instant(row, "as_of", sheet.zone),
        warehouse=row.get("warehouse", ""),
        source=f"{sheet.name}:{line}",
    )


def _answer(sheet: Sheet, line: int, row: Mapping[str, str]) -> CancelAnswer:
    stopped = _WORDS.get(row.get("stopped", "").lower())
    if stopped is None:
        raise PayloadError(f"expected yes or no{quoted(row.get('stopped', ''))}", path="stopped")
    release = _needed(row, "release")
    source = f"{sheet.name}:{line}"
    return CancelAnswer(
        key=sheet.key(line), release=release, stopped=stopped, reason=row.get("reason", "")[:200], source=source
    )


def _bad(sheet: Sheet, line: int, row: Mapping[str, str], error: PayloadError) -> BadLine:
    placed = PayloadError(error.problem, path=error.path, source=f"{sheet.name}:{line}")
    return BadLine(key=sheet.key(line), error=placed, row={name: storable(cell) for name, cell in row.items()})


def _needed(row: Mapping[str, str], name: str) -> str:
    """Return a text that must be there; a number whose digits a spreadsheet program cut is none (failures row 27)."""
    text = row.get(name)
    if not text:
        raise PayloadError("is empty", path=name)
    if has_lost_digits(text):
        raise PayloadError(f"a spreadsheet program cut the digits of this number{cut_to(text)}", path=name)
    return text


def _whole(row: Mapping[str, str], name: str, least: int) -> int:
    text = row.get(name, "")
    number = amount_of(text)
    if number is None or number != number.to_integral_value() or not least <= number < _MOST:
        raise PayloadError(f"expected a whole number from {least}{quoted(text)}", path=name)
    return int(number)


def _instant(row: Mapping[str, str], name: str, zone: ZoneInfo) -> datetime:
    at = instant(_needed(row, name), (), zone, name)
    if at is None:
        raise PayloadError("is empty", path=name)
    return at


def release_rows(order: Release) -> list[tuple[object, ...]]:
    """Return the rows of a release file, one per line and SKU."""
    to = order.recipient
    who = (to.name, to.phone, to.province, to.city, to.district, to.address, to.ciphertext)
    when = (order.placed_at.isoformat(), order.paid_at.isoformat() if order.paid_at else "")
    return [
        (order.number, line.order or order.order, order.warehouse, *_cells(line), *who, *when) for line in order.lines
    ]


def _cells(line: ReleaseLine) -> tuple[object, ...]:
    return line.line, line.sku, line.qty, line.title


def file_digest(kind: str, content_digest: str) -> str:
    """Return the digest under which a file's rows are known."""
    return digest_of({"kind": kind, "content": content_digest})
