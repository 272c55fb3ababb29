"""Orders of a shop, sent by a warehouse system that is called; its line fails every now and then."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from connectors.warehouse_json.connector import WarehouseJsonConnector
from connectors.warehouse_json.sandbox import SECRET, JsonWarehouse
from connectors.warehouse_json.settings import WarehouseJsonSettings
from erpsync.flows.intake import poll
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import counters
from erpsync.flows.shipments import push
from erpsync.flows.warehouses import push as warehouses_push
from erpsync.flows.warehouses import release
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import Fault, FaultPlan
from tests.support import looking
from tests.support.depot import build_depot, read_shop
from tests.support.shop import Town


@pytest.fixture
def town(database_url: str) -> Iterator[tuple[Town, JsonWarehouse]]:
    town, _ = build_depot(database_url)
    warehouse = JsonWarehouse(clock=town.clock)
    settings = WarehouseJsonSettings.model_validate({"url": "http://warehouse.invalid/erpsync", "secret": SECRET})
    http = HttpClient(clock=town.clock, mount=warehouse.handle, rng=Random(0))
    wms = replace(town.ctx.channel("wms"), connector=WarehouseJsonConnector(settings, http, town.clock))
    town.ctx = replace(town.ctx, channels={**town.ctx.channels, wms.id: wms})
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    warehouse.count_stock("A", 100)
    yield town, warehouse
    town.store.close()


def step(town: Town) -> None:
    """One round of all that concerns the warehouse, whatever its line does."""
    wms = town.channel("wms")
    poll.poll_stream(town.ctx, wms, "warehouse")
    release.release_ready(town.ctx)
    warehouses_push.push_releases(town.ctx, wms)
    push.push_shipments(town.ctx, town.channel())
    town.advance(30)


def test_a_release_is_sent_once_and_its_parcel_is_told_to_the_shop(town: tuple[Town, JsonWarehouse]) -> None:
    here, warehouse = town
    here.shop.place("o1", ("A", 2))
    read_shop(here)
    step(here)
    [number] = warehouse.releases
    warehouse.ship(number, "SF1")
    step(here)

    assert (looking.status(here, "o1")[0], warehouse.calls.count("release")) == ("shipped", 1)
    assert [parcel.tracking for parcel in here.shop.parcels] == ["SF1"]
    assert looking.on_shelf(here) == {("SH", "A"): (98, 0)}


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER])
def test_a_release_without_an_answer_is_looked_for(town: tuple[Town, JsonWarehouse], fault: Fault) -> None:
    """failures.md row 26."""
    here, warehouse = town
    here.shop.place("o1", ("A", 2))
    read_shop(here)
    poll.poll_stream(here.ctx, here.channel("wms"), "warehouse")
    warehouse.faults.force(fault)
    step(here)
    for _ in range(3):
        step(here)

    assert (len(warehouse.releases), looking.status(here, "o1")[0]) == (1, "released")
    assert warehouse.calls.count("release") == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_a_bad_line_each_order_leaves_once_or_is_stopped(town: tuple[Town, JsonWarehouse], seed: int) -> None:
    here, warehouse = town
    dice = Random(seed)
    for number in range(8):
        here.shop.place(f"o{number}", ("A", 1 + number % 3))
    read_shop(here)
    warehouse.faults = FaultPlan(seed, 0.3)
    for turn in range(40):
        step(here)
        waiting = sorted(warehouse.releases.keys() - warehouse.left - warehouse.stopped)
        if waiting and dice.random() < 0.4:
            warehouse.ship(waiting[0], f"SF{turn}")
        if turn % 10 == 5:
            here.shop.change(f"o{turn // 10}", state="cancelled")
            read_shop(here)
    warehouse.faults = FaultPlan()
    for unsent in sorted(warehouse.releases.keys() - warehouse.left - warehouse.stopped):
        warehouse.ship(unsent, f"SF-{unsent}")
    for _ in range(15):
        step(here)

    orders = [each["order"] for number, each in warehouse.releases.items() if number in warehouse.left]
    units = sum(line["qty"] for number in warehouse.left for line in warehouse.releases[number]["lines"])
    assert len(orders) == len(set(orders))
    assert looking.on_shelf(here) == {("SH", "A"): (100 - units, 0)}
    assert counters.verify_counters(here.ctx) == []
    assert {status for number in range(8) for status in [looking.status(here, f"o{number}")[0]]} <= {
        "shipped",
        "cancelled",
    }
