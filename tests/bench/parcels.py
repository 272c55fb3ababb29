"""What making parcels of orders costs: planning, putting together, choosing couriers, all in memory.

Beside it as floor: the same units sorted by recipient and warehouse and their weights summed, no rule looked at.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter

from erpsync.core.couriers import Choice, Consignment, Offer, choose
from erpsync.core.orders import KnownLine, KnownOrder
from erpsync.core.parcels import (
    Candidate,
    ChannelPacking,
    Goods,
    HeldKey,
    PackingPolicy,
    plan,
    siblings,
)
from erpsync.core.rates import Card, Rate
from erpsync.core.readings import Reading
from erpsync.sdk.types import OrderState
from tests.bench.goods import CHANNELS, CODES, NOON, WAREHOUSES, Sale, sales

ZONES = ("near", "far", "remote")
POLICY = PackingPolicy(
    by_channel={channel: ChannelPacking(max_weight_g=20_000, merge_weight_g=10_000) for channel in range(CHANNELS)},
    across=(frozenset({0, 1}),),
)


def packed(count: int) -> Callable[[], float]:
    """Return how long it takes to make parcels of so many orders, a fifth of them of buyers who have several."""
    found = sales(count)
    chance = random.Random(7)
    goods = {
        sku: Goods(sku=code, weight_g=chance.randrange(50, 2000), volume_cm3=chance.randrange(100, 9000))
        for sku, code in enumerate(CODES)
    }
    candidates = [_candidate(sale, count) for sale in found]
    held = {
        HeldKey(sale.number * 4 + at, sku, sale.number % WAREHOUSES): qty
        for sale in found
        for at, (sku, _, qty) in enumerate(sale.lines)
    }
    offers = _offers()

    def work() -> float:
        begun = perf_counter()
        planned = plan(candidates, held, goods, {}, POLICY)
        siblings(candidates, planned, {}, POLICY)
        chosen = 0
        for parcel in planned.parcels:
            zones = frozenset({ZONES[parcel.order_ids[0] % 3]})
            consignment = Consignment(zones=zones, weight_g=parcel.weight_g, volume_cm3=parcel.volume_cm3)
            chosen += isinstance(choose(consignment, offers, ("EMS",) if parcel.units % 7 == 0 else ()), Choice)
        took = perf_counter() - begun
        assert chosen == len(planned.parcels) < count
        return took

    return work


def sorted_and_summed(count: int) -> Callable[[], float]:
    """Return how long it takes to sort the same units and to sum what they weigh."""
    found = sales(count)
    weights = {sku: 50 + sku for sku in range(len(CODES))}

    def work() -> float:
        begun = perf_counter()
        sums: dict[tuple[int, int], int] = {}
        for sale in sorted(found, key=lambda sale: (_buyer(sale, count), sale.number)):
            key = (_buyer(sale, count), sale.number % WAREHOUSES)
            sums[key] = sums.get(key, 0) + sum(weights[sku] * qty for sku, _, qty in sale.lines)
        took = perf_counter() - begun
        assert len(sums) < count
        return took

    return work


def _buyer(sale: Sale, count: int) -> int:
    return sale.number % max(1, count // 5) if sale.number % 5 == 0 else count + sale.number


def _candidate(sale: Sale, count: int) -> Candidate:
    at = NOON + timedelta(milliseconds=sale.number)
    lines = tuple(
        KnownLine(
            id=sale.number * 4 + number,
            external_id=str(number),
            channel_sku=CODES[sku],
            qty=qty,
            price_minor=1990,
            parts={sku: 1},
        )
        for number, (sku, _, qty) in enumerate(sale.lines)
    )
    known = KnownOrder(
        id=sale.number,
        channel_id=sale.number % CHANNELS,
        external_id=f"MP-{sale.number:012}",
        number=f"S{sale.number:09}",
        state=OrderState.PAID,
        reading=Reading(version_at=at, digest="", read_from=at, read_to=at),
        placed_at=at,
        paid_at=at,
        ready_at=at,
        currency="CNY",
        total_minor=1990,
        lines=lines,
    )
    return Candidate(order=known, merge_index=_buyer(sale, count).to_bytes(8, "big"))


def _offers() -> list[Offer]:
    """Return five accounts, each with a card of two weights for each of three zones."""
    found = []
    for at, carrier in enumerate(("SF", "YTO", "ZTO", "STO", "EMS"), 1):
        account = f"{carrier.lower()}-1"
        rates = [
            Rate(
                account=account,
                service="express",
                zone=zone,
                first_g=1000,
                first_minor=100 * (at + 5 + far),
                step_g=1000,
                step_minor=50 * at,
                volume_divisor=6000 * (at % 2),
                max_g=max_g,
            )
            for far, zone in enumerate(ZONES)
            for max_g in (3000, None)
        ]
        found.append(Offer(account=account, service="express", carrier=carrier, priority=at, card=Card.of(rates)))
    return found
