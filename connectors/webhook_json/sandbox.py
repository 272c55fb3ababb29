"""An own shop, as a developer of one would write it: it sells, sends signed webhooks and takes stock and shipments.

Over HTTP (`erpsync sandbox`) it answers

    POST /push        what erpsync sends: stock, shipment, ping; signed
    POST /hook        {"url": …}: send deliveries there from now on
    POST /orders      {"lines": [["SKU", 2], …], "paid": true}: place an order
    GET  /stock       numbers by seller code, GET /shipments the parcels

Why deliveries wait in a list: a real shop sends again what was not answered, and that is where duplicates and wrong
order come from. The fault plan decides which ones: `DUPLICATE` sends one twice, `LATE` keeps one back while newer ones
overtake it, `PLATFORM_ERROR` loses erpsync's answer, so that the delivery comes again.
"""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import SecretStr, ValidationError

from connectors.webhook_json.client.signing import signature_of
from connectors.webhook_json.mapping.bodies import body_digest
from connectors.webhook_json.mapping.messages import (
    LineData,
    OrderData,
    OrderMessage,
    RecipientData,
    RefundData,
    RefundLineData,
    RefundMessage,
    ShipmentData,
    StockData,
    body_of,
)
from connectors.webhook_json.settings import HeaderSignature, WebhookJsonSettings
from erpsync.sdk.clock import Clock, SystemClock
from erpsync.sdk.errors import AuthError, ConnectorError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse
from erpsync.sdk.sandbox.shop import SoldOut
from erpsync.sdk.types import WebhookRequest

SECRET = "whsec_b3duLXNob3Atc2FuZGJveC1zZWNyZXQ="  # noqa: S105 - of the sandbox
BUYER = RecipientData(
    name="王小明", phone="13800138000", province="上海", city="上海市", district="浦东新区", address="世纪大道1号"
)

Deliver = Callable[[bytes, Mapping[str, str]], int]
"""Takes body and headers to erpsync; returns the status of its answer, 0 when none came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message to erpsync; sent again, it has the same id and body."""

    id: str
    body: bytes


def over_http(url: str) -> Deliver:
    """Return the way to the hook at `url` over HTTP."""
    http = HttpClient(clock=SystemClock(), deadline_s=10)

    def deliver(body: bytes, headers: Mapping[str, str]) -> int:
        try:
            return http.request("POST", url, data=body, headers=headers, repeatable=False).status
        except ConnectorError:
            return 0

    return deliver


