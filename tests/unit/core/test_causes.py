"""Errors of one cause are alike once what differs from one record to the next is taken out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.causes import MOST_CHARS, cause_of, group_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 3310044 has 3 lines", "order 3310045 has 12 lines"),
        ("$.trade[0].total: expected an amount", "$.trade[17].total: expected an amount"),
        ("the shop refuses 'ABC': off the shelf", "the shop refuses 'X Y Z': off the shelf"),
        ('no line "a" in it', 'no line "b" in it'),
        ("订单“甲”找不到", "订单“乙”找不到"),
        ("orders-0302.csv:17: too short", "orders-0303.csv:4: too short"),
        ("no answer from https://a.example/x?y", "no answer from https://b.example/"),
        ("since 2026-03-02T08:25:00Z", "since 2026-03-03T01:00:00+08:00"),
        ("lines 1, 2, 3 are wrong", "lines 7 are wrong"),
        ("the total   is\nwrong", "the total is wrong"),
    ],
)
def test_numbers_ids_instants_and_quoted_texts_do_not_count(one: str, other: str) -> None:
    assert cause_of(one) == cause_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("expected an amount, found text", "expected a date, found text"),
        ("$.total: expected an amount", "$.payment: expected an amount"),
        ("the buyer's name is missing", "the buyer's phone is missing"),
    ],
)
def test_what_is_said_in_words_counts(one: str, other: str) -> None:
    assert cause_of(one) != cause_of(other)


def test_a_cause_reads_as_the_error_does() -> None:
    assert cause_of("order 3310044: expected an amount like 12.50, found text") == (
        "order …: expected an amount like …, found text"
    )


def test_the_same_error_of_another_kind_is_another_group() -> None:
    assert group_of("order", "no") != group_of("refund", "no")
    assert group_of("order", "no") == group_of("order", "no")
    assert len(group_of("order", "\udcff")) == 12


@given(st.text(max_size=5000))
def test_a_cause_is_short_whatever_a_channel_says(error: str) -> None:
    assert len(cause_of(error)) <= MOST_CHARS
