"""The payload of a head: the rows of one order or report as they stand in the file, by header.

Why headers and not fields: a dead letter is read again with the settings of that day, so a corrected column or status
text mends it without a new file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.csv_drop.settings import Layout
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sheets import clean
from erpsync.sdk.types import Payload


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a payload, read through a layout."""

    source: str
    nth: int
    entry: Mapping[str, Any]
    layout: Layout

    def text(self, field: str) -> str:
        """Return the first cell of `field` that holds something, cleaned; else its constant, else nothing."""
        cells = self.entry.get("cells", {})
        for header in self.layout.columns.get(field, ()):
            if cell := cells.get(header):
                if not isinstance(cell, str):
                    raise PayloadError("a cell of a file is text", path=field)
                if text := clean(cell):
                    return text
        return self.layout.constants.get(field, "")

    def has(self, field: str) -> bool:
        """Return whether the row's file has a column for `field`, as far as its empty cells are kept."""
        cells = self.entry.get("cells", {})
        return any(header in cells for header in self.layout.columns.get(field, ()))

    @property
    def number(self) -> str:
        """Where in its file the row stands."""
        return str(self.entry.get("line", "?"))

    def require_cells(self) -> None:
        """Raise what made this line unreadable as a whole, if anything did."""
        if problem := self.entry.get("problem"):
            raise PayloadError(str(problem), path=str(self.entry.get("path", "line")), broken=True)


def payload_of(name: str, entries: Sequence[Mapping[str, Any]]) -> Payload:
    """Return the payload of rows `entries` from file `name`."""
    return {"file": name, "lines": list(entries)}


def rows_of(payload: Payload, layout: Layout) -> Iterator[Row]:
    """Yield the rows of a payload. Raises `PayloadError` for what is no payload of ours."""
    name, entries = payload.get("file"), payload.get("lines")
    if not isinstance(name, str):
        raise PayloadError("expected the name of a file", path="file")
    if not isinstance(entries, list) or not entries:
        raise PayloadError("expected rows of a file", path="lines")
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not (_is_problem(entry) or _has_cells(entry)):
            raise PayloadError("expected cells by header, or a problem", path=f"lines[{number}].cells")
        yield Row(f"{name}:{entry.get('line', '?')}", number, entry, layout)


def _is_problem(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("problem")) and isinstance(entry["problem"], str)


def _has_cells(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("cells")) and isinstance(entry["cells"], Mapping)


def digest_of_rows(payload: Payload) -> str:
    """Return a digest of what the rows say; neither file name nor line numbers count, so equal orders stay equal."""
    return digest_of({"rows": [{k: v for k, v in entry.items() if k != "line"} for entry in payload["lines"]]})


def refused(row: Row, error: PayloadError) -> PayloadError:
    """Return `error` with file and line."""
    return PayloadError(
        error.problem,
        path=error.path,
        source=row.source,
        broken=error.broken,
        unknown_status=error.unknown_status,
    )
