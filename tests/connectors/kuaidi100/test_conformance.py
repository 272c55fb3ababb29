"""An account with Kuaidi100 under the conformance suite."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connectors.kuaidi100.connector import Kuaidi100Account, Kuaidi100Connector
from connectors.kuaidi100.sandbox import CUSTOMER, KEY, SALT, SECRET, Kuaidi100Sandbox
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import BookingRequest, TrackedParcel, TrackState, WebhookRequest
from tests.connectors.bookings import PERSON
from tests.connectors.kuaidi100.account import settings, wish

CODES = {
    TrackState.ANNOUNCED: "101",
    TrackState.PICKED_UP: "103",
    TrackState.IN_TRANSIT: "1002",
    TrackState.DELIVERING: "501",
    TrackState.PROBLEM: "204",
    TrackState.DELIVERED: "301",
    TrackState.RETURNING: "6",
    TrackState.RETURNED: "4",
    None: "99",
}
UNSERVED = "西藏"


class Kuaidi100Harness(Harness):
    """An account, its courier, and parcels that move."""

    personal_data = PERSON
    secrets = (KEY, CUSTOMER, SECRET, SALT)

    def __init__(self) -> None:
        super().__init__()
        self.platform = Kuaidi100Sandbox(clock=self.clock)
        self.platform.unserved.add(UNSERVED)
        self.sandbox = self.platform
        self._made = 0

    def connector(self) -> Kuaidi100Connector:
        return Kuaidi100Connector(settings(), self.http(), self.clock)

    def state(self) -> object:
        return (dict(self.platform.waybills), list(self.platform.attempts), dict(self.platform.watched))

    def new_booking(self, *, parcels: int = 1) -> BookingRequest:
        self._made += 1
        return wish(f"R{self._made}/1/1", parcels=parcels)

    def refused_booking(self) -> tuple[BookingRequest, str]:
        request = self.new_booking()
        return replace(request, recipient=replace(request.recipient, province=UNSERVED)), "不在服务范围内"

    def bookings(self) -> Sequence[tuple[str, str]]:
        return [(each.param["orderId"], each.number) for each in self.platform.waybills.values() if not each.void]

    def booking_attempts(self) -> Sequence[str]:
        return self.platform.attempts

    def use_booking(self, key: str) -> None:
        for number, booked in self.platform.waybills.items():
            if booked.param["orderId"] == key:
                self.platform.move(number, "103", "已揽收")

    def new_track(self) -> TrackedParcel:
        account = self.connector()
        assert isinstance(account, Kuaidi100Account)
        return TrackedParcel(carrier="SF", number=account.book(self.new_booking()).number, phone=PERSON[1])

    def scan(self, parcel: TrackedParcel, at: datetime, state: TrackState | None) -> None:
        self.platform.move(parcel.number, CODES[state], f"快件在途 {at:%H:%M}", at=at)

    def track_push(self, parcel: TrackedParcel) -> WebhookRequest:
        body = self.platform.call(parcel.number)
        return WebhookRequest(headers={}, query={}, body=body, received_at=self.clock.now())

    def webhook(self) -> WebhookRequest:
        parcel = self.new_track()
        self.scan(parcel, self.clock.now().replace(microsecond=0), TrackState.PICKED_UP)
        return self.track_push(parcel)


class TestKuaidi100(ConnectorSuite):
    """A key that is one waybill for 48 hours, and calls that hold the whole list."""

    def harness(self) -> Kuaidi100Harness:
        return Kuaidi100Harness()
