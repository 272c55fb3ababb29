"""Fixtures of the flow tests: a town of small shops on each database."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from erpsync.core.policy import PollPolicy, SealPolicy
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.shipments import record
from erpsync.sdk.clock import ManualClock
from erpsync.store.db.store import Store
from tests.support import walk
from tests.support.depot import Depot, build_depot
from tests.support.shop import Town, build_town


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock()


@pytest.fixture
def store(database_url: str, clock: ManualClock | None) -> Iterator[Store]:
    """This test's database, by that clock."""
    opened = Store.open(database_url, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def make_town(database_url: str) -> Iterator[Callable[..., Town]]:
    """Build towns on this test's database; each is closed at the end."""
    made: list[Town] = []

    def make(**options: Any) -> Town:
        made.append(build_town(database_url, **options))
        return made[-1]

    yield make
    for town in made:
        town.store.close()


@pytest.fixture
def proven(make_town: Callable[..., Town]) -> Town:
    """A shop that opened just before one o'clock; it is one o'clock, and its past is proven from then on."""
    town = make_town(poll=PollPolicy(backfill_days=0), sealing=SealPolicy(after_s=3600))
    town.advance(3599)
    walk.settle_in(town)
    town.advance(1)
    return town


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop, one warehouse SH."""
    return make_town()


@pytest.fixture
def stocked(town: Town) -> Town:
    """Ten TEA lie in SH, which the shop sells, too."""
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="TEA", sku="TEA")], actor="me")
    walk.read(town)
    return town


@pytest.fixture
def left(town: Town) -> Town:
    """A parcel of a paid order of two A has left and was not told yet."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")
    return town


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[Town, Depot]]:
    """Ten A in SH, run by a depot."""
    town, depot = build_depot(database_url)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    yield town, depot
    town.store.close()
