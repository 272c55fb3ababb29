"""How results look on a terminal, in a pipe and as JSON."""

import io
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from erpsync.cli.output import Output, clean
from erpsync.cli.status import duration
from erpsync.cli.tables import Column, local, money
from erpsync.core.instants import with_local

COLUMNS = (Column("sku", "SKU"), Column("title", "名称"), Column("qty", "units", "number"))
ROWS = [
    {"sku": "A-1", "title": "亚麻短袖衬衫", "qty": 5},
    {"sku": "苹果手机", "title": "phone", "qty": 1200},
    {"sku": "B", "title": "", "qty": None},
]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Gbk(io.StringIO):
    """A stream of an old terminal."""

    encoding = "gbk"


def printed(rows: list[dict[str, Any]], stream: io.StringIO, *, as_json: bool = False) -> str:
    Output(as_json=as_json, out=stream, err=io.StringIO()).rows(rows, COLUMNS)
    return stream.getvalue()


def width(text: str) -> int:
    """Columns that a terminal uses: Chinese characters take two."""
    return sum(2 if char >= "\u2e80" else 1 for char in text)


def test_columns_stay_aligned_beside_chinese_text() -> None:
    lines = printed(ROWS, io.StringIO()).splitlines()

    assert [width(line) for line in lines[:3]] == [29, 29, 29]
    assert lines == [
        "SKU       名称          units",
        "A-1       亚麻短袖衬衫      5",
        "苹果手机  phone          1200",
        "B         -                 -",
    ]


def test_a_table_in_a_pipe_is_not_wrapped_coloured_or_padded() -> None:
    text = printed([{"sku": "x" * 300, "title": "y" * 300, "qty": 1}], io.StringIO())

    assert len(text.splitlines()) == 2
    assert "\x1b" not in text
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_a_terminal_that_is_too_narrow_cuts_nothing_off() -> None:
    row = {"sku": "S" * 70, "title": "T" * 70, "qty": 12}

    text = printed([row], Terminal())

    assert "S" * 70 in text
    assert "T" * 70 in text


def test_json_is_one_array_and_keeps_chinese_text_readable() -> None:
    text = printed(ROWS, io.StringIO(), as_json=True)

    assert json.loads(text) == ROWS
    assert "苹果手机" in text
    assert printed([], io.StringIO(), as_json=True) == "[]\n"


def test_json_on_a_stream_that_is_not_utf_8_is_plain_ascii() -> None:
    text = printed(ROWS, Gbk(), as_json=True)

    assert text.isascii()
    assert json.loads(text) == ROWS


def test_an_empty_list_says_so_on_stderr_and_prints_nothing_else() -> None:
    out, err = io.StringIO(), io.StringIO()
    Output(as_json=False, out=out, err=err).rows([], COLUMNS, empty="no such order")

    assert (out.getvalue(), err.getvalue()) == ("", "no such order\n")


def test_what_a_buyer_writes_cannot_command_the_terminal() -> None:
    text = printed([{"sku": "\x1b[2Jgone\u202eabc", "title": "a\nb\tc", "qty": 1}], Terminal())

    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert clean("a\nb\x07") == "a b\N{REPLACEMENT CHARACTER}"


def test_a_recipients_name_beside_a_table_cannot_command_the_terminal_either() -> None:
    out = io.StringIO()
    Output(as_json=False, out=out).line("name: \x1b]0;owned\x07王\r\nphone: 1")

    assert out.getvalue() == "name: \N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER}王  phone: 1\n"


def test_square_brackets_are_text_and_no_markup() -> None:
    assert "[red]sale[/red]" in printed([{"sku": "[red]sale[/red]", "title": ":smile:", "qty": 1}], io.StringIO())
    assert ":smile:" in printed([{"sku": "x", "title": ":smile:", "qty": 1}], io.StringIO())


def test_progress_is_shown_on_a_terminal_only() -> None:
    pipe, terminal = io.StringIO(), Terminal()
    for err in (pipe, terminal):
        with Output(as_json=False, out=io.StringIO(), err=err).progress("rows", 2) as advance:
            advance(2)

    assert pipe.getvalue() == ""
    assert "rows" in terminal.getvalue()


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1250, "CNY", "12.50 CNY"),
        (5, "CNY", "0.05 CNY"),
        (-5, "USD", "-0.05 USD"),
        (0, "EUR", "0.00 EUR"),
        (1250, "JPY", "1250 JPY"),
        (1250, "KWD", "1.250 KWD"),
        (None, "CNY", "-"),
    ],
)
def test_money_is_written_in_whole_units_of_its_currency(minor: int | None, currency: str, text: str) -> None:
    assert money(minor, currency) == text


def test_instants_are_shown_in_the_operators_time_zone() -> None:
    assert local("2026-03-02T04:00:07.5Z", ZoneInfo("Asia/Shanghai")) == "2026-03-02 12:00:07"
    assert local(None, None) == "-"
    assert with_local("held since 2026-03-02T04:00:07.5Z: x", ZoneInfo("Asia/Shanghai")) == (
        "held since 2026-03-02 12:00:07: x"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, None), (0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_lengths_of_time_are_said_in_their_largest_unit(seconds: float | None, text: str | None) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("said", ["9999-12-31T23:59:59-12:00", "2026-13-45T99:00:00Z"])
def test_what_only_looks_like_an_instant_is_shown_as_it_was_sent(said: str) -> None:
    assert with_local(f"as_of is {said}", ZoneInfo("Asia/Shanghai")) == f"as_of is {said}"
