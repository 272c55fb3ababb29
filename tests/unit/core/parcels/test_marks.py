"""What the marks of an order say about its parcels, and which of them cannot be read."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.parcels import NO_MARKS, OrderMarks, PartMark, read_marks


def test_marks_say_what_is_sealed_wished_for_and_kept_apart() -> None:
    marks = {
        "seal": "merge split",
        "carrier": "EMS POST",
        "part:frozen": '{"sku_tag": ["frozen", "chilled"]}',
        "part:china": '{"sku": ["CUP-*"]}',
        "tag:VIP": "",
        "warehouse": "SH",
    }

    assert read_marks(marks) == OrderMarks(
        no_merge=True,
        no_split=True,
        carrier=("EMS", "POST"),
        parts=(
            PartMark(name="china", by="sku", words=("CUP-*",)),
            PartMark(name="frozen", by="sku_tag", words=("frozen", "chilled")),
        ),
    )


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ({}, NO_MARKS),
        ({"seal": "merge"}, OrderMarks(no_merge=True)),
        ({"seal": "split"}, OrderMarks(no_split=True)),
        ({"void": ""}, OrderMarks(void=True)),
    ],
)
def test_each_mark_says_one_thing(marks: dict[str, str], said: OrderMarks) -> None:
    assert read_marks(marks) == said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seal", ""),
        ("seal", "merge everything"),
        ("part:", '{"sku": ["A"]}'),
        ("part:x", ""),
        ("part:x", "frozen"),
        ("part:x", "[" * 100_000),
        ("part:x", '["sku"]'),
        ("part:x", '{"sku": "A"}'),
        ("part:x", '{"sku": []}'),
        ("part:x", '{"sku": [""]}'),
        ("part:x", '{"sku": [1]}'),
        ("part:x", '{"weight_g": ["5"]}'),
        ("part:x", '{"sku": ["A"], "sku_tag": ["b"]}'),
    ],
)
def test_a_mark_that_cannot_be_read_is_kept_by_name(name: str, value: str) -> None:
    assert read_marks({name: value}).unreadable == (name,)


def test_a_part_is_about_its_own_skus_and_tags_only() -> None:
    by_sku = PartMark(name="x", by="sku", words=("CUP", "PLATE-*"))
    by_tag = PartMark(name="x", by="sku_tag", words=("frozen",))

    assert [by_sku.takes(sku, ("CUP",)) for sku in ("CUP", "CUPS", "PLATE-1", "PLATE-", "PLATE")] == [
        True, False, True, True, False,
    ]  # fmt: skip
    assert [by_tag.takes("frozen", tags) for tags in ((), ("frozen",), ("fresh", "frozen"), ("frozen-fish",))] == [
        False, True, True, False,
    ]  # fmt: skip


TEXTS = st.text('{}[]":, skutagmerpli*', max_size=12)
WORDS = st.none() | st.integers() | TEXTS | st.lists(TEXTS | st.integers(), max_size=3)
VALUES = TEXTS | (WORDS | st.dictionaries(st.sampled_from(["sku", "sku_tag", "x"]), WORDS)).map(json.dumps)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["seal", "part:a", "part:b", "carrier"]), VALUES))
def test_no_text_in_a_mark_is_an_error(marks: dict[str, str]) -> None:
    read_marks(marks)
