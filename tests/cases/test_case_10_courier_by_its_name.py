"""Warehouses name couriers, not codes.

Seen in: meertensm/amazon-mws#55.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.csv_drop.settings import CsvDropSettings
from connectors.warehouse_file.connector import WarehouseFileConnector
from connectors.warehouse_file.settings import WarehouseFileSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import Cursor
from tests.connectors.csv_drop.builders import clock_at, drop, reports, shipment_drop
from tests.support.export import CASES, Export
from tests.support.shop import NOON

FILE = CASES / "10-courier-by-its-name" / "parcels.csv"


def test_a_name_of_our_table_is_its_courier(tmp_path: Path) -> None:
    drop(tmp_path, "parcels.csv", FILE.read_bytes())
    (page,) = reports(shipment_drop(tmp_path, clock_at()))

    assert [(report.order, report.carrier) for report in page.reports] == [("E4", "SF"), ("E5", "ZTO")]
    assert page.bad == ()


@pytest.mark.parametrize("name", ["SF Express", "sf express", "顺丰速运", " 顺丰快递 ", "SF", "顺丰 速运"])
def test_names_in_any_writing_are_read(tmp_path: Path, name: str) -> None:
    drop(tmp_path, "parcels.csv", f"order,carrier,tracking\nE4,{name},SF1\n")
    (page,) = reports(shipment_drop(tmp_path, clock_at()))

    assert [report.carrier for report in page.reports] == ["SF"]


def test_an_operator_says_what_a_name_means(tmp_path: Path) -> None:
    drop(tmp_path, "parcels.csv", "order,carrier,tracking\nE4,Our van,X1\nE5,中通快递,78000000000001\n")
    (page,) = reports(shipment_drop(tmp_path, clock_at(), carrier_map={"our van": "sf", "中通快递": "STO"}))

    assert [report.carrier for report in page.reports] == ["SF", "STO"]


def test_a_map_to_no_courier_of_ours_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown carrier"):
        CsvDropSettings(folder=Path("in"), reads="shipments", carrier_map={"van": "VAN"})


def test_a_name_that_nobody_knows_is_told_with_a_guess(export: Callable[..., Export]) -> None:
    shop = export(reads="shipments")
    shop.drop("order,carrier,tracking\nE4,顺丰大件,SF1\n", "parcels.csv")

    ((source, error),) = shop.letters()
    assert source == "parcels.csv:2"
    assert error


def test_the_files_of_a_warehouse_name_couriers_too(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    text = "release,carrier,tracking\nR20260302000001,顺丰速运,SF1\nR20260302000002,van,X1\n"
    (folder / "shipments-1.csv").write_text(text, encoding="utf-8")
    clock = ManualClock(NOON)
    made = WarehouseFileSettings(folder=folder, out_folder=tmp_path / "out", settle_s=0, carrier_map={"van": "YTO"})
    (page,) = WarehouseFileConnector(made, HttpClient(clock=clock), clock).pull_warehouse(Cursor())

    assert [dispatch.carrier for dispatch in page.dispatches] == ["SF", "YTO"]
