"""Order numbers made from a pattern."""

from datetime import UTC, datetime

import pytest

from erpsync.core.numbering import number, prefix

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


def test_numbers_that_outgrow_their_width_only_get_longer() -> None:
    assert number("S{seq:02}", 12345) == "S12345"
