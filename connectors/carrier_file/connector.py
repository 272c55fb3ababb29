"""A courier that is spoken to by files: bookings and wishes to void them go out, numbers come in.

`CarrierFileConnector(settings, http, clock)` returns a `CarrierFileAccount` where there is a folder for bookings, so
that `isinstance` tells the truth: some only buy numbers in advance.

Why a booking is never written twice: once its file has its name, whoever takes files from there may have it, and what
they do with a second one nobody knows. Why files are removed after a day: they hold names, phones and addresses.
"""

from collections.abc import Iterable, Iterator, Sequence

import structlog

from connectors.carrier_file.mapping import (
    BOOKING_HEADER,
    CANCEL_HEADER,
    LAYOUTS,
    Report,
    booking_rows,
    reports_of,
)
from connectors.carrier_file.settings import PATTERNS, CarrierFileSettings
from erpsync.sdk.bookings import demand_bookable
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import OutcomeUnknownError, RejectedError
from erpsync.sdk.files import NamedFileError, csv_bytes, file_part, write_whole
from erpsync.sdk.folder import DropFolder, folder_errors
from erpsync.sdk.http import HttpClient
from erpsync.sdk.reports import ReportFolder
from erpsync.sdk.roles import Connector, CourierSink, WaybillSource
from erpsync.sdk.types import Booking, BookingRequest, CheckReport, Cursor, Repeat, WaybillPage

KEPT_S = 86_400
OURS = ("booking-*.csv", "cancel-*.csv", ".booking-*.tmp", ".cancel-*.tmp")
log = structlog.get_logger("connectors.carrier_file")


class CarrierFileConnector(Connector, WaybillSource):
    """Reads numbers from a folder."""

    Settings = CarrierFileSettings
    settings: CarrierFileSettings
    sdk = "1.2"

    @classmethod
    def played_by(cls, settings: CarrierFileSettings) -> type["CarrierFileConnector"]:
        """Return the class that plays what `settings` say."""
        return CarrierFileAccount if cls is CarrierFileConnector and settings.out_folder else cls

    def __new__(cls, settings: CarrierFileSettings, http: HttpClient, clock: Clock) -> "CarrierFileConnector":
        """Return an object of that class."""
        del http, clock
        return object.__new__(cls.played_by(settings))

    def __init__(self, settings: CarrierFileSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._folder = DropFolder(settings.folder, PATTERNS, settings.settle_s, clock, read_files=settings.read_files)
        self._files: ReportFolder[Report, WaybillPage] = ReportFolder(
            self._folder,
            LAYOUTS,
            misnamed="the name must begin with waybills- or spare-",
            reports=lambda file: reports_of(file, settings),
            page=lambda rows, mark, begins: WaybillPage.of(rows, mark=mark, begins=begins),
            sheet=settings.sheet,
        )

    def check(self) -> CheckReport:
        """Look into the folders without changing anything. Raises `AuthError` when we cannot work in them."""
        with folder_errors():
            notes = self._folder.check(out=self.settings.out_folder, unread=self.settings.unread_files())
        return CheckReport(notes=tuple(notes))

    def carriers(self) -> frozenset[str]:
        """Return the couriers of this account."""
        return frozenset(self.settings.carriers)

    def pull_waybills(self, cursor: Cursor) -> Iterator[WaybillPage]:
        """Yield what stands in all whole files; a file is filed away once its last page is committed."""
        return self._files.pages(cursor)


class CarrierFileAccount(CarrierFileConnector, CourierSink):
    """Writes bookings into another folder as well."""

    repeat = Repeat.NEVER
    most_parcels = 100

    def __init__(self, settings: CarrierFileSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        if settings.out_folder is None:
            raise TypeError("bookings need a folder")
        self._out = settings.out_folder

    def book(self, request: BookingRequest) -> None:
        """Write the booking's file; its number follows in a file of theirs.

        Raises:
            OutcomeUnknownError: the file may be there. After any other error it is not.
        """
        demand_bookable(self, request)
        with folder_errors():
            try:
                self._write(f"booking-{file_part(request.key)}.csv", BOOKING_HEADER, booking_rows(request))
            except NamedFileError as error:
                raise OutcomeUnknownError("the booking's file may be there, or may have been taken") from error

    def cancel_booking(self, booking: Booking) -> bool | None:
        """Write the wish to void a booking; what became of it a person is told, and not we."""
        with folder_errors():
            self._write(f"cancel-{file_part(booking.key)}.csv", CANCEL_HEADER, [(booking.key, booking.number)])
        return None

    def label(self, booking: Booking) -> bytes:
        """Refuse: no labels come by files."""
        raise RejectedError(f"no labels come by files, so there is none of {booking.key}", code="label")

    def pull_waybills(self, cursor: Cursor) -> Iterator[WaybillPage]:
        """As above; and what lies for a day in the other folder is removed."""
        with folder_errors():
            self._prune()
        yield from super().pull_waybills(cursor)

    def _write(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write a file for its owner alone into a folder that is theirs alone, if it is we who make it."""
        self._out.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._out / name, csv_bytes(header, rows, self.settings.formulas), mode=0o600)

    def _prune(self) -> None:
        before = self.clock.now().timestamp() - KEPT_S
        for path in [path for pattern in OURS for path in self._out.glob(pattern)]:
            try:
                old = path.stat(follow_symlinks=False).st_mtime < before
            except FileNotFoundError:
                continue
            if old:
                path.unlink(missing_ok=True)
                log.info("file.expired", file=path.name)
