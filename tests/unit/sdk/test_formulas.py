"""What a spreadsheet program would run is written as text, and our own readers take exactly that off again."""

import csv
import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.csv_drop.client.replies import SHIPMENT_HEADER
from erpsync.sdk.files import csv_bytes
from erpsync.sdk.formulas import escaped, safe_row, unescaped

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.from_regex(
    r"[=+\-@\t\r'][ -~]{0,8}", fullmatch=True
)


@pytest.mark.parametrize(
    "text",
    ["=1+2", "=HYPERLINK(1)", "+A1", "-A1", "@SUM(A1)", "\tx", "\rx", "=", "-", "+86-138", "-1-2", "--5", "+1 2", "'x"],
)
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert escaped(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    ["", "A", "1", "-1", "+1", "-1.50", "-1,234.50", "+8613800138000", "-1e5", "-.5", "王小明", "a=1", " =1"],
)
def test_numbers_and_all_other_text_stay_as_they_are(text: str) -> None:
    assert escaped(text) == unescaped(text) == text


def test_only_text_is_looked_at_and_machines_may_have_it_as_it_is() -> None:
    assert safe_row(["=a", -5, None], "escape") == ["'=a", -5, None]
    assert safe_row(["=a", -5, None], "keep") == ["=a", -5, None]


@given(st.lists(CELLS, min_size=5, max_size=5))
def test_what_we_write_is_read_as_it_was(cells: list[str]) -> None:
    assume(all(unescaped(cell) == cell for cell in cells))  # an apostrophe that somebody else had put there
    written = csv_bytes(SHIPMENT_HEADER, [cells], "escape").decode()

    [_, read] = csv.reader(io.StringIO(written, newline=""))
    assert [unescaped(cell) for cell in read] == cells


@given(CELLS)
def test_nothing_we_write_begins_like_a_formula_unless_it_is_a_number(cell: str) -> None:
    written = escaped(cell)

    assert not written.startswith(("=", "@", "\t", "\r"))
    assert not written.startswith(("+", "-")) or not set(written) - set("+-0123456789.,eE")
