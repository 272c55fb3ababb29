"""Connectors that break one promise each.

Every one is the reference connector with one method gone wrong, as real connectors were wrong.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    PayloadError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.roles import ShipmentSource
from erpsync.sdk.testing import Harness
from erpsync.sdk.types import (
    CheckReport,
    Cursor,
    Head,
    ListingPage,
    Order,
    OrderPage,
    Raw,
    Repeat,
    Shipment,
    ShipmentReport,
    ShipmentReportPage,
    StockLevel,
    WebhookRequest,
    WebhookResult,
)
from erpsync.sdk.windows import ShrinkingWindow
from tests.contract.reference import (
    FORMAT,
    ShopConnector,
    ShopSandbox,
    ShopSettings,
    read_money,
    read_time,
)

Pages = Iterator[tuple[tuple[Head, ...], str]]


class LosesTheLastPage(ShopConnector):
    """Takes a page that is not full for an empty one."""

    def pages(self, window: ShrinkingWindow, table: str, by: str) -> Pages:
        for heads, mark in super().pages(window, table, by):
            yield (heads if len(heads) >= self.settings.page_size else ()), mark


class PagesForward(ShopConnector):
    """Counts pages from the first to the last, as most connectors do."""

    def pages(self, window: ShrinkingWindow, table: str, by: str) -> Pages:
        ask, page, more = window.request(), 1, True
        while more:
            form = {"table": table, "by": by, "from": window_text(ask.start), "to": window_text(ask.end)}
            body = self.call("/list", {**form, "page": str(page), "size": str(self.settings.page_size)})
            more, page = page * self.settings.page_size < body["total"], page + 1
            if not more:
                window.advance([])
            yield tuple(self.head(row, body) for row in body["rows"]), window.mark()


def window_text(at: datetime) -> str:
    return (at + timedelta(hours=8)).strftime(FORMAT)


class MovesTheCursorTooEarly(ShopConnector):
    """Gives each page the mark of the pass's end."""

    def pages(self, window: ShrinkingWindow, table: str, by: str) -> Pages:
        found = list(super().pages(window, table, by))
        for heads, _ in found:
            yield heads, found[-1][1]


class KeepsProgressInTheObject(ShopConnector):
    """Remembers in the object which rows it has handed over."""

    def pages(self, window: ShrinkingWindow, table: str, by: str) -> Pages:
        handed = self.__dict__.setdefault("handed", set())
        for heads, mark in super().pages(window, table, by):
            fresh = tuple(head for head in heads if (head.external_id, head.version_at) not in handed)
            handed.update((head.external_id, head.version_at) for head in heads)
            yield fresh, mark


class SwallowsAnError(ShopConnector):
    """Takes a failed page for the end of the data."""

    def pages(self, window: ShrinkingWindow, table: str, by: str) -> Pages:
        try:
            yield from super().pages(window, table, by)
        except TransientError:
            window.advance([], full=False)
            yield (), ShrinkingWindow.over(self.rules(), self.clock.now(), self.clock.now()).mark()


class FollowsItsOwnClock(ShopConnector):
    """Takes our clock for the platform's."""

    def platform_now(self) -> datetime:
        return self.clock.now()


class CountsMoneyInFloats(ShopConnector):
    def money(self, row: Mapping[str, Any], key: str) -> int:
        return float(row[key]) * 100  # type: ignore[return-value]


class RoundsMoneyThroughFloats(ShopConnector):
    def money(self, row: Mapping[str, Any], key: str) -> int:
        read_money(row, key)
        return int(float(row[key]) * 100)


class SpeaksOfNaiveTimes(ShopConnector):
    def time(self, row: Mapping[str, Any], key: str) -> datetime:
        return read_time(row, key).replace(tzinfo=None)


