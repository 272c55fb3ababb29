"""Rows of the warehouse's files into reports, and releases into rows.

Our own layout; all quantities are pieces of our SKUs.

    shipments-*.csv   release, carrier, tracking [, line_id, sku, qty [, order]] [, left_at]
    stock-*.csv       sku, on_hand, as_of [, warehouse]
    answers-*.csv     release, stopped (yes or no) [, reason]
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from erpsync.sdk.carriers import as_in_file
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.reports import Layout, ReportFile, Row, needed, whole
from erpsync.sdk.sheets import instant
from erpsync.sdk.text import quoted
from erpsync.sdk.types import BadLine, CancelAnswer, Dispatch, Release, ReleaseLine, StockCount

RELEASE_HEADER = (
    "release", "order", "warehouse", "line_id", "sku", "qty", "title", "recipient", "phone", "province", "city",
    "district", "address", "ciphertext", "placed_at", "paid_at",
)  # fmt: skip
WAYBILL_HEADER = ("carrier", "tracking")
"""Behind it where the numbers are ours; several are apart by a blank."""
CANCEL_HEADER = ("release",)
LAYOUTS: Mapping[str, Layout] = {
    "shipments": Layout(
        columns=("release", "carrier", "tracking", "order", "line_id", "sku", "qty", "left_at"),
        needed=("release", "carrier", "tracking"),
        exact=frozenset({"release", "tracking", "line_id", "sku"}),
    ),
    "stock": Layout(
        columns=("sku", "on_hand", "as_of", "warehouse"), needed=("sku", "on_hand", "as_of"), exact=frozenset({"sku"})
    ),
    "answers": Layout(
        columns=("release", "stopped", "reason"), needed=("release", "stopped"), exact=frozenset({"release"})
    ),
}
_WORDS = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}

Report = Dispatch | StockCount | CancelAnswer


def reports_of(file: ReportFile, zone: ZoneInfo, carrier_map: Mapping[str, str]) -> Iterator[Report | BadLine]:
    """Yield what a file reports, in the order of first lines; what cannot be read is a bad line."""
    if file.kind == "shipments":
        yield from _dispatches(file, zone, carrier_map)
        return
    read: Callable[[ReportFile, int, Row, ZoneInfo], Report] = _count if file.kind == "stock" else _answer
    for line, row in file.rows:
        try:
            yield read(file, line, file.sound(line, row), zone)
        except PayloadError as error:
            yield file.bad(line, row, error)


def _dispatches(file: ReportFile, zone: ZoneInfo, carrier_map: Mapping[str, str]) -> Iterator[Report | BadLine]:
    """Rows of one release and tracking number are one parcel, wherever they stand; one bad row withholds it.

    A parcel of which a row is missing would ship the rest on paper.
    """
    groups: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for line, row in file.rows:
        groups.setdefault((row.get("release", ""), row.get("tracking", "")), []).append((line, row))
    for rows in groups.values():
        line, row = rows[0]
        try:
            sound = [(number, file.sound(number, cells)) for number, cells in rows]
            yield _dispatch(file, sound, zone, carrier_map)
        except PayloadError as error:
            yield file.bad(line, row, error)


def _dispatch(
    file: ReportFile, rows: Sequence[tuple[int, Row]], zone: ZoneInfo, carrier_map: Mapping[str, str]
) -> Dispatch:
    line, first = rows[0]
    if any(row.get("carrier") != first.get("carrier") for _, row in rows):
        raise PayloadError("the rows of one parcel name several carriers", path="carrier")
    named = [row for _, row in rows if row.get("line_id") or row.get("qty")]
    if named and len(named) != len(rows):
        raise PayloadError("must stand in all rows of a parcel or in none", path="line_id")
    return Dispatch(
        key=file.key(line),
        release=needed(first, "release"),
        carrier=as_in_file(needed(first, "carrier"), carrier_map),
        tracking=needed(first, "tracking"),
        lines=tuple(
            ReleaseLine(
                line=needed(row, "line_id"),
                sku=row.get("sku", ""),
                qty=whole(row, "qty", 1),
                order=row.get("order", ""),
            )
            for row in named
        ),
        left_at=_instant(first, "left_at", zone) if first.get("left_at") else None,
        source=file.source(line),
    )


def _count(file: ReportFile, line: int, row: Row, zone: ZoneInfo) -> StockCount:
    return StockCount(
        key=file.key(line),
        sku=needed(row, "sku"),
        on_hand=whole(row, "on_hand", 0),
        as_of=_instant(row, "as_of", zone),
        warehouse=row.get("warehouse", ""),
        source=file.source(line),
    )


def _answer(file: ReportFile, line: int, row: Row, zone: ZoneInfo) -> CancelAnswer:
    del zone
    stopped = _WORDS.get(row.get("stopped", "").lower())
    if stopped is None:
        raise PayloadError(f"expected yes or no{quoted(row.get('stopped', ''))}", path="stopped")
    release = needed(row, "release")
    source = file.source(line)
    return CancelAnswer(
        key=file.key(line), release=release, stopped=stopped, reason=row.get("reason", "")[:200], source=source
    )


def _instant(row: Row, name: str, zone: ZoneInfo) -> datetime:
    at = instant(needed(row, name), (), zone, name)
    if at is None:
        raise PayloadError("is empty", path=name)
    return at


def release_rows(order: Release) -> list[tuple[object, ...]]:
    """Return the rows of a release file, one per line and SKU."""
    to = order.recipient
    who = (to.name, to.phone, to.province, to.city, to.district, to.address, to.ciphertext)
    when = (order.placed_at.isoformat(), order.paid_at.isoformat() if order.paid_at else "")
    ours = (order.carrier, " ".join(order.waybills)) if order.waybills else ()
    return [
        (order.number, line.order or order.order, order.warehouse, *_cells(line), *who, *when, *ours)
        for line in order.lines
    ]


def _cells(line: ReleaseLine) -> tuple[object, ...]:
    return line.line, line.sku, line.qty, line.title
