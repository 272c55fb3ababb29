"""A drop folder as a channel: it plays what its settings say.

`CsvDropConnector(settings, http, clock)` returns one of four subclasses, so that `isinstance` tells the truth: orders
or shipments come in, and stock and shipments go out only with an `out_folder`.

Why a file counts as done only behind its last page: the move to `done` is code after the last `yield`, so it runs when
everything is committed; a process killed before it finds the file in `.claimed` and reads it again, and equal orders
change nothing.
"""

import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import structlog

from connectors.csv_drop.client import table
from connectors.csv_drop.client.replies import write_shipment, write_stock
from connectors.csv_drop.client.table import Together
from connectors.csv_drop.mapping.orders import changed_at, order_of
from connectors.csv_drop.mapping.payload import digest_of_rows, payload_of, rows_of
from connectors.csv_drop.mapping.shipments import report_of
from connectors.csv_drop.settings import CsvDropSettings, layout_of
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import ConnectorError, PayloadError, TransientError
from erpsync.sdk.folder import Claim, DropFolder, Fingerprint, folder_errors
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector, ConnectorSettings, OrderSource, ShipmentSink, ShipmentSource, StockSink
from erpsync.sdk.sheets import PassedOver
from erpsync.sdk.types import (
    BadLine,
    CheckReport,
    Cursor,
    Head,
    Order,
    OrderPage,
    Raw,
    Repeat,
    Shipment,
    ShipmentReport,
    ShipmentReportPage,
    StockLevel,
)

log = structlog.get_logger("connectors.csv_drop")


@dataclass(slots=True)
class _Reading:
    """A file being read: what it held at first, the line behind which to read on, and why it had to be given up."""

    claim: Claim
    before: Fingerprint
    after: int
    problem: str = ""
    pages: int = 0
    passed: PassedOver = field(default_factory=PassedOver)

    @property
    def begins(self) -> str:
        """The file's name on its first page, which is read again with the file as long as it is not committed."""
        return self.claim.name if self.pages == 1 and not self.after else ""

    def mark(self, line: int) -> str:
        return json.dumps({"file": self.claim.id, "digest": self.before.digest, "line": line})