class TakesBeijingForTheMachinesZone(ShopConnector):
    def time(self, row: Mapping[str, Any], key: str) -> datetime:
        read_time(row, key)
        return datetime.strptime(row[key], FORMAT).astimezone()

    def head(self, row: Mapping[str, Any], body: Mapping[str, Any]) -> Head:
        return replace(super().head(row, body), version_at=self.time(row, "modified"))


class DigestsTheTimeOfReading(ShopConnector):
    def head(self, row: Mapping[str, Any], body: Mapping[str, Any]) -> Head:
        return replace(super().head(row, body), digest=digest_of({"row": row, "at": body["sent_at"]}))


class RepeatsANeverCall(ShopConnector):
    """Sends a shipment again when no answer came."""

    repeat = Repeat.NEVER

    def push_shipment(self, shipment: Shipment) -> None:
        try:
            super().push_shipment(shipment)
        except OutcomeUnknownError:
            super().push_shipment(shipment)


class DeclaresTheShipmentRepeatable(ShopConnector):
    """Tells the HTTP client that shipping may be repeated, so a lost answer looks as if nothing had happened."""

    def call(self, path: str, form: Mapping[str, str], *, repeatable: bool = True) -> Any:
        return super().call(path, form, repeatable=True)


class DeniesTheEffect(ShopConnector):
    def push_shipment(self, shipment: Shipment) -> None:
        try:
            super().push_shipment(shipment)
        except OutcomeUnknownError as error:
            raise TransientError("no answer") from error


class ClaimsTheEffect(ShopConnector):
    def push_shipment(self, shipment: Shipment) -> None:
        try:
            super().push_shipment(shipment)
        except OutcomeUnknownError:
            return


class CannotLook(ShopConnector):
    def find_shipment(self, shipment: Shipment) -> bool:
        return False


class LetsAKeyErrorOut(ShopConnector):
    """Reads a field of an answer that may be an error."""

    def error(self, code: str, body: Mapping[str, Any]) -> ConnectorError:
        return TransientError(body["reason"])


class TreatsALimitAsTransient(ShopConnector):
    def error(self, code: str, body: Mapping[str, Any]) -> ConnectorError:
        return TransientError("try later", code=code) if code == "limit" else super().error(code, body)


class TreatsABadTokenAsTransient(ShopConnector):
    def error(self, code: str, body: Mapping[str, Any]) -> ConnectorError:
        return TransientError("try later", code=code) if code == "token" else super().error(code, body)


class TreatsARefusalAsTransient(ShopConnector):
    def error(self, code: str, body: Mapping[str, Any]) -> ConnectorError:
        error = super().error(code, body)
        return TransientError(error.problem, code=code) if isinstance(error, RejectedError) else error


class LetsOneListingBlockTheOthers(ShopConnector):
    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        for level in levels:
            refused = super().push_stock([level])
            if refused:
                return refused
        return {}


class DropsRefusals(ShopConnector):
    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        super().push_stock(levels)
        return {}


class ForgetsLevels(ShopConnector):
    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        return super().push_stock([level for level in levels if level.qty])


class AnswersForStrangers(ShopConnector):
    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        answer = super().push_stock(levels)
        return {next(level.channel_sku for level in levels if level.key == key): why for key, why in answer.items()}


class CallsInInit(ShopConnector):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.platform_now()


class CheckShips(ShopConnector):
    """Proves that it may write by writing."""

    def check(self) -> CheckReport:
        self.call("/stock", {"levels": json.dumps({row["sku"]: 1 for row in self.first_listing()})})
        return super().check()

    def first_listing(self) -> list[dict[str, Any]]:
        return self.call("/listings", {"after": "", "size": "1"})["rows"]


class CheckShowsNothing(ShopConnector):
    def check(self) -> CheckReport:
        return CheckReport()


class LooksAtTheClockInNormalise(ShopConnector):
    def normalise(self, raw: Raw) -> Order:
        return replace(super().normalise(raw), ready_at=self.clock.now())


