"""Bytes into records: encodings, delimiters, and broken lines that cost nobody else anything (failures row 27)."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.sdk.sheets.text import (
    MAX_LINE_CHARS,
    MAX_RECORD_LINES,
    Header,
    Lines,
    Record,
    encoding_of,
    read_header,
    records,
)
from tests.connectors.csv_drop.builders import HEADER, drop, heads, order_drop, read, read_text, row

CHINESE = "订单编号,商家编码,数量,单价,下单,付款\n2001,红茶,2,12.50,2026-03-02 16:00:00,2026-03-02 16:00:00\n"
CHINESE_COLUMNS = {
    "external_id": "订单编号",
    "channel_sku": "商家编码",
    "qty": "数量",
    "price": "单价",
    "paid_at": "付款",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str) -> None:
    """Failures row 27: a GBK file in the drop folder."""
    drop(tmp_path, "orders.csv", CHINESE.encode(encoding))

    orders, refused = read(order_drop(tmp_path, columns=CHINESE_COLUMNS))

    assert refused == []
    assert orders["2001"].lines[0].channel_sku == "红茶"


def test_the_encoding_can_be_named(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", CHINESE.encode("gb18030"))

    orders, _ = read(order_drop(tmp_path, columns=CHINESE_COLUMNS, encoding="gb18030"))

    assert orders["2001"].lines[0].channel_sku == "红茶"


def test_one_broken_byte_does_not_turn_a_utf8_file_into_other_signs(tmp_path: Path) -> None:
    content = CHINESE.encode() + b"2002,\xff\xfe,1,1,,\n" + "2003,绿茶,1,1,,\n".encode()
    drop(tmp_path, "orders.csv", content)

    orders, (problem,) = read(order_drop(tmp_path, columns=CHINESE_COLUMNS))

    assert [orders[key].lines[0].channel_sku for key in ("2001", "2003")] == ["红茶", "绿茶"]
    assert problem.source == "orders.csv:3"
    assert "bytes that are not utf-8" in problem.problem


def test_a_character_beyond_gbk_is_read(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", CHINESE.replace("红茶", "𠮷茶").encode("gb18030"))

    orders, _ = read(order_drop(tmp_path, columns=CHINESE_COLUMNS))

    assert orders["2001"].lines[0].channel_sku == "𠮷茶"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    orders, _ = read_text(tmp_path, HEADER.replace(",", delimiter), row().replace(",", delimiter))

    assert orders["1001"].lines[0].price_minor == 1250


def test_a_line_that_names_the_delimiter_is_taken_at_its_word(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, "sep=;", HEADER.replace(",", ";"), row().replace(",", ";"))

    assert list(orders) == ["1001"]


def test_headers_may_carry_spaces_and_quotes(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, ' order ,"sku",qty\u3000,price,placed,paid ', row())

    assert list(orders) == ["1001"]


def test_windows_and_old_macintosh_line_ends_are_read(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", f"{HEADER}\r\n{row('1')}\r\n")
    drop(tmp_path, "b.csv", f"{HEADER}\r{row('2')}\r")

    assert [head.source for head in heads(order_drop(tmp_path))] == ["a.csv:2", "b.csv:2"]


def test_a_quoted_cell_may_hold_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    lines = ["order,sku,qty,price,note", '1001,A,1,12.50,"say ""hi"",', 'twice"', "1002,B,1,1,"]
    orders, _ = read_text(tmp_path, *lines, columns=NOTED)

    assert orders["1001"].buyer_note == 'say "hi",\ntwice'
    assert list(orders) == ["1001", "1002"]


NOTED = {"external_id": "order", "channel_sku": "sku", "qty": "qty", "price": "price", "buyer_note": "note"}


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path) -> None:
    orders, (problem,) = read_text(
        tmp_path, HEADER, row("1"), '2,"A,1,12.50,,', row("3"), row("4", sku='"B"'), row("5")
    )

    assert list(orders) == ["1", "3", "4", "5"]
    assert (problem.source, problem.problem) == ("orders.csv:3", "a quote that opens here is never closed")


def test_two_stray_quotes_do_not_swallow_the_lines_between(tmp_path: Path) -> None:
    orders, refused = read_text(tmp_path, HEADER, '1,"A,1,1,,', row("2"), row("3"), '4,A,1,1,"x,', row("5"))

    assert list(orders) == ["2", "3", "5"]
    assert [problem.source for problem in refused] == ["orders.csv:2", "orders.csv:5"]


def test_inches_inside_a_cell_are_no_quotes(tmp_path: Path) -> None:
    orders, refused = read_text(tmp_path, HEADER, row("1", sku='TV 55"'), row("2"))

    assert refused == []
    assert orders["1"].lines[0].channel_sku == 'TV 55"'


def test_a_nul_costs_one_line(tmp_path: Path) -> None:
    orders, (problem,) = read_text(tmp_path, HEADER, row("1"), row("2", sku="A\0B"), row("3"))

    assert list(orders) == ["1", "3"]
    assert problem.source == "orders.csv:3"
    assert "NUL" in problem.problem


def test_an_endless_line_costs_one_line(tmp_path: Path) -> None:
    orders, (problem,) = read_text(tmp_path, HEADER, row("1"), row("2", sku="x" * 300_000), row("3"))

    assert list(orders) == ["1", "3"]
    assert (problem.source, problem.problem) == ("orders.csv:3", "line is longer than 100000 characters")


def test_cells_that_do_not_fit_the_header_are_refused_with_their_line(tmp_path: Path) -> None:
    orders, refused = read_text(tmp_path, HEADER, "1,A", row("2") + ",street, house", row("3") + ",,")

    assert list(orders) == ["3"]
    assert [problem.problem for problem in refused] == [
        "line has 2 cells, the header has 6",
        "line has 8 cells, the header has 6",
    ]


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    orders, refused = read_text(tmp_path, "", HEADER, "", row("1"), ",,,,,", "", row("2"))

    assert list(orders) == ["1", "2"]
    assert refused == []


def test_a_broken_line_of_an_order_holds_that_order(tmp_path: Path) -> None:
    orders, refused = read_text(tmp_path, HEADER, row("1"), "1,B,1", row("2"))

    assert refused == []
    assert [bad.error.source for bad in orders["1"].bad_lines] == ["orders.csv:3"]
    assert orders["2"].bad_lines == ()


def all_records(content: bytes, names: list[str]) -> list[Record]:
    lines = Lines(io.BytesIO(content), "utf-8")
    try:
        assert read_header(lines, lambda found: (1, len(found)))[0].names == names
        return list(records(lines, Header(names, 1, ",")))
    finally:
        lines.close()


cell = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)


@given(st.lists(st.tuples(cell, cell, cell), max_size=30))
def test_whatever_a_csv_writer_writes_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)

    got = all_records(text.getvalue().encode(), ["a", "b", "c"])

    assert [tuple(record.cells) for record in got] == [row for row in rows if any(row)]


@given(
    st.lists(
        st.sampled_from(["1,2,3", '1,"2', '"', ',"",', '1,2,3"', '"a""b",2,3', "1,2", "\0", "x" * 50]), max_size=40
    )
)
def test_no_line_is_lost_or_read_twice_however_broken_its_neighbours_are(lines: list[str]) -> None:
    """Every plain line comes back as a record of its own, unless it stands inside somebody's closed quotes."""
    got = all_records("\n".join(["a,b,c", *lines, ""]).encode(), ["a", "b", "c"])

    numbers = [record.line for record in got]
    assert numbers == sorted(set(numbers))
    spanned = {record.line + offset for record in got for offset in range(sum(c.count("\n") for c in record.cells) + 1)}
    expected = {number for number, line in enumerate(lines, start=2) if line != ',"",'}
    assert expected <= spanned


