"""An approval is for what was seen, and nothing personal is in what is kept of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erpsync.core.rules import Condition, Effects, Every, Operator, Some, approval_digest
from tests.unit.core.rules.builders import NOW, asks, order, rule, verdict

LARGE = asks("total", Operator.GE, Decimal(3000))
BRUSH = Some((asks("seller_flag", Operator.ONE_OF, Decimal(5)), asks("buyer_orders_24h", Operator.GT, Decimal(5))))


def digest(when: Condition, key: Any = str.upper, **said: Any) -> str:
    (hold,) = verdict([rule(when, Effects(hold="look", ask=True))], order(**said)).holds
    return approval_digest(hold, key)


def test_an_approval_stands_while_the_facts_that_were_seen_are_the_same() -> None:
    assert digest(LARGE, total=Decimal(3500)) == digest(LARGE, total=Decimal("3500.00"), units=9)


def test_an_approval_ends_when_a_fact_that_was_seen_changes() -> None:
    assert digest(LARGE, total=Decimal(3500)) != digest(LARGE, total=Decimal(3501))


def test_an_approval_of_one_ground_is_none_of_another() -> None:
    flagged = digest(BRUSH, seller_flag=5)

    assert flagged == digest(BRUSH, seller_flag=5, buyer_orders_24h=3)
    assert flagged != digest(BRUSH, seller_flag=5, buyer_orders_24h=6)


def test_an_approval_outlives_the_time_that_passes() -> None:
    late = Every((asks("paid_min", Operator.GE, Decimal(15)), asks("clock", Operator.WITHIN, 0, 1439)))
    rules = [rule(late, Effects(hold="look", ask=True))]
    digests = {
        approval_digest(verdict(rules, now=NOW + timedelta(minutes=minutes)).holds[0], str.upper)
        for minutes in (0, 7, 60)
    }

    assert len(digests) == 1


def test_an_approval_outlives_the_ground_that_time_takes_away() -> None:
    odd = Some((asks("paid_min", Operator.LT, Decimal(70)), asks("seller_flag", Operator.ONE_OF, Decimal(5))))
    rules, flagged = [rule(odd, Effects(hold="look", ask=True))], order(seller_flag=5)
    first, later = (verdict(rules, flagged, NOW + timedelta(minutes=minutes)) for minutes in (0, 60))

    assert first.look_at is None  # nothing changes by itself, so nobody looks again
    assert first.holds == later.holds


def test_an_approval_of_an_address_ends_when_the_address_is_another_one() -> None:
    short = asks("address", Operator.HAS, "too_short")
    said: dict[str, Any] = {"address": frozenset({"too_short"})}

    assert digest(short, recipient="Li 1 Road", **said) != digest(short, recipient="Li 2 Road", **said)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (asks("seller_note", Operator.CONTAINS, "SF"), {"seller_note": "SF, Li"}),
        (asks("address", Operator.HAS, "too_short"), {"address": frozenset({"too_short"}), "recipient": "Li"}),
    ],
)
def test_notes_and_addresses_go_into_a_digest_by_its_key_only(when: Condition, said: dict[str, Any]) -> None:
    assert digest(when, lambda _: "1", **said) != digest(when, lambda _: "2", **said)


def test_facts_in_clear_need_no_key() -> None:
    assert digest(LARGE, lambda _: "1", total=Decimal(3500)) == digest(LARGE, lambda _: "2", total=Decimal(3500))


def test_what_is_said_of_a_note_is_the_rules_word_and_never_the_note() -> None:
    noted = asks("seller_note", Operator.CONTAINS, "SF")
    found = verdict([rule(noted, Effects(hold="look", ask=True))], order(seller_note="Li Lei wants SF"))

    assert "Li Lei" not in repr(found)
    assert [(clause.fact, clause.word) for clause in found.because[0].clauses] == [("seller_note", "SF")]


def test_who_is_not_asked_keeps_nothing_of_what_was_seen() -> None:
    assert verdict([rule(LARGE)], order(total=Decimal(3000))).holds[0].seen == ()
