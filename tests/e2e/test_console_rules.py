"""The rules at the console: what they say, how often, and what they say of one order; tags and seals of an order."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from erpsync.core.facts import EVENT_FACTS, ORDER_FACTS, PARCEL_FACTS
from erpsync.core.rules import Operator
from erpsync.core.rules.model import EFFECTS, SIGNS
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.store.tables.rules import GIFT_STATES
from erpsync.web.console.audit.words import ABOUT_WORDS, FACT_WORDS, GIFT_WORDS, OPERATOR_WORDS
from tests.support.order_desk import OrderDesk, numbers_of, order_desk, words_of
from tests.support.ruled import marked, put_in_force
from tests.support.visitor import visitor

RULES = """
zones: {remote: [新疆, 海南/三沙市]}
rules:
  - {id: settle, when: {paid_min: {lt: 15}}, then: {hold: 付款后等15分钟}}
  - {id: big, when: {total: {ge: 50}, not: {seller_flag: 5}}, then: {hold: 大额, ask: true, tag: [贵], carrier: [SF]}}
  - {id: dear, when: {tag: {has: [贵]}}, then: {carrier: [EMS, POST]}}
  - {id: either, when: {any: [{units: {gt: 8}}, {seller_flag: 5}]}, then: {void: 疑似刷单}}
  - {id: heavy, when: {weight_g: {gt: 1000}}, then: {part: {heavy: {sku_tag: [heavy]}}}}
  - {id: spring, from: 2026-03-01, until: 2026-03-09, when: {units: {ge: 1}},
     then: {gift: {sku: B, qty: 1, once: buyer, most: 500, short: drop}}}
  - {id: parcels, on: parcel, when: {cost: {sf-1: {le: 20}}}, then: {carrier: [SF]}}
