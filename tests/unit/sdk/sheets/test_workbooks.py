"""Workbooks as tables: what their cells say, which sheet, and what is refused before it fills the memory."""

import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sheets import Columns, Record, open_sheet
from tests.support.workbooks import Cell, package, sheet_xml, xlsx

HERE = Path(__file__).parent
FIELDS = ("id", "sku", "qty", "at")
COLUMNS = Columns(
    headers={name: (name,) for name in FIELDS}, demanded=frozenset({"id", "sku"}), exact=frozenset({"id", "sku"})
)


def read(content: bytes, *, sheet: str = "", columns: Columns = COLUMNS) -> tuple[list[Record], str]:
    table = open_sheet(io.BytesIO(content), columns, sheet=sheet)
    try:
        return list(table.records), str(table.passed)
    finally:
        table.close()


def test_cells_say_what_a_person_sees() -> None:
    rows: list[list[Cell]] = [[*FIELDS], ["007", 1001, 2.0, datetime(2026, 11, 22, 10, 1, 2)], ["8", "A", 2.5, None]]

    records, passed = read(xlsx(*rows))
    assert [record.cells for record in records] == [
        ["007", "1001", "2", "2026-11-22 10:01:02"],
        ["8", "A", "2.5", ""],
    ]
    assert ([record.line for record in records], passed) == ([2, 3], "")


def test_a_number_that_lost_its_last_digits_is_no_id() -> None:
    records, _ = read(xlsx([*FIELDS], [2026112200000123456, "A", 1], ["2026112200000123456", "A", 10**15]))

    assert (records[0].path, records[0].cells[0]) == ("id", "")
    assert records[0].problem == "a number of more than 15 digits has lost its last ones; format the column as text"
    assert records[1].problem == ""  # as text it is whole, and a quantity is no id


def test_fifteen_digits_are_exact() -> None:
    records, _ = read(xlsx([*FIELDS], [123456789012345, "A", 1]))

    assert (records[0].cells[0], records[0].problem) == ("123456789012345", "")


def test_titles_above_and_sums_below_are_counted_by_row() -> None:
    rows: list[list[Cell]] = [
        ["订单报表"],
        [],
        ["2026-11-22"],
        [*FIELDS],
        ["1", "A", 2],
        ["合计", None, 2],
        [None, None, 2],
    ]

    records, passed = read(xlsx(*rows))
    assert [record.cells[0] for record in records] == ["1"]
    assert passed == "2 title lines (1, 3), 2 sum rows (6, 7)"


def test_a_row_of_amounts_among_the_records_is_no_sum() -> None:
    """It was damaged, and somebody has to know."""
    records, passed = read(xlsx([*FIELDS], ["1", "A", 2], [None, None, 7], ["2", "B", 1]))

    assert ([record.line for record in records], passed) == ([2, 3, 4], "")


def test_of_several_sheets_one_has_to_be_named() -> None:
    content = xlsx(sheets={"说明": [["read me"]], "订单": [[*FIELDS], ["1", "A", 1]]})

    assert [record.cells[0] for record in read(content, sheet="订单")[0]] == ["1"]
    with pytest.raises(PayloadError, match="2 sheets; say which one with `sheet`"):
        read(content)
    with pytest.raises(PayloadError, match="no sheet 退货"):
        read(content, sheet="退货")


def test_an_old_workbook_is_read_alike() -> None:
    columns = Columns(
        headers={name: (name,) for name in ("external_id", "channel_sku", "placed_at")},
        demanded=frozenset({"external_id", "channel_sku"}),
    )

    (record,), _ = read((HERE / "orders.xls").read_bytes(), columns=columns)
    assert record.cells == ["00017", "paid", "2026-11-22 10:01:02", "TEA", "2", "25.8"]


def bomb(size: int) -> bytes:
    """A sheet of one text that unpacks to `size` bytes."""
    return xlsx([*FIELDS], ["1", "A" * size, 1])


def forged(content: bytes) -> bytes:
    """Return a workbook whose directory says that everything in it is small."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = {entry.file_size for entry in archive.infolist() if entry.file_size > 1_000_000}
    for size in sizes:
        content = content.replace(size.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    return content


def far_apart(last: str) -> bytes:
    row = last.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return package(
        {
            "a": sheet_xml([["id"]]).replace(
                "</sheetData>", f'<row r="{row}"><c r="{last}"><v>1</v></c></row></sheetData>'
            )
        }
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (bomb(51_000_000), "larger than 50 MB unpacked"),
        (forged(bomb(51_000_000)), "larger than 50 MB unpacked"),
        (far_apart("XFD1048576"), "more than a million cells"),
        (far_apart("B500001"), "more than a million cells"),
        ((HERE / "corners.xls").read_bytes(), "more than a million cells"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 50_000_000, "larger than 50 MB unpacked"),
        (b"\xd0\xcf\x11\xe0" + b"\xff" * 5_000, "no workbook that can be read"),
        (b"PK\x03\x04" + b"\xff" * 5_000, "no workbook that can be read"),
        (xlsx([*FIELDS])[:-40], "no workbook that can be read"),
        (package({}), "no workbook|0 sheets"),
        (xlsx([]), "the file has no header"),
    ],
    ids=["bomb", "forged", "corners", "just over", "xls", "large xls", "no xls", "no zip", "cut", "no sheet", "empty"],
)
def test_what_would_fill_the_memory_or_is_no_workbook_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(PayloadError, match=problem):
        read(content)


def test_the_largest_sheet_that_is_read_has_a_million_cells() -> None:
    records, _ = read(far_apart("B500000"))

    assert records[-1].line == 500_000
