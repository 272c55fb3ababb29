"""The conformance suite over this connector."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.taobao.connector import TaobaoConnector
from connectors.taobao.mapping import format_time, parse_time
from connectors.taobao.sandbox import TaobaoSandbox, TradeLine, trade_of
from connectors.taobao.sandbox.builder import RECEIVER, yuan
from erpsync.sdk.testing import ConnectorSuite, Finding, Harness, audit
from erpsync.sdk.types import Shipment, ShipmentLine, StockLevel
from tests.connectors.taobao.shop import settings
from tests.support.records import changed

NAME, PHONE, STREET = "王小明", "13800138000", "莫干山路1号"


class TaobaoHarness(Harness):
    page_size = 3
    personal_data = (NAME, PHONE, STREET)

    def __init__(self) -> None:
        super().__init__()
        self.shop = TaobaoSandbox(clock=self.clock)
        self.sandbox = self.shop

    def connector(self) -> TaobaoConnector:
        return TaobaoConnector(settings(page_size=self.page_size, tmc=True), self.http(), self.clock)

    def state(self) -> object:
        shop = self.shop
        return [dict(book.records) for book in (shop.trades, shop.refunds, shop.items)], list(shop.parcels)

    def set_platform_ahead(self, seconds: float) -> bool:
        self.shop.ahead = timedelta(seconds=seconds)
        return True

    def add_order(self, changed_at: datetime, *, total_minor: int) -> str:
        return self._add_trade(changed_at, total_minor, lines=1)

    def touch_order(self, external_id: str, changed_at: datetime) -> None:
        self.shop.touch(external_id, changed_at)

    def orders(self) -> Mapping[str, datetime]:
        return changed(self.shop.trades.records, parse_time)

    def add_refund(self, changed_at: datetime, *, amount_minor: int) -> str:
        tid = self._add_trade(changed_at, amount_minor, lines=1)
        refund_id = self.shop.request_refund(tid)
        self._stamp_refund(refund_id, changed_at)
        return refund_id

    def touch_refund(self, external_id: str, changed_at: datetime) -> None:
        self._stamp_refund(external_id, changed_at, reason=f"changed {changed_at}")

    def refunds(self) -> Mapping[str, datetime]:
        return changed(self.shop.refunds.records, parse_time)

    def new_shipment(self) -> Shipment:
        tid = self._add_trade(self.clock.now(), 1000, lines=1)
        return self._parcel(tid, f"SF{tid[-13:]}")

    def refused_shipment(self) -> Shipment | None:
        return self._parcel("42", "SF0000000000042")

    def shipments(self) -> Sequence[str]:
        return [parcel.out_sid for parcel in self.shop.parcels]

    def shipment_attempts(self) -> Sequence[str]:
        return list(self.shop.parcel_attempts)

    def add_listing(self) -> StockLevel:
        code = f"CODE-{self.shop.next_number()}"
        num_iid = self.shop.add_item(skus={code: 1, f"{code}-B": 1})
        return StockLevel(key=code, channel_sku=code, item_ref=self.shop.find_ref(code) or num_iid, qty=5)

    def bad_listing(self) -> StockLevel | None:
        level = self.add_listing()
        self.shop.refused_listings.add(level.item_ref)
        return level

    def shown(self, level: StockLevel) -> int | None:
        return self.shop.stock().get(level.item_ref)

    def add_hint(self) -> str:
        self.shop.add_item(skus={"A-1": 5})
        self.shop.place_order([("A-1", 1)], pay=True)
        return "orders"

    def _add_trade(self, at: datetime, total_minor: int, *, lines: int) -> str:
        tid = 3_870_000_000_000_000_000 + self.shop.next_number() * 100
        text, price = format_time(at), yuan(Decimal(total_minor) / 100)
        receiver = {**RECEIVER, "receiver_name": NAME, "receiver_mobile": PHONE, "receiver_address": STREET}
        trade = trade_of(
            tid=tid,
            lines=[TradeLine(num_iid=650000000001, num=1, price=price, outer_iid="A-1")] * lines,
            created=text,
            pay_time=text,
            status="WAIT_SELLER_SEND_GOODS",
            receiver=receiver,
            buyer_nick=NAME,
            message=NAME,
        )
        self.shop.trades.put(trade)
        return str(tid)

    def _stamp_refund(self, refund_id: str, at: datetime, **changes: Any) -> None:
        records = self.shop.refunds.records
        self.shop.refunds.put({**records[refund_id], **changes, "modified": format_time(at)})

    def _parcel(self, tid: str, tracking: str) -> Shipment:
        line = ShipmentLine(external_id=tid, qty=1, ordered_qty=1)
        return Shipment(number=tracking, order_external_id=tid, carrier="SF", tracking=tracking, lines=(line,))


class TestTaobao(ConnectorSuite):
    def harness(self) -> TaobaoHarness:
        return TaobaoHarness()


class ForgetsCorrections(TaobaoConnector):
    """Takes a correction and tells nobody."""

    def correct_shipment(self, shipment: Shipment) -> None:
        """Do nothing."""


class ForgetfulHarness(TaobaoHarness):
    def connector(self) -> TaobaoConnector:
        return ForgetsCorrections(settings(page_size=self.page_size, tmc=True), self.http(), self.clock)


def test_a_correction_that_the_platform_never_hears_of_is_found_by_the_suite() -> None:
    name = "corrected_number_takes_the_place_of_the_first"

    assert audit(ForgetfulHarness, only=[name])[name].finding is Finding.EFFECT_CLAIMED
