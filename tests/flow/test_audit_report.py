"""Orders and rules shown together: what decided, what comes of it, what other rules would change."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from erpsync.core.rules import compile_book
from erpsync.flows.audit.approve import approve
from erpsync.flows.audit.marks import seal_order, tag_order, untag_order
from erpsync.flows.audit.report import list_rules, show_asking, show_coverage, show_ruled, try_order
from erpsync.flows.audit.trial import coverage
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.orders.actions import cancel_order
from erpsync.settings.rules import load_rules
from erpsync.store.db.privacy import KEY_BYTES, Vault
from erpsync.store.views import OrderFilter, list_orders
from tests.support.facts import fact, later, order, take_in
from tests.support.ruled import put_in_force
from tests.support.shop import SHANGHAI, Town

RULES = """
zones: {near: [浙江]}
rules:
  - {id: first, when: {total: {ge: 50}}, then: {tag: [LARGE], carrier: [SF]}}
  - {id: big, when: {tag: {has: [LARGE]}}, then: {hold: 大额, ask: true, tag: [SEEN]}}
  - {id: note, when: {buyer_note: {contains: [急]}}, then: {hold: 很急, ask: true}}
  - {id: heavy, when: {weight_g: {gt: 1000}}, then: {hold: 太重}}
  - {id: slow, when: {all: [{total: {ge: 1}}]}, then: {carrier: [YTO]}}
  - {id: settle, when: {paid_min: {lt: 15}}, then: {hold: 等15分钟}}
  - {id: brush, when: {seller_flag: 5}, then: {void: 疑似刷单}}
  - {id: gift, when: {total: {ge: 80}}, then: {gift: {sku: SCARF}}}
  - {id: parcel, on: parcel, when: {units: {gt: 5}}, then: {carrier: [DBL]}}
