"""A set is offered, promised and released whole: what is shown can be allocated, what is allocated can be sent."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import counters
from tests.support import looking, walk
from tests.support.depot import Depot, build_depot, work
from tests.support.shop import Town

RUN = (WarehousePolicy(id="SH", priority=1, channel="wms"), WarehousePolicy(id="GZ", priority=2, channel="wms"))
OURS = (WarehousePolicy(id="SH", priority=1), WarehousePolicy(id="GZ", priority=2))
Make = Callable[..., tuple[Town, Depot]]


@pytest.fixture
def make(database_url: str) -> Iterator[Make]:
    """Build a shop that sells the set KIT of one A and one B, and TRIO of three A; each is closed at the end."""
    made: list[Town] = []

    def build(*, first: bool = True, **options: Any) -> tuple[Town, Depot]:
        town, depot = build_depot(database_url, **({"warehouses": RUN, "stock": StockPolicy(settle_s=0)} | options))
        made.append(town)
        if first:
            import_bundles(town.ctx, [BundlePart(bundle="KIT", sku=sku, qty=1) for sku in ("A", "B")], actor="me")
            rows = [("KIT", "KIT", 1), ("TRIO", "A", 3), ("A", "A", 1)]
            listed = [ListingMapping(channel="shop", channel_sku=c, sku=s, factor=f) for c, s, f in rows]
            import_listings(town.ctx, listed, actor="me")
        return town, depot

    yield build
    for town in made:
        town.store.close()


def put(town: Town, **on_hand: int) -> None:
    """Count `A_SH=3`."""
    for place, qty in on_hand.items():
        sku, warehouse = place.split("_")
        counts.set_stock(town.ctx, warehouse=warehouse, sku=sku, on_hand=qty, actor="me")


def shown(town: Town) -> dict[str, int]:
    work(town)
    town.advance(10)
    work(town)
    return {name: town.shop.shown[name] for name in ("KIT", "TRIO")}


def sent(depot: Depot) -> list[tuple[str, list[tuple[str, int]]]]:
    return [(one.warehouse, sorted((line.sku, line.qty) for line in one.lines)) for one in depot.got]


@pytest.mark.parametrize(
    ("counts", "kit", "trio"),
    [
        ({"A_SH": 3, "B_GZ": 3, "A_GZ": 0, "B_SH": 0}, 0, 1),
        ({"A_SH": 3, "B_SH": 1, "A_GZ": 2, "B_GZ": 9}, 3, 1),
        ({"A_SH": 2, "B_SH": 2, "A_GZ": 2, "B_GZ": 0}, 2, 0),
    ],
)
def test_a_set_is_offered_as_often_as_a_warehouse_can_send_it_whole(
    make: Make, counts: dict[str, int], kit: int, trio: int
) -> None:
    town, _ = make()
    put(town, **counts)

    assert shown(town) == {"KIT": kit, "TRIO": trio}


def test_warehouses_that_people_ship_from_bring_the_parts_of_a_set_together(make: Make) -> None:
    town, _ = make(warehouses=OURS)
    put(town, A_SH=2, B_GZ=2, A_GZ=1, B_SH=0)
    assert shown(town) == {"KIT": 2, "TRIO": 1}

    town.shop.place("o1", ("KIT", 2))
    work(town)

    assert looking.promised(town) == {"o1": 4}


def test_a_set_whose_parts_lie_apart_waits_and_goes_as_soon_as_one_place_has_them(make: Make) -> None:
    """It was allocated in two places, and no warehouse could be told to send half of it."""
    town, depot = make()
    put(town, A_SH=1, B_GZ=1, A_GZ=0, B_SH=0)
    town.shop.place("o1", ("KIT", 1))
    work(town)
    assert (looking.promised(town), looking.owed(town), sent(depot)) == ({}, {"o1": 2}, [])

    put(town, B_SH=1)
    work(town)

    assert sent(depot) == [("SH", [("A", 1), ("B", 1)])]
    assert counters.verify_counters(town.ctx) == []


def test_units_of_a_line_are_shared_among_warehouses_whole_by_whole(make: Make) -> None:
    town, depot = make()
    put(town, A_SH=4, B_SH=1, A_GZ=2, B_GZ=5)
    town.shop.place("o1", ("KIT", 3), ("A", 1))
    work(town)

    assert sent(depot) == [("SH", [("A", 1), ("A", 1), ("B", 1)]), ("GZ", [("A", 2), ("B", 2)])]


def test_a_listing_of_three_is_not_put_together_from_two_warehouses(make: Make) -> None:
    town, depot = make()
    put(town, A_SH=2, A_GZ=1)
    town.shop.place("o1", ("TRIO", 1))
    work(town)
    assert (looking.promised(town), sent(depot)) == ({}, [])

    put(town, A_GZ=3)
    work(town)

    assert sent(depot) == [("GZ", [("A", 3)])]


def test_when_a_part_is_counted_away_the_other_is_given_back_and_another_place_sends_both(make: Make) -> None:
    town, depot = make()
    put(town, A_SH=1, B_SH=1, A_GZ=0, B_GZ=0)
    town.shop.place("o1", ("KIT", 1))
    town.shop.trouble["refunds"] = []
    walk.read(town)
    assert looking.promised(town) == {"o1": 2}

    put(town, A_SH=0)
    assert (looking.promised(town), looking.owed(town)) == ({}, {"o1": 2})
    put(town, B_GZ=1)
    put(town, A_GZ=1)
    work(town)

    assert sent(depot) == [("GZ", [("A", 1), ("B", 1)])]
    assert counters.verify_counters(town.ctx) == []


def test_when_two_of_six_are_counted_away_a_line_of_threes_keeps_three(make: Make) -> None:
    town, _ = make()
    put(town, A_SH=6, A_GZ=0)
    town.shop.place("o1", ("TRIO", 2))
    walk.read(town)
    assert looking.promised(town) == {"o1": 6}

    put(town, A_SH=4)

    assert (looking.promised(town), looking.owed(town)) == ({"o1": 3}, {"o1": 3})
    assert counters.verify_counters(town.ctx) == []


def test_what_an_older_version_allocated_apart_is_planned_anew(make: Make) -> None:
    town, depot = make(warehouses=OURS)
    put(town, A_SH=1, B_GZ=1, A_GZ=0, B_SH=0)
    town.shop.place("o1", ("KIT", 1))
    walk.read(town)
    assert looking.promised(town) == {"o1": 2}

    town, depot = make(town=town, depot=depot, first=False)
    work(town)
    assert (looking.promised(town), looking.owed(town), sent(depot)) == ({}, {"o1": 2}, [])
    put(town, A_GZ=1)
    work(town)

    assert sent(depot) == [("GZ", [("A", 1), ("B", 1)])]
