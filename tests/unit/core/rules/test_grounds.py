"""What decided a rule, with what stands in the order: whether each comparison is so, and what nobody is shown."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from erpsync.core.facts import UNKNOWN, On
from erpsync.core.rules import (
    Comparison,
    Condition,
    Effects,
    Every,
    Ground,
    Operator,
    Opposite,
    Rule,
    Some,
    compile_book,
    grounds_of,
    judge,
)
from tests.unit.core.rules.builders import NOW, SHANGHAI, ZONES, order

TOTAL = Comparison(fact="total", operator=Operator.GE, words=(Decimal(50),))
REMOTE = Comparison(fact="zone", operator=Operator.HAS, words=("remote",))
TAGGED = Comparison(fact="tag", operator=Operator.HAS, words=("dear",))
NOTED = Comparison(fact="seller_note", operator=Operator.CONTAINS, words=("VIP",))
JUST_PAID = Comparison(fact="paid_min", operator=Operator.LT, words=(90,))


def rule(id: str, when: Condition, *tags: str, **more: Any) -> Rule:
    return Rule(id=id, when=when, then=Effects(tag=tags), **more)


def grounds(*rules: Rule, of: str, **said: Any) -> list[tuple[str, bool | None, str | None]]:
    """Return what decided a rule: fact, whether it is so, and what stands in the order."""
    book, facts = compile_book(rules, ZONES, SHANGHAI), order(**said)
    verdict = judge(book, facts, NOW)
    [because] = [each for each in verdict.because if each.rule == of]
    found: list[Ground] = grounds_of(book, facts, verdict, because, NOW.astimezone(SHANGHAI))
    return [(each.clause.fact, each.holds, each.value) for each in found]


def test_what_a_rule_matched_on_is_so() -> None:
    assert grounds(rule("big", TOTAL), of="big") == [("total", True, "99.00")]


def test_what_a_rule_did_not_match_on_is_not_so() -> None:
    assert grounds(rule("big", TOTAL), of="big", total=Decimal("12.50")) == [("total", False, "12.50")]


def test_below_a_not_what_is_not_so_speaks_for_the_rule() -> None:
    big = rule("big", Every((TOTAL, Opposite(REMOTE))))

    assert grounds(big, of="big") == [("total", True, "99.00"), ("zone", False, "near")]
    assert grounds(big, of="big", province="新疆") == [("zone", True, "remote")]


def test_below_two_nots_it_is_as_without() -> None:
    twice = rule("twice", Opposite(Opposite(TOTAL)))

    assert grounds(twice, of="twice") == [("total", True, "99.00")]


def test_of_alternatives_those_that_are_so_decided() -> None:
    assert grounds(rule("any", Some((TOTAL, REMOTE))), of="any") == [("total", True, "99.00")]


def test_what_is_not_known_is_neither() -> None:
    assert grounds(rule("big", TOTAL), of="big", total=UNKNOWN) == [("total", None, "unknown")]


def test_tags_of_the_rules_above_are_seen_and_not_those_below() -> None:
    rules = rule("big", TOTAL, "dear"), rule("look", TAGGED), rule("below", TOTAL, "late")

    assert grounds(*rules, of="look", tag=frozenset({"VIP"})) == [("tag", True, "VIP, dear")]


def test_what_people_wrote_is_shown_nowhere() -> None:
    assert grounds(rule("vip", NOTED), of="vip", seller_note="VIP 张总") == [("seller_note", True, None)]


def test_time_is_said_in_the_units_of_the_rule() -> None:
    paid = NOW - timedelta(minutes=89, seconds=59)

    assert grounds(rule("settle", JUST_PAID), of="settle", paid_at=paid) == [("paid_min", True, "89")]


def test_a_rule_whose_time_is_over_says_until_when_it_counted() -> None:
    over = rule("over", TOTAL, until_at=NOW)

    assert [(fact, holds) for fact, holds, _ in grounds(over, of="over")] == [("now", False)]


def test_of_what_is_judged_with_a_parcel_nothing_is_said() -> None:
    many = Comparison(fact="units", operator=Operator.GT, words=(3,))
    heavy = Rule(id="heavy", on=On.PARCEL, when=many, then=Effects(carrier=("SF",)))

    assert grounds(heavy, of="heavy") == []
