"""An account with SF Express under the conformance suite."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.sf.connector import SfConnector
from connectors.sf.sandbox import SfSandbox
from connectors.sf.sandbox.orders import BARRED, UNSERVED
from connectors.sf.settings import SfSettings
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import BookedParcel, BookingRequest, ParcelGoods, TrackedParcel, TrackState, WebhookRequest
from tests.connectors.sf.account import CHECKWORD, PARCEL, PERSON, PUSH_SECRET, SETTINGS, request

CODES = {
    TrackState.ANNOUNCED: ("607", "7"),
    TrackState.PICKED_UP: ("50", "1"),
    TrackState.IN_TRANSIT: ("31", "2"),
    TrackState.DELIVERING: ("204", "3"),
    TrackState.PROBLEM: ("33", "3"),
    TrackState.DELIVERED: ("80", "4"),
    TrackState.RETURNING: ("99", "5"),
    TrackState.RETURNED: ("648", "6"),
    None: ("77777", "77"),
}


class SfHarness(Harness):
    """An account, and couriers who fetch and scan."""

    personal_data = PERSON
    secrets = (CHECKWORD, PUSH_SECRET)
    webhooks_signed = False
    track_states: Collection[TrackState] = tuple(TrackState)

    def __init__(self) -> None:
        super().__init__()
        self.shop = SfSandbox()
        self.sandbox = self.shop
        self._made = 0

    def connector(self) -> SfConnector:
        return SfConnector(SfSettings.model_validate(SETTINGS), self.http(), self.clock)

    def state(self) -> object:
        return (list(self.shop.orders.values()), list(self.shop.attempts))

    def new_booking(self, *, parcels: int = 1) -> BookingRequest:
        self._made += 1
        return request(self._made, parcels=(PARCEL,) * parcels)

    def refused_booking(self) -> tuple[BookingRequest, str]:
        barred = BookedParcel(goods=(ParcelGoods(name=BARRED, qty=1),))
        return replace(self.new_booking(), parcels=(barred,)), "禁寄品"

    def unserved_booking(self) -> BookingRequest:
        booking = self.new_booking()
        return replace(booking, recipient=replace(booking.recipient, province=UNSERVED))

    def bookings(self) -> Sequence[tuple[str, str]]:
        orders = [order for order in self.shop.orders.values() if order.served and order.state != "cancelled"]
        return [(order.key, order.numbers[0] if order.numbers else "") for order in orders]

    def booking_attempts(self) -> Sequence[str]:
        return self.shop.attempts

    def use_booking(self, key: str) -> None:
        self.shop.pick_up(key)

    def give_numbers(self) -> None:
        self.shop.give_numbers()

    def new_track(self) -> TrackedParcel:
        waybill = self.connector().book(self.new_booking())
        return TrackedParcel(carrier="SF", number=waybill.number)

    def scan(self, parcel: TrackedParcel, at: datetime, state: TrackState | None) -> None:
        code, first = CODES[state]
        self.shop.scan(parcel.number, at, code, first_status=first)

    def track_push(self, parcel: TrackedParcel) -> WebhookRequest:
        body = self.shop.push_of(parcel.number)
        return WebhookRequest(headers={}, query={}, body=body, received_at=self.clock.now(), path=PUSH_SECRET)

    def webhook(self) -> WebhookRequest:
        parcel = self.new_track()
        self.scan(parcel, self.clock.now().replace(microsecond=0), TrackState.PICKED_UP)
        return self.track_push(parcel)


class TestSf(ConnectorSuite):
    """SF answers HTTP 200 to what it refuses, and signs no push."""

    def harness(self) -> SfHarness:
        return SfHarness()
