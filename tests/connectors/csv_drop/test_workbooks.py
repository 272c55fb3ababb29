"""Workbooks in a drop folder: read like any other file, and refused with a reason where they cannot be."""

from datetime import datetime
from pathlib import Path

from tests.connectors.csv_drop.builders import drop, heads, names, order_drop, read, reports, shipment_drop
from tests.support.workbooks import xlsx

HEADER = ["order", "sku", "qty", "price", "placed", "paid"]
AT = datetime(2026, 3, 2, 16, 0)


def test_an_order_of_a_workbook_is_that_of_a_text_file(tmp_path: Path) -> None:
    drop(tmp_path, "orders.xlsx", xlsx(HEADER, ["1001", "A", 1, 12.5, AT, AT]))
    drop(tmp_path, "orders.csv", f"{','.join(HEADER)}\n1002,A,1,12.50,{AT},{AT}\n")
    orders, refused = read(order_drop(tmp_path))

    assert refused == []
    assert orders["1001"].lines == orders["1002"].lines
    assert orders["1001"].paid_at == orders["1002"].paid_at
    assert names(tmp_path / "done") == ["orders.csv", "orders.xlsx"]


def test_a_number_of_many_digits_is_told_with_its_column(tmp_path: Path) -> None:
    drop(tmp_path, "orders.xlsx", xlsx(HEADER, [1234567890123456789, "A", 1, 12.5, AT, AT]))
    _, (problem,) = read(order_drop(tmp_path))

    assert (problem.source, problem.path) == ("orders.xlsx:2", "order")
    assert "format the column as text" in problem.problem


def test_a_parcel_whose_number_lost_digits_is_not_told_to_a_buyer(tmp_path: Path) -> None:
    drop(tmp_path, "p.xlsx", xlsx(["order", "carrier", "tracking"], ["E4", "YUNDA", 4350001234567890]))
    (page,) = reports(shipment_drop(tmp_path))

    assert page.reports == ()
    assert "format the column as text" in str(page.bad[0].error)


def test_a_workbook_that_is_none_goes_to_failed_with_one_line(tmp_path: Path) -> None:
    drop(tmp_path, "orders.xlsx", b"PK\x03\x04 and nothing more")
    heads(order_drop(tmp_path))

    assert names(tmp_path / "failed") == ["orders.xlsx", "orders.xlsx.error.txt"]
    said = (tmp_path / "failed" / "orders.xlsx.error.txt").read_text(encoding="utf-8")
    assert said == "orders.xlsx: this is no workbook that can be read\n"


def test_files_that_nobody_will_read_are_named(tmp_path: Path) -> None:
    drop(tmp_path, "orders.ods", "x")
    drop(tmp_path, "empty.csv", "")
    drop(tmp_path, "half.csv.part", "x")
    source = order_drop(tmp_path)

    assert source.settings.unread_files() == (
        "2 files are not read, for each is empty or fits none of *.csv, *.xlsx, *.xls: empty.csv, orders.ods"
    )
    assert source.settings.unread_files() in source.check().notes
