"""A shop's life in a random order of events: after every commit the books agree and nobody waits beside free units.

The suite walks a few hundred steps per seed; `ERPSYNC_SOAK_STEPS` asks for more.
"""

import os
import random
from collections.abc import Callable

import pytest

from erpsync.core.policy import OrderPolicy, StockPolicy, WarehousePolicy
from erpsync.flows.availability import fan_out
from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import reservations, upkeep
from erpsync.flows.orders import actions
from erpsync.flows.shipments import record
from erpsync.sdk.errors import OutcomeUnknownError, TransientError
from tests.support import looking, walk
from tests.support.shop import Town

STEPS = int(os.environ.get("ERPSYNC_SOAK_STEPS", "120"))
WAREHOUSES = (
    WarehousePolicy(id="SH"),
    WarehousePolicy(id="GZ", priority=2, safety_stock=1),
    WarehousePolicy(id="CD", priority=3),
)
STOCK = {"jd": StockPolicy(warehouses=("SH", "GZ")), "tmall": StockPolicy()}
SKUS = ("A", "B", "C", "KIT", "6PACK")


class Life:
    """One seed's life of two shops that share three warehouses."""

    def __init__(self, make_town: Callable[..., Town], seed: int) -> None:
        self.make_town, self.chance, self.count = make_town, random.Random(seed), 0
        self.town = self.open()
        for sku in ("A", "B", "C"):
            counts.set_stock(self.town.ctx, warehouse="SH", sku=sku, on_hand=5, actor="me")
        import_bundles(self.town.ctx, [BundlePart(bundle="KIT", sku=s, qty=1) for s in ("A", "B")], actor="me")
        six = [ListingMapping(channel=name, channel_sku="6PACK", sku="C", factor=6) for name in STOCK]
        import_listings(self.town.ctx, six, actor="me")

    def open(self, town: Town | None = None) -> Town:
        orders = OrderPolicy(reserve="placement", reserve_minutes=10)
        return self.make_town(names=tuple(STOCK), warehouses=WAREHOUSES, orders=orders, stock=STOCK, town=town)

    def step(self) -> str:
        """Let one thing happen; return what."""
        move = self.chance.choice(self.MOVES)
        self.town.advance(self.chance.choice([0.1, 1, 30, 200]))
        try:
            move(self)
        except Refused as refused:
            return f"{move.__name__}: {refused}"
        return move.__name__

    def order(self) -> tuple[str, str] | None:
        known = [(name, order) for name, shop in self.town.shops.items() for order in shop.orders]
        return self.chance.choice(known) if known else None

    def place(self) -> None:
        self.count += 1
        name = self.chance.choice(list(STOCK))
        wanted = [(self.chance.choice(SKUS), self.chance.randint(1, 3)) for _ in range(self.chance.randint(1, 3))]
        self.town.shops[name].place(f"o{self.count}", *wanted, paid=self.chance.random() < 0.7)

    def change(self) -> None:
        if (found := self.order()) is None:
            return
        shop, row = self.town.shops[found[0]], self.town.shops[found[0]].orders[found[1]]
        how = self.chance.choice(["pay", "pay", "cancel", "edit", "close", "stop"])
        if how == "pay" and row["state"] == "unpaid":
            shop.change(found[1], state="paid")
        elif how == "cancel":
            shop.change(found[1], state="cancelled")
        elif how == "edit":
            shop.change(found[1], lines=[line | {"qty": self.chance.randint(1, 4)} for line in row["lines"]])
        elif how == "close":
            shop.change(found[1], lines=[line | {"closed": 1} for line in row["lines"]])
        elif how == "stop":
            shop.change(found[1], do_not_ship="" if row["do_not_ship"] else "risk")

    def refund(self) -> None:
        if (found := self.order()) is not None:
            state = self.chance.choice(["open", "open", "granted", "closed"])
            self.town.shops[found[0]].refund(f"r-{found[1]}", found[1], state=state, n1=1)

    def read(self) -> None:
        walk.read(self.town, name=self.chance.choice(list(STOCK)))

    def ship(self) -> None:
        if (found := self.order()) is not None:
            self.count += 1
            force = self.chance.random() < 0.2
            lines = [record.ShipLine(line=f"{found[1]}-1", qty=1)] if self.chance.random() < 0.5 else []
            record.ship(
                self.town.ctx,
                order=found[1],
                carrier="SF",
                tracking=f"SF{self.count}",
                lines=lines,
                force=force,
                reason="in a hurry",
                actor="me",
            )

    def hold(self) -> None:
        if (found := self.order()) is not None:
            actions.hold_order(self.town.ctx, found[1], reason="look", actor="me")

    def release(self) -> None:
        if (found := self.order()) is not None:
            actions.end_hold(self.town.ctx, found[1], actor="me")

    def give_up(self) -> None:
        if (found := self.order()) is not None and self.chance.random() < 0.3:
            actions.cancel_order(self.town.ctx, found[1], reason="gone", actor="me")

    def move_stock(self) -> None:
        place, sku = self.chance.choice(WAREHOUSES).id, self.chance.choice("ABC")
        if self.chance.random() < 0.3:
            on_hand = self.chance.randint(0, 8)
            counts.set_stock(self.town.ctx, warehouse=place, sku=sku, on_hand=on_hand, actor="me")
        else:
            qty = self.chance.randint(-3, 6)
            counts.add_stock(self.town.ctx, warehouse=place, sku=sku, qty=qty, reason="x", actor="me")

    def expire(self) -> None:
        reservations.expire_reservations(self.town.ctx)

    def tell(self) -> None:
        name = self.chance.choice(list(STOCK))
        if self.chance.random() < 0.3:
            error = self.chance.choice([TransientError("busy"), OutcomeUnknownError("no answer")])
            when = self.chance.choice(["stock before", "stock after", "ship before", "ship after"])
            self.town.shops[name].trouble.setdefault(when, []).append(error)
        walk.push_due(self.town, name)

    def restart(self) -> None:
        self.town = self.open(self.town)
        upkeep.reclaim_leases(self.town.ctx, owner_gone=True)
        fan_out.mark_untold(self.town.ctx)

    MOVES: tuple[Callable[["Life"], None], ...] = (
        *(place, place, place, change, change, refund, read, read, read, ship, hold, release, give_up),
        *(move_stock, move_stock, expire, tell, tell, restart),
    )


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_books_agree_and_nobody_waits_beside_free_units(
    make_town: Callable[..., Town], seed: int
) -> None:
    """failures.md row 22, and rows 1 and 5 in passing."""
    life = Life(make_town, seed)
    for number in range(STEPS):
        what = life.step()
        assert not looking.problems(life.town), f"seed {seed}, step {number}: {what}"

    for shop in life.town.shops.values():
        shop.trouble.clear()
    life.town.advance(400)
    walk.run(life.town, rounds=60)
    assert not looking.problems(life.town)
    for name, shop in life.town.shops.items():
        numbers = {code: qty for code, (qty, _) in looking.told(life.town, name).items() if qty is not None}
        assert numbers == looking.right_numbers(life.town, name)
        assert {code: shop.shown[code] for code in numbers} == numbers
