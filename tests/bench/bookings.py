"""Bookings a second with a courier that takes its time; beside it what one call after the other can be.

Why one at a time: an account is one chain of calls, so that its courier never has two bookings of one key under way.
"""

import time
from collections.abc import Callable
from pathlib import Path

from erpsync.flows.couriers.push import push_waybills
from erpsync.flows.inventory.counts import set_stock
from erpsync.sdk.types import BookingRequest, Repeat, Waybill
from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import migrate
from tests.support.courier import Courier, CourierConnector, build_courier_desk, states
from tests.support.desk import work
from tests.support.shop import Town

LATENCY_S = 0.25


class SlowConnector(CourierConnector):
    """Books with a `Courier` that answers after `LATENCY_S`, label and all."""

    def book(self, request: BookingRequest) -> Waybill | None:
        """Take a booking, in good time."""
        time.sleep(LATENCY_S)
        return super().book(request)


def booked(folder: Path, parcels: int) -> float:
    """Return the seconds in which so many parcels get their numbers, which were released before."""
    url = f"sqlite:///{folder / 'bookings.db'}"
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    town, _ = build_courier_desk(url, make=_slow)
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=parcels, actor="bench")
    for n in range(parcels):
        town.shop.place(f"o{n}", ("A", 1), name=f"王{n}")
    work(town)
    began = time.perf_counter()
    while push_waybills(town.ctx, town.channel("sf")):
        pass
    took = time.perf_counter() - began
    assert states(town) == ["booked"] * parcels
    town.store.close()
    return took


def _slow(town: Town) -> SlowConnector:
    courier = Courier(clock=town.clock, idempotent=True)
    return SlowConnector(courier, town.clock, Repeat.LOOK_FIRST, None)


def called(parcels: int) -> Callable[[], float]:
    """Return what waits for so many answers one after the other, and says how long it took."""

    def wait() -> float:
        began = time.perf_counter()
        for _ in range(parcels):
            time.sleep(LATENCY_S)
        return time.perf_counter() - began

    return wait
