"""YTO by Kuaidi100 for the demonstration: the platform over real HTTP, and what it really booked."""

from collections.abc import Mapping
from typing import Any

from connectors.kuaidi100.sandbox import Kuaidi100Sandbox
from erpsync.sdk.sandbox.demo import DemoCourier

CARRIER = "YTO"


class Kuaidi100Demo(DemoCourier):
    """Books parcels, also for recipients that Taobao hides, by an account that Taobao lent."""

    connector = "kuaidi100"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.platform = Kuaidi100Sandbox(carrier=CARRIER, clock=self.clock, faults=self.faults)
        self.sandbox = self.platform

    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the settings that reach the platform."""
        return {
            "key": self.platform.key,
            "customer": self.platform.customer,
            "secret": self.platform.secret,
            "carrier": CARRIER,
            "partner_id": self.platform.partner_id,
            "net": "taobao",
            "template": "60f6c17c7c223700131d8bc3",
            **{name: f"{url}{path}" for name, path in self.platform.addresses.items()},
        }

    def rates(self) -> tuple[int, int]:
        """Return a price that is low for what is heavy."""
        return 1_200, 100

    def numbers(self) -> Mapping[str, bool]:
        """Return the numbers of all bookings."""
        booked = list(self.platform.waybills.values())
        return {number: each.void for each in booked for number in (each.number, *each.children)}
