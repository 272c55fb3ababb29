"""Stock of the seeded databases: a ledger that sums up to what is on hand, and what open orders hold of it."""

import random
from collections import defaultdict

from tests.growth.rows import Loader
from tests.growth.town import WAREHOUSES, Goods

FIRST_COUNT, DELIVERY = 200, 400


class Shelves:
    """What is on hand and held, by (SKU, warehouse). Goods come in whenever they run out."""

    def __init__(self, loader: Loader, chance: random.Random, goods: Goods, since_us: int) -> None:
        columns = ("sku_id", "warehouse_id", "qty", "reason", "ref_kind", "ref_id", "at", "actor")
        self._ledger = loader.into("ledger", *columns)
        self._stock = loader.into("stock", "sku_id", "warehouse_id", "on_hand", "reserved", "counted_at")
        self._hold = loader.into("hold", "owner_id", "owner_kind", "sku_id", "warehouse_id", "qty", "released")
        self._chance, self._goods, self._since_us = chance, goods, since_us
        self.on_hand: dict[tuple[int, int], int] = {}
        self.reserved: dict[tuple[int, int], int] = defaultdict(int)
        for sku_id in goods.plain:
            for warehouse_id in range(1, len(WAREHOUSES) + 1):
                self.on_hand[sku_id, warehouse_id] = FIRST_COUNT
                self._ledger((sku_id, warehouse_id, FIRST_COUNT, "count", "", None, since_us, "cli:import"))

    def take(self, sku_id: int, warehouse_id: int, qty: int, *, order_id: int, reason: str, at_us: int) -> None:
        """Let units of an order leave, after a delivery if there are too few."""
        place = (sku_id, warehouse_id)
        if self.on_hand[place] < qty:
            self.on_hand[place] += DELIVERY + qty
            self._ledger((*place, DELIVERY + qty, "delivery", "", None, at_us - 1, "cli:warehouse"))
        self.on_hand[place] -= qty
        self._ledger((*place, -qty, reason, "order", order_id, at_us, ""))

    def hold(self, line_id: int, sku_id: int, warehouse_id: int, qty: int, *, released: bool) -> None:
        """Promise units to a line."""
        self.reserved[sku_id, warehouse_id] += qty
        self._hold((line_id, "line", sku_id, warehouse_id, qty, released))

    def close(self, now_us: int) -> None:
        """Count every shelf once more, so that all that is held is there and what is sold out has nothing free."""
        sold_out = set(self._goods.sold_out)
        for place, on_hand in self.on_hand.items():
            held = self.reserved[place]
            counted = held if place[0] in sold_out else max(on_hand, held + self._chance.randrange(80))
            if counted != on_hand:
                self._ledger((*place, counted - on_hand, "count", "", None, now_us, "cli:import"))
                self.on_hand[place] = counted
            self._stock((*place, counted, held, now_us if counted != on_hand else self._since_us))

    def free(self, sku_id: int) -> int:
        """Return the units of a SKU that are free to promise, over all warehouses."""
        places = [(sku_id, warehouse_id) for warehouse_id in range(1, len(WAREHOUSES) + 1)]
        return sum(self.on_hand[place] - self.reserved[place] for place in places)
