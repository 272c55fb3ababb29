"""Rows of imported files: the good ones taken, the bad ones named by file and line."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.cli.csv_rows import BadRow, Row, Rows
from erpsync.cli.errors import CommandError
from erpsync.cli.instants import instant


def read(folder: Path, content: bytes) -> tuple[list[tuple[str, int]], list[tuple[str, str]]]:
    """Return rows of (sku, qty) and refusals of a file `f.csv`, its folder left out of the text."""
    file = folder / "f.csv"
    file.write_bytes(content)
    rows = Rows(("sku", "qty"), ("note",), lambda row: (row.text("sku"), row.units("qty")), lambda made: made[0])
    taken = list(rows.of([str(file)]))
    return taken, [(source.replace(f"{folder}/", ""), problem) for source, problem in rows.refused]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_utf_8_and_gb18030_are_told_apart(tmp_path: Path, encoding: str) -> None:
    taken, refused = read(tmp_path, "sku,qty\n苹果手机,3\n".encode(encoding))

    assert (taken, refused) == ([("苹果手机", 3)], [])


def test_bad_rows_are_named_by_the_line_they_begin_on_and_stop_no_other(tmp_path: Path) -> None:
    content = 'sku,qty,note\r\nA,1,"two\r\nlines"\r\nB,x,\r\n,4,\r\n\r\nC,-1,\r\nD,2,\r\nA,9,\r\nE,1,,extra\r\n'
    taken, refused = read(tmp_path, content.encode())

    assert taken == [("A", 1), ("D", 2)]
    assert [source for source, _ in refused] == ["f.csv:4", "f.csv:5", "f.csv:7", "f.csv:9", "f.csv:10"]
    assert [problem for _, problem in refused][:2] == ["qty must be a whole number from 0, is x", "sku is empty"]
    assert refused[3][1].endswith("f.csv:2")
    assert refused[4][1] == "line has 4 cells, the header has 3"


def test_codes_keep_their_leading_zeros_and_shortened_ones_are_refused(tmp_path: Path) -> None:
    taken, refused = read(tmp_path, b"sku,qty\n007,1\n6.92E+12,1\n")

    assert taken == [("007", 1)]
    assert refused == [("f.csv:3", "sku is 6.92E+12: a spreadsheet shortened it, format the column as text")]


@pytest.mark.parametrize("header", ["sku", "sku,qty,asof", "sku,qty,sku", ""])
def test_a_header_that_is_not_as_promised_refuses_the_file(tmp_path: Path, header: str) -> None:
    with pytest.raises(CommandError, match=r"f.csv:1: the header must be sku,qty and may hold note, is "):
        read(tmp_path, f"{header}\nA,1\n".encode())


def test_headers_may_stand_in_any_order_and_case(tmp_path: Path) -> None:
    assert read(tmp_path, b" Qty ,SKU\n2,A\n")[0] == [("A", 2)]


def test_a_row_that_is_no_text_is_refused_and_stops_no_other(tmp_path: Path) -> None:
    taken, refused = read(tmp_path, b"sku,qty\nA,1\n\xff\xff\xff\xff,1\nB,2\n")

    assert taken == [("A", 1), ("B", 2)]
    assert [source for source, _ in refused] == ["f.csv:3"]


@pytest.mark.parametrize("content", [b"%PDF-1.7\n\x00\x01", b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest", b"\x1f\x8b"])
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CommandError, match=r"f\.csv:1: the header must be .*, is "):
        read(tmp_path, content)


@given(st.binary(max_size=200))
def test_no_file_whatever_it_holds_ends_in_a_traceback(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        try:
            read(Path(folder), b"sku,qty\n" + content)
        except CommandError as error:
            assert "f.csv" in str(error)


def test_a_cell_that_is_missing_at_the_end_of_a_row_is_empty() -> None:
    with pytest.raises(BadRow, match="qty must be a whole number from 1, is empty"):
        Row({"sku": "A"}, "f.csv:2").units("qty", least=1)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-03-02T12:00:00+08:00", 4),
        ("2026-03-02 12:00", 4),
        ("2026-03-02T12:00:00Z", 12),
        ("2026/3/2 12:00", 4),
        (" 2026-03-02 12:00:00 ", 4),
    ],
)
def test_an_instant_without_offset_is_meant_in_the_operators_time_zone(text: str, hour: int) -> None:
    assert instant(text, ZoneInfo("Asia/Shanghai")) == datetime(2026, 3, 2, hour, tzinfo=UTC)


def test_a_date_alone_is_its_first_moment() -> None:
    assert instant("2026-03-02", ZoneInfo("Asia/Shanghai")) == datetime(2026, 3, 1, 16, tzinfo=UTC)
    with pytest.raises(ValueError, match="must be a date or time such as"):
        instant("yesterday", ZoneInfo("Asia/Shanghai"))
