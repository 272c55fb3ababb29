"""Orders of half a year, in the order in which they came, with what followed from each of them.

Why what follows waits in a heap: a parcel leaves a day after its order came, and ledger, events and outbox are to be
in the order of time, as they are where a daemon wrote them.
"""

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate, count
from typing import TypeVar

from erpsync.core.availability import UNPAID_COUNTS_FOR
from erpsync.core.numbering import number as make_number
from erpsync.core.numbering import prefix
from erpsync.core.policy import OrderPolicy
from erpsync.sdk.types import Recipient
from erpsync.store.db.privacy import Vault
from erpsync.store.outbox.queue import LANE_REST, LANE_SHIPMENT, RELEASE, SHIPMENT, STOCK
from erpsync.store.tables import EPOCH, instant, micros
from tests.growth.fates import BACKORDERED, ENDED, PARTLY, RELEASED, Fate, Fates
from tests.growth.records import DAY, HOUR, SECOND, Item, Order, Records, line_name, release_number
from tests.growth.rows import Loader
from tests.growth.shelves import Shelves
from tests.growth.town import DEPOT, JD, SELLERS, SHOP, TMALL, TOLD_WAREHOUSE, ZONE, Goods, Seller

DAYS = 180
DONE_KEPT_US = 8 * DAY
"""Outbox rows are kept for seven days; those of an eighth wait to be deleted."""
AT_ONCE = 5_000
T = TypeVar("T")


def drawn(chance: random.Random, values: Sequence[T], weights: Sequence[float]) -> Iterator[T]:
    """Yield values by their weights, for ever; drawn in lots, for a draw alone costs ten times as much."""
    summed = list(accumulate(weights))
    while True:
        yield from chance.choices(values, cum_weights=summed, k=AT_ONCE)


