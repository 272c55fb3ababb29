"""The own shop under the conformance suite, with and without a `push_url`."""

import json
from collections.abc import Sequence
from itertools import count

from connectors.webhook_json.connector import WebhookJsonConnector
from connectors.webhook_json.sandbox import OwnShop
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import Shipment, ShipmentLine, StockLevel, WebhookRequest
from tests.connectors.webhook_json.shop import PUSH_URL, settings


class ShopHarness(Harness):
    """A shop whose deliveries wait to be looked at."""

    personal_data = ("王小明", "13800138000", "世纪大道1号")
    push_url: str | None = PUSH_URL

    def __init__(self) -> None:
        super().__init__()
        self.shop = OwnShop(clock=self.clock)
        self.sandbox = self.shop
        self._numbers = count(1)

    def connector(self) -> WebhookJsonConnector:
        return WebhookJsonConnector(settings(push_url=self.push_url), self.http(), self.clock)

    def state(self) -> object:
        return json.dumps([self.shop.stock(), [each.number for each in self.shop.shipments()], len(self.shop.sent)])

    def new_shipment(self) -> Shipment:
        order, number = self.shop.place_order(("A", 1), paid=True), next(self._numbers)
        line = ShipmentLine(external_id="1", qty=1, ordered_qty=1)
        return Shipment(
            number=f"S{number}", order_external_id=order, carrier="SF", tracking=f"SF{number:013}", lines=(line,)
        )

    def refused_shipment(self) -> Shipment:
        line = ShipmentLine(external_id="1", qty=1, ordered_qty=1)
        return Shipment(number="S0", order_external_id="nobody's", carrier="SF", tracking="SF0", lines=(line,))

    def shipments(self) -> Sequence[str]:
        return [each.tracking for each in self.shop.shipments()]

    def shipment_attempts(self) -> Sequence[str]:
        return self.shop.tracking_seen

    def add_listing(self) -> StockLevel:
        number = next(self._numbers)
        return StockLevel(key=str(number), channel_sku=f"SKU-{number}", item_ref="", qty=3)

    def bad_listing(self) -> StockLevel:
        level = self.add_listing()
        self.shop.off_sale.add(level.channel_sku)
        return level

    def shown(self, level: StockLevel) -> int | None:
        return self.shop.stock().get(level.channel_sku)

    def webhook(self) -> WebhookRequest:
        self.shop.place_order(("A", 1), paid=True)
        delivery = self.shop.sent[-1]
        headers = self.shop.signed(delivery)
        return WebhookRequest(headers=headers, query={}, body=delivery.body, received_at=self.clock.now())


class RefundHarness(ShopHarness):
    """The same shop; what it sends is a refund."""

    def webhook(self) -> WebhookRequest:
        order = self.shop.place_order(("A", 1), paid=True)
        self.shop.refund(order, amount_minor=9_900, lines=[("1", 1)])
        delivery = self.shop.sent[-1]
        headers = self.shop.signed(delivery)
        return WebhookRequest(headers=headers, query={}, body=delivery.body, received_at=self.clock.now())


class SilentHarness(ShopHarness):
    """A shop that is told nothing, so nothing is ever called."""

    push_url = None

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = None


class TestShopWithCalls(ConnectorSuite):
    """Orders come in, stock and shipments go out."""

    def harness(self) -> ShopHarness:
        return ShopHarness()


class TestRefunds(ConnectorSuite):
    """Refunds come in."""

    def harness(self) -> RefundHarness:
        return RefundHarness()


class TestSilentShop(ConnectorSuite):
    """Orders come in, nothing goes out."""

    def harness(self) -> SilentHarness:
        return SilentHarness()
