from datetime import UTC, datetime
from decimal import Decimal

from erpsync.sdk.digest import digest_of


def test_the_order_of_keys_does_not_count() -> None:
    assert digest_of({"a": 1, "b": {"c": 2, "d": 3}}) == digest_of({"b": {"d": 3, "c": 2}, "a": 1})


def test_every_value_counts() -> None:
    rows = [{"a": 1}, {"a": "1"}, {"a": None}, {}, {"a": [1]}, {"a": True}, {"a": "中"}, {"b": 1}]

    assert len({digest_of(row) for row in rows}) == len(rows)


def test_a_digest_is_32_hex_characters_and_never_changes_between_versions() -> None:
    """Digests are stored; another one for the same row would read every order again."""
    assert digest_of({"tid": 1, "title": "茶"}) == "def16472c2587add289ec2e554dc7b42"


def test_values_outside_json_count_as_their_text() -> None:
    assert digest_of({"a": Decimal("1.50")}) == digest_of({"a": "1.50"})
    assert digest_of({"a": datetime(2026, 3, 2, tzinfo=UTC)}) != digest_of({"a": datetime(2026, 3, 3, tzinfo=UTC)})


def test_broken_unicode_of_a_platform_has_a_digest_too() -> None:
    assert len(digest_of({"a": "\ud800"})) == 32
