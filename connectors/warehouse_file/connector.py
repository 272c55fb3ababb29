"""A warehouse that is run by files: releases and wishes to stop go out, parcels, counts and answers come in.

Why a release may be written again: the file has the release's number for its name, and the warehouse's agreement is
that one number is one release, also when it took the first file away already.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from connectors.warehouse_file.client import rows_of
from connectors.warehouse_file.mapping import (
    CANCEL_HEADER,
    NEEDED,
    RELEASE_HEADER,
    Report,
    Sheet,
    file_digest,
    kind_of,
    release_rows,
    reports_of,
)
from connectors.warehouse_file.settings import PATTERNS, WarehouseFileSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.files import csv_bytes, file_part, write_whole
from erpsync.sdk.folder import Claim, DropFolder, folder_errors
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector, WarehouseSink, WarehouseSource
from erpsync.sdk.types import (
    BadLine,
    CheckReport,
    Cursor,
    Release,
    Repeat,
    WarehousePage,
)

PAGE = 200
log = structlog.get_logger("connectors.warehouse_file")


class WarehouseFileConnector(Connector, WarehouseSink, WarehouseSource):
    """Talks to a warehouse through two folders."""

    Settings = WarehouseFileSettings
    settings: WarehouseFileSettings
    repeat = Repeat.SAFE

    def __init__(self, settings: WarehouseFileSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._folder = DropFolder(settings.folder, PATTERNS, settings.settle_s, clock, read_files=settings.read_files)

    def check(self) -> CheckReport:
        """Look into the folders without changing anything. Raises `AuthError` when we cannot work in them."""
        with folder_errors():
            notes = self._folder.check(out=self.settings.out_folder, unread=self.settings.unread_files())
        return CheckReport(notes=tuple(notes))

    def release(self, order: Release) -> None:
        """Write the release's file; written again, it is the same file."""
        with folder_errors():
            self._write(f"release-{file_part(order.number)}.csv", RELEASE_HEADER, release_rows(order))

    def cancel(self, number: str) -> bool | None:
        """Write the wish to stop; the answer comes as a file."""
        with folder_errors():
            self._write(f"cancel-{file_part(number)}.csv", CANCEL_HEADER, [(number,)])
        return None

    def pull_warehouse(self, cursor: Cursor) -> Iterator[WarehousePage]:
        """Yield what stands in all whole files; a file is filed away once its last page is committed."""
        with folder_errors(), closing(self._folder.claims()) as claims:
            for claim in claims:
                yield from self._file(claim, cursor)

    def _write(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        write_whole(self.settings.out_folder / name, csv_bytes(header, rows, self.settings.formulas))

    def _file(self, claim: Claim, cursor: Cursor) -> Iterator[WarehousePage]:
        before = claim.fingerprint()
        kind = kind_of(claim.name)
        digest = file_digest(kind or "", before.digest)
        read_as = f"{claim.id} {digest}"
        problem = claim.problem or ("" if kind else "the name must begin with shipments-, stock- or answers-")
        reports: Iterator[Report | BadLine] = iter(())
        passed = ""
        try:
            if not problem and kind:
                read = rows_of(claim, kind, NEEDED[kind], self.settings.sheet)
                passed = read.passed
                sheet = Sheet(
                    name=claim.name,
                    digest=digest,
                    rows=read.rows,
                    zone=ZoneInfo(self.settings.timezone),
                    problems=read.problems,
                    carrier_map=self.settings.carrier_map,
                )
                reports = reports_of(kind, sheet)
        except PayloadError as error:
            problem = str(error)
        if problem:
            told = PayloadError(problem, path="file", source=claim.name)
            bad = BadLine(key=f"{claim.name}#{digest[:8]}", error=told, row={})
            yield WarehousePage(bad=(bad,), mark=_mark(read_as, 0), begins=claim.name)
        done = _resume_at(cursor, read_as)
        rest = islice(reports, done, None)
        while batch := list(islice(rest, PAGE)):
            begins = "" if done else claim.name
            done += len(batch)
            yield WarehousePage.of(batch, mark=_mark(read_as, done), begins=begins)
        if passed:
            log.info("file.rows_passed_over", file=claim.name, rows=passed)
        self._folder.file_away(claim, before, problem=problem, mends=done > 0)


def _mark(read_as: str, done: int) -> str:
    return json.dumps({"file": read_as, "done": done})


def _resume_at(cursor: Cursor, read_as: str) -> int:
    """Return how many reports of this file and content are committed; 0 for another."""
    try:
        mark: Any = json.loads(cursor.mark or "{}")
        return int(mark["done"]) if mark.get("file") == read_as else 0
    except (ValueError, TypeError, KeyError, AttributeError):
        return 0