"""


@pytest.fixture
def desk(database_url: str) -> Iterator[OrderDesk]:
    with order_desk(database_url) as opened:
        yield opened


def rule_in(page: str, rule: str) -> str:
    """Return what the page says of one rule."""
    return page[page.index(f" {rule} ") :].partition("rules.yaml:")[2].partition("rules.yaml:")[0]


def test_every_fact_operator_and_state_has_words() -> None:
    signs = {SIGNS.get(operator, operator.value) for operator in Operator}

    assert set(FACT_WORDS) == {*ORDER_FACTS, *PARCEL_FACTS, *EVENT_FACTS, "now"}
    assert set(OPERATOR_WORDS) == signs | {"from", "until"}
    assert (set(GIFT_WORDS), set(ABOUT_WORDS)) == (set(GIFT_STATES), set(EFFECTS))


def test_without_rules_the_page_says_how_to_begin(desk: OrderDesk) -> None:
    assert "There are no rules yet. Copy the example" in words_of(desk.get("rules"))


def test_rules_stand_in_their_order_with_what_they_ask_and_do(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    text = desk.get("rules").text
    page = words_of(desk.get("rules"))

    ids = re.findall(r'<h2><span class="mono">(\w+)</span>', text)
    assert ids == ["settle", "big", "dear", "either", "heavy", "spring", "parcels"]
    assert "Minutes since payment < 15 Then it is held as long as this is so: 付款后等15分钟" in page
    assert (
        "Total ≥ 50 not Flag of the seller is 5 Then it is held until a person approves: 大额 has the tags 贵" in page
    )
    assert "at least one of Units > 8 Flag of the seller is 5 Then it is held as no real order, without stock" in page
    assert "counts from 1 Mar 00:00 · counts until 9 Mar 00:00" in page
    assert "gets a gift: B ×1 one such gift for each buyer 500 such gifts at most" in page
    assert "without stock the gift is left out" in page
    assert re.search(r"parcels about a parcel .* Freight of the account sf-1 ≤ 20", page)
    assert "remote 新疆, 海南 / 三沙市" in page


def test_a_rule_says_how_many_orders_it_holds_and_of_how_many_it_wants_something(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    page = words_of(desk.get("rules"))

    assert "holds 2 orders · says something of 2 open orders" in rule_in(page, "settle")
    assert "holds 1 order · says something of 1 open order" in rule_in(page, "big")
    assert "holds no order · says something of 0 open orders" in rule_in(page, "heavy")


def test_how_often_rules_matched_is_counted_when_somebody_asks(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    assert "matches" not in words_of(desk.get("rules"))
    page = words_of(desk.get("rules?matched=1"))

    assert "Of the newest 3 orders" in page
    assert "matches 1 of them" in rule_in(page, "big")
    assert "matches 0 of them · cannot be answered of 3" in rule_in(page, "heavy")


def test_how_often_rules_matched_is_kept_for_a_minute_and_counted_anew_for_other_rules(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    desk.get("rules?matched=1")
    desk.town.shop.place("o4", ("A", 7))
    desk.read()

    assert "Of the newest 3 orders" in words_of(desk.get("rules?matched=1"))
    desk.town.advance(61)
    assert "Of the newest 4 orders" in words_of(desk.get("rules?matched=1"))
    desk.town.shop.place("o5", ("A", 7))
    desk.read()
    put_in_force(desk.town, RULES.replace("ge: 50", "ge: 60"))
    assert "Of the newest 5 orders" in words_of(desk.get("rules?matched=1"))


def test_an_order_is_tested_and_each_rule_says_what_decided(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    page = words_of(desk.get(f"rules?order={desk.named('o2')}"))

    assert f"As the rules would judge it now: {desk.named('o2')} · time may change it at 20:15" in page
    assert re.search(
        r"big matches rules.yaml:5 ✓ it is so: Total 90.00 ≥ 50 ✗ it is not so: Flag of the seller 0 is 5", page
    )
    assert re.search(r"dear matches rules.yaml:6 ✓ it is so: Tags 贵 has one of 贵 Of carrier the rule big above", page)
    assert re.search(r"either matches rules.yaml:7 ✓ it is so: Units 9 > 8 ", page)
    assert re.search(r"heavy cannot be answered rules.yaml:8 \? not known: Weight in g not known > 1000", page)
    assert re.search(r"parcels about a parcel is judged with the parcel", page)


def test_a_rule_that_does_not_match_says_why(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    page = words_of(desk.get("rules?order=o1"))

    assert re.search(r"big does not match rules.yaml:5 ✗ it is not so: Total 20.00 ≥ 50", page)


def test_a_rule_whose_time_is_over_says_since_when(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES.replace("2026-03-09", "2026-03-02").replace("2026-03-01", "2026-02-01"))

    assert "it is not so: Today is before 00:00" in words_of(desk.get("rules?order=o1"))


def test_an_order_that_nobody_knows_cannot_be_tested(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)

    assert "no order none: neither a number of ours nor an id of a channel" in words_of(desk.get("rules?order=none"))


def test_rules_that_ask_for_what_no_key_opens_say_so(desk: OrderDesk) -> None:
    put_in_force(desk.town, "rules: [{id: vip, when: {seller_note: {contains: [VIP]}}, then: {tag: [VIP]}}]")
    keys, desk.town.store.vault = desk.town.store.vault, None
    pages = [words_of(desk.get(f"rules?{query}")) for query in ("order=o1", "matched=1")]
    desk.town.store.vault = keys

    assert all("this process does not have the keys for notes and addresses" in page for page in pages)


def test_who_only_reads_may_look_at_rules_and_test_them(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    reader = visitor(desk.store, "mei", role="read")

    assert "does not match" in words_of(desk.get("rules?order=o1", reader))


# -- what an order is marked with


def test_a_tag_is_added_and_removed_on_the_orders_page_and_leads_to_others_of_it(desk: OrderDesk) -> None:
    number = desk.named("o1")
    page = desk.act("orders/tag", on=f"orders/{number}", order=number, tag=" 老 客户 ")

    assert f"order {number} has the tag 老 客户" in words_of(page)
    assert 'href="/orders?tag=%E8%80%81%20%E5%AE%A2%E6%88%B7"' in page.text
    assert numbers_of(desk.get("orders?tag=老 客户")) == [number]
    assert "marks +tag 老 客户" in words_of(page)

    page = desk.act("orders/untag", on=f"orders/{number}", order=number, tag="老 客户")
    assert f"order {number} does not have the tag 老 客户 any more" in words_of(page)
    assert marked(desk.town, "o1") == {}


def test_a_tag_of_a_rule_can_be_taken_away(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    number = desk.named("o2")
    assert "Remove the tag 贵" in desk.get(f"orders/{number}").text

    page = desk.act("orders/untag", on=f"orders/{number}", order=number, tag="贵")

    assert "It has no tags." in words_of(page)
    assert marked(desk.town, "o2")["tag:贵"] == "off"


@pytest.mark.parametrize("tag", ["", " ", "x" * 41])
def test_what_is_no_tag_is_refused(desk: OrderDesk, tag: str) -> None:
    number = desk.named("o1")

    assert "a tag has 1 to 40 signs" in words_of(desk.act("orders/tag", order=number, tag=tag))


def test_an_order_is_sealed_and_unsealed(desk: OrderDesk) -> None:
    number = desk.named("o1")
    page = words_of(desk.act("orders/seal", on=f"orders/{number}", **{"order": number, "from": ["merge", "split"]}))
    assert "Seal leaves alone and whole web:lin" in page

    page = words_of(desk.act("orders/unseal", on=f"orders/{number}", order=number))
    assert f"order {number} is not sealed any more" in page
    assert marked(desk.town, "o1") == {}
    assert "say what it is kept from" in words_of(desk.act("orders/seal", order=number))


def test_wishes_and_gifts_of_rules_stand_with_their_rule(desk: OrderDesk) -> None:
    rules = RULES.replace("then: {carrier: [EMS, POST]}", "then: {warehouse: [SH], seal: [split], tell: scan}")
    put_in_force(desk.town, rules)
    page = words_of(desk.get(f"orders/{desk.named('o2')}"))

    assert "Courier SF by the rule big" in page
    assert "Warehouse SH by the rule dear" in page
    assert "Seal is not split by the rule dear" in page
    assert "Told to the channel when the courier has scanned it by the rule dear" in page
    assert re.search(r"Gift (is given|not given: .*) by the rule spring", page)


def test_what_nobody_knows_names_the_skus_that_lack_it_and_leads_to_them(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    answer = desk.get(f"orders/{desk.named('o1')}")
    assert re.search(r"Weight in g is not known, so no rule matches by it. A ", words_of(answer))
    assert '<a class="number code" href="/stock/A">' in answer.text

    import_goods(desk.town.ctx, [GoodsRow(sku="A", cells={"weight_g": "10"}, source="goods.csv:2")], actor="li")
    put_in_force(desk.town, RULES)
    assert "Weight in g is not known" not in words_of(desk.get(f"orders/{desk.named('o1')}"))


def test_who_only_reads_is_offered_no_mark(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    reader = visitor(desk.store, "mei", role="read")
    text = desk.get(f"orders/{desk.named('o2')}", reader).text

    assert not re.search(r'action="/orders/(tag|untag|seal|unseal)"', text)
    assert "贵" in text


def test_rules_of_an_order_that_are_there_no_more_are_said_to_be(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    desk.town.ctx = replace(desk.town.ctx, rule_lines={})

    assert "not in the rules any more" in words_of(desk.get("audit?rule=big"))
