"""What is said to be wrong with a rule by itself is sure: no order of any kind shows otherwise."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.facts import On
from erpsync.core.rules import Comparison, Effects, Every, Operator, Opposite, Some, never_match, shadowed
from tests.unit.core.rules.brute import Brute
from tests.unit.core.rules.builders import NOW, SHANGHAI, ZONES, a_condition, asks, facts, rule

LT, LE, GT, GE = Operator.LT, Operator.LE, Operator.GT, Operator.GE
ONE_OF, HAS, ALL, ONLY, WITHIN = Operator.ONE_OF, Operator.HAS, Operator.ALL, Operator.ONLY, Operator.WITHIN


@pytest.mark.parametrize(
    ("parts", "never"),
    [
        ([asks("total", GE, Decimal(10)), asks("total", LT, Decimal(10))], "total"),
        ([asks("total", GE, Decimal(10)), asks("total", LE, Decimal(10))], ""),
        ([asks("seller_flag", ONE_OF, Decimal(5)), asks("seller_flag", LT, Decimal(5))], "seller_flag"),
        ([asks("city", ONE_OF, "杭州"), asks("city", ONE_OF, "杭州市", "宁波")], ""),
        ([asks("city", ONE_OF, "杭州"), asks("city", ONE_OF, "宁波")], "city"),
        ([asks("weight_g", Operator.UNKNOWN), asks("weight_g", GT, Decimal(1))], "weight_g"),
        ([asks("weight_g", Operator.UNKNOWN), Opposite(asks("weight_g", Operator.UNKNOWN))], "weight_g"),
        ([asks("sku_tag", ONLY, "frozen"), asks("sku_tag", HAS, "fragile")], "sku_tag"),
        ([asks("sku_tag", ONLY, "fr*"), asks("sku_tag", HAS, "fragile")], ""),
        ([asks("sku_tag", ALL, "a", "b"), Opposite(asks("sku_tag", HAS, "a"))], "sku_tag"),
        ([asks("clock", WITHIN, 1320, 480), asks("clock", WITHIN, 480, 1320)], "clock"),
        ([asks("clock", WITHIN, 1320, 480), asks("clock", WITHIN, 479, 1320)], ""),
        ([asks("below_floor", ONE_OF, True), asks("below_floor", ONE_OF, False)], "below_floor"),
        ([asks("zone", HAS, "near"), asks("province", ONE_OF, "西藏")], "zone"),
        ([asks("zone", HAS, "near"), asks("province", ONE_OF, "浙江省")], ""),
        (
            [Some((asks("lines", LT, Decimal(1)), asks("lines", GT, Decimal(3)))), asks("lines", ONE_OF, Decimal(2))],
            "lines",
        ),
        ([Opposite(asks("paid_min", LT, Decimal(15))), Opposite(asks("paid_min", GE, Decimal(15)))], ""),
        ([asks("paid_min", LT, Decimal(15)), asks("paid_min", GE, Decimal(15))], "paid_min"),
    ],
)
def test_a_rule_that_can_match_nothing_is_named_with_the_fact(parts: list[Any], never: str) -> None:
    assert never_match(Every(tuple(parts)), On.ORDER, ZONES) == never


@pytest.mark.parametrize(
    ("above", "below", "covered"),
    [
        (asks("total", GE, Decimal(100)), asks("total", GT, Decimal(100)), True),
        (asks("total", GT, Decimal(100)), asks("total", GE, Decimal(100)), False),
        (asks("province", ONE_OF, "浙江", "江苏"), asks("province", ONE_OF, "江苏省"), True),
        (asks("province", ONE_OF, "浙江"), asks("province", ONE_OF, "浙江", "江苏"), False),
        (asks("sku", HAS, "DRESS-*"), asks("sku", HAS, "DRESS-1"), True),
        (asks("sku", HAS, "DRESS-1"), asks("sku", HAS, "DRESS-*"), False),
        (asks("sku", HAS, "A"), asks("sku", ALL, "A", "B"), True),
        (asks("clock", WITHIN, 1200, 600), asks("clock", WITHIN, 1320, 480), True),
        (asks("seller_note", Operator.CONTAINS, "顺丰"), asks("seller_note", Operator.CONTAINS, "发顺丰"), True),
        (asks("tag", HAS, "a"), asks("tag", HAS, "a"), False),
        (asks("lines", GE, Decimal(1)), asks("units", GE, Decimal(1)), False),
    ],
)
def test_an_effect_never_counts_where_a_rule_above_covers_it(
    above: Comparison, below: Comparison, covered: bool
) -> None:
    rules = [rule(above, Effects(carrier=("SF",)), id="a"), rule(below, Effects(carrier=("EMS",)), id="b")]

    assert [(each.rule, each.effect, each.above) for each in shadowed(rules)] == [(1, "carrier", 0)] * covered


def test_a_rule_that_counts_for_a_time_only_does_not_cover_one_that_always_does() -> None:
    when, then = asks("lines", GE, Decimal(1)), Effects(carrier=("SF",))

    assert shadowed([rule(when, then, until_at=NOW), rule(when, then)]) == []
    assert len(shadowed([rule(when, then), rule(when, then, until_at=NOW)])) == 1


def test_effects_that_gather_are_never_covered() -> None:
    when = asks("lines", GE, Decimal(1))

    assert shadowed([rule(when, Effects(tag=("a",))), rule(when, Effects(tag=("b",)))]) == []


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_no_order_shows_otherwise(seed: int) -> None:
    chance = Random(seed)
    first, second = a_condition(chance), a_condition(chance)
    one = rule(first, Effects(carrier=("SF",)), id="one")
    two = rule(Every((second, first)) if chance.random() < 0.5 else second, Effects(carrier=("EMS",)), id="two")
    covered = shadowed([one, two])
    for _ in range(20):
        said = Brute(ZONES, SHANGHAI, facts(chance, NOW), NOW).judge([one, two])
        if never_match(one.when, one.on, ZONES):
            assert said.outcomes[0] != "matched"
        if covered:
            assert said.outcomes != ["not", "matched"]
            assert said.outcomes != ["unknown", "matched"]
