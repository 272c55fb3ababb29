"""What platforms send is read exactly, or refused with the path of the field and without a word of its contents."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.read import (
    Fields,
    choice,
    enumeration,
    instant,
    iso,
    local,
    minor,
    problem_of,
    properties,
    text,
    whole,
)

BEIJING = timezone(timedelta(hours=8))
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ANYTHING = st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.lists(st.text()) | st.binary()


@given(fen=st.integers(min_value=-(10**12), max_value=10**12))
def test_an_amount_in_text_is_exact(fen: int) -> None:
    sign, rest = "-" if fen < 0 else "", abs(fen)

    assert minor(f"{sign}{rest // 100}.{rest % 100:02}", path="$") == fen


@pytest.mark.parametrize("value", [12.5, 12, "12.505", "1e3", "", None, "NaN", "12,50", "１２", True])
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match=r"expected an amount like 12\.50, found .*\$\.total|\$\.total.*expected"):
        minor(value, path="$.total")


def test_a_currency_without_decimals_has_whole_amounts() -> None:
    assert minor("1200", decimals=0, path="$") == 1200


def test_an_amount_of_more_digits_than_any_shop_takes_is_refused() -> None:
    assert minor("-100000000000.000", decimals=3, path="$") == -(10**14)
    for value in ("100000000000.001", "-100000000000.001"):
        with pytest.raises(PayloadError, match="expected an amount"):
            minor(value, decimals=3, path="$")


@pytest.mark.parametrize("value", ["2026-03-02T12:00:00+08:00", "2026-03-02T04:00:00Z"])
def test_an_instant_with_its_offset_is_read(value: str) -> None:
    assert instant(value, path="$") == NOON


@pytest.mark.parametrize("value", ["2026-03-02T12:00:00", "0001-01-01T00:00:00Z", 1772424000, None, "noon"])
def test_an_instant_without_offset_or_of_no_shop_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match="expected an instant like 2026-03-02T16:00:00"):
        instant(value, path="$.at")


@pytest.mark.parametrize(("year", "read"), [(1970, False), (1971, True), (2199, True), (2200, False)])
def test_an_instant_lies_in_the_years_of_a_shop(year: int, read: bool) -> None:
    value = f"{year}-07-02T12:00:00Z"
    if read:
        assert instant(value, path="$").year == year
        return
    with pytest.raises(PayloadError):
        instant(value, path="$")


def test_an_instant_that_is_one_already_is_told_in_utc() -> None:
    assert iso(NOON.astimezone(BEIJING)) == NOON
    assert iso(NOON.astimezone(BEIJING)).tzinfo is UTC


def test_a_local_time_is_read_in_its_zone() -> None:
    assert local("2026-03-02 12:00:00", BEIJING, path="$") == NOON
    with pytest.raises(PayloadError, match="expected a time like"):
        local("2026-02-30 12:00:00", BEIJING, path="$")


def test_whole_numbers_come_as_numbers_or_digits_within_bounds() -> None:
    assert (whole(3, path="$"), whole("3", path="$")) == (3, 3)
    for value in (True, 3.0, "3.0", "-1", -1, None, "", 10**10):
        with pytest.raises(PayloadError, match="expected a number from 0"):
            whole(value, path="$")


@pytest.mark.parametrize(("value", "found"), [("", "nothing"), (None, "nothing"), (3, "other int")])
def test_what_is_no_text_is_told_from_what_is_empty(value: object, found: str) -> None:
    with pytest.raises(PayloadError, match=f"expected text, found {found}"):
        text(value, path="$")


def test_a_bound_itself_is_within() -> None:
    assert whole(10**9, path="$") == 10**9
    assert (whole(2, least=2, path="$"), whole(9, most=9, path="$")) == (2, 9)
    for value in (10**9 + 1, "1000000001"):
        with pytest.raises(PayloadError):
            whole(value, path="$")
    with pytest.raises(PayloadError, match="expected a number from 2, found other int"):
        whole(1, least=2, path="$")


class Light(StrEnum):
    """What a light shows."""

    RED = "red"


def test_a_word_is_looked_up_and_an_unknown_one_is_named() -> None:
    assert choice("r", {"r": Light.RED}, path="$.status") is Light.RED
    assert enumeration("red", Light, path="$.light") is Light.RED
    with pytest.raises(PayloadError, match="unknown status 'blue'"):
        choice("blue", {"r": Light.RED}, path="$.status")


def test_of_an_unknown_word_only_the_beginning_is_quoted() -> None:
    with pytest.raises(PayloadError) as refused:
        choice("b" * 41, {"r": Light.RED}, path="$.trade.status")

    assert str(refused.value).count("b" * 40) == 1
    assert "b" * 41 not in str(refused.value)
    assert "unknown status" in str(refused.value)


@given(value=ANYTHING)
def test_no_reader_fails_otherwise_or_quotes_what_it_read(value: Any) -> None:
    secret = f"S{value!r}S" if not isinstance(value, str) else value
    for reader in (
        lambda: text(value, path="$"),
        lambda: whole(value, path="$"),
        lambda: minor(value, path="$"),
        lambda: instant(value, path="$"),
        lambda: local(value, BEIJING, path="$"),
        lambda: Fields({"a": value}).id("a"),
        lambda: Fields({"a": value}).at_or_none("a"),
        lambda: Fields({"a": value}).minor_or_none("a"),
        lambda: Fields({"a": value}).part("a"),
        lambda: Fields({"a": value}).parts("a"),
    ):
        try:
            reader()
        except PayloadError as error:
            assert len(secret) < 12 or secret not in str(error)


def test_fields_name_their_path_down_to_rows_of_lists() -> None:
    order = Fields({"lines": [{"qty": 1}, {"qty": "x"}]}, "$.order")

    with pytest.raises(PayloadError) as refused:
        [row.count("qty", least=1) for row in order.parts("lines")]
    assert refused.value.path == "$.order.lines[1].qty"


class Piece(BaseModel):
    """A piece of a message."""

    sku: str
    qty: int


class Message(BaseModel):
    """A message."""

    pieces: list[Piece]


def test_what_pydantic_finds_becomes_one_line_without_values() -> None:
    with pytest.raises(ValidationError) as found:
        Message.model_validate({"pieces": [{"sku": "A", "qty": "王小明"}, {"qty": 1}]})
    error = problem_of(found.value, path="$.data")

    assert (error.path, "王小明" in str(error)) == ("$.data.pieces[0].qty", False)
    assert "(and 1 more)" in str(error)


@pytest.mark.parametrize(
    ("said", "pairs"),
    [
        ("颜色分类:红色;尺码:M", (("颜色分类", "红色"), ("尺码", "M"))),
        ("颜色：红色；刻字：a;b", (("颜色", "红色"), ("刻字", "a;b"))),
        ("时间:12:30", (("时间", "12:30"),)),
        ("a:1;b:2;c:3;4", (("a", "1"), ("b", "2"), ("c", "3;4"))),
        ("红色,M", (("", "红色,M"),)),
        (" ; ", ()),
    ],
    ids=[
        "as platforms write",
        "wide marks, and one within a value",
        "a mark within a value",
        "a mark within the last of three",
        "no names",
        "nothing",
    ],
)
def test_properties_in_a_text_are_told_apart(said: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert properties(said) == pairs


@pytest.mark.parametrize(
    ("row", "note", "flag"),
    [
        ({}, None, None),
        ({"note": "", "flag": ""}, "", None),
        ({"note": None, "flag": None}, None, None),
        ({"note": "发顺丰", "flag": "3"}, "发顺丰", 3),
        ({"note": "发顺丰", "flag": "99"}, "发顺丰", 99),
        ({"note": ["发顺丰"], "flag": "red"}, None, None),
    ],
    ids=["not carried", "empty", "null", "said", "the largest", "senseless"],
)
def test_what_people_wrote_refuses_nothing(row: dict[str, Any], note: str | None, flag: int | None) -> None:
    assert (Fields(row).note("note"), Fields(row).seller_flag("flag")) == (note, flag)


@given(ANYTHING)
def test_no_note_flag_or_property_is_ever_refused(value: object) -> None:
    fields = Fields({"x": value})

    assert fields.note("x") is None or isinstance(fields.note("x"), str)
    assert fields.seller_flag("x") in (None, *range(100))
    assert fields.properties("x") is None or isinstance(value, str)


def test_a_single_finding_of_pydantic_speaks_of_no_more() -> None:
    with pytest.raises(ValidationError) as found:
        Message.model_validate({"pieces": "A"})

    assert "more)" not in str(problem_of(found.value))
    assert problem_of(found.value).path == "$.pieces"


def test_a_name_that_is_no_field_stands_in_no_path() -> None:
    with pytest.raises(ValidationError) as found:
        Message.model_validate({"pieces": [{"sku": "A"}]})

    problem = problem_of(found.value, leave_out=["pieces"], path="$.data")
    assert (problem.path, "field required" in str(problem)) == ("$.data[0].qty", True)


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_empty_is_absent(value: object) -> None:
    row = Fields({"a": value})

    assert (row.text_or_none("a"), row.id_or_none("a"), row.minor_or_none("a"), row.at_or_none("a")) == (None,) * 4
    assert (row.part("a"), row.parts("a")) == (None, [])
    for reader in (row.text, row.id, row.minor, row.at):
        with pytest.raises(PayloadError):
            reader("a")


def test_an_id_comes_as_a_number_or_as_its_digits_and_0_is_none() -> None:
    row = Fields({"number": 12, "text": " 012 ", "zero": 0, "zeros": "00"})

    assert (row.id("number"), row.id("text")) == ("12", "012")
    assert (row.id_or_none("zero"), row.id_or_none("zeros")) == (None, None)


@pytest.mark.parametrize("value", [True, 12.0, -12, "-12", "1２", "12a"])
def test_what_is_not_all_digits_is_no_id(value: object) -> None:
    with pytest.raises(PayloadError, match="expected an id of digits"):
        Fields({"a": value}).id_or_none("a")


def test_no_amount_of_an_order_is_below_nothing() -> None:
    assert (Fields({"a": "0.00"}).minor("a"), Fields({"a": "0.01"}).minor("a")) == (0, 1)
    with pytest.raises(PayloadError, match=r"expected an amount from 0\.00"):
        Fields({"a": "-0.01"}).minor("a")


def test_what_decides_nothing_is_left_out_where_it_makes_no_sense() -> None:
    row = Fields({"amount": "12.50", "odd": 12.5, "name": "Mug"})

    assert (row.side_minor("amount"), row.side_minor("odd"), row.side_minor("none")) == (1250, None, None)
    assert (row.side_text("name"), row.side_text("odd"), row.side_text("none")) == ("Mug", None, None)


def test_an_object_is_no_list_and_a_list_no_object() -> None:
    row = Fields({"list": [], "object": {}, "mixed": [{}, 1]})

    assert (row.parts("list"), row.part("object")) == ([], Fields({}, "$.object"))
    for name in ("object", "mixed"):
        with pytest.raises(PayloadError, match="expected a list of objects"):
            row.parts(name)
    with pytest.raises(PayloadError, match="expected an object, found other list"):
        row.part("list")
