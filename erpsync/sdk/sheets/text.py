"""Bytes of a text file into records: encoding found out, delimiter found out, each broken line reported by itself.

Why not `csv.reader` over the open file: one quote that is never closed would swallow everything behind it, and one
undecodable byte would end the reading. Here a record may look ahead a bounded number of lines; if that does not make
a record of the header's width, its first line alone is bad and reading goes on with the next one.
"""

import codecs
import csv
import io
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sheets.cells import tidy

MAX_LINE_CHARS = 100_000
MAX_RECORD_LINES = 200
_CHUNK_BYTES = 1 << 20
_SAMPLE_LINES = 20_000
_DELIMITERS = (",", ";", "\t", "|")
_GZIP = b"\x1f\x8b"
MAX_TITLES = 20
"""Among so many lines the header is looked for."""


def _as_nul(error: UnicodeError) -> tuple[str, int]:
    """Put a NUL where bytes cannot be decoded, so that one test per line finds both."""
    end = error.end if isinstance(error, UnicodeDecodeError) else 0
    return "\0", end


codecs.register_error("erpsync.csv-nul", _as_nul)


@dataclass(frozen=True, slots=True)
class Record:
    """One record and the line it begins on; `problem` is empty when `cells` fit the header.

    Of a record with a problem either `cells` or the line's `text` is there.
    """

    line: int
    cells: list[str]
    problem: str = ""
    path: str = "line"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """Column names (tidied, in order), the line they stand on and what separates them."""

    names: list[str]
    line: int
    delimiter: str


def encoding_of(stream: BinaryIO) -> str:
    """Return the encoding of a file: by its mark, UTF-8 if it is, else UTF-16 by its NULs, else what most lines are.

    Most lines decide between UTF-8 and GB18030 so that one broken byte does not turn a whole file into other signs.
    Raises `PayloadError` for files that are no text at all.
    """
    stream.seek(0)
    start = stream.read(4096)
    if start.startswith(_GZIP):
        raise PayloadError("this is a gzip file, not a table", path="file")
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if wide := _utf16_without_mark(start):
        return wide
    return "utf-8" if _is_utf8(stream) else _encoding_of_most_lines(stream)


