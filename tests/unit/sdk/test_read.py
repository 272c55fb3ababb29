"""What platforms send is read exactly, or refused with the path of the field and without a word of its contents."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.read import Fields, choice, enumeration, instant, local, minor, problem_of, properties, text, whole

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


@pytest.mark.parametrize("value", ["2026-03-02T12:00:00+08:00", "2026-03-02T04:00:00Z"])
def test_an_instant_with_its_offset_is_read(value: str) -> None:
    assert instant(value, path="$") == NOON


@pytest.mark.parametrize("value", ["2026-03-02T12:00:00", "0001-01-01T00:00:00Z", 1772424000, None, "noon"])
def test_an_instant_without_offset_or_of_no_shop_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match="expected an instant like 2026-03-02T16:00:00"):
        instant(value, path="$.at")


def test_a_local_time_is_read_in_its_zone() -> None:
    assert local("2026-03-02 12:00:00", BEIJING, path="$") == NOON
    with pytest.raises(PayloadError, match="expected a time like"):
        local("2026-02-30 12:00:00", BEIJING, path="$")


def test_whole_numbers_come_as_numbers_or_digits_within_bounds() -> None:
    assert (whole(3, path="$"), whole("3", path="$")) == (3, 3)
    for value in (True, 3.0, "3.0", "-1", -1, None, "", 10**10):
        with pytest.raises(PayloadError, match="expected a number from 0"):
            whole(value, path="$")


class Light(StrEnum):
    """What a light shows."""

    RED = "red"


def test_a_word_is_looked_up_and_an_unknown_one_is_named() -> None:
    assert choice("r", {"r": Light.RED}, path="$.status") is Light.RED
    assert enumeration("red", Light, path="$.light") is Light.RED
    with pytest.raises(PayloadError, match="unknown status 'blue'"):
        choice("blue", {"r": Light.RED}, path="$.status")


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
        ("红色,M", (("", "红色,M"),)),
        (" ; ", ()),
    ],
    ids=["as platforms write", "wide marks, and one within a value", "a mark within a value", "no names", "nothing"],
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
        ({"note": ["发顺丰"], "flag": "red"}, None, None),
    ],
    ids=["not carried", "empty", "null", "said", "senseless"],
)
def test_what_people_wrote_refuses_nothing(row: dict[str, Any], note: str | None, flag: int | None) -> None:
    assert (Fields(row).note("note"), Fields(row).seller_flag("flag")) == (note, flag)


@given(ANYTHING)
def test_no_note_flag_or_property_is_ever_refused(value: object) -> None:
    fields = Fields({"x": value})

    assert fields.note("x") is None or isinstance(fields.note("x"), str)
    assert fields.seller_flag("x") in (None, *range(100))
    assert fields.properties("x") is None or isinstance(value, str)
