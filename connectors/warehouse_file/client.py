"""Files of the warehouse, read as numbered rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.folder import Claim
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
    fields = COLUMNS[kind]
    columns = Columns(
        headers={name: (name,) for name in fields},
        demanded=frozenset(needed),
        exact=_EXACT & frozenset(fields),
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
