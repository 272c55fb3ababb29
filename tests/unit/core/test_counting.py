"""When a count is so far from what is known that a person should look."""

import pytest

from erpsync.core.counting import is_far
from erpsync.core.policy import CountPolicy


@pytest.mark.parametrize(
    ("before", "after", "far"),
    [(3, 3000, True), (3000, 3, True), (500, 1501, False), (100, 601, True), (100, 600, False), (0, 11, True)],
    ids=["rose", "fell", "within the share", "beyond both", "at the share", "from nothing"],
)
def test_a_count_is_far_off_beyond_both_limits_whichever_way(before: int, after: int, far: bool) -> None:
    assert is_far(before, after, CountPolicy(ask_units=10, ask_share=5.0)) is far


def test_few_units_are_never_far_off() -> None:
    assert not is_far(0, 10, CountPolicy(ask_units=10, ask_share=5.0))