class OwnShop(Sandbox):
    """A shop with orders, refunds, numbers and parcels.

    Args:
        secret: shared with erpsync.
        signature: as in the channel's settings.
        deliver: the way to erpsync; without it deliveries wait.
        eager: send whenever something changes; otherwise `send` does.
    """

    addresses: ClassVar[Mapping[str, str]] = {"push_url": "/push"}
    """Settings that hold an address of this sandbox, with its path."""

    def __init__(
        self,
        *,
        secret: str = SECRET,
        signature: Literal["standard"] | HeaderSignature = "standard",
        clock: Clock | None = None,
        deliver: Deliver | None = None,
        eager: bool = True,
        faults: FaultPlan | None = None,
    ) -> None:
        super().__init__(faults=faults)
        self.clock = clock or SystemClock()
        self.deliver = deliver
        self.eager = eager
        self.orders: dict[str, OrderData] = {}
        self.refunds: dict[str, RefundData] = {}
        self.sent: list[Delivery] = []
        self.off_sale: set[str] = set()
        self.tracking_seen: list[str] = []
        self._signature = signature_of(WebhookJsonSettings(secret=SecretStr(secret), signature=signature))
        self._waiting: list[Delivery] = []
        self._stock: dict[str, tuple[datetime, int]] = {}
        self._shipments: dict[str, ShipmentData] = {}
        self._last_change: datetime | None = None
        self._lock = threading.RLock()

    # ---- what buyers do --------------------------------------------------------------------------------------------

    def place_order(
        self,
        *lines: tuple[str, int],
        paid: bool = False,
        price_minor: int = 9_900,
        freight_minor: int = 0,
        recipient: RecipientData = BUYER,
    ) -> str:
        """Take an order of (seller code, quantity) lines; return its id. Raises `SoldOut` where a number is known."""
        with self._lock:
            self._take(lines)
            id, now = f"W{len(self.orders) + 1:06}", self._now()
            bought = [
                LineData(external_id=str(n), channel_sku=sku, title=f"商品 {sku}", qty=qty, price_minor=price_minor)
                for n, (sku, qty) in enumerate(lines, 1)
            ]
            order = OrderData(
                external_id=id,
                updated_at=now,
                status="paid" if paid else "unpaid",
                placed_at=now,
                paid_at=now if paid else None,
                currency="CNY",
                total_minor=freight_minor + sum(line.qty * line.price_minor for line in bought),
                freight_minor=freight_minor,
                discount_minor=0,
                recipient=recipient,
                lines=bought,
            )
            self._change_order(order)
        self._send_eagerly()
        return id

    def pay(self, id: str) -> None:
        """Let the buyer pay."""
        self.change(id, status="paid", paid_at=self.clock.now())

    def sell(self) -> str | None:
        """Let a buyer pay for one of three things, each in its turn; return the order's id, None if sold out."""
        try:
            return self.place_order((f"SOLD-{len(self.orders) % 3 + 1}", 1), paid=True)
        except SoldOut:
            return None

    def cancel(self, id: str) -> None:
        """Let the order end without a sale."""
        self.change(id, status="cancelled")

    def change(self, id: str, **fields: Any) -> None:
        """Change any fields of an order."""
        with self._lock:
            self._change_order(self.orders[id].model_copy(update={**fields, "updated_at": self._now()}))
        self._send_eagerly()

    def refund(
        self,
        order: str,
        *,
        amount_minor: int,
        lines: Sequence[tuple[str, int]] = (),
        status: Literal["open", "granted", "closed"] = "open",
    ) -> str:
        """Let a buyer ask for money back, for (line id, quantity) units or none; return the refund's id."""
        with self._lock:
            refund = RefundData(
                external_id=f"R{len(self.refunds) + 1:06}",
                order_external_id=order,
                updated_at=self._now(),
                status=status,
                amount_minor=amount_minor,
                lines=[RefundLineData(external_id=line, qty=qty) for line, qty in lines],
            )
            self._change_refund(refund)
        self._send_eagerly()
        return refund.external_id

    def settle_refund(self, id: str, status: Literal["granted", "closed"]) -> None:
        """Grant or close a refund."""
        with self._lock:
            self._change_refund(self.refunds[id].model_copy(update={"status": status, "updated_at": self._now()}))
        self._send_eagerly()

    # ---- what the shop was told ------------------------------------------------------------------------------------

    def stock(self) -> dict[str, int]:
        """Return the number shown by seller code: the one last told, less what was sold since."""
        with self._lock:
            return {sku: qty for sku, (_, qty) in self._stock.items()}

    def shipments(self) -> list[ShipmentData]:
        """Return the parcels, first one first; each number once."""
        with self._lock:
            return list(self._shipments.values())

    # ---- deliveries ------------------------------------------------------------------------------------------------

    def signed(self, delivery: Delivery) -> dict[str, str]:
        """Return the headers of a delivery that is sent now."""
        headers = self._signature.headers(delivery.body, id=delivery.id, at=self.clock.now())
        return {"content-type": "application/json", **headers}

    def waiting(self) -> int:
        """Return how many deliveries were not answered yet."""
        with self._lock:
            return len(self._waiting)

    def send(self) -> int:
        """Send once what waits; return how many deliveries still wait."""
        with self._lock:
            batch, self._waiting = self._waiting, []
        kept = [delivery for delivery in batch if not self._send_one(delivery)]
        with self._lock:
            self._waiting = [*kept, *self._waiting]
            return len(self._waiting)

    def send_again(self, rng: random.Random | None = None) -> None:
        """Put all that was ever sent among what waits, in any order."""
        with self._lock:
            again = list(self.sent)
            (rng or self.faults.rng).shuffle(again)
            self._waiting += again

    def _send_one(self, delivery: Delivery) -> bool:
        """Send one delivery; return whether the shop knows that it arrived."""
        if self.deliver is None or self.faults.strikes(Fault.LATE):
            return False
        times = 2 if self.faults.strikes(Fault.DUPLICATE) else 1
        statuses = [self.deliver(delivery.body, self.signed(delivery)) for _ in range(times)]
        return 200 <= statuses[-1] < 300 and not self.faults.strikes(Fault.PLATFORM_ERROR)

    def _send_eagerly(self) -> None:
        if self.eager and self.deliver is not None:
            self.send()

    def _change_order(self, order: OrderData) -> None:
        self.orders[order.external_id] = order
        self.post(body_of(OrderMessage(type="order", data=order)))

    def _change_refund(self, refund: RefundData) -> None:
        self.refunds[refund.external_id] = refund
        self.post(body_of(RefundMessage(type="refund", data=refund)))

    def post(self, body: bytes) -> None:
        """Let any body wait to be sent, as a message of the shop."""
        delivery = Delivery(id=f"msg_{len(self.sent) + 1:06}{body_digest(body)}", body=body)
        self.sent.append(delivery)
        self._waiting.append(delivery)

    def _now(self) -> datetime:
        """Return the time of a change, later than that of any change before."""
        now = self.clock.now()
        if self._last_change is not None:
            now = max(now, self._last_change + timedelta(milliseconds=1))
        self._last_change = now
        return now

    def shift_shown(self, sku: str, units: int) -> None:
        """Let the shop's staff change a number by hand; nothing happens where none is known."""
        with self._lock:
            if sku in self._stock:
                at, shown = self._stock[sku]
                self._stock[sku] = at, shown + units

    def _take(self, lines: Sequence[tuple[str, int]]) -> None:
        if any(sku in self._stock and self._stock[sku][1] < qty for sku, qty in lines):
            raise SoldOut(", ".join(sku for sku, _ in lines))
        for sku, qty in lines:
            if sku in self._stock:
                at, shown = self._stock[sku]
                self._stock[sku] = at, shown - qty

    # ---- the shop's own addresses ----------------------------------------------------------------------------------

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Answer one request to the shop."""
        with self._lock:
            route = f"{request.method} {request.path}"
            if route == "POST /push":
                return self._take_call(request)
            if route == "GET /stock":
                return SandboxResponse.of_json(self.stock())
            if route == "GET /shipments":
                return SandboxResponse.of_json([shipment.model_dump(mode="json") for shipment in self.shipments()])
            if route not in ("POST /hook", "POST /orders"):
                return _refusal(404, "no such address")
        return self._serve_buyer(request)

    def _serve_buyer(self, request: SandboxRequest) -> SandboxResponse:
        """Do what a person asks for who tries the shop; sends, so it holds no lock."""
        try:
            wish = request.json()
            if request.path == "/hook":
                self.deliver = over_http(str(wish["url"]))
                return SandboxResponse.of_json({"waiting": self.send()})
            lines = [(str(sku), int(qty)) for sku, qty in wish["lines"]]
            return SandboxResponse.of_json({"id": self.place_order(*lines, paid=bool(wish.get("paid", True)))})
        except (ValueError, TypeError, KeyError) as error:
            return _refusal(400, f"cannot be read: {error}")
        except SoldOut as error:
            return _refusal(409, f"sold out: {error}")

    def _take_call(self, request: SandboxRequest) -> SandboxResponse:
        """Take a signed call of erpsync."""
        received = WebhookRequest(
            headers=request.headers, query=request.query, body=request.body, received_at=self.clock.now()
        )
        try:
            self._signature.verify(received)
        except AuthError as error:
            return _refusal(401, error.problem)
        if self.faults.strikes(Fault.EXPIRED_TOKEN):
            return _refusal(401, "the secret was changed")
        message = request.json()
        try:
            return self._take_message(message["type"], message["data"])
        except ValidationError as error:
            return _refusal(422, f"{error.error_count()} fields are wrong")

    def _take_message(self, type: str, data: Mapping[str, Any]) -> SandboxResponse:
        if type == "stock":
            return self._set_stock(StockData.model_validate(data))
        if type == "shipment":
            return self._add_shipment(ShipmentData.model_validate(data))
        return SandboxResponse.of_json({"ok": True})

    def _set_stock(self, data: StockData) -> SandboxResponse:
        """Take numbers, unless a later call has set them already; name those of things that are off sale."""
        refused = [level for level in data.levels if level.channel_sku in self.off_sale]
        for level in data.levels:
            stored = self._stock.get(level.channel_sku)
            if level not in refused and (stored is None or data.as_of >= stored[0]):
                self._stock[level.channel_sku] = data.as_of, level.qty
        named = [{"channel_sku": level.channel_sku, "error": "off sale"} for level in refused]
        return SandboxResponse.of_json({"ok": True, "refused": named})

    def _add_shipment(self, data: ShipmentData) -> SandboxResponse:
        self.tracking_seen.append(data.tracking)
        if data.order_external_id not in self.orders:
            return _refusal(422, "unknown order")
        self._shipments.setdefault(data.number, data)
        return SandboxResponse.of_json({"ok": True})


def _refusal(status: int, error: str) -> SandboxResponse:
    return SandboxResponse.of_json({"error": error}, status=status)
