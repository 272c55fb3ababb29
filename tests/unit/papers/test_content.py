"""What templates are given of records: every text fit for paper, nothing that was not asked for."""

import json
import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.papers.content import amount, content, cut, plain
from erpsync.papers.records import PackData, PaperData, PickData, PickLine
from erpsync.papers.samples import SAMPLES
from erpsync.papers.style import STYLES, PaperName
from tests.support.papers import line, slip

EVERY = [(name, sample) for name, samples in SAMPLES.items() for sample in samples]


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WFA" else 1 for sign in text)


def keys(value: object) -> object:
    """Return a value with its texts and numbers taken out: what keys it has, at every depth."""
    if isinstance(value, dict):
        return {key: keys(below) for key, below in value.items()}
    return [keys(value[0])] if isinstance(value, list | tuple) and value and isinstance(value[0], dict) else None


def test_a_title_of_three_hundred_signs_is_cut_with_an_ellipsis() -> None:
    made = content(slip("R1", line(title="茶" * 300)), STYLES["slip"])

    assert made["lines"][0]["title"] == "茶" * 47 + "…"


def test_a_short_title_is_not_cut() -> None:
    assert cut("茶" * 48, 96) == "茶" * 48
    assert cut("tea", 96) == "tea"


@given(st.text(), st.integers(min_value=2, max_value=40))
def test_a_cut_text_is_never_wider_than_it_may_be_and_begins_as_it_did(text: str, most: int) -> None:
    shown = cut(text, most)

    assert width(shown) <= most
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]))


@given(st.text(alphabet=st.characters()))
def test_whatever_a_text_holds_it_becomes_one_line_that_json_takes(text: str) -> None:
    shown = plain(text)

    json.dumps(shown, ensure_ascii=False).encode()
    assert not any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in shown)
    assert plain(shown.replace("\u200b", "")) == shown


def test_marks_that_turn_a_line_round_are_left_out() -> None:
    assert plain("A\u202eB\u2066C\u200fD") == "ABCD"


def test_a_long_code_gets_places_to_break_and_a_number_never_does() -> None:
    made = content(slip("R" * 40, line(sku="S" * 45)), STYLES["slip"])

    assert made["number"] == "R" * 40
    assert made["lines"][0]["sku"].replace("\u200b", "") == "S" * 45
    assert max(map(len, made["lines"][0]["sku"].split("\u200b"))) == 10


def test_half_an_emoji_is_a_mark_that_something_was_there() -> None:
    assert plain("杯\ud83c") == "杯\ufffd"


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (1250, "CNY", "¥12.50"),
        (123_456_789, "CNY", "¥1,234,567.89"),
        (-500, "CNY", "-¥5.00"),
        (1250, "USD", "12.50 USD"),
        (1250, "JPY", "1,250 JPY"),
        (0, "CNY", "¥0.00"),
        (None, "CNY", ""),
    ],
)
def test_amounts_are_written_as_their_currency_is(minor: int | None, currency: str, shown: str) -> None:
    assert amount(minor, currency) == shown


def test_what_was_written_for_a_line_stays_out_of_a_paper_that_does_not_ask_for_it() -> None:
    engraved = slip("R1", line(spec="刻字：平安"))

    assert "平安" not in json.dumps(content(engraved, STYLES["slip"]), ensure_ascii=False)
    assert content(engraved, replace(STYLES["slip"], spec=True))["lines"][0]["spec"] == "刻字：平安"


def test_prices_stay_out_of_a_paper_that_does_not_ask_for_them() -> None:
    paid = PackData(
        number="R1", made_on=date(2026, 11, 30), lines=(line(qty=3, price_minor=4_500),), freight_minor=800,
        discount_minor=500, total_minor=13_800,
    )  # fmt: skip
    dear = content(paid, replace(STYLES["pack"], prices=True))

    assert "¥" not in json.dumps(content(paid, STYLES["pack"]), ensure_ascii=False)
    assert (dear["lines"][0]["price"], dear["lines"][0]["amount"]) == ("¥45.00", "¥135.00")
    assert (dear["freight"], dear["discount"], dear["total"]) == ("¥8.00", "-¥5.00", "¥138.00")


def test_what_the_courier_collects_is_on_a_slip_without_prices() -> None:
    assert content(slip("R1", cod_minor=30_100), STYLES["slip"])["cod"] == "¥301.00"


@pytest.mark.parametrize(("name", "sample"), EVERY)
def test_a_template_is_given_the_same_keys_whatever_the_data(name: PaperName, sample: PaperData) -> None:
    assert keys(content(sample, STYLES[name])) == keys(content(SAMPLES[name][0], STYLES[name]))


def test_a_line_that_says_no_quantity_for_a_release_of_the_wave_is_refused() -> None:
    with pytest.raises(ValueError, match="for every release"):
        PickData(number="W1", made_on=date(2026, 11, 30), releases=("R1", "R2"),
                 lines=(PickLine(sku="S", title="T", qtys=(1,)),))  # fmt: skip
