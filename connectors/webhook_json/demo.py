"""An own shop for the demonstration: its sandbox over real HTTP, buyers, webhooks that come twice, late or again."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.webhook_json.mapping.messages import RecipientData
from connectors.webhook_json.sandbox import BUYER, SECRET, OwnShop, over_http
from erpsync.sdk.sandbox.demo import DemoShop, Good
from erpsync.sdk.sandbox.shop import SoldOut

HOUSES = 60
"""So few that some people order twice, and their orders share a parcel."""


class WebhookJsonDemo(DemoShop):
    """Sells what it shows; some buyers pay later or never, some want their money back."""

    connector = "webhook_json"
    title = "自建商城"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.shop = OwnShop(clock=self.clock, faults=self.faults)
        self.sandbox = self.shop
        self._goods: dict[str, Good] = {}
        self._unpaid: list[str] = []
        self._paid: list[str] = []
        self._refunds: list[str] = []

    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the settings that reach the sandbox."""
        return {"secret": SECRET, "push_url": f"{url}/push"}

    def connect(self, hooks_url: str) -> None:
        """Send webhooks there from now on."""
        self.shop.deliver = over_http(hooks_url)

    def list_goods(self, goods: Sequence[Good]) -> None:
        """Offer goods; what the shop was told no number of is not sold."""
        self._goods = {good.code: good for good in goods}

    def act(self) -> None:
        """Mostly sell; sometimes pay late or not at all, ask for a refund or grant one. Then send what waits."""
        dice = self.rng.random()
        if dice < 0.75:
            self._order()
        elif dice < 0.85 and self._unpaid:
            self._settle(self._unpaid.pop(0))
        elif dice < 0.95 and self._paid:
            id = self._paid.pop(self.rng.randrange(len(self._paid)))
            total = self.shop.orders[id].total_minor
            self._refunds.append(self.shop.refund(id, amount_minor=total))
        elif self._refunds:
            self.shop.settle_refund(self._refunds.pop(0), "granted")
        self.shop.send()

    def _order(self) -> None:
        wanted = [code for code, units in self.shown().items() if units > 0]
        if not wanted:
            return
        codes = self.rng.sample(wanted, min(len(wanted), self.rng.choice((1, 1, 1, 2, 3))))
        paid = self.rng.random() < 0.9
        price_minor = self._goods[codes[0]].price_minor
        try:
            id = self.shop.place_order(
                *((code, 1) for code in codes), paid=paid, price_minor=price_minor, recipient=self._somebody()
            )
        except SoldOut:
            return
        (self._paid if paid else self._unpaid).append(id)

    def _somebody(self) -> RecipientData:
        return BUYER.model_copy(update={"address": f"世纪大道{self.rng.randint(1, HOUSES)}号"})

    def _settle(self, id: str) -> None:
        if self.rng.random() < 0.3:
            self.shop.cancel(id)
        else:
            self.shop.pay(id)
            self._paid.append(id)

    def close_shop(self) -> None:
        """Send until everything has arrived."""
        for _ in range(100):
            if not self.shop.send():
                return

    def placed(self) -> set[str]:
        """Return the ids of all orders."""
        return set(self.shop.orders)

    def shown(self) -> Mapping[str, int]:
        """Return the numbers of what is offered."""
        return {code: units for code, units in self.shop.stock().items() if code in self._goods}

    def told(self) -> Sequence[tuple[str, str]]:
        """Return the parcels of the shop."""
        return [(parcel.order_external_id, parcel.tracking) for parcel in self.shop.shipments()]
