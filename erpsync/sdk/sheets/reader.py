"""A file as a table: where its header stands, its records, and what beside them was passed over.

Why titles and sums are passed over and told: exports carry a heading above and totals below, which are no records and
no faults; but a row that goes unread must never do so in silence.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import Any, BinaryIO

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sheets.cells import amount_of, clean
from erpsync.sdk.sheets.text import MAX_TITLES, Header, Lines, Record, encoding_of, guess_cell, read_header, records
from erpsync.sdk.sheets.workbook import header_names, is_workbook, sheet_rows, workbook_records

_SUM = re.compile(
    r"(?:合计|总计|小计|共计|总和|汇总|本页合计|(?:grand |sub)?totals?|sum)\s*(?:[:：(（\d].*)?"
    r"|共\s*[\d,]+\s*[条行单个笔件].*",
    re.IGNORECASE | re.DOTALL,
)
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What is looked for in a file.

    Args:
        headers: possible headers by field.
        demanded: fields without which a row is none; they tell the header from titles, and rows from sums.
        exact: fields of ids, tracking and phone numbers.
        folds: whether small and capital letters in headers are the same.
        fills: whether cells that a line lacks at its end are empty; else the line is bad.
    """

    headers: Mapping[str, Sequence[str]]
    demanded: frozenset[str]
    exact: frozenset[str] = frozenset()
    folds: bool = False
    fills: bool = False

    def rank(self, names: Sequence[str]) -> tuple[int, int]:
        """Return how well a line does for a header: whether nothing lacks, and how many fields it has."""
        there = {name.lower() for name in names} if self.folds else set(names)
        present = {name for name, headers in self.headers.items() if not there.isdisjoint(headers)}
        return int(self.demanded <= present and bool(present)), len(present)

    def indexes(self, names: Sequence[str], fields: frozenset[str]) -> list[int]:
        """Return where the columns of these fields stand, as far as they do."""
        at = {name: index for index, name in reversed(list(enumerate(names)))}
        places = (next((at[h] for h in self.headers[name] if h in at), None) for name in fields if name in self.headers)
        return sorted({index for index in places if index is not None})


@dataclass(slots=True)
class PassedOver:
    """The numbers of rows that are no records: titles above the header, sums among or below the records."""

    titles: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.titles or self.sums)

    def __str__(self) -> str:
        passed = ((self.titles, "title line"), (self.sums, "sum row"))
        return ", ".join(_counted(numbers, what) for numbers, what in passed if numbers)


def _counted(numbers: Sequence[int], what: str) -> str:
    named = ", ".join(map(str, numbers[:_MOST_NAMED])) + (", …" if len(numbers) > _MOST_NAMED else "")
    return f"{len(numbers)} {what}{'s' if len(numbers) > 1 else ''} ({named})"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file whose header was found; `passed` is complete once `records` have been read to their end."""

    header: Header
    records: Iterator[Record]
    passed: PassedOver
    close: Callable[[], None]

    def ids(self, record: Record, indexes: Sequence[int]) -> list[str]:
        """Return the cleaned cells at `indexes`, guessed where the record has no cells."""
        return _cells(record, self.header, indexes)


def open_sheet(stream: BinaryIO, columns: Columns, *, encoding: str = "auto", sheet: str = "") -> Sheet:
    """Return a text file or workbook as a table. The caller closes it; the stream stays open.

    Args:
        sheet: the sheet of a workbook that has several.

    Raises:
        PayloadError: it has no line that could be a header, is no table, or is too large unpacked.
    """
    if is_workbook(stream):
        return _open_workbook(stream, columns, sheet)
    lines = Lines(stream, encoding_of(stream) if encoding == "auto" else encoding)
    try:
        header, titles = read_header(lines, columns.rank)
    except BaseException:
        lines.close()
        raise
    header = _folded(header, columns)
    passed = PassedOver(titles)
    rows = records(lines, header, fills=columns.fills)
    return Sheet(header, _but_sums(rows, header, columns, passed), passed, lines.close)


def _open_workbook(stream: BinaryIO, columns: Columns, sheet: str) -> Sheet:
    rows = sheet_rows(stream, sheet)
    looked: list[tuple[int, list[Any]]] = []
    for number, values in islice(rows, MAX_TITLES):
        looked.append((number, values))
        if columns.rank(header_names(values))[0]:
            break
    filled = [at for at, (_, values) in enumerate(looked) if header_names(values)]
    if not filled:
        raise PayloadError("the file has no header", path="header")
    header_at = max(filled, key=lambda at: columns.rank(header_names(looked[at][1])))
    header = _folded(Header(header_names(looked[header_at][1]), looked[header_at][0], "\t"), columns)
    passed = PassedOver([looked[at][0] for at in filled if at < header_at])
    exact = frozenset(columns.indexes(header.names, columns.exact))
    rest = _chain(looked[header_at + 1 :], rows)
    return Sheet(
        header, _but_sums(workbook_records(rest, header, exact), header, columns, passed), passed, lambda: None
    )


def _chain(
    first: list[tuple[int, list[Any]]], rest: Iterator[tuple[int, list[Any]]]
) -> Iterator[tuple[int, list[Any]]]:
    yield from first
    yield from rest


def _folded(header: Header, columns: Columns) -> Header:
    return Header([name.lower() for name in header.names], header.line, header.delimiter) if columns.folds else header


def _but_sums(rows: Iterator[Record], header: Header, columns: Columns, passed: PassedOver) -> Iterator[Record]:
    """Yield the records that are no sums; the numbers of those go to `passed`."""
    needed = columns.indexes(header.names, columns.demanded)
    ids = columns.indexes(header.names, columns.exact)
    pick = itemgetter(*(needed * 2 or [0, 0]))  # of one index alone it would be no tuple
    width = max(needed, default=0) + 1
    bare: list[Record] = []  # rows of amounts alone: a sum where nothing but sums follows
    for record in rows:
        cells = record.cells
        if (record.problem or len(cells) < width or not all(pick(cells))) and _lacks(record, header, needed):
            filled = _filled(record, header)
            if _SUM.fullmatch(filled[0]):
                passed.sums.append(record.line)
                continue
            if all(map(_is_amount, filled)) and not any(_cells(record, header, ids)):
                bare.append(record)
                continue
        if bare:
            yield from bare
            bare.clear()
        yield record
    passed.sums += [record.line for record in bare]


def _lacks(record: Record, header: Header, needed: Sequence[int]) -> bool:
    """Whether a row holds something, but not all that makes a row."""
    return bool(_filled(record, header)) and not all(_cells(record, header, needed))


def _filled(record: Record, header: Header) -> list[str]:
    raw = record.cells or record.text.split(header.delimiter)
    return [said for cell in raw if (said := clean(cell.strip().strip('"')))]


def _cells(record: Record, header: Header, indexes: Sequence[int]) -> list[str]:
    """Return the cleaned cells at `indexes`, guessed where the record has no cells."""
    if record.text:
        return [clean(guess_cell(record.text, header.delimiter, index)) for index in indexes]
    return [clean(record.cells[index]) if index < len(record.cells) else "" for index in indexes]


def _is_amount(cell: str) -> bool:
    return amount_of(cell) is not None