"""


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    town = make_town()
    for sku in ("TEA", "SCARF"):
        set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=10, actor="keeper")
    put_in_force(town, RULES)
    return town


def take(town: Town, name: str, at: float = 0, **fields: Any) -> None:
    take_in(town, fact(order(name, version_at=later(at), **fields), digest=str(at), read=(at, at + 1)))


def said_of(town: Town, name: str) -> dict[str, Any]:
    return {rule["id"]: rule for rule in try_order(town.ctx, name)["rules"]}


def listed(town: Town, **wanted: Any) -> list[str]:
    with town.store.read() as connection:
        return sorted(each["external_id"] for each in list_orders(connection, OrderFilter(**wanted)))


def test_of_every_rule_it_is_said_what_decided_and_what_comes_of_it(town: Town) -> None:
    take(town, "o1", total_minor=9000, buyer_note="快点 KANARIE")
    tried, said = try_order(town.ctx, "o1"), said_of(town, "o1")

    assert {id: rule["outcome"] for id, rule in said.items()} == {
        "first": "matched",
        "big": "matched",
        "note": "not",
        "heavy": "unknown",
        "slow": "matched",
        "settle": "matched",
        "brush": "not",
        "gift": "matched",
        "parcel": "later",
    }
    assert said["first"]["because"] == [{"fact": "total", "value": "90.00", "operator": ">=", "word": "50"}]
    assert said["first"]["marks"] == [{"name": "tag:LARGE", "value": ""}, {"name": "carrier", "value": "SF"}]
    assert said["big"]["because"][0]["value"] == "LARGE"  # what it saw: no tag of its own
    assert said["note"]["because"] == [{"fact": "buyer_note", "value": None, "operator": "contains", "word": "急"}]
    assert said["heavy"]["because"][0]["value"] == "unknown"
    assert said["slow"]["passed_over"] == [{"effect": "carrier", "won_by": "first"}]
    assert said["settle"]["hold"]["until_at"] == tried["look_at"]
    assert said["gift"]["gift"] == {"sku": "SCARF", "qty": 1, "state": "given"}
    assert said["parcel"]["because"] == []
    assert said["settle"]["written"] == "rules.yaml:9"
    assert "KANARIE" not in str(tried)


def test_what_asks_is_told_with_the_digest_that_an_approval_is_bound_to(town: Town) -> None:
    take(town, "o1", total_minor=9000)
    [ask] = show_asking(town.ctx, "o1")
    assert (ask["rule"], ask["text"], ask["void"]) == ("big", "大额", False)

    approve(town.ctx, "o1", ["big"], actor="li", seen={"big": ask["digest"]})

    assert show_asking(town.ctx, "o1") == []
    assert said_of(town, "o1")["big"]["hold"]["approved"]


def test_where_more_than_one_asks_nobody_says_yes_to_all_by_mistake(town: Town) -> None:
    take(town, "o1", total_minor=9000, seller_flag=5)

    with pytest.raises(Refused) as refused:
        approve(town.ctx, "o1", actor="li", named=True)

    assert "2 rules ask something of order" in str(refused.value)
    assert str(refused.value).endswith("big (大额: tag LARGE has LARGE); brush (疑似刷单: seller_flag 5 one of 5)")
    assert approve(town.ctx, "o1", actor="li") == ("big", "brush")


def test_one_order_is_shown_with_its_marks_and_what_rules_say(town: Town) -> None:
    take(town, "o1", total_minor=9000)
    tag_order(town.ctx, "o1", ["VIP"], actor="li")
    untag_order(town.ctx, "o1", ["SEEN"], actor="li")
    seal_order(town.ctx, "o1", ["split"], actor="li")

    shown = show_ruled(town.ctx, "o1")

    assert shown["tags"] == ["LARGE", "VIP"]
    assert [(mark["name"], mark["value"], mark["rule"], mark["actor"]) for mark in shown["marks"]] == [
        ("carrier", "SF", "first", ""),
        ("seal", "split", "", "li"),
        ("tag:LARGE", "", "first", ""),
        ("tag:SEEN", "off", "", "li"),
        ("tag:VIP", "", "", "li"),
        ("unknown:weight_g", "", "heavy", ""),
    ]
    assert [rule["id"] for rule in shown["rules"] if rule["outcome"] == "matched"] == [
        "first",
        "big",
        "slow",
        "settle",
        "gift",
    ]
    assert shown["look_at"] == "2026-03-02T12:15:00Z"
    assert {line["external_id"]: (line["origin"], line["rule"]) for line in shown["lines"]} == {
        "L1": ("channel", ""),
        "gift:gift": ("gift", "gift"),
    }
    with town.store.read() as connection:
        [one] = list_orders(connection)
    assert (one["tags"], one["kind"], "marks" in one, "rules" in one) == (shown["tags"], "channel", False, False)


def test_of_an_order_of_which_nothing_has_to_leave_no_rule_is_asked(town: Town) -> None:
    take(town, "o1", total_minor=9000)
    cancel_order(town.ctx, "o1", reason="x", actor="li")

    assert (show_ruled(town.ctx, "o1")["rules"], show_asking(town.ctx, "o1")) == ([], [])
    assert not try_order(town.ctx, "o1")["judged"]


def test_without_the_keys_an_order_is_shown_and_what_rules_say_is_not(town: Town) -> None:
    take(town, "o1", total_minor=9000)
    town.store.vault = None

    assert show_ruled(town.ctx, "o1")["rules"] is None


def test_with_other_keys_an_order_is_shown_and_what_rules_say_is_not(town: Town) -> None:
    take(town, "o1", buyer_note="急")
    town.store.vault = Vault([b"another".ljust(KEY_BYTES)], b"index".ljust(KEY_BYTES))

    shown = show_ruled(town.ctx, "o1")

    assert (shown["external_id"], shown["rules"]) == ("o1", None)


def test_rules_that_are_not_in_force_are_tried_and_what_differs_is_named(town: Town, tmp_path: Any) -> None:
    take(town, "o1", total_minor=9000)
    file = tmp_path / "other.yaml"
    file.write_text("rules: [{id: big, when: {total: {ge: 1}}, then: {void: 假的, carrier: [EMS]}}]", encoding="utf-8")
    rules = load_rules(file, timezone=SHANGHAI).require()
    other = replace(town.ctx, book=compile_book(rules.rules, {}, SHANGHAI), rule_lines=rules.places)

    tried = try_order(town.ctx, "o1", other)

    assert [(rule["id"], rule["written"]) for rule in tried["rules"]] == [("big", "other.yaml:1")]
    assert [(each["name"], each["value"]) for each in tried["differs"]["begins"]] == [
        ("carrier", "EMS"),
        ("void", "假的"),
        ("void:big", "假的"),
    ]
    assert [each["name"] for each in tried["differs"]["ends"]] == [
        "carrier",
        "gift:gift",
        "rule:big",
        "rule:settle",
        "tag:LARGE",
        "tag:SEEN",
        "unknown:weight_g",
    ]
    assert try_order(town.ctx, "o1", town.ctx)["differs"] == {"begins": [], "ends": []}


def test_rules_are_listed_with_what_they_do_to_open_orders(town: Town) -> None:
    take(town, "o1", total_minor=9000)
    take(town, "o2", total_minor=5500)
    take(town, "o3", total_minor=9000, seller_flag=5)
    cancel_order(town.ctx, "o2", reason="x", actor="li")

    rules = {rule["id"]: rule for rule in list_rules(town.ctx)}

    assert list(rules) == ["first", "big", "note", "heavy", "slow", "settle", "brush", "gift", "parcel"]
    assert rules["big"]["then"] == {"hold": "大额", "ask": True, "tag": ["SEEN"]}
    assert (rules["parcel"]["about"], rules["gift"]["then"]["gift"]["sku"]) == ("parcel", "SCARF")
    assert {id: (rule["holds"], rule["wants"]) for id, rule in rules.items()} == {
        "first": (0, 2),
        "big": (2, 2),
        "note": (0, 0),
        "heavy": (0, 0),  # what it does not know is no wish
        "slow": (0, 0),
        "settle": (2, 2),
        "brush": (1, 1),
        "gift": (0, 2),
        "parcel": (0, 0),
    }


def test_the_newest_orders_say_which_rules_never_match(town: Town) -> None:
    take(town, "o1", total_minor=9000)
    take(town, "o2", total_minor=0)

    said = show_coverage(town.ctx, coverage(town.ctx))

    assert (said["orders"], said["untouched"]) == (2, 0)
    counted = {rule["id"]: (rule["matched"], rule["not"], rule["unknown"], rule["later"]) for rule in said["rules"]}
    assert counted["first"] == (1, 1, 0, 0)
    assert counted["heavy"] == (0, 0, 2, 0)
    assert counted["parcel"] == (0, 0, 0, 2)


def test_orders_are_found_by_the_rule_that_holds_them_and_by_their_tags(town: Town) -> None:
    take(town, "o1", total_minor=9000)
    take(town, "o2", total_minor=1000, seller_flag=5)
    take(town, "o3", total_minor=6000)
    untag_order(town.ctx, "o3", ["LARGE"], actor="li")
    tag_order(town.ctx, "o2", ["VIP_1"], actor="li")

    assert listed(town, rule="big") == ["o1", "o3"]
    assert listed(town, rule="brush") == ["o2"]
    assert listed(town, rule="first") == []  # it holds nothing
    assert listed(town, hold_reason="void") == ["o2"]
    assert listed(town, hold_reason="rule") == ["o1", "o2", "o3"]
    assert (listed(town, tag="LARGE"), listed(town, tag="VIP_1"), listed(town, tag="VIP")) == (["o1"], ["o2"], [])
    assert listed(town, tag="LARGE", sku="TEA") == ["o1"]
    assert listed(town, rule="big", sku="TEA") == ["o1", "o3"]
