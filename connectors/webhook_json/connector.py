"""An own shop as a channel: it calls us, and is called back where it says.

`WebhookJsonConnector(settings, http, clock)` returns a `ShopWithCalls` when there is a `push_url`, so that
`isinstance` tells the truth.

Why a signed body is never refused: the shop could only send the same bytes again, for ever. What cannot be read is
stored like everything else and becomes a dead letter when it is applied.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.webhook_json.client.calls import ShopClient
from connectors.webhook_json.client.signing import signature_of
from connectors.webhook_json.mapping.bodies import body_digest, payload_of, unknown_type, unread_key
from connectors.webhook_json.mapping.messages import (
    Level,
    PingMessage,
    ShipmentData,
    ShipmentMessage,
    ShippedLine,
    StockData,
    StockMessage,
    body_of,
)
from connectors.webhook_json.mapping.records import named_in, order_of, refund_of
from connectors.webhook_json.settings import WebhookJsonSettings
from erpsync.sdk.carriers import CARRIERS
from erpsync.sdk.clock import Clock
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import ConnectorError, RejectedError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector, OrderReader, RefundReader, ShipmentSink, StockSink, WebhookSource
from erpsync.sdk.types import (
    CheckReport,
    Head,
    Order,
    Payload,
    Raw,
    Refund,
    Repeat,
    Shipment,
    StockLevel,
    UnknownMessage,
    WebhookRecord,
    WebhookRequest,
    WebhookResult,
)


class WebhookJsonConnector(Connector, WebhookSource, OrderReader, RefundReader):
    """A shop that sends its orders and refunds."""

    Settings = WebhookJsonSettings
    settings: WebhookJsonSettings

    @classmethod
    def played_by(cls, settings: WebhookJsonSettings) -> type["WebhookJsonConnector"]:
        """Return the class that plays what `settings` say."""
        return ShopWithCalls if cls is WebhookJsonConnector and settings.push_url else cls

    def __new__(cls, settings: WebhookJsonSettings, http: HttpClient, clock: Clock) -> "WebhookJsonConnector":
        """Return an object of that class."""
        del http, clock
        return object.__new__(cls.played_by(settings))

    def __init__(self, settings: WebhookJsonSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._signature = signature_of(settings)

    def check(self) -> CheckReport:
        """Say what is not sent; there is no address to prove."""
        return CheckReport(notes=("push_url is not set: the shop is told neither stock nor shipments",))

    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        """Return the one record of a signed delivery, or that its type is not known. Raises `AuthError`.

        The delivery's key holds the digest of the body beside the sender's id: a shop that gives two messages one id
        loses neither of them.
        """
        id = self._signature.verify(request)
        key = f"{id}.{body_digest(request.body)}" if id else body_digest(request.body)
        payload = payload_of(request.body)
        if unknown := unknown_type(payload):
            return WebhookResult(key=key, unknown=(UnknownMessage(type=unknown, payload=payload),))
        return WebhookResult(key=key, records=(_record(payload, request.body, request.received_at),))

    def normalise(self, raw: Raw) -> Order:
        """Return the order; lines that cannot be read are its bad lines. Raises `PayloadError` naming the field."""
        return order_of(raw.payload)

    def normalise_refund(self, raw: Raw) -> Refund:
        """Return the refund. Raises `PayloadError` naming the field."""
        return refund_of(raw.payload)


class ShopWithCalls(WebhookJsonConnector, StockSink, ShipmentSink):
    """A shop that also takes stock and shipments at its `push_url`."""

    repeat = Repeat.SAFE
    stock_batch = 100

    def __init__(self, settings: WebhookJsonSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._client = ShopClient(settings, http, clock)

    def check(self) -> CheckReport:
        """Send a signed ping, which the shop answers without doing anything."""
        self._client.call(body_of(PingMessage()), id=f"ping-{_stamp(self.clock.now())}")
        return CheckReport()

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        """Set absolute quantities in one call; return what the shop's answer names as refused."""
        told = [Level(channel_sku=level.channel_sku, qty=level.qty) for level in levels]
        body = body_of(StockMessage(data=StockData(as_of=self.clock.now(), levels=told)))
        refused = _refusals(self._client.call(body, id=f"stock-{body_digest(body)}"))
        return {level.key: refused[level.channel_sku] for level in levels if level.channel_sku in refused}

    def push_shipment(self, shipment: Shipment) -> None:
        """Report one parcel; the shop tells a repeat by its number."""
        carrier = CARRIERS.get(shipment.carrier)
        data = ShipmentData(
            number=shipment.number,
            order_external_id=shipment.order_external_id,
            carrier=shipment.carrier,
            carrier_name=carrier.name if carrier else shipment.carrier,
            tracking=shipment.tracking,
            lines=[ShippedLine(external_id=line.external_id, qty=line.qty) for line in shipment.lines],
            whole=shipment.whole,
            shipped_at=shipment.shipped_at,
        )
        self._client.call(body_of(ShipmentMessage(data=data)), id=_call_id("shipment", shipment.number))


def _record(payload: Payload, body: bytes, received_at: datetime) -> WebhookRecord:
    """Return the record of a body, named as far as it says whom it is about; else after its bytes."""
    kind = "refund" if payload.get("type") == "refund" else "order"
    named = named_in(payload)
    head = Head(
        external_id=named.external_id or unread_key(payload, body),
        order_external_id=named.order_external_id,
        version_at=named.version_at or received_at,
        dated=named.version_at is not None,
        digest=_digest(payload),
        read_from=received_at,
        read_to=received_at,
        row=payload,
    )
    return WebhookRecord(kind=kind, raw=Raw(head=head, payload=payload, read_from=received_at, read_to=received_at))


def _digest(payload: Payload) -> str:
    data = payload.get("data")
    return digest_of(data if isinstance(data, dict) else payload)


def _refusals(answer: Mapping[str, object]) -> Mapping[str, ConnectorError]:
    """Return what an answer names as refused, by seller code."""
    rows = answer.get("refused")
    named = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {
        str(row.get("channel_sku")): RejectedError(str(row.get("error") or "refused without a reason")[:200])
        for row in named
    }


def _call_id(kind: str, number: str) -> str:
    """Return the id of a call; a header takes no characters beyond ASCII."""
    named = number if number.isascii() and number.isprintable() else body_digest(number.encode("utf-8"))
    return f"{kind}-{named}"


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H%M%S%f")
