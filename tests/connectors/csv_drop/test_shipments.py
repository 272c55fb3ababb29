"""Files of parcels that left."""

from pathlib import Path

from erpsync.sdk.types import Cursor, RefundLine
from tests.connectors.csv_drop.builders import drop, names, reports, shipment_drop

HEADER = "order,carrier,tracking,line_id,qty"


def test_rows_of_one_order_and_tracking_number_are_one_report(tmp_path: Path) -> None:
    drop(tmp_path, "s.csv", [HEADER, "S1,SF,SF001,A,1", "S2,YTO,YT9,,", "S1,SF,SF001,B,2", "S1,SF,SF002,B,1"])

    (page,) = reports(shipment_drop(tmp_path))

    assert [(r.order, r.carrier, r.tracking, r.source) for r in page.reports] == [
        ("S1", "SF", "SF001", "s.csv:2"),
        ("S2", "YTO", "YT9", "s.csv:3"),
        ("S1", "SF", "SF002", "s.csv:5"),
    ]
    assert page.reports[0].lines == (
        RefundLine(line_external_id="A", qty=1),
        RefundLine(line_external_id="B", qty=2),
    )
    assert page.reports[1].lines == ()
    assert page.bad == ()
    assert names(tmp_path / "done") == ["s.csv"]


def test_the_key_is_the_same_when_the_file_is_read_again(tmp_path: Path) -> None:
    drop(tmp_path, "s.csv", [HEADER, "S1,SF,SF001,,"])
    dying = shipment_drop(tmp_path).pull_shipments(Cursor())
    first = next(dying)
    dying.close()

    (again,) = reports(shipment_drop(tmp_path))

    assert again.reports == first.reports


def test_the_keys_of_two_parcels_differ(tmp_path: Path) -> None:
    drop(tmp_path, "s.csv", [HEADER, "S1,SF,SF001,,", "S1,SF,SF002,,", "S2,SF,SF001,,"])

    (page,) = reports(shipment_drop(tmp_path))

    assert len({report.key for report in page.reports}) == 3


def test_bad_rows_are_told_with_their_line_and_the_good_ones_go_on(tmp_path: Path) -> None:
    rows = ["S1,SF,SF001,A,0", "S1,SF,SF001,B,1", "S2,,X,,", ",SF,X,,", "S3,SF,1.23E+17,,", "S4,SF,Y,,2", "S5,SF,Z,,"]
    drop(tmp_path, "s.csv", [HEADER, *rows])

    (page,) = reports(shipment_drop(tmp_path))

    assert [(report.order, len(report.lines)) for report in page.reports] == [("S1", 1), ("S5", 0)]
    assert [(bad.key, bad.error.path) for bad in page.bad] == [
        ("s.csv:2", "qty"),
        ("s.csv:4", "carrier"),
        ("s.csv:5", "order"),
        ("s.csv:6", "tracking"),
        ("s.csv:7", "line_id"),
    ]


def test_a_parcel_whose_only_line_is_bad_does_not_become_a_parcel_of_everything(tmp_path: Path) -> None:
    drop(tmp_path, "s.csv", [HEADER, "S1,SF,SF001,A,x", "S2,SF,SF002,,", "S2,SF,SF002,A,x"])

    (page,) = reports(shipment_drop(tmp_path))

    assert page.reports == ()
    assert len(page.bad) == 2


def test_one_parcel_has_one_carrier(tmp_path: Path) -> None:
    drop(tmp_path, "s.csv", [HEADER, "S1,SF,SF001,A,1", "S1,YTO,SF001,B,1"])

    (page,) = reports(shipment_drop(tmp_path))

    assert [bad.error.path for bad in page.bad] == ["carrier"]


def test_headers_of_shipment_files_can_be_named(tmp_path: Path) -> None:
    drop(tmp_path, "s.csv", ["订单号;快递;单号", "S1;SF;SF001"])
    columns = {"order": "订单号", "carrier": ["物流公司", "快递"], "tracking": "单号"}

    (page,) = reports(shipment_drop(tmp_path, columns=columns))

    assert page.reports[0].tracking == "SF001"


def test_a_file_without_tracking_numbers_fails_as_a_whole(tmp_path: Path) -> None:
    drop(tmp_path, "s.csv", ["order,carrier", "S1,SF"])

    (page,) = reports(shipment_drop(tmp_path))

    assert [(bad.error.path, bad.error.source) for bad in page.bad] == [("header", "s.csv:1")]
    assert names(tmp_path / "failed") == ["s.csv", "s.csv.error.txt"]
