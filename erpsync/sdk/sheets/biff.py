"""How many cells an .xls workbook spans, read from its records before anything makes room for them.

Why at all: two cells at opposite corners of a sheet make a table of sixteen million, out of a file of a few kilobytes.

Source: [MS-CFB] for the container, [MS-XLS] sections 2.3 and 2.4 for the records.
"""

from collections.abc import Iterator
from typing import BinaryIO

from erpsync.sdk.errors import PayloadError

_HEADER_BYTES = 512
_LAST = 0xFFFFFFFA
"""Sector numbers from here on are no sectors."""
_BEGINS, _MANY = 0x0809, (0x00BD, 0x00BE)
_CELLS = frozenset({0x0006, 0x0203, 0x0204, 0x0205, 0x027E, 0x00FD, 0x00D6, *_MANY})
"""FORMULA, NUMBER, LABEL, BOOLERR, RK, LABELSST, RSTRING, MULRK, MULBLANK; a BLANK holds nothing."""


def cells_of_xls(stream: BinaryIO) -> int:
    """Return the cells that the largest sheet spans. Raises `PayloadError` where it is no workbook."""
    stream.seek(0)
    content = stream.read()
    try:
        book = _book(content)
    except (IndexError, ValueError) as error:
        raise PayloadError("this is no workbook that can be read", path="file") from error
    most = rows = columns = 0
    for kind, at, size in _records(book):
        if kind == _BEGINS:
            rows = columns = 0
        elif kind in _CELLS and size >= 6:
            last = at + size - 2 if kind in _MANY else at + 2
            rows = max(rows, 1 + _u16(book, at))
            columns = max(columns, 1 + _u16(book, last))
            most = max(most, rows * columns)
    return most


def _records(book: bytes) -> Iterator[tuple[int, int, int]]:
    at = 0
    while at + 4 <= len(book):
        size = _u16(book, at + 2)
        if at + 4 + size > len(book):
            return
        yield _u16(book, at), at + 4, size
        at += 4 + size


def _book(content: bytes) -> bytes:
    """Return the stream named Workbook or Book; one of less than 4,096 bytes is too small to span much."""
    sector = 1 << _u16(content, 30)
    if sector not in (512, 4096):
        raise ValueError("no sector size")
    table = [number for at in _table_sectors(content, sector) for number in _numbers(content, at, sector)]
    directory = b"".join(_chain(content, _u32(content, 48), table, sector))
    for at in range(0, len(directory) - 127, 128):
        name = directory[at : at + 64].decode("utf-16-le", "replace").rstrip("\0")
        if name.lower() in ("workbook", "book"):
            size = _u32(directory, at + 120)
            if size < _u32(content, 56):
                return b""
            return b"".join(_chain(content, _u32(directory, at + 116), table, sector))[:size]
    raise ValueError("no workbook in it")


def _table_sectors(content: bytes, sector: int) -> Iterator[int]:
    """Yield the sectors of the allocation table: the first 109 stand in the header, the rest in a chain."""
    yield from (number for at in range(76, _HEADER_BYTES, 4) if (number := _u32(content, at)) < _LAST)
    more, left = _u32(content, 68), len(content) // sector + 1
    while more < _LAST and left:
        numbers = _numbers(content, more, sector)
        yield from (number for number in numbers[:-1] if number < _LAST)
        more, left = numbers[-1], left - 1


def _numbers(content: bytes, number: int, sector: int) -> list[int]:
    at = (number + 1) * sector
    return [_u32(content, offset) for offset in range(at, min(at + sector, len(content) - 3), 4)]


def _chain(content: bytes, first: int, table: list[int], sector: int) -> Iterator[bytes]:
    left = len(content) // sector + 1
    while first < _LAST and left:
        yield content[(first + 1) * sector : (first + 2) * sector]
        first, left = table[first], left - 1


def _u16(content: bytes, at: int) -> int:
    if at + 2 > len(content):
        raise IndexError(at)
    return int.from_bytes(content[at : at + 2], "little")


def _u32(content: bytes, at: int) -> int:
    if at + 4 > len(content):
        raise IndexError(at)
    return int.from_bytes(content[at : at + 4], "little")
