"""Rows of the tables that operators import, each with the file and line it stands on.

Why strict about headers and lenient about rows: a mistyped header would quietly empty a column of a whole file, while
one bad row is no reason to leave out the others.
"""

import io
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from erpsync.cli.errors import CommandError
from erpsync.cli.readers import CONTROL
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sheets import Columns, Header, Record, amount_of, clean, has_lost_digits, open_sheet, tidy

T = TypeVar("T")
Refusal = tuple[str, str]
MOST_UNITS = 10**15
UNSET = "-"
YES, NO = frozenset({"yes", "y", "true", "1", "是"}), frozenset({"", "no", "n", "false", "0", "否"})


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
        if has_lost_digits(value):
            raise BadRow(f"{name} is {value}: a spreadsheet shortened it, format the column as text")
        return value

    def units(self, name: str, *, least: int = 0) -> int:
        """Return a cell as a whole number."""
        value = self.cells.get(name, "")
        number = amount_of(value)
        if number is None or number != number.to_integral_value() or not least <= number < MOST_UNITS:
            raise BadRow(f"{name} must be a whole number from {least}, is {value or 'empty'}")
        return int(number)

    def yes(self, name: str) -> bool:
        """Return whether a cell says yes; an empty one says no."""
        value = self.cells.get(name, "").casefold()
        if value not in YES and value not in NO:
            raise BadRow(f"{name} must be yes or no, is {value}")
        return value in YES


@dataclass(slots=True)
class Rows(Generic[T]):
    """Reads files row by row; what cannot be taken is collected in `refused` as (source, problem).

    Args:
        make: makes what is wanted of a row; raises `BadRow`.
        identity: two rows of one identity contradict each other: the second is refused.
        exact: columns of codes, of which a workbook must not have lost a digit.
        unsets: columns in which a dash takes back what is set, where elsewhere it stands for nothing.
        heads: other heads of columns, in small letters, and which column each is; "" is one that is passed over.
        sheet: which sheet of a workbook is read, where it has several.
        passed: titles and sums that were passed over, as (file, which).
    """

    required: Sequence[str]
    optional: Sequence[str]
    make: Callable[[Row], T]
    identity: Callable[[T], object]
    exact: Sequence[str] = ("sku", "channel_sku", "item_ref", "warehouse", "bundle")
    unsets: Collection[str] = ()
    heads: Mapping[str, str] = field(default_factory=dict)
    sheet: str = ""
    refused: list[Refusal] = field(default_factory=list)
    passed: list[tuple[str, str]] = field(default_factory=list)
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
        columns = Columns(
            headers={column: self._heads_of(column) for column in (*self.required, *self.optional)},
            demanded=frozenset(self.required),
            exact=frozenset(self.exact),
            folds=True,
            fills=True,
        )
        try:
            with _opened(name) as stream, closing(open_sheet(stream, columns, sheet=self.sheet)) as sheet:
                header = self._header(sheet.header, shown)
                for record in sheet.records:
                    yield from self._row(header, record, f"{shown}:{record.line}")
                if sheet.passed:
                    self.passed.append((shown, str(sheet.passed)))
        except PayloadError as error:
            raise CommandError(f"{shown}:1: {self._wanted()}, is none: {error.problem}") from None

    def _heads_of(self, column: str) -> list[str]:
        return [column, *(head for head, named in self.heads.items() if named == column and head != column)]

    def _row(self, header: list[str], record: Record, source: str) -> Iterator[Row]:
        if record.problem:
            where = "" if record.path == "line" else f"{record.path}: "
            self.refused.append((source, f"{where}{record.problem}"))
        else:
            cells = {name: self._said(name, cell) for name, cell in zip(header, record.cells, strict=False)}
            yield Row(cells, source)

    def _said(self, column: str, cell: str) -> str:
        return UNSET if column in self.unsets and tidy(cell) == UNSET else clean(cell)

    def _header(self, header: Header, shown: str) -> list[str]:
        names = [self.heads.get(name, name) for name in header.names]
        taken = [name for name in names if name]
        allowed = {*self.required, *self.optional}
        wrong = [name for name in taken if name not in allowed]
        missing = [name for name in self.required if name not in taken]
        if wrong or missing or len(set(taken)) != len(taken):
            line = header.line if len(wrong) < len(names) else 1
            raise CommandError(f"{shown}:{line}: {self._wanted()}, is {','.join(header.names)}")
        return names

    def _wanted(self) -> str:
        also = f" and may hold {','.join(self.optional)}" if self.optional else ""
        return f"the header must be {','.join(self.required)}{also}"


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield io.BytesIO(sys.stdin.buffer.read())
        return
    with Path(name).open("rb") as stream:
        yield stream
