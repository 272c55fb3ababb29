"""Files of the warehouse: theirs read as numbered rows, ours written whole."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.folder import Claim, write_whole
from erpsync.sdk.formulas import Formulas, safe_row
from erpsync.sdk.sheets import Columns, open_sheet

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "shipments": ("release", "carrier", "tracking", "order", "line_id", "sku", "qty", "left_at"),
    "stock": ("sku", "on_hand", "as_of", "warehouse"),
    "answers": ("release", "stopped", "reason"),
}
_EXACT = frozenset({"release", "tracking", "line_id", "sku"})


@dataclass(slots=True)
class Read:
    """A file's rows by line, why some of them are none, and what was passed over."""

    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    problems: dict[int, PayloadError] = field(default_factory=dict)
    passed: str = ""


def rows_of(claim: Claim, kind: str, needed: Sequence[str], sheet: str = "") -> Read:
    """Return what stands in a file of a kind. Raises `PayloadError` about the file as a whole."""
    known = COLUMNS[kind]
    columns = Columns(
        headers={name: (name,) for name in known},
        demanded=frozenset(needed),
        exact=_EXACT & frozenset(known),
        folds=True,
        fills=True,
    )
    table = open_sheet(claim.stream, columns, sheet=sheet)
    try:
        names = table.header.names
        if missing := [name for name in needed if name not in names]:
            raise PayloadError(f"the header has no column {missing[0]}", path="header")
        read = Read()
        for record in table.records:
            cells = table.ids(record, range(len(names)))
            read.rows.append((record.line, dict(zip(names, cells, strict=True))))
            if record.problem:
                read.problems[record.line] = PayloadError(record.problem, path=record.path)
    finally:
        table.close()
    read.passed = str(table.passed)
    return read


def write_rows(target: Path, header: Sequence[str], rows: Iterable[Sequence[object]], formulas: Formulas) -> None:
    """Write a CSV file in UTF-8 that appears whole."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(safe_row(row, formulas) for row in rows)
    write_whole(target, text.getvalue().encode("utf-8"))


def file_part(number: str) -> str:
    """Return a number fit for a file name, still different for different numbers."""
    safe = re.sub(r"[^\w.-]", "_", number, flags=re.ASCII)[:100]
    return safe if safe == number else f"{safe}-{digest_of({'number': number})[:8]}"
