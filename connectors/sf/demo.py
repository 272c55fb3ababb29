"""SF Express for the demonstration: its platform over real HTTP, and what it really booked."""

from collections.abc import Mapping
from typing import Any

from connectors.sf.sandbox import SfSandbox
from erpsync.sdk.sandbox.demo import DemoCourier


class SfDemo(DemoCourier):
    """Books parcels; what it took without a number gets one a little later."""

    connector = "sf"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.platform = SfSandbox(faults=self.faults)
        self.sandbox = self.platform

    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the settings that reach the platform."""
        return {
            "gateway": f"{url}/std/service",
            "partner_id": self.platform.partner_id,
            "checkword": self.platform.checkword,
            "monthly_card": self.platform.monthly_card,
        }

    def rates(self) -> tuple[int, int]:
        """Return a price that is low for what is light."""
        return 900, 400

    def act(self) -> None:
        """Give the numbers that are owed."""
        self.platform.give_numbers()

    def numbers(self) -> Mapping[str, bool]:
        """Return the numbers of all bookings."""
        booked = list(self.platform.orders.values())
        return {number: order.state == "cancelled" for order in booked for number in order.numbers}
