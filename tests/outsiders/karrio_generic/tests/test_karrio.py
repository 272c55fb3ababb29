"""The suite that every connector passes, with Karrio's own courier on the other side; what it makes of bookings."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest
from erpsync_karrio.connector import KarrioConnector
from erpsync_karrio.sandbox import SERVICE, TOKEN, KarrioSandbox
from erpsync_karrio.settings import KarrioSettings
from pydantic import SecretStr

from erpsync.sdk.errors import OutcomeUnknownError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.labels import demand_label
from erpsync.sdk.sandbox import serve
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import BookedParcel, BookingRequest, LabelKind, ParcelGoods, Recipient, Region, Sender

NAME, PHONE, ADDRESS = "李雷 & 韩梅梅", "13800138000", "漕溪北路1号5室"
SENDER = Sender(name="仓", phone="13900139000", province="上海市", city="上海市", address="申长路99号")


class KarrioHarness(Harness):
    """Plays Karrio for the suite, which loses answers on purpose."""

    personal_data = (NAME, PHONE, ADDRESS)
    secrets = (TOKEN,)

    def __init__(self) -> None:
        super().__init__()
        self.karrio = KarrioSandbox()
        self.sandbox = self.karrio
        self._keys = count(1)

    def connector(self) -> KarrioConnector:
        settings = KarrioSettings(url="http://karrio.test", token=SecretStr(TOKEN), carrier="EMS", service=SERVICE)
        return KarrioConnector(settings, self.http(), self.clock)

    def state(self) -> object:
        return {id: dict(shipment) for id, shipment in self.karrio.shipments.items()}

    def new_booking(self, *, parcels: int = 1) -> BookingRequest:
        parcel = BookedParcel(goods=(ParcelGoods(name="茶杯", qty=1),), weight_g=620)
        to = Recipient(name=NAME, phone=PHONE, province="上海市", city="上海市", district="徐汇区", address=ADDRESS)
        key = f"R{next(self._keys)}/1/1"
        return BookingRequest(key=key, carrier="EMS", sender=SENDER, recipient=to, parcels=(parcel,) * parcels)

    def refused_booking(self) -> tuple[BookingRequest, str]:
        request = self.new_booking()
        heavy = tuple(replace(parcel, weight_g=40_000) for parcel in request.parcels)
        return replace(request, parcels=heavy), "the weight exceeds service standard max weight"

    def bookings(self) -> Sequence[tuple[str, str]]:
        live = [row for row in self.karrio.shipments.values() if row["status"] != "cancelled"]
        return [
            (row["reference"], (row.get("meta", {}).get("tracking_numbers") or [row.get("tracking_number", "")])[0])
            for row in live
        ]

    def booking_attempts(self) -> Sequence[str]:
        return self.karrio.attempts

    def use_booking(self, key: str) -> None:
        self.karrio.picked_up |= {id for id, row in self.karrio.shipments.items() if row["reference"] == key}

    def give_numbers(self) -> None:
        for id, row in self.karrio.shipments.items():
            if row["status"] == "draft":
                self.karrio.buy(id)


class TestKarrio(ConnectorSuite):
    """A courier that nobody of erpsync has written."""

    def harness(self) -> KarrioHarness:
        return KarrioHarness()


def test_over_a_real_socket_a_booking_has_a_number_a_price_and_a_page_per_parcel() -> None:
    harness = KarrioHarness()
    with serve({"karrio": harness.karrio}) as server:
        settings = KarrioSettings(url=server.url("karrio"), token=SecretStr(TOKEN), carrier="EMS", service=SERVICE)
        http = HttpClient(clock=harness.clock)
        courier = KarrioConnector(settings, http, harness.clock)
        waybill = courier.book(harness.new_booking(parcels=2))
        label = courier.label(waybill)
        http.close()

    assert (waybill.cost_minor, waybill.currency, len({waybill.number, *waybill.children})) == (2500, "CNY", 2)
    assert demand_label(waybill.label, LabelKind.PDF) == label
    assert label.count(b"/Type /Page\n") == 2


@pytest.mark.parametrize(("city", "goes"), [("上海市", True), ("拉萨市", False)])
def test_where_there_is_no_price_it_does_not_go(city: str, goes: bool) -> None:
    assert KarrioHarness().connector().covers(Region(province="", city=city)) is goes


def test_two_waybills_of_one_key_are_a_persons_matter() -> None:
    """Karrio takes a key twice, so whoever sends one twice pays twice; which is on the parcel it cannot say."""
    harness = KarrioHarness()
    courier, request = harness.connector(), harness.new_booking()
    courier.book(request)
    courier.book(request)

    with pytest.raises(OutcomeUnknownError, match="2 shipments of this key"):
        courier.find_booking(request)


def test_a_key_that_is_part_of_another_is_another() -> None:
    """Karrio's filter finds every reference that holds the text."""
    harness = KarrioHarness()
    courier, request = harness.connector(), harness.new_booking()
    courier.book(replace(request, key=f"{request.key}0"))

    assert courier.find_booking(request) is None


def test_what_was_voided_is_not_found_and_may_be_booked_anew() -> None:
    harness = KarrioHarness()
    courier, request = harness.connector(), harness.new_booking()
    assert courier.cancel_booking(courier.book(request)) is True

    assert courier.find_booking(request) is None
    assert courier.book(request).number in dict(map(reversed, harness.bookings()))
