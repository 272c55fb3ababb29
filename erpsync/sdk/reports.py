"""Files of rows that a partner drops: each is read row by row, handed over page by page, and then filed away.

Why a file is known by its content: dropped again unchanged it says nothing new, and a reader that was killed goes on
behind the last page that was committed, never within another file of the same name.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

import structlog

from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.folder import Claim, DropFolder, folder_errors
from erpsync.sdk.sheets import Columns, amount_of, has_lost_digits, open_sheet
from erpsync.sdk.text import cut_to, quoted, storable
from erpsync.sdk.types import BadLine, Cursor

Row = Mapping[str, str]
Report = TypeVar("Report")
Page = TypeVar("Page")

PAGE = 200
MOST = 10**12
"""More than that is no count of anything, and a few digits more no database holds."""

log = structlog.get_logger("erpsync.sdk.reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What files of one kind hold.

    Args:
        columns: all that are read.
        needed: those without which a file is none.
        exact: ids and tracking numbers, which a spreadsheet program may have cut.
    """

    columns: tuple[str, ...]
    needed: tuple[str, ...]
    exact: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """A file's rows by their line. `name` is for people, `digest` tells its content from any other.

    Args:
        problems: why a line is no row, by line.
        passed: what was passed over, for people.
    """

    kind: str
    name: str
    digest: str
    rows: Sequence[tuple[int, Row]]
    problems: Mapping[int, PayloadError]
    passed: str = ""

    def sound(self, line: int, row: Row) -> Row:
        """Return a row that could be split into its cells. Raises `PayloadError` for any other."""
        if problem := self.problems.get(line):
            raise problem
        return row

    def key(self, line: int) -> str:
        """Return the identity of what stands on a line, equal when the file is read again."""
        return f"{self.name}:{line}#{self.digest[:8]}"

    def source(self, line: int) -> str:
        """Return where a line stands, for people."""
        return f"{self.name}:{line}"

    def bad(self, line: int, row: Row, error: PayloadError) -> BadLine:
        """Return a row that cannot be read, with its place."""
        placed = PayloadError(error.problem, path=error.path, source=self.source(line))
        return BadLine(key=self.key(line), error=placed, row={name: storable(cell) for name, cell in row.items()})


def needed(row: Row, name: str) -> str:
    """Return a text that must be there; a number whose digits a spreadsheet program cut is none (failures row 27)."""
    text = row.get(name)
    if not text:
        raise PayloadError("is empty", path=name)
    if has_lost_digits(text):
        raise PayloadError(f"a spreadsheet program cut the digits of this number{cut_to(text)}", path=name)
    return text


def whole(row: Row, name: str, least: int) -> int:
    """Return a whole number of at least `least`. Raises `PayloadError`."""
    text = row.get(name, "")
    number = amount_of(text)
    if number is None or number != number.to_integral_value() or not least <= number < MOST:
        raise PayloadError(f"expected a whole number from {least}{quoted(text)}", path=name)
    return int(number)


class ReportFolder(Generic[Report, Page]):
    """Reads the files of a folder.

    Args:
        layouts: by kind; a file's name begins with its kind and a hyphen.
        misnamed: what is said of a file whose name does not.
        reports: yields what a file says, the same each time, bad lines in their places.
        page: makes a page of some of them, with its mark and the name of the file that it begins, if it does.
        sheet: which sheet of a workbook is read, where it has several.
    """

    def __init__(
        self,
        folder: DropFolder,
        layouts: Mapping[str, Layout],
        *,
        misnamed: str,
        reports: Callable[[ReportFile], Iterator[Report | BadLine]],
        page: Callable[[Sequence[Report | BadLine], str, str], Page],
        sheet: str = "",
    ) -> None:
        self._folder = folder
        self._layouts = layouts
        self._misnamed = misnamed
        self._reports = reports
        self._page = page
        self._sheet = sheet

    def pages(self, cursor: Cursor) -> Iterator[Page]:
        """Yield what stands in all whole files; a file is filed away once its last page is committed."""
        with folder_errors(), closing(self._folder.claims()) as claims:
            for claim in claims:
                yield from self._file(claim, cursor)

    def _file(self, claim: Claim, cursor: Cursor) -> Iterator[Page]:
        before = claim.fingerprint()
        kind = next((kind for kind in self._layouts if claim.name.lower().startswith(f"{kind}-")), "")
        digest = digest_of({"kind": kind, "content": before.digest})
        read_as = f"{claim.id} {digest}"
        problem = claim.problem or ("" if kind else self._misnamed)
        reports: Iterator[Report | BadLine] = iter(())
        passed = ""
        try:
            if not problem:
                read = self._read(claim, kind, digest)
                passed, reports = read.passed, self._reports(read)
        except PayloadError as error:
            problem = str(error)
        if problem:
            told = PayloadError(problem, path="file", source=claim.name)
            bad = BadLine(key=f"{claim.name}#{digest[:8]}", error=told, row={})
            yield self._page((bad,), _mark(read_as, 0), claim.name)
        done = _resume_at(cursor, read_as)
        rest = islice(reports, done, None)
        while batch := list(islice(rest, PAGE)):
            begins = "" if done else claim.name
            done += len(batch)
            yield self._page(batch, _mark(read_as, done), begins)
        if passed:
            log.info("file.rows_passed_over", file=claim.name, rows=passed)
        self._folder.file_away(claim, before, problem=problem, mends=done > 0)

    def _read(self, claim: Claim, kind: str, digest: str) -> ReportFile:
        """Return what stands in a file of a kind. Raises `PayloadError` about the file as a whole."""
        layout = self._layouts[kind]
        columns = Columns(
            headers={name: (name,) for name in layout.columns},
            demanded=frozenset(layout.needed),
            exact=layout.exact,
            folds=True,
            fills=True,
        )
        table = open_sheet(claim.stream, columns, sheet=self._sheet)
        rows: list[tuple[int, Row]] = []
        problems: dict[int, PayloadError] = {}
        try:
            names = table.header.names
            if missing := [name for name in layout.needed if name not in names]:
                raise PayloadError(f"the header has no column {missing[0]}", path="header")
            for record in table.records:
                cells = table.ids(record, range(len(names)))
                rows.append((record.line, dict(zip(names, cells, strict=True))))
                if record.problem:
                    problems[record.line] = PayloadError(record.problem, path=record.path)
        finally:
            table.close()
        return ReportFile(
            kind=kind, name=claim.name, digest=digest, rows=rows, problems=problems, passed=str(table.passed)
        )


def _mark(read_as: str, done: int) -> str:
    return json.dumps({"file": read_as, "done": done})


def _resume_at(cursor: Cursor, read_as: str) -> int:
    """Return how many reports of this file and content are committed; 0 for another."""
    try:
        mark: Any = json.loads(cursor.mark or "{}")
        return int(mark["done"]) if mark.get("file") == read_as else 0
    except (ValueError, TypeError, KeyError, AttributeError):
        return 0
