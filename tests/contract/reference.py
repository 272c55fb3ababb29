"""A connector for the small shop platform that keeps every promise of the SDK, and its harness.

Why it exists: the suite's own tests need one connector that passes everything, and broken ones that differ from it in
one line each. It may also serve as a pattern for a new connector.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import AuthError, ConnectorError, PayloadError, RateLimitedError, RejectedError, TransientError
from erpsync.sdk.http import HttpResponse
from erpsync.sdk.roles import (
    Connector,
    ConnectorSettings,
    ListingSource,
    OrderScan,
    OrderSource,
    RefundSource,
    ShipmentSink,
    ShipmentSource,
    StockSink,
    WebhookSource,
)
from erpsync.sdk.testing import Harness
from erpsync.sdk.types import (
    CheckReport,
    Cursor,
    Head,
    Line,
    ListingPage,
    ListingRow,
    Order,
    OrderPage,
    OrderState,
    Raw,
    Recipient,
    Refund,
    RefundPage,
    RefundState,
    Repeat,
    Shipment,
    ShipmentLine,
    ShipmentReport,
    ShipmentReportPage,
    StockLevel,
    WebhookRecord,
    WebhookRequest,
    WebhookResult,
)
from erpsync.sdk.windows import ShrinkingWindow, WindowRules
from tests.contract.shop import BEIJING, FORMAT, PERSON, SECRET, ShopSandbox, stamp


class ShopSettings(ConnectorSettings):
    gateway: str = "http://shop.test"
    token: str = "good"
    page_size: int = 5


def refusal(problem: str, code: str) -> RejectedError:
    return RejectedError(problem, code=code)


class ShopConnector(
    Connector,
    OrderSource,
    OrderScan,
    RefundSource,
    ShipmentSink,
    StockSink,
    ListingSource,
    ShipmentSource,
    WebhookSource,
):
    """The reference connector. Its parts are small methods so that a broken one overrides exactly one of them."""

    Settings = ShopSettings
    repeat = Repeat.LOOK_FIRST
    stock_batch = 4

    def call(self, path: str, form: Mapping[str, str], *, repeatable: bool = True) -> Any:
        response = self.http.request(
            "POST",
            self.settings.gateway + path,
            data=form,
            headers={"x-token": self.settings.token},
            repeatable=repeatable,
        )
        return self.understood(response)

    def understood(self, response: HttpResponse) -> Any:
        body = response.json()
        code = body.get("error")
        if code is None:
            return {**body, "sent_at": response.sent_at, "received_at": response.received_at}
        raise self.error(code, body)

    def error(self, code: str, body: Mapping[str, Any]) -> ConnectorError:
        if code == "limit":
            return RateLimitedError("too many calls", retry_after_s=body["wait_s"], code=code)
        if code == "token":
            return AuthError("the shop does not accept the token", code=code)
        if code == "busy":
            return TransientError("the shop is busy", code=code)
        return refusal("the shop refuses", code)

    def check(self) -> CheckReport:
        self.platform_now()
        return CheckReport(notes=("token accepted",))

    def platform_now(self) -> datetime:
        return read_time(self.call("/time", {}), "now")

    # ---- reading

    def rules(self) -> WindowRules:
        return WindowRules(page_size=self.settings.page_size)

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        window = ShrinkingWindow.resume(self.rules(), cursor.mark, now=self.platform_now(), overlap=cursor.overlap)
        for heads, mark in self.pages(window, "orders", "modified"):
            yield OrderPage(heads=heads, mark=mark)

    def backfill_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        if cursor.mark is None:
            now = self.platform_now()
            window = ShrinkingWindow.over(self.rules(), cursor.since or now, now)
        else:
            window = ShrinkingWindow.restore(self.rules(), cursor.mark)
        for heads, mark in self.pages(window, "orders", "created"):
            yield OrderPage(heads=heads, mark=mark)

    def scan_orders(self, start: datetime, end: datetime) -> Iterator[tuple[Head, ...]]:
        for heads, _ in self.pages(ShrinkingWindow.over(self.rules(), start, end), "orders", "created"):
            yield tuple(head for head in heads if start <= read_time(head.row, "created") < end)

    def pull_refunds(self, cursor: Cursor) -> Iterator[RefundPage]:
        now = self.platform_now()
        window = ShrinkingWindow.resume(self.rules(), cursor.mark, now=now, overlap=cursor.overlap, begin=cursor.since)
        for heads, mark in self.pages(window, "refunds", "modified"):
            yield RefundPage(heads=heads, mark=mark)

    def pages(self, window: ShrinkingWindow, table: str, by: str) -> Iterator[tuple[tuple[Head, ...], str]]:
        while not window.done:
            ask = window.request()
            form = {"table": table, "by": by, "from": stamp(ask.start), "to": stamp(ask.end)}
            form |= {"page": str(ask.page), "size": str(self.settings.page_size)}
            body = self.call("/list", form)
            window.advance([read_time(row, by) for row in body["rows"]], total=body["total"])
            yield tuple(self.head(row, body) for row in body["rows"]), window.mark()

    def head(self, row: Mapping[str, Any], body: Mapping[str, Any]) -> Head:
        return Head(
            external_id=row["id"],
            version_at=read_time(row, "modified"),
            digest=digest_of(row),
            read_from=body["sent_at"],
            read_to=body["received_at"],
            row=row,
        )

    def normalise(self, raw: Raw) -> Order:
        row = raw.payload
        paid_at = self.time(row, "paid")
        return Order(
            external_id=read_text(row, "id"),
            version_at=self.time(row, "modified"),
            state=OrderState.PAID,
            placed_at=self.time(row, "created"),
            paid_at=paid_at,
            ready_at=paid_at,
            currency="CNY",
            total_minor=self.money(row, "total"),
            lines=tuple(read_line(line, index) for index, line in enumerate(read_list(row, "lines"))),
            recipient=Recipient(
                name=read_text(row, "name"), phone=read_text(row, "phone"), address=read_text(row, "address")
            ),
        )

    def normalise_refund(self, raw: Raw) -> Refund:
        row = raw.payload
        return Refund(
            external_id=read_text(row, "id"),
            order_external_id=read_text(row, "order"),
            version_at=self.time(row, "modified"),
            state=RefundState.OPEN,
            amount_minor=self.money(row, "total"),
            currency="CNY",
        )

    def time(self, row: Mapping[str, Any], key: str) -> datetime:
        return read_time(row, key)

    def money(self, row: Mapping[str, Any], key: str) -> int:
        return read_money(row, key)

    # ---- telling

    def push_shipment(self, shipment: Shipment) -> None:
        form = {"order": shipment.order_external_id, "tracking": shipment.tracking}
        try:
            self.call("/ship", form, repeatable=False)
        except RejectedError as error:
            if error.code != "already_shipped":
                raise

    def find_shipment(self, shipment: Shipment) -> bool:
        return shipment.tracking in self.call("/parcels", {})["rows"]

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        form = {"levels": json.dumps({level.channel_sku: level.qty for level in levels})}
        refused = self.call("/stock", form)["refused"]
        return {
            level.key: refusal("the shop does not know the listing", refused[level.channel_sku])
            for level in levels
            if level.channel_sku in refused
        }

    def pull_listings(self, cursor: Cursor) -> Iterator[ListingPage]:
        mark, rows = cursor.mark or "", [{}]
        while rows:
            rows = self.call("/listings", {"after": mark, "size": str(self.settings.page_size)})["rows"]
            mark = rows[-1]["sku"] if rows else mark
            found = tuple(ListingRow(channel_sku=row["sku"], item_ref="", shown_qty=row["shown"]) for row in rows)
            yield ListingPage(rows=found, mark=mark)

    def pull_shipments(self, cursor: Cursor) -> Iterator[ShipmentReportPage]:
        done, rows = int(cursor.mark or 0), [""]
        while rows:
            rows = self.call("/reports", {"start": str(done), "size": str(self.settings.page_size)})["rows"]
            done += len(rows)
            reports = tuple(ShipmentReport(key=row, order="O1", carrier="SF", tracking=row) for row in rows)
            yield ShipmentReportPage(reports=reports, mark=str(done))

    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        if not hmac.compare_digest(request.headers.get("x-sign", ""), sign(request.body)):
            raise AuthError("the signature is wrong")
        row = json.loads(request.body)
        times = {"sent_at": request.received_at, "received_at": request.received_at}
        head = self.head(row, times)
        raw = Raw(head=head, payload=row, read_from=head.read_from, read_to=head.read_to)
        return WebhookResult(key=head.digest, records=(WebhookRecord(kind="order", raw=raw),))


def sign(body: bytes) -> str:
    return hmac.new(SECRET, body, hashlib.sha256).hexdigest()


def read_text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise PayloadError("expected a text that is not empty", path=f"$.{key}")
    return value


def read_list(row: Mapping[str, Any], key: str) -> list[Any]:
    value = row.get(key)
    if not isinstance(value, list) or not value:
        raise PayloadError("expected a list that is not empty", path=f"$.{key}")
    return value


def read_time(row: Mapping[str, Any], key: str) -> datetime:
    try:
        return datetime.strptime(read_text(row, key), FORMAT).replace(tzinfo=BEIJING).astimezone(UTC)
    except ValueError:
        raise PayloadError(f"expected a time like {FORMAT}", path=f"$.{key}") from None


def read_money(row: Mapping[str, Any], key: str) -> int:
    try:
        minor = Decimal(read_text(row, key)) * 100
        if minor == int(minor) and minor >= 0:
            return int(minor)
    except (InvalidOperation, OverflowError, ValueError):
        pass
    raise PayloadError("expected an amount like 12.50", path=f"$.{key}")


def read_line(line: Any, index: int) -> Line:
    if not isinstance(line, dict):
        raise PayloadError("expected a line", path=f"$.lines[{index}]")
    qty = line.get("qty")
    if not isinstance(qty, int) or isinstance(qty, bool) or qty < 1:
        raise PayloadError("expected a whole number of one or more", path=f"$.lines[{index}].qty")
    sku = line.get("sku")
    if not isinstance(sku, str) or not sku:
        raise PayloadError("expected a seller code", path=f"$.lines[{index}].sku")
    return Line(external_id=f"{sku}-{index}", channel_sku=sku, qty=qty, price_minor=0)


class ShopHarness(Harness):
    """The reference harness; `Connector` may be any subclass of the reference connector."""

    page_size = 3
    personal_data = PERSON

    def __init__(self, connector: type[ShopConnector] = ShopConnector) -> None:
        super().__init__()
        self.shop = ShopSandbox(self.clock)
        self.sandbox = self.shop
        self.made = connector
        self.serial = 0

    def connector(self) -> ShopConnector:
        return self.made(ShopSettings(page_size=self.page_size), self.http(), self.clock)

    def state(self) -> object:
        return (self.shop.tables, self.shop.listings, self.shop.shipped)

    def set_platform_ahead(self, seconds: float) -> bool:
        self.shop.ahead = timedelta(seconds=seconds)
        return True

    def add(self, table: str, changed_at: datetime, minor: int, more: Mapping[str, Any]) -> str:
        self.serial += 1
        key = f"{table[0].upper()}{self.serial:05}"
        row = {"id": key, "created": stamp(changed_at), "modified": stamp(changed_at), **more}
        self.shop.tables[table][key] = {**row, "total": str(Decimal(minor) / 100)}
        return key

    def add_order(self, changed_at: datetime, *, total_minor: int) -> str:
        lines = [{"sku": "TEA", "qty": 2}, {"sku": "CUP", "qty": 1}]
        name, phone, address = PERSON
        more = {"paid": stamp(changed_at), "lines": lines, "name": name, "phone": phone, "address": address}
        return self.add("orders", changed_at, total_minor, more)

    def touch_order(self, external_id: str, changed_at: datetime) -> None:
        self.shop.tables["orders"][external_id]["modified"] = stamp(changed_at)

    def orders(self) -> Mapping[str, datetime]:
        return {key: read_time(row, "modified") for key, row in self.shop.tables["orders"].items()}

    def add_refund(self, changed_at: datetime, *, amount_minor: int) -> str:
        return self.add("refunds", changed_at, amount_minor, {"order": "O1"})

    def touch_refund(self, external_id: str, changed_at: datetime) -> None:
        self.shop.tables["refunds"][external_id]["modified"] = stamp(changed_at)

    def refunds(self) -> Mapping[str, datetime]:
        return {key: read_time(row, "modified") for key, row in self.shop.tables["refunds"].items()}

    def new_shipment(self) -> Shipment:
        key = self.add_order(self.clock.now(), total_minor=1990)
        line = ShipmentLine(external_id="TEA-0", qty=2, ordered_qty=2)
        return Shipment(number=f"S-{key}", order_external_id=key, carrier="SF", tracking=f"SF{key}", lines=(line,))

    def refused_shipment(self) -> Shipment:
        return Shipment(number="S-0", order_external_id="nobody", carrier="SF", tracking="SF0", lines=())

    def shipments(self) -> Sequence[str]:
        return self.shop.shipped

    def shipment_attempts(self) -> Sequence[str]:
        return self.shop.attempts

    def add_listing(self) -> StockLevel:
        self.serial += 1
        sku = f"SKU{self.serial:04}"
        self.shop.listings[sku] = 99
        return StockLevel(key=f"L{self.serial}", channel_sku=sku, item_ref="", qty=5)

    def bad_listing(self) -> StockLevel:
        return StockLevel(key="L0", channel_sku="GONE", item_ref="", qty=5)

    def shown(self, level: StockLevel) -> int | None:
        return self.shop.listings.get(level.channel_sku)

    def webhook(self) -> WebhookRequest:
        key = self.add_order(self.clock.now(), total_minor=1990)
        body = json.dumps(self.shop.tables["orders"][key]).encode()
        return WebhookRequest(headers={"x-sign": sign(body)}, query={}, body=body, received_at=self.clock.now())

    def add_report(self) -> str:
        self.serial += 1
        self.shop.reports.append(f"SF{self.serial:013}")
        return self.shop.reports[-1]