class ChangesThePayload(ShopConnector):
    def normalise(self, raw: Raw) -> Order:
        order = super().normalise(raw)
        raw.payload.pop("address")  # type: ignore[attr-defined]
        return order


class LetsAPayloadKeyErrorOut(ShopConnector):
    def normalise(self, raw: Raw) -> Order:
        raw.payload["total"]
        return super().normalise(raw)


class NamesNoPath(ShopConnector):
    def normalise(self, raw: Raw) -> Order:
        try:
            return super().normalise(raw)
        except PayloadError as error:
            raise PayloadError(error.problem, path="$") from None


class QuotesTheBuyer(ShopConnector):
    def normalise(self, raw: Raw) -> Order:
        try:
            return super().normalise(raw)
        except PayloadError as error:
            raise PayloadError(f"{error.problem} in {dict(raw.payload)}", path=error.path) from None


class TrustsEveryWebhook(ShopConnector):
    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        try:
            return super().read_webhook(request)
        except AuthError:
            return WebhookResult(key="x", hints=("orders",))


class RefusesEveryWebhook(ShopConnector):
    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        raise AuthError("no")


class StopsTheCatalogueEarly(ShopConnector):
    def pull_listings(self, cursor: Cursor) -> Iterator[ListingPage]:
        for page in super().pull_listings(cursor):
            yield page
            break


class ScansTheSeamTwice(ShopConnector):
    def scan_orders(self, start: datetime, end: datetime) -> Iterator[tuple[Head, ...]]:
        yield from super().scan_orders(start, end + timedelta(seconds=1))


class ScansOnePage(ShopConnector):
    def scan_orders(self, start: datetime, end: datetime) -> Iterator[tuple[Head, ...]]:
        for heads in super().scan_orders(start, end):
            yield heads
            break


class ScansUntilItFails(ShopConnector):
    def scan_orders(self, start: datetime, end: datetime) -> Iterator[tuple[Head, ...]]:
        try:
            yield from super().scan_orders(start, end)
        except TransientError:
            return


class InventsOrders(ShopConnector):
    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        for page in super().pull_orders(cursor):
            yield replace(page, heads=tuple(replace(h, row={**h.row, "id": h.external_id + " "}) for h in page.heads))


class SellsNegatively(ShopConnector):
    def normalise(self, raw: Raw) -> Order:
        order = super().normalise(raw)
        return replace(order, lines=tuple(replace(line, cancelled_qty=-1) for line in order.lines))


class DeclaresTheShipmentSafe(ShopConnector):
    """Says SAFE of a call that the platform takes twice."""

    repeat = Repeat.SAFE

    def push_shipment(self, shipment: Shipment) -> None:
        self.call("/ship_again", {"order": shipment.order_external_id, "tracking": shipment.tracking})


class RaisesForNothing(ShopConnector):
    def normalise(self, raw: Raw) -> Order:
        raise PayloadError("orders with tea are not understood", path="$.lines")


class MissesAnUpdate(ShopConnector):
    """Hands every order over once and never again."""

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        known = self.__dict__.setdefault("known", set())
        for page in super().pull_orders(cursor):
            yield replace(page, heads=tuple(head for head in page.heads if head.external_id not in known))
            known.update(head.external_id for head in page.heads)


class ForgetsUncommittedReports(ShopConnector, ShipmentSource):
    """Takes reports from the platform before the daemon has committed them."""

    def pull_shipments(self, cursor: Cursor) -> Iterator[ShipmentReportPage]:
        rows = self.call("/take_reports", {})["rows"]
        reports = tuple(ShipmentReport(key=row, order="O1", carrier="SF", tracking=row) for row in rows)
        yield ShipmentReportPage(reports=reports, mark="taken")


class HalfAHarness(Harness):
    """A harness whose author has only begun."""

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = ShopSandbox(self.clock)

    def connector(self) -> ShopConnector:
        return ShopConnector(ShopSettings(), self.http(), self.clock)
