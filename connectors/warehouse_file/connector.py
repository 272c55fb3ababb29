"""A warehouse that is run by files: releases and wishes to stop go out, parcels, counts and answers come in.

Why a release may be written again: the file has the release's number for its name, and the warehouse's agreement is
that one number is one release, also when it took the first file away already.
"""

from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from connectors.warehouse_file.mapping import (
    CANCEL_HEADER,
    LAYOUTS,
    RELEASE_HEADER,
    WAYBILL_HEADER,
    Report,
    release_rows,
    reports_of,
)
from connectors.warehouse_file.settings import PATTERNS, WarehouseFileSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.files import csv_bytes, file_part, write_whole
from erpsync.sdk.folder import DropFolder, folder_errors
from erpsync.sdk.http import HttpClient
from erpsync.sdk.reports import ReportFolder
from erpsync.sdk.roles import Connector, WarehouseSink, WarehouseSource
from erpsync.sdk.types import (
    CheckReport,
    Cursor,
    Release,
    Repeat,
    WarehousePage,
)


class WarehouseFileConnector(Connector, WarehouseSink, WarehouseSource):
    """Talks to a warehouse through two folders."""

    Settings = WarehouseFileSettings
    settings: WarehouseFileSettings
    repeat = Repeat.SAFE

    def __init__(self, settings: WarehouseFileSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        zone = ZoneInfo(settings.timezone)
        self._folder = DropFolder(settings.folder, PATTERNS, settings.settle_s, clock, read_files=settings.read_files)
        self._files: ReportFolder[Report, WarehousePage] = ReportFolder(
            self._folder,
            LAYOUTS,
            misnamed="the name must begin with shipments-, stock- or answers-",
            reports=lambda file: reports_of(file, zone, settings.carrier_map),
            page=lambda rows, mark, begins: WarehousePage.of(rows, mark=mark, begins=begins),
            sheet=settings.sheet,
        )

    def check(self) -> CheckReport:
        """Look into the folders without changing anything. Raises `AuthError` when we cannot work in them."""
        with folder_errors():
            notes = self._folder.check(out=self.settings.out_folder, unread=self.settings.unread_files())
        return CheckReport(notes=tuple(notes))

    def release(self, order: Release) -> None:
        """Write the release's file; written again, it is the same file."""
        with folder_errors():
            header = (*RELEASE_HEADER, *WAYBILL_HEADER) if order.waybills else RELEASE_HEADER
            self._write(f"release-{file_part(order.number)}.csv", header, release_rows(order))

    def cancel(self, number: str) -> bool | None:
        """Write the wish to stop; the answer comes as a file."""
        with folder_errors():
            self._write(f"cancel-{file_part(number)}.csv", CANCEL_HEADER, [(number,)])
        return None

    def pull_warehouse(self, cursor: Cursor) -> Iterator[WarehousePage]:
        """Yield what stands in all whole files; a file is filed away once its last page is committed."""
        return self._files.pages(cursor)

    def _write(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        write_whole(self.settings.out_folder / name, csv_bytes(header, rows, self.settings.formulas))
