"""What the warehouse's files say, and the files that it gets. The examples are written from our own layout."""

import csv
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.warehouse_file.connector import WarehouseFileConnector
from connectors.warehouse_file.sandbox import FileWarehouse
from connectors.warehouse_file.settings import WarehouseFileSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import Cursor, Recipient, Release, ReleaseLine, WarehousePage

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def warehouse(tmp_path: Path, clock: ManualClock) -> FileWarehouse:
    return FileWarehouse(tmp_path / "in", tmp_path / "out", clock)


@pytest.fixture
def connector(warehouse: FileWarehouse, clock: ManualClock) -> WarehouseFileConnector:
    settings = WarehouseFileSettings.model_validate(warehouse.settings())
    return WarehouseFileConnector(settings, HttpClient(clock=clock), clock)


def order(number: str = "R20260302000001") -> Release:
    return Release(
        number=number,
        order="S1",
        warehouse="SH",
        lines=(ReleaseLine(line="1", sku="A", qty=2, title="茶杯"), ReleaseLine(line="2", sku="B", qty=1)),
        recipient=Recipient(name="王小明", phone="13800138000", city="上海市", address="世纪大道1号, 5室"),
        placed_at=NOW,
        paid_at=NOW,
    )


def pull(connector: WarehouseFileConnector, mark: str | None = None) -> list[WarehousePage]:
    return list(connector.pull_warehouse(Cursor(mark=mark)))


def plain(report: Any) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(report).items() if name != "key"}
    if "lines" in fields:
        fields["lines"] = [[line["line"], line["sku"], line["qty"]] for line in fields["lines"]]
    return json.loads(json.dumps(fields, default=lambda at: at.isoformat()))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["shipments-1.csv", "stock-1.csv", "answers-1.csv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_says_what_its_golden_copy_says(
    connector: WarehouseFileConnector, warehouse: FileWarehouse, clock: ManualClock, name: str, encoding: str
) -> None:
    expected = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))[name]
    text = (GOLDEN / name).read_text(encoding="utf-8")
    (warehouse.folder / name).write_bytes(text.encode(encoding))
    clock.advance(seconds=10**9)
    [page] = pull(connector)

    assert [plain(each) for each in (*page.dispatches, *page.counts, *page.answers)] == expected["read"]
    assert [str(bad.error) for bad in page.bad] == expected["bad"]
    assert (warehouse.folder / "done" / name).exists()


def test_what_spreadsheet_programs_make_of_numbers_is_taken_off_or_refused(
    connector: WarehouseFileConnector, warehouse: FileWarehouse, clock: ManualClock
) -> None:
    """failures.md row 27: a tracking number of which digits are missing must not be told to a buyer."""
    rows = '="R20260302000001",SF,"=""435000123456789"""\nR20260302000002,YUNDA,4.35E+14\nR20260302\x00000003,SF,SF1\n'
    (warehouse.folder / "shipments-1.csv").write_text(f"release,carrier,tracking\n{rows}", encoding="utf-8")
    clock.advance(seconds=10**9)
    [page] = pull(connector)

    read = [(each.release, each.tracking) for each in page.dispatches]
    assert read == [("R20260302000001", "435000123456789")]
    assert [(str(bad.error), bad.error.source) for bad in page.bad] == [
        ("tracking: a spreadsheet program cut the digits of this number to 4.35E+14", "shipments-1.csv:3"),
        ("line: line holds NUL or bytes that are not utf-8", "shipments-1.csv:4"),
    ]


def test_a_time_before_all_times_is_a_bad_line_and_no_trouble(
    connector: WarehouseFileConnector, warehouse: FileWarehouse, clock: ManualClock
) -> None:
    """In Shanghai the first day of all is not a day in UTC yet, so no database could keep it."""
    rows = "A,1,0001-01-01\nB,2,2026-03-02 08:00:00\n"
    (warehouse.folder / "stock-1.csv").write_text(f"sku,on_hand,as_of\n{rows}", encoding="utf-8")
    clock.advance(seconds=10**9)
    [page] = pull(connector)

    assert [count.sku for count in page.counts] == ["B"]
    assert [bad.error.path for bad in page.bad] == ["as_of"]


def test_a_row_with_a_nul_is_a_bad_line_and_the_others_count(
    connector: WarehouseFileConnector, warehouse: FileWarehouse, clock: ManualClock
) -> None:
    rows = "A\0,1,2026-03-02 08:00:00\nB,2,2026-03-02 08:00:00\n"
    (warehouse.folder / "stock-1.csv").write_text(f"sku,on_hand,as_of\n{rows}", encoding="utf-8")
    clock.advance(seconds=10**9)
    [page] = pull(connector)

    assert [count.sku for count in page.counts] == ["B"]
    assert [(bad.error.path, bad.error.problem, bad.row["sku"]) for bad in page.bad] == [
        ("line", "line holds NUL or bytes that are not utf-8", "A\ufffd")
    ]


def test_a_release_is_one_file_however_often_it_is_written(
    connector: WarehouseFileConnector, warehouse: FileWarehouse
) -> None:
    connector.release(order())
    connector.release(order())

    [path] = warehouse.out_folder.glob("*")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert path.name == "release-R20260302000001.csv"
    assert [(row["line_id"], row["sku"], row["qty"], row["address"]) for row in rows] == [
        ("1", "A", "2", "世纪大道1号, 5室"),
        ("2", "B", "1", "世纪大道1号, 5室"),
    ]
    assert warehouse.take_in() == ["R20260302000001"]
    connector.release(order())
    assert warehouse.take_in() == []