def test_the_look_ahead_of_an_open_quote_is_bounded() -> None:
    content = "a,b,c\n" + '1,"2,3\n' + "4,5,6\n" * (MAX_RECORD_LINES * 3)

    got = all_records(content.encode(), ["a", "b", "c"])

    assert got[0].problem == "a quote that opens here is never closed"
    assert len(got) == 1 + MAX_RECORD_LINES * 3


def test_a_line_of_the_greatest_length_is_still_read() -> None:
    content = f"a,b,c\n1,2,{'x' * (MAX_LINE_CHARS - 5)}\n"

    (record,) = all_records(content.encode(), ["a", "b", "c"])

    assert record.problem == ""


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"a,b\n1,2\n", "utf-8"),
        ("订单\n".encode(), "utf-8"),
        ("订单\n".encode("gbk"), "gb18030"),
        (b"\xef\xbb\xbfa", "utf-8-sig"),
        (b"\xff\xfea\0", "utf-16"),
        ("a,b\n1,2\n".encode("utf-16-be"), "utf-16-be"),
        (b"a,b\n" * 300 + b"\0\n", "utf-8"),
    ],
)
def test_encodings_by_their_marks_and_their_bytes(content: bytes, encoding: str) -> None:
    assert encoding_of(io.BytesIO(content)) == encoding


def test_a_utf16_file_that_ends_in_half_a_sign_loses_only_that_line(tmp_path: Path) -> None:
    content = "\n".join([HEADER, row("1"), row("2")]).encode("utf-16") + b"\x41"
    drop(tmp_path, "orders.csv", content)

    orders, (problem,) = read(order_drop(tmp_path))

    assert list(orders) == ["1"]
    assert problem.source == "orders.csv:3"
