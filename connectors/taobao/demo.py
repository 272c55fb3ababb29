"""A Taobao shop for the demonstration: its sandbox over real HTTP, and buyers with changing minds."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.taobao.sandbox import SoldOut, TaobaoSandbox
from connectors.taobao.sandbox.builder import RECEIVER
from erpsync.sdk.sandbox.demo import DemoShop, Good

APP_KEY, SECRET, SESSION = "12345678", "sandbox-secret", "6100000sandbox-session"
BUYERS = ("小明同学", "阿珍", "老王", "Lily", "大鹏")
HOUSES = 60
"""So few that some people order twice, and their orders share a parcel."""


class TaobaoDemo(DemoShop):
    """Sells what it shows; a tenth of the buyers hesitate, some want their money back."""

    connector = "taobao"
    title = "淘宝旗舰店"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.shop = TaobaoSandbox(
            clock=self.clock, app_key=APP_KEY, app_secret=SECRET, session=SESSION, faults=self.faults
        )
        self.sandbox = self.shop
        self._refs: dict[str, str] = {}
        self._placed: set[str] = set()
        self._unpaid: list[str] = []
        self._paid: list[str] = []
        self._refunds: list[str] = []

    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the settings that reach the sandbox."""
        return {"gateway": f"{url}/router/rest", "app_key": APP_KEY, "app_secret": SECRET, "session": SESSION}

    def list_goods(self, goods: Sequence[Good]) -> None:
        """Offer each good as an item with one SKU."""
        for good in goods:
            price = f"{good.price_minor / 100:.2f}"
            num_iid = self.shop.add_item(skus={good.code: 0}, outer_id=good.code, title=good.title, price=price)
            self._refs[next(ref for ref in self.shop.stock() if ref.startswith(f"{num_iid}:"))] = good.code

    def act(self) -> None:
        """Mostly sell; sometimes pay late, change an address, ask for a refund or get one."""
        dice = self.rng.random()
        if dice < 0.75:
            self._order(pay=self.rng.random() < 0.9)
        elif dice < 0.85 and self._unpaid:
            self._settle_unpaid(self._unpaid.pop(0))
        elif dice < 0.90 and self._paid:
            self.shop.change_address(self.rng.choice(self._paid), receiver_address="文**路***号")
        elif dice < 0.95 and self._paid:
            self._ask_refund(self._paid.pop(self.rng.randrange(len(self._paid))))
        elif self._refunds:
            self.shop.grant_refund(self._refunds.pop(0))

    def _order(self, *, pay: bool) -> None:
        wanted = [code for code, units in self.shown().items() if units > 0]
        if not wanted:
            return
        codes = self.rng.sample(wanted, min(len(wanted), self.rng.choice((1, 1, 1, 2, 3))))
        try:
            tid = self.shop.place_order(
                [(code, self.rng.choice((1, 1, 1, 2))) for code in codes],
                pay=pay,
                buyer=self.rng.choice(BUYERS),
                receiver={**RECEIVER, "receiver_address": f"文一西路{self.rng.randint(1, HOUSES)}号"},
            )
        except SoldOut:
            return
        self._placed.add(tid)
        (self._paid if pay else self._unpaid).append(tid)

    def _settle_unpaid(self, tid: str) -> None:
        if self.rng.random() < 0.3:
            self.shop.close_trade(tid)
        else:
            self.shop.pay(tid)
            self._paid.append(tid)

    def _ask_refund(self, tid: str) -> None:
        trade = self.shop.trades.records[tid]
        if trade["status"] == "WAIT_SELLER_SEND_GOODS":
            self._refunds.append(self.shop.request_refund(tid))

    def placed(self) -> set[str]:
        """Return all tids."""
        return set(self._placed)

    def shown(self) -> Mapping[str, int]:
        """Return the numbers of the shop's items."""
        return {self._refs[ref]: units for ref, units in self.shop.stock().items()}

    def told(self) -> Sequence[tuple[str, str]]:
        """Return the parcels that the platform accepted."""
        return [(parcel.tid, parcel.out_sid) for parcel in self.shop.shipments()]
