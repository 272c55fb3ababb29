"""A JD shop for the demonstration: its sandbox over real HTTP, and buyers with changing minds."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.jd.sandbox import JdSandbox, SoldOut
from connectors.jd.sandbox.builder import RECEIVER
from erpsync.sdk.sandbox.demo import DemoShop, Good

APP_KEY, SECRET, TOKEN = "0A1B2C3D4E5F6071", "sandbox-secret", "sandbox-access-token"
HOUSES = 60
"""So few that some people order twice, and their orders share a parcel."""


class JdDemo(DemoShop):
    """Sells what it shows; some buyers pay later or never, some want their money back."""

    connector = "jd"
    title = "京东旗舰店"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.shop = JdSandbox(
            clock=self.clock, app_key=APP_KEY, app_secret=SECRET, access_token=TOKEN, faults=self.faults
        )
        self.sandbox = self.shop
        self._codes: dict[str, str] = {}
        self._paid: dict[str, None] = {}
        self._unpaid: list[str] = []
        self._refunds: list[str] = []
        self._listed: set[str] = set()

    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the settings that reach the sandbox."""
        return {
            "gateway": f"{url}/routerjson",
            "app_key": APP_KEY,
            "app_secret": SECRET,
            "access_token": TOKEN,
            "limit_wait_s": 1,
        }

    def list_goods(self, goods: Sequence[Good]) -> None:
        """Offer each good as one SKU."""
        for good in goods:
            price = f"{good.price_minor / 100:.2f}"
            self._codes[self.shop.add_item(code=good.code, title=good.title, price=price)] = good.code

    def act(self) -> None:
        """Mostly sell; sometimes pay late or not at all, ask for a refund or get one."""
        dice = self.rng.random()
        if dice < 0.8:
            self._order(pay=self.rng.random() < 0.9)
        elif dice < 0.88 and self._unpaid:
            self._settle_unpaid(self._unpaid.pop(0))
        elif dice < 0.94 and self._paid:
            self._ask_refund(self.rng.choice(list(self._paid)))
        elif self._refunds:
            self.shop.grant_refund(self._refunds.pop(0))

    def _order(self, *, pay: bool) -> None:
        wanted = [code for code, units in self.shown().items() if units > 0]
        if not wanted:
            return
        codes = self.rng.sample(wanted, min(len(wanted), self.rng.choice((1, 1, 2))))
        try:
            order_id = self.shop.place_order([(code, 1) for code in codes], pay=pay, receiver=self._somebody())
        except SoldOut:
            return
        if pay:
            self._pay_noted(order_id)
        else:
            self._unpaid.append(order_id)

    def _somebody(self) -> Mapping[str, str]:
        return {**RECEIVER, "fullAddress": f"浙江杭州市余杭区五常街道文一西路{self.rng.randint(1, HOUSES)}号"}

    def _pay_noted(self, order_id: str) -> None:
        self._listed.add(order_id)
        self._paid[order_id] = None

    def _settle_unpaid(self, order_id: str) -> None:
        if self.rng.random() < 0.5:
            self.shop.pay(order_id)
            self._pay_noted(order_id)
        else:
            self.shop.cancel(order_id)
            self._listed.add(order_id)

    def _ask_refund(self, order_id: str) -> None:
        del self._paid[order_id]
        if self.shop.orders.records[order_id]["orderState"] == "WAIT_SELLER_STOCK_OUT":
            self._refunds.append(self.shop.request_refund(order_id))

    def close_shop(self) -> None:
        """Let every hesitant buyer pay or leave: JD keeps units for them that nobody but JD knows of."""
        while self._unpaid:
            self._settle_unpaid(self._unpaid.pop(0))

    def placed(self) -> set[str]:
        """Return the ids of all orders that JD lists: those that were paid or cancelled."""
        return set(self._listed)

    def shown(self) -> Mapping[str, int]:
        """Return the numbers of the shop's SKUs."""
        return {self._codes[ref]: units for ref, units in self.shop.stock().items()}

    def told(self) -> Sequence[tuple[str, str]]:
        """Return the parcels that the platform accepted."""
        return [(parcel.order_id, parcel.number) for parcel in self.shop.shipments()]
