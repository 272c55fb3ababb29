"""A claimed file as pages of payloads: encoding, header, records, rows of one key together.

Why keys are made here and fields read later: grouping needs only the id columns, and everything else may be wrong
without keeping the good rows from being read.
"""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from connectors.csv_drop.client.groups import Group, Groups
from connectors.csv_drop.mapping.payload import payload_of
from connectors.csv_drop.settings import OWN_FIELDS, Layout
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.folder import Claim
from erpsync.sdk.sheets import Header, PassedOver, Record, Sheet, clean, has_lost_digits, open_sheet
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
    claim: Claim,
    layout: Layout,
    keys: Sequence[str],
    *,
    encoding: str,
    after: int,
    scratch: Path,
    max_rows: int,
    passed: PassedOver,
) -> Iterator[list[Together]]:
    """Yield what stands in a file, grouped by the fields `keys`, from the group behind line `after` on.

    What is passed over is added to `passed` before the first page. Raises `PayloadError` before it when the file has
    no usable header.
    """
    sheet: Sheet | None = None
    try:
        sheet = open_sheet(claim.stream, layout.sought, encoding=encoding, sheet=layout.sheet)
        _check(sheet.header, layout)
        with Groups(scratch, max_rows) as groups:
            groups.fill(_keyed(sheet, layout, keys))
            passed.titles += sheet.passed.titles
            passed.sums += sheet.passed.sums
            kept = {name for field in OWN_FIELDS for name in layout.columns.get(field, ())}
            for page in groups.pages(after):
                yield [_together(group, claim.name, sheet.header, max_rows, kept) for group in page]
    except UnicodeError as error:
        raise PayloadError(f"the file is not {encoding}", path="file") from error
    finally:
        if sheet is not None:
            sheet.close()


def _check(header: Header, layout: Layout) -> None:
    """Raise `PayloadError` naming what the header lacks or has twice.

    Of the file's own words only close misses are told: a first line that is no header holds somebody's name and phone.
    """
    if not layout.sought.rank(header.names)[1]:
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
    """Return where the column of a field stands; one past the end if there is none."""
    name = layout.header_of(field, dict.fromkeys(header.names))
    return header.names.index(name) if name is not None else len(header.names)


def _keyed(sheet: Sheet, layout: Layout, keys: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """Yield (key, line, row as JSON): a list of cells, or an object that says what is wrong with the line."""
    dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    indexes = [_index(sheet.header, layout, key) for key in keys]
    records = _filled_down(sheet, layout) if layout.fill_down else sheet.records
    for record in records:
        if record.problem:
            ids = sheet.ids(record, indexes)
            row = dumps({"problem": record.problem, "path": record.path, "text": _kept(_text_of(record))})
        else:
            cells = record.cells
            ids = [clean(cells[index]) if index < len(cells) else "" for index in indexes]
            row = dumps(cells)
        usable = all(text and not has_lost_digits(text) and "\0" not in text for text in ids)
        yield (_ID + "\x1f".join(ids) if usable else f"{_NO_ID}{record.line}"), record.line, row


def _filled_down(sheet: Sheet, layout: Layout) -> Iterator[Record]:
    """Yield the records with the order number of the row above where they have none, and without sum rows.

    A row that belongs to an order has a line id or a seller code, so one without both is a sum. A number that cannot
    be read is none to be taken over: the rows below it belong to an order that nobody knows.
    """
    number, line_id, sku = (_index(sheet.header, layout, field) for field in ("external_id", "line_id", "channel_sku"))
    above = ""
    for record in sheet.records:
        order, line, code = sheet.ids(record, (number, line_id, sku))
        if order:
            above = "" if has_lost_digits(order) else record.cells[number] if record.cells else order
        elif record.problem:
            above = ""
        elif not line and not code:
            sheet.passed.sums.append(record.line)
            continue
        elif above:
            record.cells[number] = above
        yield record


def _text_of(record: Record) -> str:
    return record.text or ",".join(record.cells)


def _kept(text: str) -> str:
    """Return what a database can keep of a broken line."""
    return text[:MAX_TEXT_CHARS].replace("\0", "\ufffd")


def _together(group: Group, name: str, header: Header, max_rows: int, kept: Set[str]) -> Together:
    entries: list[Mapping[str, Any]]
    if group.count > max_rows:
        problem = f"{group.count} rows have this id, more than max_lines ({max_rows}): is it the right column"
        entries = [{"line": group.first, "problem": problem, "path": "external_id"}]
    else:
        entries = [_entry(line, json.loads(text), header, kept) for line, text in group.rows]
    key = tuple(group.key[1:].split("\x1f")) if group.key[0] == _ID else None
    return Together(key, group.first, payload_of(name, entries))


def _entry(line: int, row: Any, header: Header, kept: Set[str]) -> dict[str, Any]:
    """Return a row by header without empty cells, except those of columns in `kept`."""
    if isinstance(row, dict):
        return {"line": line, **row}
    cells = {name: cell for name, cell in zip(header.names, row, strict=False) if name and (cell or name in kept)}
    return {"line": line, "cells": cells}