class CsvDropConnector(Connector):
    """What all drop folders share: the folder, and the check of it. Made without I/O."""

    Settings: ClassVar[type[ConnectorSettings]] = CsvDropSettings
    settings: CsvDropSettings

    @classmethod
    def played_by(cls, settings: CsvDropSettings) -> type["CsvDropConnector"]:
        """Return the subclass that plays what `settings` say."""
        return _KINDS[settings.reads, settings.out_folder is not None] if cls is CsvDropConnector else cls

    def __new__(cls, settings: CsvDropSettings, http: HttpClient, clock: Clock) -> "CsvDropConnector":
        """Return an object of that subclass."""
        del http, clock
        return object.__new__(cls.played_by(settings))

    def __init__(self, settings: CsvDropSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._layout = layout_of(settings)
        self._folder = DropFolder(
            settings.folder, settings.pattern, settings.settle_s, clock, read_files=settings.read_files
        )
        self.carries_recipients = "address" in self._layout.columns

    def check(self) -> CheckReport:
        """Look into the folders without changing anything. Raises `AuthError` when we cannot work in them."""
        with _mapped():
            notes = self._folder.check(out=self.settings.out_folder, unread=self.settings.unread_files())
        mapped = {*self._layout.columns, *self._layout.constants}
        if self.settings.reads == "orders" and not mapped & {"status", "paid_at"}:
            notes.append("neither status nor paid_at is mapped, so every order counts as unpaid")
        return CheckReport(notes=tuple(notes))

    def _pages(self, cursor: Cursor, keys: Sequence[str]) -> Generator[tuple[_Reading, list[Together]], None, None]:
        """Yield the pages of all files, each file filed away once its last page is behind us."""
        with _mapped(), closing(self._folder.claims()) as claims:
            for claim in claims:
                before = claim.fingerprint()
                reading = _Reading(claim, before, _resume_at(cursor, claim, before))
                for page in self._file_pages(reading, keys):
                    reading.pages += 1
                    yield reading, page
                self._file_away(reading)

    def _file_pages(self, reading: _Reading, keys: Sequence[str]) -> Iterator[list[Together]]:
        """Yield the pages of one file; of one without a usable header a single page that tells so."""
        try:
            if reading.claim.problem:
                raise PayloadError(reading.claim.problem, path="file", broken=True)
            yield from table.pages(
                reading.claim,
                self._layout,
                keys,
                encoding=self.settings.encoding,
                after=reading.after,
                scratch=self._folder.claimed,
                max_rows=self.settings.max_lines,
                passed=reading.passed,
            )
        except PayloadError as error:
            reading.problem = error.problem
            entry = {"line": 1, "problem": error.problem, "path": error.path}
            yield [Together(None, 1, payload_of(reading.claim.name, [entry]))]

    def _file_away(self, reading: _Reading) -> None:
        if reading.passed:
            log.info("file.rows_passed_over", file=reading.claim.name, rows=str(reading.passed))
        mends = bool(reading.pages or reading.after)
        self._folder.file_away(reading.claim, reading.before, problem=reading.problem, mends=mends)


class OrderDrop(CsvDropConnector, OrderSource):
    """A folder into which files of orders are dropped."""

    def pull_orders(self, cursor: Cursor) -> Generator[OrderPage, None, None]:
        """Yield the orders of all whole files, up to 500 a page, in the order of their first rows.

        Without `updated_at` an order's version is the instant its file was claimed, the same however often the file
        is read. A row without a usable id is a head of its own, named after file and line.
        """
        with closing(self._pages(cursor, ("external_id",))) as pages:
            for reading, page in pages:
                heads = tuple(self._head(together, reading.claim) for together in page)
                yield OrderPage(heads=heads, mark=reading.mark(page[-1].line), begins=reading.begins)

    def normalise(self, raw: Raw) -> Order:
        """Return the order; rows that cannot be read are its bad lines. Raises `PayloadError` with file and line."""
        return order_of(raw, self._layout)

    def _head(self, together: Together, claim: Claim) -> Head:
        digest = digest_of_rows(together.payload)
        source = f"{claim.name}:{together.line}"
        return Head(
            external_id=together.key[0] if together.key else f"{source}#{digest[:8]}",
            version_at=self._version(together) or claim.claimed_at,
            digest=digest,
            read_from=claim.claimed_at,
            read_to=claim.claimed_at,
            row=together.payload,
            source=source,
        )

    def _version(self, together: Together) -> datetime | None:
        if "updated_at" not in self._layout.columns:
            return None
        return changed_at(list(rows_of(together.payload, self._layout)))


class ShipmentDrop(CsvDropConnector, ShipmentSource):
    """A folder into which files of parcels that left are dropped."""

    def pull_shipments(self, cursor: Cursor) -> Generator[ShipmentReportPage, None, None]:
        """Yield the reports of all whole files, up to 500 a page; rows of one order and tracking number are one."""
        with closing(self._pages(cursor, ("order", "tracking"))) as pages:
            for reading, page in pages:
                reports: list[ShipmentReport] = []
                bad: list[BadLine] = []
                for together in page:
                    report, refused = report_of(together.payload, self._layout, reading.before.digest)
                    reports += [report] if report else []
                    bad += refused
                mark = reading.mark(page[-1].line)
                yield ShipmentReportPage(reports=tuple(reports), bad=tuple(bad), mark=mark, begins=reading.begins)


class _Replies(StockSink, ShipmentSink):
    """Writes stock and shipments into `out_folder`."""

    settings: CsvDropSettings
    clock: Clock
    repeat = Repeat.SAFE
    stock_batch = 1_000

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        """Write one file of absolute quantities; nothing is refused."""
        with _mapped():
            rows = [(level.channel_sku, level.item_ref, level.qty) for level in levels]
            now, out = self.clock.now(), self.settings
            write_stock(_out(out), now, rows, out.encoding, out.formulas)
        return {}

    def push_shipment(self, shipment: Shipment) -> None:
        """Write the file of this parcel; written again, it is the same file."""
        parcel = (shipment.order_external_id, shipment.carrier, shipment.tracking)
        with _mapped():
            rows = [(*parcel, line.external_id, line.qty) for line in shipment.lines]
            out = self.settings
            write_shipment(_out(out), shipment.number, rows or [(*parcel, "", "")], out.encoding, out.formulas)


class OrderDropWithReplies(OrderDrop, _Replies):
    """Orders come in, stock and shipments go out."""


class ShipmentDropWithReplies(ShipmentDrop, _Replies):
    """Parcels that left come in, stock and shipments go out."""


_KINDS: Mapping[tuple[str, bool], type[CsvDropConnector]] = {
    ("orders", False): OrderDrop,
    ("orders", True): OrderDropWithReplies,
    ("shipments", False): ShipmentDrop,
    ("shipments", True): ShipmentDropWithReplies,
}


def _resume_at(cursor: Cursor, claim: Claim, now: Fingerprint) -> int:
    """Return the line behind which the committed pages of this file end; 0 for another file or other content."""
    try:
        mark: Any = json.loads(cursor.mark or "{}")
        same = (mark.get("file"), mark.get("digest")) == (claim.id, now.digest)
        return int(mark["line"]) if same else 0
    except (ValueError, TypeError, KeyError, AttributeError):
        return 0


@contextmanager
def _mapped() -> Iterator[None]:
    """Turn what the file system and the scratch database say into who has to act."""
    try:
        with folder_errors():
            yield
    except sqlite3.Error as error:
        raise TransientError(f"rows could not be grouped on disk: {error}") from error


def _out(settings: CsvDropSettings) -> Path:
    if settings.out_folder is None:
        raise TypeError("a drop folder without out_folder writes nothing")
    return settings.out_folder
