"""Workbooks, .xlsx and .xls, into rows of text; what would fill the memory is refused before it is unpacked.

Why a number of more than fifteen digits is no id: the program that saved it keeps fifteen, so the last digits of an
order, parcel or phone number are others than those that were typed, and look just as good.
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import IO, Any, BinaryIO
from xml.parsers import expat

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sheets.biff import cells_of_xls
from erpsync.sdk.sheets.text import Header, Record, header_name, without_tail

MAX_UNPACKED_BYTES = 50_000_000
MAX_CELLS = 1_000_000
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
EXACT_DIGITS = 15
_CHUNK_BYTES = 1 << 20
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NO_WORKBOOK = "this is no workbook that can be read"


def is_workbook(stream: BinaryIO) -> bool:
    """Return whether a file is a workbook, by what it begins with; its name does not count."""
    stream.seek(0)
    return stream.read(4) in (ZIP, OLE)


def sheet_rows(stream: BinaryIO, sheet: str) -> Iterator[tuple[int, list[Any]]]:
    """Yield (row number, values) of a sheet, the only or the named one. Raises `PayloadError` about the file."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    check_size(stream)
    stream.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(stream)
        table = book.get_sheet_by_name(_chosen(book.sheet_names, sheet))
        first, height, width = table.start, table.height, table.width
    except PasswordError as error:
        raise PayloadError("the workbook is locked with a password", path="file") from error
    except (CalamineError, OSError, ValueError, UnicodeError) as error:
        raise PayloadError(_NO_WORKBOOK, path="file") from error
    if height * width > MAX_CELLS:
        raise _too_many_cells()
    if first is None:
        return
    rows = table.to_python(skip_empty_area=True)
    for number, values in enumerate(rows, start=first[0] + 1):
        yield number, list(values)


def _chosen(names: Sequence[str], sheet: str) -> str:
    if sheet:
        if sheet not in names:
            raise PayloadError(f"the workbook has no sheet {sheet}", path="sheet")
        return sheet
    if len(names) != 1:
        raise PayloadError(f"the workbook has {len(names)} sheets; say which one with `sheet`", path="sheet")
    return names[0]


def text_of(value: Any) -> str:
    """Return a value as its cell shows it: whole numbers without a fraction, times as ISO 8601 with a blank."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return _rounded(value).isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, int | timedelta) else ""


def _rounded(value: datetime) -> datetime:
    """Return an instant to the second; a workbook keeps days as a binary fraction, so most miss it by a little."""
    return (value + timedelta(microseconds=500_000)).replace(microsecond=0)


def is_inexact(value: Any) -> bool:
    """Return whether a value is a number of which the last digits were lost."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= 10**EXACT_DIGITS


def header_names(values: Sequence[Any]) -> list[str]:
    """Return a row's cells as names of columns."""
    return without_tail([header_name(text_of(value)) for value in values])


def workbook_records(rows: Iterator[tuple[int, list[Any]]], header: Header, exact: frozenset[int]) -> Iterator[Record]:
    """Yield the records of rows behind the header, without blank ones.

    Args:
        exact: columns of ids, tracking and phone numbers.
    """
    width = len(header.names)
    for number, values in rows:
        cells = [text_of(value) for value in values]
        if not any(cells):
            continue
        cells += [""] * (width - len(cells))
        lost = next((at for at in exact if at < len(values) and is_inexact(values[at])), None)
        if any(cells[width:]):
            problem = f"row has {len(without_tail(cells))} cells, the header has {width}"
            yield Record(number, cells[:width], problem)
        elif lost is not None:
            problem = f"a number of more than {EXACT_DIGITS} digits has lost its last ones; format the column as text"
            cells[lost] = ""
            yield Record(number, cells, problem, header.names[lost])
        elif odd := next((name for name, cell in zip(header.names, cells, strict=False) if "\0" in cell), None):
            yield Record(number, [cell.replace("\0", "\ufffd") for cell in cells], "holds NUL", odd)
        else:
            yield Record(number, cells)


def check_size(stream: BinaryIO) -> None:
    """Raise `PayloadError` for a workbook that is larger unpacked than 50 MB or has a sheet of over a million cells."""
    stream.seek(0)
    if stream.read(4) == OLE:
        size = stream.seek(0, 2)
        if size > MAX_UNPACKED_BYTES:
            raise _too_large()
        cells = cells_of_xls(stream)
    else:
        cells = _cells_of_xlsx(stream)
    if cells > MAX_CELLS:
        raise _too_many_cells()


def _too_large() -> PayloadError:
    return PayloadError(f"the workbook is larger than {MAX_UNPACKED_BYTES // 1_000_000} MB unpacked", path="file")


def _too_many_cells() -> PayloadError:
    return PayloadError("the workbook has a sheet of more than a million cells", path="file")


def _cells_of_xlsx(stream: BinaryIO) -> int:
    """Return the cells that the largest sheet spans.

    The directory may lie about what its entries unpack to, so what really comes out is counted too.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            archive.getinfo("xl/workbook.xml")
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
                raise _too_large()
            left, most = MAX_UNPACKED_BYTES, 0
            for entry in entries:
                spans = _Spans()  # of any part: where a sheet lies is for the workbook to say
                for chunk in _unpacked(archive, entry):
                    left -= len(chunk)
                    if left < 0:
                        raise _too_large()
                    spans.feed(chunk)
                most = max(most, spans.cells)
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise PayloadError(_NO_WORKBOOK, path="file") from error
    return most


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what an entry unpacks to, whatever size the directory gives it."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & 1:
        raise PayloadError(_NO_WORKBOOK, path="file")
    packed = _packed(archive, entry)
    if entry.compress_type == zipfile.ZIP_STORED:
        yield from packed
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in packed:
        rest = piece
        while rest and not inflate.eof:
            yield inflate.decompress(rest, _CHUNK_BYTES)
            rest = inflate.unconsumed_tail


def _packed(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    file: IO[bytes] | None = archive.fp
    if file is None:
        return
    file.seek(entry.header_offset)
    head = file.read(30)
    if len(head) < 30 or head[:4] != ZIP:
        raise zipfile.BadZipFile("no entry where the directory says")
    file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    left = entry.compress_size
    while left > 0 and (piece := file.read(min(left, _CHUNK_BYTES))):
        left -= len(piece)
        yield piece


class _Spans:
    """How many cells a sheet spans: rows times columns up to the last cell that holds something."""

    def __init__(self) -> None:
        self._row = self._column = self._rows = self._columns = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._is_xml: bool | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of a part; pictures and the like span nothing."""
        if self._is_xml is None and chunk:
            self._is_xml = chunk.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" or chunk[:2] in _UTF_16
        if self._is_xml:
            self._parser.Parse(chunk)

    @property
    def cells(self) -> int:
        return self._rows * self._columns

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "row":
            self._row = int(attributes.get("r") or self._row + 1)
            self._column = 0
        elif kind == "c":
            self._column += 1
            if at := attributes.get("r"):
                self._column = _column_of(at.rstrip("0123456789"))
                self._row = int(at.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") or 0)
        elif kind in {"v", "is"}:
            self._rows, self._columns = max(self._rows, self._row), max(self._columns, self._column)


def _column_of(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
