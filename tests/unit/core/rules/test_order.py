"""What the order of the rules in the file changes, and what it does not."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.rules import Comparison, Condition, Effects, Opposite, Rule, Verdict, compile_book, judge
from erpsync.core.rules.model import single_effects
from tests.unit.core.rules.builders import NOW, SHANGHAI, ZONES, facts, some_rules

many = settings(max_examples=200, deadline=None)
seeds = st.integers(0, 2**32)


def looks_above(condition: Condition) -> bool:
    """Whether a condition asks for what rules above it did."""
    if isinstance(condition, Comparison):
        return condition.fact == "tag" or condition.operator.value == "unread"
    below = (condition.of,) if isinstance(condition, Opposite) else condition.of
    return any(map(looks_above, below))


def names(found: Verdict) -> tuple[set[object], ...]:
    return (
        set(found.holds),
        {(mark.name, mark.value) for mark in found.marks},
        set(found.gifts),
        set(found.because),
        {found.look_at},
    )


@many
@given(seeds)
def test_rules_that_only_gather_and_look_at_nothing_above_say_the_same_in_any_order(seed: int) -> None:
    chance = Random(seed)
    rules = [each for each in some_rules(chance, NOW, most=8) if not looks_above(each.when)]
    rules = [each for each in rules if not single_effects(each.then)]
    shuffled = chance.sample(rules, len(rules))
    order = facts(chance, NOW)

    one, other = (judge(compile_book(each, ZONES, SHANGHAI), order, NOW) for each in (rules, shuffled))
    assert names(one) == names(other)


@many
@given(seeds)
def test_a_rule_added_below_changes_nothing_that_was_said_above(seed: int) -> None:
    chance = Random(seed)
    rules = some_rules(chance, NOW)
    order = facts(chance, NOW)
    more = replace(some_rules(chance, NOW, most=1)[0], id="more")
    book = compile_book(rules, ZONES, SHANGHAI)

    before, after = judge(book, order, NOW), judge(compile_book([*rules, more], ZONES, SHANGHAI), order, NOW)
    assert after.because[: len(rules)] == before.because
    assert [hold for hold in after.holds if hold.rule != "more"] == list(before.holds)
    assert {mark.name for mark in before.marks} <= {mark.name for mark in after.marks}


@many
@given(seeds)
def test_the_first_rule_with_a_single_effect_wins_and_every_other_is_named(seed: int) -> None:
    chance = Random(seed)
    rules: list[Rule] = some_rules(chance, NOW)
    found = judge(compile_book(rules, ZONES, SHANGHAI), facts(chance, NOW), NOW)
    matched = [each.rule for each in found.because if each.outcome == "matched"]
    having: dict[str, list[str]] = {}
    for rule in rules:
        for effect in single_effects(rule.then) if rule.id in matched else ():
            having.setdefault(effect, []).append(rule.id)

    passed = {(effect, loser, all_[0]) for effect, all_ in having.items() for loser in all_[1:]}
    assert {(each.effect, each.rule, each.won_by) for each in found.passed_over} == passed


@many
@given(seeds)
def test_a_verdict_does_not_hang_on_what_was_judged_before(seed: int) -> None:
    chance = Random(seed)
    book = compile_book(some_rules(chance, NOW), ZONES, SHANGHAI)
    orders = [facts(chance, NOW) for _ in range(3)]
    moments = [NOW, NOW + timedelta(hours=5), NOW - timedelta(hours=5), NOW]
    first = [judge(book, order, at) for order in orders for at in moments]

    assert [judge(book, order, at) for order in reversed(orders) for at in reversed(moments)] == first[::-1]


def test_effects_without_any_are_nothing() -> None:
    assert single_effects(Effects()) == ()
