"""Order numbers made from a pattern."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.numbering import meeting, number, prefix

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "made"),
    [
        ("S{yyyymmdd}{seq:06}", "S20260302000042"),
        ("{channel}-{yyyy}{mm}{dd}-{seq}", "tmall-20260302-42"),
        ("{seq:02}", "42"),
    ],
)
def test_a_number_follows_its_pattern(pattern: str, made: str) -> None:
    assert number(prefix(pattern, channel="tmall", at=AT), 42) == made


def test_a_number_without_a_width_is_as_long_as_it_is() -> None:
    assert number("S{seq}", 4) == "S4"


def test_numbers_that_outgrow_their_width_only_get_longer() -> None:
    assert number("S{seq:02}", 12345) == "S12345"


DAILY = "{channel}{yyyymmdd}{seq}"


@pytest.mark.parametrize(
    ("one", "other", "met"),
    [
        (("shop", "{channel}{seq}"), ("shop1", "{channel}{seq}"), "shop11"),
        (("shop1", "{channel}{seq}"), ("shop", "{channel}{seq}"), "shop11"),
        (("shop", "{channel}-{seq}"), ("shop1", "{channel}-{seq}"), None),
        (("shop", "S{yyyymmdd}{seq:06}"), ("shop1", "S{yyyymmdd}{seq:06}"), None),
        (("shop", "S{yyyymmdd}{seq}"), ("shop1", "S{yyyy}{mm}{dd}{seq}"), None),
        (("shop", "S{seq:06}"), ("jd", "S{seq:05}"), "S111111"),
        (("shop", "A{seq}"), ("jd", "A0{seq}"), None),
        (("shop", "A{seq:02}"), ("jd", "A0{seq}"), "A01"),
        (("jd", "A0{seq}"), ("shop", "A{seq:02}"), "A01"),
        (("shop", "A{seq}"), ("jd", "A{yyyymmdd}{seq:06}"), None),
        (("shop", "A{mm}{dd}{seq}"), ("jd", "A{seq:05}"), "A00001"),
        (("shop", DAILY), ("shop1", DAILY), None),
        (("shop", DAILY), ("shop2", DAILY), "shop2211010111"),
        (("shop", "S{seq}"), ("jd", "J{seq}"), None),
    ],
)
def test_two_channels_can_make_one_number_or_never(
    one: tuple[str, str], other: tuple[str, str], met: str | None
) -> None:
    assert meeting(one, other) == met


@given(st.sampled_from(["shop", "shop1", "shop12"]), st.sampled_from(["{channel}{seq}", "{channel}{seq:03}", DAILY]))
def test_a_channel_never_meets_itself(channel: str, pattern: str) -> None:
    assert meeting((channel, pattern), (channel, pattern)) is None
