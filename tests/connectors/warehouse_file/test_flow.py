"""Orders of a shop, sent by a warehouse that is run by files."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.warehouse_file.connector import WarehouseFileConnector
from connectors.warehouse_file.sandbox import FileWarehouse
from connectors.warehouse_file.settings import WarehouseFileSettings
from erpsync.flows.context import Context
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import counters
from erpsync.sdk.http import HttpClient
from tests.support import looking
from tests.support.depot import build_depot, work
from tests.support.shop import Town


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[tuple[Town, FileWarehouse]]:
    town, _ = build_depot(database_url)
    warehouse = FileWarehouse(tmp_path / "in", tmp_path / "out", town.clock)
    settings = WarehouseFileSettings.model_validate(warehouse.settings())
    town.ctx = running(town.ctx, WarehouseFileConnector(settings, HttpClient(clock=town.clock), town.clock))
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    warehouse.count_stock([("A", 10)])
    town.advance(5)
    work(town)
    yield town, warehouse
    town.store.close()


def running(ctx: Context, connector: WarehouseFileConnector) -> Context:
    """Return the context with this connector on its warehouse's channel."""
    wms = ctx.channel("wms")
    return replace(ctx, channels={**ctx.channels, wms.id: replace(wms, connector=connector)})


def turn(town: Town, warehouse: FileWarehouse) -> list[str]:
    """Let erpsync work, then the warehouse look into its folder; return the new releases."""
    work(town)
    fresh = warehouse.take_in()
    town.advance(5)
    return fresh


def test_an_order_goes_out_as_a_file_and_its_parcel_comes_back_as_one(town: tuple[Town, FileWarehouse]) -> None:
    here, warehouse = town
    here.shop.place("o1", ("A", 2))
    [number] = turn(here, warehouse)
    warehouse.ship(number, "SF1")
    here.advance(5)
    warehouse.count_stock([("A", 8)])
    here.advance(5)
    work(here)

    assert looking.status(here, "o1")[0] == "shipped"
    assert [parcel.tracking for parcel in here.shop.parcels] == ["SF1"]
    assert looking.on_shelf(here) == {("SH", "A"): (8, 0)}
    assert (looking.letters(here), counters.verify_counters(here.ctx)) == ([], [])


@pytest.mark.parametrize("left", [False, True])
def test_a_cancel_waits_for_the_answer_in_a_file(town: tuple[Town, FileWarehouse], left: bool) -> None:
    here, warehouse = town
    here.shop.place("o1", ("A", 2))
    [number] = turn(here, warehouse)
    if left:
        warehouse.left.add(number)
    here.shop.change("o1", state="cancelled")
    turn(here, warehouse)
    assert (looking.on_shelf(here), looking.tasks(here)) == ({("SH", "A"): (10, 2)}, ["recall"])

    turn(here, warehouse)
    assert looking.on_shelf(here) == {("SH", "A"): (10, 2 if left else 0)}
    assert looking.tasks(here) == (["recall"] if left else [])
