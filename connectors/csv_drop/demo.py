"""A shop on a drop folder for the demonstration: an export job that writes a file every now and then."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.csv_drop.sandbox import DropShop
from erpsync.sdk.sandbox.demo import DemoShop, Good

ORDERS_PER_FILE = 3


class DropDemo(DemoShop):
    """Sells what the stock files say; it learns of new numbers only by them."""

    connector = "csv_drop"
    title = "批发商(文件)"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.shop = DropShop(self.folder / "in", self.folder / "out", self.clock)
        (self.folder / "in").mkdir(parents=True, exist_ok=True)
        self._pending: list[Any] = []
        self._placed: set[str] = set()

    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the settings of the folder; a file is taken as soon as it is a fifth of a second old."""
        del url
        return {**self.shop.settings(), "settle_s": 0.2}

    def list_goods(self, goods: Sequence[Good]) -> None:
        """Nothing to do: whoever exports from this shop sells every SKU there is."""
        self._codes = [good.code for good in goods]

    def act(self) -> None:
        """Sell something, and export every few orders."""
        wanted = [code for code, units in self.shown().items() if units > 0]
        if not wanted:
            return
        self._pending += self.shop.random_orders(self.rng, wanted, 1)
        if len(self._pending) >= ORDERS_PER_FILE:
            self.close_shop()

    def close_shop(self) -> None:
        """Export what is not exported yet."""
        if self._pending:
            self.shop.place_orders(self._pending)
            self._placed |= {order.external_id for order in self._pending}
            self._pending = []

    def placed(self) -> set[str]:
        """Return the ids of all orders exported."""
        return set(self._placed)

    def shown(self) -> Mapping[str, int]:
        """Return the numbers of the stock files."""
        return self.shop.stock()

    def told(self) -> Sequence[tuple[str, str]]:
        """Return order and number of each file of a parcel."""
        return self.shop.parcels()
