"""An account at Cainiao under the conformance suite."""

from collections.abc import Sequence
from dataclasses import replace

from connectors.cainiao.connector import CainiaoConnector
from connectors.cainiao.sandbox import BARRED, CainiaoSandbox
from connectors.cainiao.settings import CainiaoSettings
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import BookedParcel, BookingRequest, ParcelGoods
from tests.connectors.cainiao.account import HIDDEN, PARCEL, PERSON, SECRETS, SETTINGS, request


class CainiaoHarness(Harness):
    """An account for orders that no platform knows: they are found by our key."""

    personal_data = PERSON
    secrets = SECRETS

    def __init__(self) -> None:
        super().__init__()
        self.shop = CainiaoSandbox(clock=self.clock)
        self.sandbox = self.shop
        self._made = 0

    def connector(self) -> CainiaoConnector:
        return CainiaoConnector(CainiaoSettings.model_validate(SETTINGS), self.http(), self.clock)

    def state(self) -> object:
        return (list(self.shop.waybills), list(self.shop.attempts), self.shop.left)

    def new_booking(self, *, parcels: int = 1) -> BookingRequest:
        self._made += 1
        return request(self._made, parcels=(PARCEL,) * parcels)

    def refused_booking(self) -> tuple[BookingRequest, str]:
        barred = BookedParcel(goods=(ParcelGoods(name=BARRED, qty=1),))
        return replace(self.new_booking(), parcels=(barred,)), "物品禁寄"

    def bookings(self) -> Sequence[tuple[str, str]]:
        return [(each.key, each.number) for each in self.shop.waybills if each.state != "cancelled"]

    def booking_attempts(self) -> Sequence[str]:
        return self.shop.attempts

    def use_booking(self, key: str) -> None:
        self.shop.pick_up(key)

    def give_numbers(self) -> None:
        self.shop.give_numbers()


class HiddenHarness(CainiaoHarness):
    """An account for Taobao's orders, whose recipients are hidden: they are found by the order's number."""

    personal_data = (
        HIDDEN.recipient.name,
        HIDDEN.recipient.phone,
        HIDDEN.recipient.address,
        HIDDEN.recipient.ciphertext,
    )

    def new_booking(self, *, parcels: int = 1) -> BookingRequest:
        booking = super().new_booking(parcels=parcels)
        return replace(HIDDEN, key=booking.key, parcels=booking.parcels)


class TestCainiao(ConnectorSuite):
    """Cainiao answers HTTP 200 to what it refuses, and may give a number twice."""

    def harness(self) -> CainiaoHarness:
        return CainiaoHarness()


class TestCainiaoForTaobao(ConnectorSuite):
    """Several bookings of one order, told apart by the request each was made for."""

    def harness(self) -> HiddenHarness:
        return HiddenHarness()