class History:
    """Writes the orders of the half year that ends at an instant."""

    def __init__(self, loader: Loader, goods: Goods, orders: int, *, now: datetime, vault: Vault, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now_us, self.since_us = micros(now), micros(now) - DAYS * DAY
        self.records = Records(loader, self.chance, vault)
        self.shelves = Shelves(loader, self.chance, goods, self.since_us)
        self.unpaid: Counter[tuple[int, int]] = Counter()
        self.named: dict[tuple[int, int], list[str]] = defaultdict(list)
        self.numbered: Counter[str] = Counter()
        self._goods, self._orders, self._loader = goods, orders, loader
        self._fates = Fates(self.chance, orders)
        self._line_ids, self._parcel_ids, self._release_ids, self._refund_ids = count(1), count(1), count(1), count(1)
        self._turn, self._later = count(), list[tuple[int, int, Callable[[int], None]]]()
        self._sellers = drawn(self.chance, SELLERS, [each.share for each in SELLERS])
        self._sold = drawn(self.chance, goods.ids, [1 / rank for rank in goods.ids])
        self._places = drawn(self.chance, (1, 2, TOLD_WAREHOUSE), (50, 30, 20))
        self._lines, self._units = (
            drawn(self.chance, (1, 2, 3), (45, 40, 15)),
            drawn(self.chance, (1, 2, 3), (80, 15, 5)),
        )
        self._patterns: dict[int, str] = {}

    # -- the course of time

    def write(self, progress: Callable[[int], None]) -> None:
        """Write all orders and what followed."""
        for place, placed_us in enumerate(self._instants()):
            while self._later and self._later[0][0] <= placed_us:
                self._happen()
            self._place(place, placed_us)
            if place % AT_ONCE == AT_ONCE - 1:
                self._loader.flush()
                progress(AT_ONCE)
        while self._later:
            self._happen()
        self.shelves.close(self.now_us)

    def _instants(self) -> list[int]:
        """Return when orders are placed; some in the last hour, however few there are in all."""
        last = min(self._orders // 10, 50)
        before = [self.since_us + int(self.chance.random() * DAYS * DAY) for _ in range(self._orders - last)]
        recent = [self.now_us - 30 * SECOND - int(self.chance.random() * 58 * 60 * SECOND) for _ in range(last)]
        return sorted(before + recent)

    def _at(self, at_us: int, follow: Callable[[int], None]) -> None:
        heapq.heappush(self._later, (min(at_us, self.now_us), next(self._turn), follow))

    def _happen(self) -> None:
        at_us, _, follow = heapq.heappop(self._later)
        follow(at_us)

    # -- an order comes

    def _place(self, place: int, placed_us: int) -> None:
        chance, fate = self.chance, self._fates.of(place)
        seller = next(self._sellers)
        imported_us = min(placed_us + SECOND + int(chance.expovariate(1 / 20) * SECOND), self.now_us)
        external_id = _external_id(seller, place + 1, placed_us)
        items = self._items(seller, external_id, fate)
        order = Order(
            id=place + 1,
            seller=seller,
            external_id=external_id,
            number=self._number(imported_us),
            fate=fate,
            placed_us=placed_us,
            imported_us=imported_us,
            warehouse_id=TOLD_WAREHOUSE if fate == RELEASED else next(self._places),
            items=items,
            refunded=self._refunded(fate, items),
        )
        self._come(order)
        if fate.status == "cancelled":
            self._at(imported_us + chance.randrange(HOUR, DAY), lambda at_us: self._cancel(order, at_us))
        elif order.left:
            self._at(imported_us + chance.randrange(2 * HOUR, 40 * HOUR), lambda at_us: self._leave(order, at_us))

    def _number(self, imported_us: int) -> str:
        day = (imported_us + 8 * HOUR) // DAY
        if day not in self._patterns:
            self._patterns[day] = prefix(OrderPolicy().number, channel="", at=instant(imported_us).astimezone(ZONE))
        filled = self._patterns[day]
        self.numbered[filled] += 1
        return make_number(filled, self.numbered[filled])

    def _items(self, seller: Seller, external_id: str, fate: Fate) -> list[Item]:
        wanted = [next(self._sold) for _ in range(2 if fate == PARTLY else next(self._lines))]
        if fate == BACKORDERED:
            wanted[0] = self.chance.choice(self._goods.sold_out)
        items = []
        for nth, sku_id in enumerate(wanted if fate == PARTLY else dict.fromkeys(wanted), 1):
            mapped = fate.reason != "unmapped_sku" or nth > 1
            items.append(
                Item(
                    id=next(self._line_ids),
                    external_id=line_name(seller, external_id, nth),
                    sku_id=sku_id if mapped else None,
                    code=self._goods.code(sku_id) if mapped else f"NEW-{sku_id:05}",
                    qty=next(self._units),
                    price_minor=self._goods.price_minor(sku_id),
                    parts=self._goods.parts[sku_id] if mapped else (),
                )
            )
        return items

    def _refunded(self, fate: Fate, items: list[Item]) -> dict[int, int]:
        """Return the units given back: one of a few orders that have left, all of some that were cancelled."""
        if fate.status == "completed" and self.chance.random() < 0.02:
            return {items[0].id: 1}
        if fate.status == "cancelled" and self.chance.random() < 0.2:
            return {item.id: item.qty for item in items}
        return {}

    def _come(self, order: Order) -> None:
        fate, at_us = order.fate, order.imported_us
        self.records.order(order, self._person(order))
        body = {
            "tid": order.external_id,
            "status": fate.state,
            "created": instant(order.placed_us).isoformat(),
            "payment": f"{order.total_minor / 100:.2f}",
            "orders": [{"oid": i.external_id, "outer_iid": i.code, "num": i.qty} for i in order.items],
        }
        self.records.payload(order.seller.id, "order", order.external_id, at_us, body)
        self.records.event("order.imported", at_us, order=order, phase=fate.phase, lines=len(order.items))
        if order.seller.polled and fate.status != "cancelled":
            self.named[order.seller.id, order.placed_us // HOUR].append(order.external_id)
        if order.seller is SHOP:
            self.records.delivery(order.seller.id, f"msg-{order.id:09}", at_us)
        if at_us > self.now_us - DONE_KEPT_US:
            self._tell_numbers(order, at_us)
        if fate.status not in ENDED:
            self._wait(order)

    def _person(self, order: Order) -> Recipient | None:
        complete = order.fate.reason != "incomplete_address"
        if complete and self.chance.random() < 0.08:
            return None
        buyer = self.chance.randrange(self._orders * 2 // 3 + 1)
        return Recipient(
            name=f"买家{buyer % 99_991}",
            phone=f"138{buyer:08}",
            province="浙江省",
            city="杭州市",
            district="余杭区",
            address=f"文一西路 {buyer % 3000} 号" if complete else "",
        )

    # -- an order that is open

    def _wait(self, order: Order) -> None:
        """Hold what an order that is ready wants, or count what one that is not will want."""
        young = order.placed_us > self.now_us - micros(EPOCH + UNPAID_COUNTS_FOR)
        gone = {item.id for item in order.left}
        for item in order.items:
            for sku_id, units in item.parts:
                if not order.fate.ready:
                    self.unpaid[order.seller.id, sku_id] += units * item.qty if young else 0
                elif item.id not in gone:
                    self._want(order, item, sku_id, units * item.qty)
        if order.fate == RELEASED:
            release_id = next(self._release_ids)
            self.records.release(release_id, order, order.items, order.imported_us, ended_us=None)
            self._tell_release(release_id, order.imported_us)
        elif order.fate.reason == "refund_open":
            one = {order.items[0].id: 1}
            self.records.refund(next(self._refund_ids), order, "open", order.imported_us, one)
        elif order.fate.reason == "bad_line":
            key, error = f"{order.external_id}/{order.external_id}-9", "expected a quantity at $.orders[8].num"
            where = (order.seller.id, "line", key, order.imported_us)
            self.records.letter(*where, state="open", error=error, order_id=order.id)

    def _want(self, order: Order, item: Item, sku_id: int, qty: int) -> None:
        if order.fate == BACKORDERED and item is order.items[0]:
            self.records.backorder(order, item, sku_id, qty)
        else:
            self.shelves.hold(item.id, sku_id, order.warehouse_id, qty, released=order.fate == RELEASED)

    # -- what follows

    def _cancel(self, order: Order, at_us: int) -> None:
        self.records.event("order.changed", at_us, order=order, phase="cancelled", changes=["state"])
        if order.refunded:
            self.records.refund(next(self._refund_ids), order, "granted", at_us, order.refunded)

    def _leave(self, order: Order, at_us: int) -> None:
        """Let the order's parcel leave: most by us, some out of the channel's own warehouse."""
        elsewhere = order.warehouse_id == 1 and self.chance.random() < 0.1 and order.fate != PARTLY
        for item in order.left:
            for sku_id, units in item.parts:
                reason = "shipped_elsewhere" if elsewhere else "shipped"
                place = (sku_id, order.warehouse_id, units * item.qty)
                self.shelves.take(*place, order_id=order.id, reason=reason, at_us=at_us)
        if not elsewhere:
            self._ship(order, at_us)
        self.records.event("order.shipped", at_us, order=order, phase=order.fate.phase)
        if order.fate.status == "completed":
            self._at(at_us + self.chance.randrange(DAY, 6 * DAY), lambda later_us: self._complete(order, later_us))

    def _ship(self, order: Order, at_us: int) -> None:
        if order.warehouse_id == TOLD_WAREHOUSE:
            release_id, made_us = next(self._release_ids), order.imported_us + SECOND
            self.records.release(release_id, order, order.left, made_us, ended_us=max(at_us, made_us))
            self._tell_release(release_id, made_us)
        parcel_id, told_us = next(self._parcel_ids), at_us + self.chance.randrange(SECOND, 90 * SECOND)
        sent = told_us <= self.now_us
        self.records.parcel(parcel_id, order, at_us, sent_us=told_us if sent else None)
        if at_us > self.now_us - DONE_KEPT_US:
            self.records.effect(
                order.seller.id,
                SHIPMENT,
                f"{order.number}-1",
                parcel_id,
                serial=f"order:{order.id}",
                lane=LANE_SHIPMENT,
                marked_us=at_us,
                done_us=told_us if sent else None,
            )

    def _complete(self, order: Order, at_us: int) -> None:
        self.records.event("order.changed", at_us, order=order, phase="completed", changes=["state"])
        if order.refunded:
            self.records.refund(next(self._refund_ids), order, "granted", at_us, order.refunded)
        if self.chance.random() < 0.005:
            reason, closed_us = "edited on the channel after parcels left: recipient", min(at_us + HOUR, self.now_us)
            self.records.task(
                "order_edited",
                order.number,
                order.seller.id,
                at_us,
                reason=reason,
                order_id=order.id,
                closed_us=closed_us if self.chance.random() < 0.95 else None,
            )
        if self.chance.random() < 0.002:
            where = (order.seller.id, "order", order.external_id, at_us)
            state = self.chance.choice(("open", "replayed", "superseded", "dropped"))
            self.records.letter(*where, state=state, error="expected an amount like 12.50 at $.payment")
        if self.chance.random() < 0.01:
            sku_id = order.items[0].sku_id
            self.records.event("stock.drifted", at_us, sku_id=sku_id, channel_id=order.seller.id, shown=1, told=2)

    def _tell_numbers(self, order: Order, at_us: int) -> None:
        """Write the stock numbers that the order had told: one per line and channel."""
        for item in order.items:
            for seller in SELLERS:
                if seller.pushed and item.sku_id is not None:
                    listing_id = self._goods.listing_id(seller, item.sku_id)
                    self.records.effect(
                        seller.id,
                        STOCK,
                        str(listing_id),
                        listing_id,
                        serial=f"listing:{listing_id}",
                        lane=LANE_REST,
                        marked_us=at_us,
                        done_us=min(at_us + self.chance.randrange(2 * SECOND, 20 * SECOND), self.now_us),
                    )

    def _tell_release(self, release_id: int, at_us: int) -> None:
        if at_us > self.now_us - DONE_KEPT_US:
            self.records.effect(
                DEPOT[0],
                RELEASE,
                release_number(release_id, at_us),
                release_id,
                serial=f"release:{release_id}",
                lane=LANE_SHIPMENT,
                marked_us=at_us,
                done_us=min(at_us + 5 * SECOND, self.now_us),
            )


def _external_id(seller: Seller, nth: int, placed_us: int) -> str:
    if seller is TMALL:
        return f"{3_100_000_000_000_000_000 + nth * 1_000_003}"
    if seller is JD:
        return f"{290_000_000_000 + nth * 7}"
    return f"W{100_000 + nth}" if seller is SHOP else f"D{instant(placed_us):%y%m%d}-{nth:07}"
