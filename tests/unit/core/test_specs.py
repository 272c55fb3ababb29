"""What is read of a custom line, and what is said where it cannot be."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.specs import Allow, Parameter, SpecProblem, SpecSource, Texts, canonical, read

BUYER = SpecSource(kind="buyer_note", after=("刻:", "刻："))
SELLER = SpecSource(kind="seller_note", after=("刻:",))
PROPERTY = SpecSource(kind="property", name="刻字")
TEXT = Parameter(
    name="text",
    sources=(PROPERTY, BUYER, SELLER),
    required=True,
    max_chars=12,
    allow=Allow(letters=True, digits=True, also=" ·"),
)
SIZE = Parameter(
    name="size",
    sources=(SpecSource(kind="property", name="尺码"),),
    one_of={"S": ("小",), "M": ("中",), "L": ("大", "Large")},
    default="M",
)


def text_of(parameter: Parameter = TEXT, **texts: object) -> str | SpecProblem:
    got = read([parameter], Texts(**texts))  # type: ignore[arg-type]
    return got.problems[0] if got.problems else got.values[parameter.name]


def problem(rule: str, source: str) -> SpecProblem:
    return SpecProblem("text", rule, source)  # type: ignore[arg-type]


def test_the_first_source_that_names_a_value_counts_and_is_told() -> None:
    got = read([TEXT, SIZE], Texts(properties=[("刻字", "小明"), ("尺码", "大")], buyer_note="刻:小红"))

    assert got.values == {"text": "小明", "size": "L"}
    assert got.sources == {"text": "property 刻字", "size": "property 尺码"}
    assert got.problems == ()


@pytest.mark.parametrize(
    ("note", "value"),
    [
        ("刻:小明", "小明"),
        ("请刻： 小明  \n谢谢", "小明"),
        ("刻：Ｌｏｖｅ　１", "Love 1"),
        ("谢谢\r\n刻:Zoë·R", "Zoë·R"),
        ("刻:  \n刻:小明", "小明"),
        ("刻:小明\n刻：小明", "小明"),
    ],
)
def test_a_note_is_read_behind_its_mark_to_the_end_of_the_line(note: str, value: str) -> None:
    assert text_of(buyer_note=note) == value


def test_a_value_may_end_with_its_word() -> None:
    word = replace(TEXT, sources=(SpecSource(kind="buyer_note", after=("刻:",), until="word"),))

    assert text_of(word, buyer_note="刻: 小明 要快") == "小明"


@pytest.mark.parametrize(
    ("texts", "rule", "source"),
    [
        ({}, "required", "property 刻字, buyer_note, seller_note"),
        ({"buyer_note": "刻: "}, "required", "property 刻字, buyer_note, seller_note"),
        ({"buyer_note": "刻:" + "长" * 13}, "max_chars", "buyer_note"),
        ({"properties": [("刻字", "a@b")]}, "allow", "property 刻字"),
        ({"properties": [("刻字", "a\u202eb")]}, "allow", "property 刻字"),
        ({"buyer_note": "刻:小明\n刻:小红"}, "several", "buyer_note"),
        ({"buyer_note": "刻:小明 刻:小红"}, "several", "buyer_note"),
        ({"buyer_note": "刻:小明", "seller_note": "刻:小红"}, "differ", "buyer_note, seller_note"),
        ({"properties": [("刻字", "小明")], "seller_note": "刻:小红"}, "differ", "property 刻字, seller_note"),
    ],
)
def test_a_problem_names_parameter_rule_and_source(texts: dict[str, object], rule: str, source: str) -> None:
    assert text_of(**texts) == problem(rule, source)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_problem_never_tells_what_was_written(property_text: str, note: str) -> None:
    got = read([TEXT], Texts(properties=[("刻字", property_text)], buyer_note=f"刻:{note}", seller_note="刻:ab"))

    assert all(each.source in {*SOURCES} for each in got.problems)
    assert bool(got.problems) != bool(got.values)


SOURCES = [
    "property 刻字",
    "buyer_note",
    "seller_note",
    "property 刻字, seller_note",
    "buyer_note, seller_note",
    "property 刻字, buyer_note, seller_note",
]


@pytest.mark.parametrize(("written", "value"), [("ｌ", "L"), ("large", "L"), ("小 ", "S"), ("M", "M")])
def test_a_choice_is_found_by_any_of_its_names(written: str, value: str) -> None:
    assert text_of(SIZE, properties=[("尺码", written)]) == value


def test_what_is_no_choice_is_a_problem_and_silence_is_the_default() -> None:
    assert text_of(SIZE, properties=[("尺码", "XL")]) == SpecProblem("size", "one_of", "property 尺码")
    assert read([SIZE], Texts()).sources == {"size": "default"}


def test_buyer_and_seller_who_mean_the_same_choice_agree() -> None:
    both = replace(SIZE, sources=(BUYER, SELLER))

    assert text_of(both, buyer_note="刻:大", seller_note="刻:large") == "L"


def test_a_parameter_that_nobody_named_may_be_left_out() -> None:
    got = read([replace(TEXT, required=False)], Texts())

    assert (got.values, got.problems) == ({}, ())


def test_what_a_person_of_ours_says_wins_and_is_checked_like_all_else() -> None:
    texts = Texts(buyer_note="刻:小明", seller_note="刻:小红")

    assert read([TEXT], texts, {"text": " 小刚 "}).values == {"text": "小刚"}
    assert read([TEXT], texts, {"text": "a=b"}).problems == (problem("allow", "specified"),)
    assert read([TEXT], texts, {"text": ""}).problems == (problem("required", "specified"),)


def test_digits_and_letters_are_allowed_apart() -> None:
    digits = replace(TEXT, allow=Allow(digits=True, also="-"))

    assert text_of(digits, buyer_note="刻:１２-3") == "12-3"
    assert text_of(digits, buyer_note="刻:12a") == problem("allow", "buyer_note")


def test_a_long_note_full_of_marks_is_read_in_no_time() -> None:
    assert text_of(buyer_note="刻:" * 50_000 + "小明") == "小明"


def test_a_spec_is_the_same_text_in_whatever_order_it_was_read() -> None:
    assert (
        canonical({"text": "小明", "size": "L"})
        == canonical({"size": "L", "text": "小明"})
        == '{"size":"L","text":"小明"}'
    )
