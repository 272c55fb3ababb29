"""The conformance suite over this connector, with either reading of where a window ends and either way to set stock."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from connectors.jd.connector import JdConnector
from connectors.jd.mapping import format_time, parse_time
from connectors.jd.sandbox import JdSandbox, OrderItem, order_info
from connectors.jd.sandbox.builder import RECEIVER, yuan
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import Shipment, ShipmentLine, StockLevel
from tests.connectors.jd.shop import settings
from tests.support.records import changed

NAME, PHONE, STREET = "王小明", "13800138000", "莫干山路1号"
SKU = "100000000001"


class JdHarness(Harness):
    page_size = 3
    personal_data = (NAME, PHONE, STREET)
    right_end_inside = True
    stock_method = "batch"
    orders_as = "encrypted"

    def __init__(self) -> None:
        super().__init__()
        self.shop = JdSandbox(clock=self.clock)
        self.shop.right_end_inside = self.right_end_inside
        self.shop.cloud = self.orders_as == "plain"
        self.sandbox = self.shop

    def connector(self) -> JdConnector:
        own = settings(page_size=self.page_size, stock_method=self.stock_method, orders=self.orders_as)
        return JdConnector(own, self.http(), self.clock)

    def state(self) -> object:
        shop = self.shop
        return dict(shop.orders.records), dict(shop.refunds.records), dict(shop.skus), list(shop.parcels)

    def set_platform_ahead(self, seconds: float) -> bool:
        self.shop.ahead = timedelta(seconds=seconds)
        return True

    def add_order(self, changed_at: datetime, *, total_minor: int) -> str:
        order_id, text = str(310_000_000_000 + self.shop.next_number()), format_time(changed_at)
        price = yuan(Decimal(total_minor) / 100)
        receiver = {**RECEIVER, "fullname": NAME, "mobile": PHONE, "fullAddress": STREET}
        items = [OrderItem(sku_id=SKU, num=1, price=price, code="A-1")]
        self.shop.orders.put(
            order_info(order_id=order_id, items=items, created=text, paid=text, receiver=receiver, orderRemark=NAME)
        )
        return order_id

    def touch_order(self, external_id: str, changed_at: datetime) -> None:
        self.shop.touch(external_id, changed_at)

    def orders(self) -> Mapping[str, datetime]:
        return changed(self.shop.orders.records, parse_time)

    def add_refund(self, changed_at: datetime, *, amount_minor: int) -> str:
        order_id, text = self.add_order(changed_at, total_minor=amount_minor), format_time(changed_at)
        refund_id = str(700_000_000 + self.shop.next_number())
        refund = {"id": int(refund_id), "orderId": order_id, "applyTime": text, "applyRefundSum": amount_minor}
        more = {"status": 0, "reason": NAME, "buyerName": NAME, "checkTime": "", "modified": text}
        self.shop.refunds.put({**refund, **more})
        return refund_id

    def touch_refund(self, external_id: str, changed_at: datetime) -> None:
        self.shop.stamp_refund(external_id, changed_at, checkRemark=f"checked {changed_at}")

    def refunds(self) -> Mapping[str, datetime]:
        return changed(self.shop.refunds.records, parse_time)

    def new_shipment(self) -> Shipment:
        order_id = self.add_order(self.clock.now(), total_minor=1000)
        return self._parcel(order_id, f"SF{order_id}")

    def refused_shipment(self) -> Shipment | None:
        return self._parcel("42", "SF0000000000042")

    def shipments(self) -> Sequence[str]:
        return [parcel.number for parcel in self.shop.parcels]

    def shipment_attempts(self) -> Sequence[str]:
        return list(self.shop.parcel_attempts)

    def add_listing(self) -> StockLevel:
        code = f"CODE-{self.shop.next_number()}"
        sku_id = self.shop.add_item(code=code, qty=1)
        return StockLevel(key=code, channel_sku=code, item_ref=sku_id, qty=5)

    def bad_listing(self) -> StockLevel | None:
        level = self.add_listing()
        self.shop.refused_listings.add(level.item_ref)
        return level

    def shown(self, level: StockLevel) -> int | None:
        return self.shop.stock().get(level.item_ref)

    def _parcel(self, order_id: str, tracking: str) -> Shipment:
        line = ShipmentLine(external_id=SKU, qty=1, ordered_qty=1)
        return Shipment(number=tracking, order_external_id=order_id, carrier="SF", tracking=tracking, lines=(line,))


class OtherReadings(JdHarness):
    """The right end of a window stands outside, receivers are plain, stock is set one by one."""

    right_end_inside = False
    stock_method = "single"
    orders_as = "plain"


class TestJd(ConnectorSuite):
    def harness(self) -> JdHarness:
        return JdHarness()


class TestJdOtherReadings(ConnectorSuite):
    def harness(self) -> JdHarness:
        return OtherReadings()