def _utf16_without_mark(start: bytes) -> str:
    """Return the UTF-16 order whose high bytes are often NUL and whose low bytes hardly ever are."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if max(even, odd) * 20 < len(start):
        return ""
    if odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 4 * odd else ""


def _is_utf8(stream: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    stream.seek(0)
    try:
        while chunk := stream.read(_CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _encoding_of_most_lines(stream: BinaryIO) -> str:
    stream.seek(0)
    utf8 = other = 0
    while utf8 + other < _SAMPLE_LINES and (line := stream.readline(MAX_LINE_CHARS)):
        if not line.isascii():
            try:
                line.decode("utf-8")
                utf8 += 1
            except UnicodeDecodeError:
                other += 1
    return "utf-8" if utf8 > other else "gb18030"


class Lines:
    """Physical lines with a bounded look-ahead; `fault` says why a line taken since `begin` cannot be used."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        stream.seek(0)
        errors = "replace" if encoding.startswith("utf-16") else "erpsync.csv-nul"
        self._encoding = encoding
        self._text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
        self._lost = "\ufffd" if errors == "replace" else "\0"
        self._waiting: deque[str] = deque()
        self._read = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MAX_RECORD_LINES or (self.taken and sum(map(len, self.taken)) > MAX_LINE_CHARS):
            raise StopIteration
        line = self._waiting.popleft() if self._waiting else self._physical()
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

    def begin(self) -> int:
        """Begin a new record and return the number of its first line."""
        self._read += len(self.taken)
        self.taken = []
        return self._read + 1

    def give_back(self) -> None:
        """Let all lines but the first of those taken be read again."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def back_to(self, number: int, seen: list[str]) -> None:
        """Let all lines behind line `number` be read again; `seen` are those read so far, from the first on."""
        self._waiting.extendleft(reversed(seen[number:]))
        self._read, self.taken = number - 1, [seen[number - 1]]

    def fault(self) -> str:
        """Return what is wrong with the bytes of the lines taken; empty if nothing is."""
        for line in self.taken:
            if len(line) > MAX_LINE_CHARS:
                return f"line is longer than {MAX_LINE_CHARS} characters"
            if self._lost in line or "\0" in line:
                return f"line holds NUL or bytes that are not {self._encoding}"
        return ""

    def close(self) -> None:
        """Let go of the stream without closing it."""
        self._text.detach()

    def _physical(self) -> str:
        """Return the next line; of one that is too long the beginning, the rest is skipped."""
        line = self._text.readline(MAX_LINE_CHARS + 1)
        part = line
        while len(part) > MAX_LINE_CHARS and part[-1] not in "\r\n":
            part = self._text.readline(MAX_LINE_CHARS + 1)
        return line


def read_header(lines: Lines, rank: Callable[[list[str]], tuple[int, int]]) -> tuple[Header, list[int]]:
    """Return the header and the numbers of the title lines above it: of the first lines the one that `rank` puts first.

    A line's delimiter is the one under which it ranks highest. A first line `sep=;`, as spreadsheet programs write it,
    is taken at its word. Raises `PayloadError` where there is no line at all.
    """
    looked: list[Header] = []
    faults: dict[int, str] = {}
    kept: list[str] = []
    for _ in range(MAX_TITLES):
        number = lines.begin()
        line = next(lines, "")
        if not line:
            break
        kept.append(line)
        if fault := lines.fault():
            faults[number] = fault
            looked.append(Header([], number, _DELIMITERS[0]))
        elif not _is_blank(line) and not _names_delimiter(line):
            looked.append(_as_header(line, number, rank))
            if rank(looked[-1].names)[0]:
                break
    if not looked:
        raise PayloadError("the file has no header", path="header")
    best = max(looked, key=lambda header: rank(header.names))
    if best.line in faults:
        raise PayloadError(faults[best.line], path="header")
    lines.back_to(best.line, kept)
    return best, [header.line for header in looked if header.line < best.line]


def _is_blank(line: str) -> bool:
    return not line.strip("\r\n \t,;|\u3000")


def _names_delimiter(line: str) -> bool:
    text = line.strip("\r\n")
    return text.lower().startswith("sep=") and len(text) == len("sep=;")


def _as_header(line: str, number: int, rank: Callable[[list[str]], tuple[int, int]]) -> Header:
    splits = [(delimiter, _split_header(line, delimiter)) for delimiter in _DELIMITERS]
    delimiter, names = max(splits, key=lambda split: (rank(split[1]), len(split[1])))
    return Header(without_tail(names), number, delimiter)


def without_tail(names: list[str]) -> list[str]:
    """Return header names without empty ones at the end."""
    while names and not names[-1]:
        names.pop()
    return names


def _split_header(line: str, delimiter: str) -> list[str]:
    return [header_name(cell) for cell in next(csv.reader([line], delimiter=delimiter), [])]


def header_name(cell: str) -> str:
    """Return what a header's cell says."""
    return tidy(cell.removeprefix('="').removesuffix('"').lstrip("'`"))


def records(lines: Lines, header: Header, *, fills: bool = False) -> Iterator[Record]:
    """Yield the records behind the header, good and bad, without blank ones.

    Args:
        fills: whether cells that a line lacks at its end are empty; else the line is bad.
    """
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    width = len(header.names)
    while True:
        number = lines.begin()
        problem = ""
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = _said(error, len(lines.taken))
        if fills and 0 < len(cells) < width and len(lines.taken) == 1:
            cells += [""] * (width - len(cells))
        problem = lines.fault() or problem or _misfit(cells, width, len(lines.taken))
        if problem:
            lines.give_back()
            problem = lines.fault() or problem
            yield Record(number, [], problem, text=lines.taken[0].rstrip("\r\n"))
        elif any(cells):
            yield Record(number, cells[:width])


def _misfit(cells: list[str], width: int, lines: int) -> str:
    if not any(cells) or (len(cells) >= width and not any(cells[width:])):
        return ""
    if lines > 1:
        return "a quote that opens here is never closed"
    if len(cells) == 1:
        return f"line has 1 cell, the header has {width}"
    return f"line has {len(cells)} cells, the header has {width}"


def _said(error: csv.Error, lines: int) -> str:
    if lines > 1 or "end of data" in str(error):
        return "a quote that opens here is never closed"
    return f"line cannot be split into cells: {error}"


def guess_cell(text: str, delimiter: str, index: int) -> str:
    """Return what stands in cell `index` of a line that is no proper record, or nothing."""
    cells = text.split(delimiter)
    return cells[index].strip().strip('"').strip() if index < len(cells) else ""
