"""Files that go out: stock and shipments in `out_folder`."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.csv_drop.connector import OrderDropWithReplies
from erpsync.sdk.errors import TransientError
from erpsync.sdk.types import Repeat, Shipment, ShipmentLine, StockLevel
from tests.connectors.csv_drop.builders import clock_at, connector, names, settings


def replying(folder: Path, minutes: float = 0, **changes: object) -> OrderDropWithReplies:
    made = connector(clock_at(minutes), settings(folder / "in", out_folder=folder / "out", **changes))
    assert isinstance(made, OrderDropWithReplies)
    return made


def level(sku: str = "A", qty: int = 5, item_ref: str = "") -> StockLevel:
    return StockLevel(key=sku, channel_sku=sku, item_ref=item_ref, qty=qty)


def parcel(number: str = "P1", tracking: str = "SF001") -> Shipment:
    return Shipment(
        number=number,
        order_external_id="1001",
        carrier="SF",
        tracking=tracking,
        lines=(ShipmentLine(external_id="A", qty=1, ordered_qty=2),),
        shipped_at=datetime(2026, 3, 2, tzinfo=UTC),
    )


def test_stock_is_a_file_of_absolute_quantities(tmp_path: Path) -> None:
    refused = replying(tmp_path).push_stock([level("A", 5), level("红茶", 0, "22:1")])

    assert refused == {}
    (name,) = names(tmp_path / "out")
    assert name == "stock-20260302T120000.000000Z-001.csv"
    assert (tmp_path / "out" / name).read_bytes().decode() == "channel_sku,item_ref,qty\r\nA,,5\r\n红茶,22:1,0\r\n"


def test_two_stock_files_of_one_instant_are_two_files_in_order(tmp_path: Path) -> None:
    replying(tmp_path).push_stock([level(qty=1)])
    replying(tmp_path).push_stock([level(qty=2)])

    assert [name[-8:] for name in names(tmp_path / "out")] == ["-001.csv", "-002.csv"]


def test_a_parcel_is_a_file_of_its_lines_and_repeating_it_changes_nothing(tmp_path: Path) -> None:
    sink = replying(tmp_path)
    assert sink.repeat is Repeat.SAFE

    sink.push_shipment(parcel())
    sink.push_shipment(parcel())

    assert names(tmp_path / "out") == ["shipment-P1.csv"]
    content = (tmp_path / "out" / "shipment-P1.csv").read_bytes().decode()
    assert content == "order,carrier,tracking,line_id,qty\r\n1001,SF,SF001,A,1\r\n"


def test_numbers_that_are_no_file_names_stay_apart_and_inside_the_folder(tmp_path: Path) -> None:
    sink = replying(tmp_path)
    for number in ("../P1", "..:P1", "P/1"):
        sink.push_shipment(parcel(number))

    assert len(names(tmp_path / "out")) == 3
    assert names(tmp_path) == ["out"]


def test_no_half_written_file_shows_under_its_name(tmp_path: Path) -> None:
    replying(tmp_path).push_stock([level()])

    assert [path.name for path in (tmp_path / "out").iterdir()] == names(tmp_path / "out")


def test_a_named_encoding_is_used_for_files_that_go_out(tmp_path: Path) -> None:
    replying(tmp_path, encoding="gb18030").push_stock([level("红茶")])

    (name,) = names(tmp_path / "out")
    assert "红茶" in (tmp_path / "out" / name).read_text(encoding="gb18030")


def test_an_out_folder_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where a folder should be")

    with pytest.raises(TransientError):
        replying(tmp_path).push_stock([level()])


def test_a_leftover_of_a_killed_writer_does_not_stop_the_next(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".stock-20260302T120000.000000Z-001.csv.tmp").write_text("half")

    replying(tmp_path).push_stock([level()])

    assert names(tmp_path / "out") == ["stock-20260302T120000.000000Z-002.csv"]


@pytest.mark.parametrize(("formulas", "written"), [("escape", "'=1+2,'@x,5"), ("keep", "=1+2,@x,5")])
def test_a_code_that_a_spreadsheet_would_run_is_written_as_text(tmp_path: Path, formulas: str, written: str) -> None:
    replying(tmp_path, formulas=formulas).push_stock([level("=1+2", 5, "@x")])

    (name,) = names(tmp_path / "out")
    assert (tmp_path / "out" / name).read_text().splitlines()[1] == written


def test_a_tracking_number_that_a_spreadsheet_would_run_is_written_as_text(tmp_path: Path) -> None:
    replying(tmp_path).push_shipment(parcel(tracking="=SF(1)"))

    assert "1001,SF,'=SF(1),A,1" in (tmp_path / "out" / "shipment-P1.csv").read_text()