def test_rows_name_the_order_of_their_line_where_a_release_holds_those_of_several(
    connector: WarehouseFileConnector, warehouse: FileWarehouse, clock: ManualClock
) -> None:
    lines = tuple(ReleaseLine(line="1", sku="A", qty=qty, order=number) for number, qty in (("S1", 2), ("S2", 1)))
    connector.release(replace(order(), order="S1, S2", lines=lines))

    [path] = warehouse.out_folder.glob("*")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert [(row["order"], row["line_id"], row["qty"]) for row in rows] == [("S1", "1", "2"), ("S2", "1", "1")]

    said = "release,carrier,tracking,order,line_id,sku,qty\nR20260302000001,SF,SF1,S2,1,A,1\n"
    (warehouse.folder / "shipments-1.csv").write_text(said, encoding="utf-8")
    clock.advance(seconds=10**9)
    [page] = pull(connector)
    assert [(line.order, line.line) for parcel in page.dispatches for line in parcel.lines] == [("S2", "1")]


@pytest.mark.parametrize(("left", "stopped"), [(False, True), (True, False)])
def test_a_wish_to_stop_is_a_file_and_so_is_its_answer(
    connector: WarehouseFileConnector, warehouse: FileWarehouse, clock: ManualClock, left: bool, stopped: bool
) -> None:
    connector.release(order())
    warehouse.take_in()
    if left:
        warehouse.ship("R20260302000001", "SF1")
    assert connector.cancel("R20260302000001") is None
    warehouse.take_in()
    clock.advance(seconds=5)
    answers = [answer for page in pull(connector) for answer in page.answers]

    assert [(answer.release, answer.stopped) for answer in answers] == [("R20260302000001", stopped)]


@pytest.mark.parametrize(("formulas", "name"), [("escape", "'=cmd|x"), ("keep", "=cmd|x")])
def test_a_buyers_name_that_a_spreadsheet_would_run_is_written_as_text(
    tmp_path: Path, clock: ManualClock, formulas: str, name: str
) -> None:
    made = WarehouseFileSettings.model_validate(
        {"folder": tmp_path / "in", "out_folder": tmp_path / "out", "formulas": formulas}
    )
    wanted = replace(order(), recipient=replace(order().recipient, name="=cmd|x"))
    WarehouseFileConnector(made, HttpClient(clock=clock), clock).release(wanted)

    [path] = (tmp_path / "out").glob("*.csv")
    assert {row["recipient"] for row in csv.DictReader(path.read_text().splitlines())} == {name}


def test_a_sku_that_comes_back_with_our_apostrophe_is_the_sku(
    connector: WarehouseFileConnector, warehouse: FileWarehouse, clock: ManualClock
) -> None:
    warehouse.count_stock([("'=A", 1), ("''B", 2), ("'00124", 3)])
    clock.advance(seconds=3)

    assert [count.sku for page in pull(connector) for count in page.counts] == ["=A", "'B", "00124"]


def test_a_file_that_is_still_written_waits(
    connector: WarehouseFileConnector, warehouse: FileWarehouse, clock: ManualClock
) -> None:
    """failures.md row 27."""
    warehouse.count_stock([("A", 1)])
    assert pull(connector) == []

    clock.advance(seconds=3)
    assert [count.on_hand for page in pull(connector) for count in page.counts] == [1]


def test_a_reader_killed_within_a_file_reads_on_behind_what_was_booked(
    connector: WarehouseFileConnector, warehouse: FileWarehouse, clock: ManualClock
) -> None:
    warehouse.count_stock([(f"SKU-{number}", number) for number in range(450)])
    clock.advance(seconds=3)
    reading = connector.pull_warehouse(Cursor())
    first = next(reading)
    reading.close()  # type: ignore[attr-defined]
    rest = pull(connector, first.mark)

    assert (len(first.counts), [len(page.counts) for page in rest]) == (200, [200, 50])
    assert len({count.sku for page in (first, *rest) for count in page.counts}) == 450
    assert not list((warehouse.folder / ".claimed").glob("*.csv"))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("stock-1.csv", b"sku,as_of\nA,2026-03-02\n", "header: the header has no column on_hand"),
        ("returns-1.csv", b"sku\nA\n", "the name must begin with shipments-, stock- or answers-"),
        ("stock-2.csv", b"\xff\xff\xff\n\xff\xff\n", "header: line holds NUL or bytes that are not gb18030"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_dead_letter_and_set_aside(
    connector: WarehouseFileConnector,
    warehouse: FileWarehouse,
    clock: ManualClock,
    name: str,
    content: bytes,
    problem: str,
) -> None:
    (warehouse.folder / name).write_bytes(content)
    clock.advance(seconds=10**9)
    [page] = pull(connector)

    assert [bad.error.problem for bad in page.bad] == [problem]
    assert (warehouse.folder / "failed" / name).exists()


def test_a_folder_that_is_not_there_is_an_operators_matter(tmp_path: Path, clock: ManualClock) -> None:
    settings = WarehouseFileSettings(folder=tmp_path / "none", out_folder=tmp_path / "out")

    with pytest.raises(AuthError, match="there is no folder"):
        WarehouseFileConnector(settings, HttpClient(clock=clock), clock).check()


def test_one_folder_for_both_directions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="another folder"):
        WarehouseFileSettings(folder=tmp_path, out_folder=tmp_path)
