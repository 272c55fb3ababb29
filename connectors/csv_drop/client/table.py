"""A claimed file as pages of payloads: encoding, header, records, rows of one key together.

Why keys are made here and fields read later: grouping needs only the id columns, and everything else may be wrong
without keeping the good rows from being read.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from connectors.csv_drop.client.groups import Group, Groups
from connectors.csv_drop.client.text import Header, Lines, encoding_of, guess_cell, read_header, records
from connectors.csv_drop.mapping.cells import clean, is_cut
from connectors.csv_drop.mapping.payload import payload_of
from connectors.csv_drop.settings import Layout
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.folder import Claim
from erpsync.sdk.types import Payload

MAX_TEXT_CHARS = 1_000
_ID, _NO_ID = "=", "!"


@dataclass(frozen=True, slots=True)
class Together:
    """The rows of one key as a payload, and the line of the first. `key` is None for a row whose id is unusable."""

    key: tuple[str, ...] | None
    line: int
    payload: Payload


def pages(
    claim: Claim, layout: Layout, keys: Sequence[str], *, encoding: str, after: int, scratch: Path, max_rows: int
) -> Iterator[list[Together]]:
    """Yield what stands in a file, grouped by the fields `keys`, from the group behind line `after` on.

    Raises `PayloadError` before the first page when the file has no usable header.
    """
    lines = Lines(claim.stream, encoding_of(claim.stream) if encoding == "auto" else encoding)
    try:
        header = read_header(lines, lambda names: _matches(layout, names))
        _check(header, layout)
        indexes = [_index(header, layout, key) for key in keys]
        with Groups(scratch, max_rows) as groups:
            groups.fill(_keyed(lines, header, indexes))
            for page in groups.pages(after):
                yield [_together(group, claim.name, header, max_rows) for group in page]
    except UnicodeError as error:
        raise PayloadError(f"the file is not {encoding}", path="file") from error
    finally:
        lines.close()


def _matches(layout: Layout, names: Sequence[str]) -> int:
    return sum(any(header in names for header in headers) for headers in layout.columns.values())


def _check(header: Header, layout: Layout) -> None:
    """Raise `PayloadError` naming what the header lacks or has twice.

    Of the file's own words only close misses are told: a first line that is no header holds somebody's name and phone.
    """
    if not _matches(layout, header.names):
        raise PayloadError("the first line holds none of the columns, so it is no header", path="header")
    for field in sorted(layout.demanded):
        if layout.header_of(field, dict.fromkeys(header.names)) is None:
            wanted = " or ".join(layout.columns[field])
            near = get_close_matches(layout.columns[field][0], header.names, n=1)
            hint = f", did you mean {near[0]}" if near else ""
            raise PayloadError(f"the header has no column {wanted} for {field}{hint}", path="header")
    for name in {name for headers in layout.columns.values() for name in headers}:
        if header.names.count(name) > 1:
            raise PayloadError(f"column {name} stands twice in the header", path="header")


def _index(header: Header, layout: Layout, field: str) -> int:
    """Return where the column of a key field stands; one past the end if there is none."""
    name = layout.header_of(field, dict.fromkeys(header.names))
    return header.names.index(name) if name is not None else len(header.names)


def _keyed(lines: Lines, header: Header, indexes: Sequence[int]) -> Iterator[tuple[str, int, str]]:
    """Yield (key, line, row as JSON): a list of cells, or an object that says what is wrong with the line."""
    dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for record in records(lines, header):
        if record.problem:
            ids = [clean(guess_cell(record.text, header.delimiter, index)) for index in indexes]
            row = dumps({"problem": record.problem, "path": "line", "text": _kept(record.text)})
        else:
            ids = [clean(record.cells[index]) if index < len(record.cells) else "" for index in indexes]
            row = dumps(record.cells)
        usable = all(text and not is_cut(text) and "\0" not in text for text in ids)
        yield (_ID + "\x1f".join(ids) if usable else f"{_NO_ID}{record.line}"), record.line, row


def _kept(text: str) -> str:
    """Return what a database can keep of a broken line."""
    return text[:MAX_TEXT_CHARS].replace("\0", "\ufffd")


def _together(group: Group, name: str, header: Header, max_rows: int) -> Together:
    entries: list[Mapping[str, Any]]
    if group.count > max_rows:
        problem = f"{group.count} rows have this id, more than max_lines ({max_rows}): is it the right column"
        entries = [{"line": group.first, "problem": problem, "path": "external_id"}]
    else:
        entries = [_entry(line, json.loads(text), header) for line, text in group.rows]
    key = tuple(group.key[1:].split("\x1f")) if group.key[0] == _ID else None
    return Together(key, group.first, payload_of(name, entries))


def _entry(line: int, row: Any, header: Header) -> dict[str, Any]:
    if isinstance(row, dict):
        return {"line": line, **row}
    cells = {name: cell for name, cell in zip(header.names, row, strict=False) if name and cell}
    return {"line": line, "cells": cells}
