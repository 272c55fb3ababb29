"""Rows of one parcel into `ShipmentReport`.

Why a bad row withholds a report that would have no lines left: no lines means "all that is open", and a parcel of one
piece must not ship the rest on paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.csv_drop.mapping.cells import identifier, quantity
from connectors.csv_drop.mapping.payload import Row, refused, rows_of
from connectors.csv_drop.settings import Layout
from erpsync.sdk.bad_lines import as_one
from erpsync.sdk.carriers import as_in_file
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import BadLine, Payload, RefundLine, ShipmentReport


@dataclass(frozen=True, slots=True)
class _Read:
    order: str
    carrier: str
    tracking: str
    line: RefundLine | None


def report_of(payload: Payload, layout: Layout, file_digest: str) -> tuple[ShipmentReport | None, list[BadLine]]:
    """Return the report that the rows of `payload` make, if any, and what of them cannot be read, as one.

    Rows without line and quantity mean all that is open. The key is made of file, order and tracking number, so a
    file that is read again reports nothing new.
    """
    good: list[_Read] = []
    bad: list[BadLine] = []
    source = ""
    for row in rows_of(payload, layout):
        source = source or row.source
        try:
            good.append(_read(row, good))
        except PayloadError as error:
            bad.append(BadLine(key=row.source, error=refused(row, error), row=payload))
    if not good or (bad and good[0].line is None):
        return None, as_one(bad)
    first = good[0]
    report = ShipmentReport(
        key=digest_of({"file": file_digest, "order": first.order, "tracking": first.tracking}),
        order=first.order,
        carrier=first.carrier,
        tracking=first.tracking,
        lines=_lines(good),
        source=source,
    )
    return report, as_one(bad)


def _read(row: Row, good: Sequence[_Read]) -> _Read:
    row.require_cells()
    order, name, tracking = (_needed(row, field) for field in ("order", "carrier", "tracking"))
    carrier = as_in_file(name, row.layout.carrier_map)
    read = _Read(order, carrier, tracking, _line(row))
    if good and good[0].carrier != carrier:
        raise PayloadError("differs from the carrier of the parcel's first row", path="carrier")
    if good and (good[0].line is None) != (read.line is None):
        raise PayloadError("must stand in all rows of a parcel or in none", path="line_id")
    return read


def _needed(row: Row, field: str) -> str:
    text = identifier(row.text(field), field)
    if not text:
        raise PayloadError("is empty", path=field)
    return text


def _line(row: Row) -> RefundLine | None:
    line_id, qty = identifier(row.text("line_id"), "line_id"), row.text("qty")
    if not line_id and not qty:
        return None
    if not line_id:
        raise PayloadError("is empty where a quantity stands", path="line_id")
    return RefundLine(line_external_id=line_id, qty=quantity(qty, "qty"))


def _lines(good: Sequence[_Read]) -> tuple[RefundLine, ...]:
    """Return one entry per line; a line that stands twice counts twice."""
    units: dict[str, int] = {}
    for read in good:
        if read.line is not None:
            units[read.line.line_external_id] = units.get(read.line.line_external_id, 0) + read.line.qty
    return tuple(RefundLine(line_external_id=line_id, qty=qty) for line_id, qty in units.items())
