"""What each condition means: known values, unknown ones, and their opposites."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erpsync.core.facts import FACTS, KINDS, UNKNOWN, EventFacts, FactType, On, OrderFacts, ParcelFacts
from erpsync.core.rules import Comparison, Effects, Every, Operator, Opposite, Some, compile_book, judge
from tests.support.whens import when
from tests.unit.core.rules.builders import NOW, SHANGHAI, ZONES, asks, matches, order, rule, verdict

HAS, ALL, ONLY, ONE_OF = Operator.HAS, Operator.ALL, Operator.ONLY, Operator.ONE_OF


@pytest.mark.parametrize(
    ("operator", "words", "tags", "outcome"),
    [
        (HAS, ("a", "b"), {"b", "x"}, "matched"),
        (HAS, ("a",), {"ab"}, "not"),
        (HAS, ("a*",), {"ab"}, "matched"),
        (HAS, ("a*",), set(), "not"),
        (ALL, ("a", "b"), {"a", "b", "x"}, "matched"),
        (ALL, ("a", "b"), {"a"}, "not"),
        (ALL, ("a*", "b"), {"ax", "b"}, "matched"),
        (ALL, ("a*",), {"b"}, "not"),
        (ONLY, ("a", "b"), {"a"}, "matched"),
        (ONLY, ("a", "b"), {"a", "x"}, "not"),
        (ONLY, ("a*",), {"ax", "ay"}, "matched"),
        (ONLY, ("a",), set(), "not"),
    ],
)
def test_words_in_sets(operator: Operator, words: tuple[str, ...], tags: set[str], outcome: str) -> None:
    assert matches(asks("sku_tag", operator, *words), order(sku_tag=frozenset(tags))) == outcome


@pytest.mark.parametrize(
    ("operator", "outcomes"),
    [
        (Operator.LT, ["matched", "not", "not"]),
        (Operator.LE, ["matched", "matched", "not"]),
        (Operator.GE, ["not", "matched", "matched"]),
        (Operator.GT, ["not", "not", "matched"]),
    ],
)
def test_amounts_are_compared_exactly(operator: Operator, outcomes: list[str]) -> None:
    amounts = ["0.29999999999999999", "0.30", "0.30000000000000001"]

    assert [
        matches(asks("total", operator, Decimal("0.3")), order(total=Decimal(each))) for each in amounts
    ] == outcomes


@pytest.mark.parametrize("note", ["请发顺丰", "发 顺丰", "ＳＦ速运", "sf", ""])
def test_a_note_contains_a_word_whatever_its_width_and_case(note: str) -> None:
    wanted = "matched" if note in ("请发顺丰", "ＳＦ速运", "sf") else "not"

    assert matches(asks("buyer_note", Operator.CONTAINS, "发顺丰", "SF"), order(buyer_note=note)) == wanted


@pytest.mark.parametrize("outer", [False, True])
def test_what_is_unknown_matches_nothing_and_neither_does_its_opposite(outer: bool) -> None:
    heavy: Any = asks("weight_g", Operator.GT, Decimal(1000))
    found = verdict([rule(Opposite(heavy) if outer else heavy)], order(weight_g=UNKNOWN))

    assert found.because[0].outcome == "unknown"
    assert [(mark.name, mark.rule) for mark in found.marks] == [("unknown:weight_g", "r")]


def test_an_unknown_fact_that_does_not_matter_is_not_named() -> None:
    heavy, cod = asks("weight_g", Operator.GT, Decimal(1000)), asks("kind", ONE_OF, "cod")

    assert verdict([rule(Every((heavy, cod)))], order(weight_g=UNKNOWN)).marks == ()
    assert matches(Some((heavy, cod)), order(weight_g=UNKNOWN, kind="cod")) == "matched"
    assert matches(Some((heavy, cod)), order(weight_g=UNKNOWN)) == "unknown"


def test_that_something_is_unknown_can_be_asked_for() -> None:
    unknown = asks("weight_g", Operator.UNKNOWN)

    assert matches(unknown, order(weight_g=UNKNOWN)) == "matched"
    assert matches(unknown, order(weight_g=0)) == "not"
    assert matches(Opposite(unknown), order(weight_g=0)) == "matched"


def test_an_unknown_value_is_neither_true_nor_false_nor_less_nor_equal() -> None:
    value: Any = UNKNOWN
    with pytest.raises(TypeError):
        bool(value)
    with pytest.raises(TypeError):
        assert value < 5
    assert value != 0
    assert value is not None


def test_an_order_that_is_not_paid_meets_no_comparison_of_the_time_since() -> None:
    fresh = asks("paid_min", Operator.LT, Decimal(15))

    assert matches(fresh, order(paid_at=None)) == "not"
    assert matches(Opposite(fresh), order(paid_at=None)) == "matched"
    assert matches(asks("paid_min", Operator.GE, Decimal(0)), order(paid_at=None)) == "not"
    assert matches(fresh, order(paid_at=UNKNOWN)) == "unknown"


def test_a_rule_sees_the_tags_set_above_it_and_not_those_below() -> None:
    tagged = asks("tag", HAS, "vip")
    rules = [
        rule(tagged, Effects(hold="early"), id="early"),
        rule(asks("kind", ONE_OF, "channel"), Effects(tag=("vip",)), id="sets"),
        rule(tagged, Effects(hold="late"), id="late"),
    ]

    assert [hold.rule for hold in verdict(rules).holds] == ["late"]
    assert [hold.rule for hold in verdict(rules, order(tag=frozenset({"vip"}))).holds] == ["early", "late"]


def test_a_tag_of_a_rule_that_the_hand_has_set_too_stays_wanted_by_the_rule() -> None:
    found = verdict([rule(Every(()), Effects(tag=("vip",)))], order(tag=frozenset({"vip"})))

    assert [mark.name for mark in found.marks] == ["tag:vip"]


def test_a_note_is_unread_only_above_the_rule_that_reads_it() -> None:
    reads = rule(asks("seller_note", Operator.CONTAINS, "顺丰"), Effects(carrier=("SF",)), id="reads")
    left = rule(asks("seller_note", Operator.UNREAD, True), id="left")
    note = order(seller_note="顺丰")

    assert [hold.rule for hold in verdict([left, reads], note).holds] == ["left"]
    assert verdict([reads, left], note).holds == ()


def test_that_a_note_does_not_contain_a_word_reads_nothing() -> None:
    without = rule(Opposite(asks("seller_note", Operator.CONTAINS, "顺丰")), Effects(tag=("x",)), id="without")
    left = rule(asks("seller_note", Operator.UNREAD, True), id="left")

    assert [hold.rule for hold in verdict([without, left], order(seller_note="尽快")).holds] == ["left"]


def test_the_freight_of_one_courier_account_is_asked_for() -> None:
    cheap = rule(asks("cost", Operator.LE, Decimal(20), of="post"), Effects(carrier=("POST",)), on=On.PARCEL)
    book = compile_book([cheap], ZONES, SHANGHAI)

    def carriers(**cost: Decimal) -> list[tuple[str, str]]:
        parcel = ParcelFacts(channel=frozenset({"tmall"}), kind=frozenset(), warehouse="SH", cost=cost)
        return [(mark.name, mark.value) for mark in judge(book, parcel, NOW).marks]

    assert carriers(post=Decimal(20)) == [("carrier", "POST")]
    assert carriers(post=Decimal("20.01"), sf=Decimal(1)) == []
    assert carriers(sf=Decimal(1)) == [("unknown:cost", "")]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"event": "order.held"}, True),
        ({"event": ["stock.", "order."]}, True),
        ({"event": ["order.freed", "stock."]}, False),
        ({"event": "order.", "level": "warn", "channel": "tmall"}, True),
        ({"event": "order.", "level": "alarm"}, False),
        ({"event": "order.", "tag": "vip", "kind": ["cod"]}, True),
        ({"event": "order.", "total": {"gt": 20, "le": 30}}, True),
        ({"event": "order.", "total": {"lt": 30}}, False),
        ({"event": "order.", "not": {"warehouse": ["SH"]}}, True),
        ({"event": "order.", "any": [{"sku": "A*"}, {"rule": "big"}]}, True),
        ({"any": [{"event": "stock."}, {"event": "order.", "hold_reason": "rule"}]}, True),
    ],
)
def test_an_event_is_told_as_a_route_asks(condition: dict[str, Any], told: bool) -> None:
    event = EventFacts(
        event="order.held",
        level="warn",
        channel="tmall",
        hold_reason=frozenset({"rule"}),
        rule=frozenset({"big"}),
        kind="cod",
        tag=frozenset({"vip"}),
        total=Decimal(30),
        currency="CNY",
    )

    assert when(**condition).holds(event) is told


def test_what_is_not_known_of_an_event_is_no_reason_to_tell_it_nor_is_its_opposite() -> None:
    stock = EventFacts(event="stock.added")

    assert not when(event="stock.", total={"ge": 1}).holds(stock)
    assert not when(**{"event": "stock.", "not": {"kind": "cod"}}).holds(stock)
    assert when(event="stock.", total={"is": "unknown"}).holds(stock)


def test_all_that_a_route_may_tell_is_among_the_kinds_that_are_read_for_it() -> None:
    held, stock = {"event": "order.held"}, {"event": ["stock.", "order.held"]}

    assert when(any=[held, stock]).kinds == ("order.held", "stock.")
    assert when(all=[{"level": "warn"}, stock]).kinds == ("stock.", "order.held")
    assert when(any=[held, {"level": "warn"}]).kinds == ()
    assert when(**{"not": held}).kinds == ()


def test_rules_of_other_kinds_do_not_touch_an_order() -> None:
    found = verdict([rule(asks("orders", Operator.GE, Decimal(1)), Effects(tag=("x",)), on=On.PARCEL)])

    assert [(each.rule, each.outcome) for each in found.because] == [("r", "later")]
    assert found.marks == ()


def test_the_index_leaves_out_no_rule_of_an_order_and_says_why_the_others_do_not_match() -> None:
    rules = [
        rule(Every((asks("channel", ONE_OF, "jd", "own"), asks("kind", ONE_OF, "cod"))), id="a"),
        rule(Every((asks("channel", ONE_OF, "tmall"), asks("total", Operator.GE, Decimal(1)))), id="b"),
        rule(asks("lines", Operator.GE, Decimal(1)), id="c"),
    ]
    found = verdict(rules)

    assert [hold.rule for hold in found.holds] == ["b", "c"]
    assert [(each.rule, each.outcome) for each in found.because] == [("a", "not"), ("b", "matched"), ("c", "matched")]
    assert [clause.word for clause in found.because[0].clauses] == ["jd, own"]
    assert [clause.fact for clause in found.because[1].clauses] == ["channel", "total"]


def test_a_book_asks_for_the_facts_that_its_rules_name() -> None:
    rules = [
        rule(Every((asks("zone", HAS, "remote"), Opposite(asks("weight_g", Operator.LT, Decimal(1)))))),
        rule(asks("units", Operator.GT, Decimal(1)), Effects(carrier=("SF",)), on=On.PARCEL, id="p"),
    ]

    assert compile_book(rules, ZONES, SHANGHAI).needs == {
        On.ORDER: {"zone", "province", "city", "weight_g"},
        On.PARCEL: {"units"},
    }


def test_facts_that_no_rule_asks_about_need_not_be_known() -> None:
    bare = OrderFacts(channel="tmall", connector="taobao", kind="channel", placed_at=NOW - timedelta(hours=1))

    assert verdict([rule(asks("placed_min", Operator.GE, Decimal(60)))], bare).because[0].outcome == "matched"


def test_a_book_of_other_rules_zones_or_clocks_has_another_digest() -> None:
    one, other = [rule(asks("kind", ONE_OF, kind)) for kind in ("cod", "b2b")]
    digests = {
        compile_book([one], ZONES, SHANGHAI).digest,
        compile_book([other], ZONES, SHANGHAI).digest,
        compile_book([one], {}, SHANGHAI).digest,
        compile_book([one, other], ZONES, SHANGHAI).digest,
    }

    assert len(digests) == 4
    assert compile_book([one], ZONES, SHANGHAI).digest in digests


def test_every_fact_is_held_by_its_record_and_says_what_it_is() -> None:
    records: dict[On, Any] = {On.ORDER: OrderFacts, On.PARCEL: ParcelFacts, On.EVENT: EventFacts}
    for on, facts in FACTS.items():
        for name, fact in facts.items():
            assert name == fact.name
            assert fact.says.endswith(".")
            if fact.type not in (FactType.CLOCK, FactType.WEEKDAY):
                assert fact.field in records[on].__dataclass_fields__


def test_texts_of_facts_are_in_one_width() -> None:
    facts = order(seller_note="ＳＦ", sku=frozenset({"Ａ-1"}), kind=KINDS[0])

    assert (facts.seller_note, facts.sku) == ("SF", frozenset({"A-1"}))


def test_notes_and_recipients_stand_in_no_text_of_the_facts() -> None:
    facts = order(seller_note="secret one", buyer_note="secret two", recipient="secret three")

    assert "secret" not in repr(facts)


def test_one_test_of_a_condition_is_a_condition() -> None:
    assert matches(Comparison(fact="lines", operator=ONE_OF, words=(Decimal(1),))) == "matched"


def test_a_city_is_in_the_zones_of_its_province_too() -> None:
    zones = {"island": (("海南", "三沙市"),), "south": (("海南", ""), ("广东", ""))}
    both = Every((asks("zone", HAS, "island"), asks("zone", HAS, "south")))
    book = compile_book([rule(both)], zones, SHANGHAI)

    assert judge(book, order(province="海南省", city="三沙市"), NOW).because[0].outcome == "matched"
    assert judge(book, order(province="海南省", city="海口市"), NOW).because[0].outcome == "not"
