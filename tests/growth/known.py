"""What commands and pages are asked for: a value or several for each argument and filter, by its name.

A name that has none here is asked for all the same, with a text that says so; a test finds it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from erpsync.core.order_holds import ORDER_HOLDS
from erpsync.store.registry import OWN
from erpsync.store.tables import SHIPMENT_STATES
from erpsync.store.views import STATUSES
from tests.growth.town import SELLERS, SHOP, SKUS, TMALL, WAREHOUSES, Goods

UNKNOWN = "no-value-known-for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Things that are in the database, as a person would name them."""

    order: str
    external_id: str
    tracking: str
    phone: str
    subscription: str
    letter: str
    release: str
    wave: str
    channel: str = TMALL.name
    hook: str = SHOP.name

    def values(self, argument: str) -> Sequence[str]:
        """Return what an argument or the part of an address is given."""
        skus = (Goods.code(1), Goods.code(SKUS), Goods.code(9))  # the most sold, the least sold, a bundle
        known: dict[str, Sequence[str]] = {
            "order": (self.order, self.external_id),
            "channel": (self.channel,),
            "name": (self.order, *skus),
            "sku": skus,
            "text": self._words(),
            "id": (self.subscription,),
            "letter": (self.letter,),
            "user": ("growth",),
            "release": (self.release,),
            "wave": (self.wave,),
            "number": (self.release, self.wave),
        }
        return known.get(argument, (_unknown(argument),))

    def choices(self, option: str) -> Sequence[str]:
        """Return what an option, or a parameter of a query, is given."""
        skus = (Goods.code(1), Goods.code(SKUS), Goods.code(9))
        day, month = "2026-11-22T00:00:00Z", "2026-09-01T00:00:00Z"
        known: dict[str, Sequence[str]] = {
            "channel": (*(each.name for each in SELLERS), OWN),
            "status": STATUSES,
            "sku": skus,
            "since": (day,),
            "until": (month,),
            "from": (day,),
            "to": (month,),
            "hold-reason": tuple(ORDER_HOLDS),
            "reason": tuple(ORDER_HOLDS),
            "after": (self.order,),
            "order": (self.order,),
            "event": ("400",),
            "actor": ("growth", "nobody"),
            "state": SHIPMENT_STATES,
            "warehouse": (WAREHOUSES[0].id,),
            "kind": ("order", "line", "order.imported"),
            "q": (self.order, *self._words()),
            "text": self._words(),
            "tag": ("cold",),
            "rule": ("big",),
            "lacks": ("weight_g", "shelf"),
            "account": (self.channel,),
            "release": (self.release,),
            "wave": (self.wave,),
            "unpicked": ("true",),
        }
        return known.get(option, (_unknown(option),))

    def _words(self) -> Sequence[str]:
        """Return what people have in hand: parts of names, goods, a phone number, and something that nobody knows."""
        parts = (self.order[3:], self.external_id[4:], self.tracking, self.tracking[:6])
        return (*parts, Goods.code(1), f"好物 {Goods.code(1)}", "包邮", self.phone, "Q-17-X")

    def plain(self, text: str) -> str:
        """Return a command or address without what differs from one database to the next."""
        parts = {"order": self.order, "id of the channel": self.external_id, "tracking": self.tracking}
        parts |= {"release": self.release, "wave": self.wave}
        parts |= {"phone": self.phone, "part of the order": self.order[3:], "part of the id": self.external_id[4:]}
        parts |= {"part of the tracking": self.tracking[:6]}
        for name, value in parts.items():
            text = text.replace(value, f"<{name}>")
        return re.sub(r"after=(?!<)[^&]+", "after=<next>", text)


def _unknown(name: str) -> str:
    return f"{UNKNOWN}-{name}"
