"""Rows of the CSV files that operators import, each with the file and line it stands on.

Why strict about headers and lenient about rows: a mistyped header would quietly empty a column of a whole file, while
one bad row is no reason to leave out the others.
"""

import csv
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from erpsync.cli.errors import CommandError
from erpsync.cli.readers import CONTROL
from erpsync.sdk.formulas import unescaped

T = TypeVar("T")
Refusal = tuple[str, str]
ENCODINGS = ("utf-8-sig", "gb18030")

# What a spreadsheet makes of a long number: 6.92E+12. The digits are lost, so it must not be taken for a code.
_SHORTENED = re.compile(r"\d(\.\d+)?[eE]\+\d+")


class BadRow(Exception):
    """A row that cannot be taken; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by header, and where it stands."""

    cells: dict[str, str]
    source: str

    def text(self, name: str) -> str:
        """Return a cell that must not be empty."""
        value = self.cells.get(name, "")
        if not value:
            raise BadRow(f"{name} is empty")
        if CONTROL.search(value):
            raise BadRow(f"{name} holds a line end or control character: {value!r}")
        if _SHORTENED.fullmatch(value):
            raise BadRow(f"{name} is {value}: a spreadsheet shortened it, format the column as text")
        return value

    def units(self, name: str, *, least: int = 0) -> int:
        """Return a cell as a whole number."""
        value = self.cells.get(name, "")
        if not re.fullmatch(r"[0-9]{1,15}", value) or int(value) < least:
            raise BadRow(f"{name} must be a whole number from {least}, is {value or 'empty'}")
        return int(value)


@dataclass(slots=True)
class Rows(Generic[T]):
    """Reads files row by row; what cannot be taken is collected in `refused` as (source, problem).

    Args:
        make: makes what is wanted of a row; raises `BadRow`.
        identity: two rows of one identity contradict each other: the second is refused.
    """

    required: Sequence[str]
    optional: Sequence[str]
    make: Callable[[Row], T]
    identity: Callable[[T], object]
    refused: list[Refusal] = field(default_factory=list)
    _seen: dict[object, str] = field(default_factory=dict)

    def of(self, files: Iterable[str]) -> Iterator[T]:
        """Yield what the rows of all files make; raises `CommandError` when a file cannot be read at all."""
        for name in files:
            for row in self._rows(name):
                try:
                    yield self._unseen(row, self.make(row))
                except BadRow as problem:
                    self.refused.append((row.source, str(problem)))

    def _unseen(self, row: Row, made: T) -> T:
        first = self._seen.setdefault(self.identity(made), row.source)
        if first != row.source:
            raise BadRow(f"the same thing stands on {first}")
        return made

    def _rows(self, name: str) -> Iterator[Row]:
        shown = "standard input" if name == "-" else name
        reader = csv.reader(io.StringIO(_text(name, shown), newline=""))
        header = self._header(next(reader, []), shown)
        line = reader.line_num + 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield from self._row(header, cells, f"{shown}:{line}")
                line = reader.line_num + 1
        except csv.Error as error:
            raise CommandError(f"{shown}:{line}: {error}") from None

    def _row(self, header: list[str], cells: list[str], source: str) -> Iterator[Row]:
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            self.refused.append((source, f"has {len(cells)} cells, the header has {len(header)}"))
        elif odd := [name for name, cell in zip(header, cells, strict=False) if "\0" in cell]:
            self.refused.append((source, f"{odd[0]} holds U+0000"))
        else:
            yield Row(dict(zip(header, (unescaped(cell.strip()) for cell in cells), strict=False)), source)

    def _header(self, cells: list[str], shown: str) -> list[str]:
        names = [cell.strip().lower() for cell in cells]
        allowed = {*self.required, *self.optional}
        wrong = [name for name in names if name not in allowed]
        missing = [name for name in self.required if name not in names]
        if wrong or missing or len(set(names)) != len(names):
            also = f" and may hold {','.join(self.optional)}" if self.optional else ""
            raise CommandError(f"{shown}:1: the header must be {','.join(self.required)}{also}, is {','.join(cells)}")
        return names


def _text(name: str, shown: str) -> str:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CommandError(f"{shown}: is neither UTF-8 nor GB18030 text")
