"""What single cells say: exact or refused."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.csv_drop.mapping.cells import (
    currency_code,
    exact_minor,
    identifier,
    minor_units,
    quantity,
    whole_minor,
)
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sheets import clean, instant

BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("123", "123"),
        (" 123\t", "123"),
        ('="123"', "123"),
        ("'123", "123"),
        ("\t123", "123"),
        ("\u3000红茶\u3000", "红茶"),
        ("\ufeff1", "1"),
        ("00123", "00123"),
    ],
)
def test_what_spreadsheet_programs_put_around_text_is_taken_off(written: str, meant: str) -> None:
    assert clean(written) == meant


@pytest.mark.parametrize("text", ["1.23E+17", "1.23e+17", "1,23E+17", "1E+17", "-1.2E+3"])
def test_an_id_whose_digits_a_spreadsheet_program_cut_is_refused(text: str) -> None:
    with pytest.raises(PayloadError, match=r"cut the digits of this number to"):
        identifier(text, "external_id")


@pytest.mark.parametrize("text", ["12E3", "E+17", "1.23E17", "A1.2E+3", "0012", "123456789012345678901234567890"])
def test_codes_that_only_look_like_exponents_stay(text: str) -> None:
    assert identifier(text, "channel_sku") == text


@pytest.mark.parametrize(("text", "qty"), [("1", 1), ("2.00", 2), ("1,000", 1000), ("１２", 12), ("+3", 3)])
def test_whole_quantities_are_read(text: str, qty: int) -> None:
    assert quantity(text, "qty") == qty


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "abc", "1e3", "nan", "10000000000", "1,00", "١"])
def test_other_quantities_are_refused(text: str) -> None:
    with pytest.raises(PayloadError) as caught:
        quantity(text, "qty")
    assert caught.value.path == "qty"


def test_a_quantity_out_of_bounds_says_which_way() -> None:
    assert quantity("1000000000", "qty") == 1_000_000_000
    assert quantity("0", "qty", least=0) == 0
    with pytest.raises(PayloadError, match="is too large"):
        quantity("1000000001", "qty")
    with pytest.raises(PayloadError, match="must be 2 or more, is 1"):
        quantity("1", "qty", least=2)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("12.50", 1250),
        ("12.5", 1250),
        ("12", 1200),
        (".5", 50),
        ("0", 0),
        ("0.0", 0),
        ("¥1,234.50", 123450),
        ("￥12.00", 1200),
        ("12.00元", 1200),
        ("CNY 12.00", 1200),
        ("１２．５０", 1250),
        ("12.500", 1250),
        ("", None),
    ],
)
def test_amounts_are_exact(text: str, minor: int | None) -> None:
    """Failures row 25."""
    assert minor_units(text, "CNY", "total") == minor


@pytest.mark.parametrize(
    "text", ["12,50", "1.234,50", "12.345", "-1", "-0.01", "1e3", "abc", "12.5.0", "1,23,456", "inf", "9" * 18]
)
def test_amounts_that_could_mean_two_things_are_refused(text: str) -> None:
    with pytest.raises(PayloadError) as caught:
        minor_units(text, "CNY", "total")
    assert caught.value.path == "total"


@pytest.mark.parametrize(
    ("currencies", "minor"),
    [
        ("JPY KRW VND CLP ISK PYG XOF", 1200),
        ("CNY USD EUR", 120000),
        ("BHD IQD JOD KWD OMR TND", 1200000),
        ("UYW", 12000000),
    ],
)
def test_minor_units_follow_the_currency(currencies: str, minor: int) -> None:
    assert {minor_units("1,200", currency, "total") for currency in currencies.split()} == {minor}


def test_an_amount_has_at_most_a_quadrillion_minor_units() -> None:
    assert minor_units("10000000000000.00", "CNY", "total") == 10**15
    assert exact_minor("-10000000000000.00", "CNY", "total") == -(10**15)
    for text in ("10000000000000.01", "-10000000000000.01"):
        with pytest.raises(PayloadError, match="amount is too large"):
            exact_minor(text, "CNY", "total")


@pytest.mark.parametrize(("exact", "whole"), [("2.5", 3), ("-2.5", -3), ("2.49", 2), ("-2.51", -3), ("7", 7)])
def test_parts_of_a_minor_unit_are_rounded_halves_away_from_zero(exact: str, whole: int) -> None:
    assert whole_minor(Decimal(exact)) == whole


def test_a_discount_may_be_written_with_or_without_its_minus() -> None:
    assert minor_units("-5.00", "CNY", "discount", signed=True) == 500
    assert minor_units("5.00", "CNY", "discount", signed=True) == 500


@given(st.integers(min_value=0, max_value=10**14))
def test_no_amount_is_ever_off_by_a_cent(minor: int) -> None:
    """Failures row 25."""
    assert minor_units(f"{Decimal(minor) / 100:,.2f}", "CNY", "total") == minor


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 16:00:00",
        "2026-03-02T16:00:00",
        "2026/03/02 16:00:00",
        "2026/3/2 16:00",
        "2026年3月2日 16:00:00",
        "20260302160000",
        "2026-03-02T08:00:00Z",
        "2026-03-02T03:00:00-05:00",
    ],
)
def test_usual_ways_to_write_an_instant_mean_the_same(text: str) -> None:
    """Failures row 12."""
    assert instant(text, (), BEIJING, "paid_at") == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "0000-00-00 00:00:00"])
def test_no_instant_is_no_instant(text: str) -> None:
    assert instant(text, (), BEIJING, "paid_at") is None


@pytest.mark.parametrize("text", ["yesterday", "02/03/2026", "43892.5", "1900-01-01", "9999-12-31 00:00:00", "13:00"])
def test_instants_that_could_mean_anything_are_refused(text: str) -> None:
    with pytest.raises(PayloadError) as caught:
        instant(text, (), BEIJING, "paid_at")
    assert caught.value.path == "paid_at"


def test_formats_of_the_operator_come_first() -> None:
    got = instant("12/1/2010 10:03", ("%m/%d/%Y %H:%M",), ZoneInfo("Europe/London"), "placed_at")

    assert got == datetime(2010, 12, 1, 10, 3, tzinfo=UTC)


def test_a_currency_is_three_letters() -> None:
    assert currency_code("cny") == "CNY"
    with pytest.raises(PayloadError):
        currency_code("¥")


@pytest.mark.parametrize("text", ["王小明", "13800138000", "世纪大道1号", "a@example.com"])
def test_no_message_repeats_what_could_be_a_persons(text: str) -> None:
    with pytest.raises(PayloadError) as refused:
        quantity(text, "qty")
    with pytest.raises(PayloadError) as caught:
        instant(text, (), BEIJING, "paid_at")

    assert text not in f"{refused.value} {caught.value}"


@pytest.mark.parametrize(
    "text", ["null", "NULL", "--", "-", "无", "None", "N/A", "(null)", "\\N", '="null"', "'--", " null\t"]
)
def test_a_word_that_stands_for_nothing_is_nothing(text: str) -> None:
    assert clean(text) == ""


@pytest.mark.parametrize("text", ["Nullah", "NA", "-5", "A-1", "nonesuch", "无糖茶"])
def test_words_that_only_look_like_nothing_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "text", ['="00123"', "'00123", "`00123", "\u201900123", "００１２３", " 00123\t", "\ufeff00123"]
)
def test_a_number_is_read_without_what_programs_put_around_it(text: str) -> None:
    assert clean(text) == "00123"
