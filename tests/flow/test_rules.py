"""Rules say how orders should be: held, marked, with gifts, void; undone when their reason is gone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from erpsync.flows.audit.approve import approve
from erpsync.flows.audit.looks import judge_due, next_look_s
from erpsync.flows.audit.marks import seal_order, tag_order, unseal_order, untag_order
from erpsync.flows.audit.trial import coverage, holds_change
from erpsync.flows.errors import Refused
from erpsync.flows.explain.orders import explain_order
from erpsync.flows.explain.steps import Unwritten
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.flows.orders.actions import cancel_order
from erpsync.sdk.types import OrderState, Recipient, RefundState
from tests.support.facts import HOME, fact, later, order, refund, refund_fact, take_in
from tests.support.looking import events, held, status
from tests.support.ruled import lines_of, marked, put_in_force, ruled_by
from tests.support.shop import NOON, Town

SETTLE = "rules: [{id: settle, when: {paid_min: {lt: 15}}, then: {hold: 付款后等15分钟}}]"
BIG = "rules: [{id: big, when: {total: {ge: 50}}, then: {hold: 大额, ask: true}}]"
XINJIANG = Recipient(
    name="王小明", phone="13800001111", province="新疆维吾尔自治区", city="乌鲁木齐市", address="解放路 1 号"
)


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with ten TEA and ten SCARF in SH."""
    town = make_town()
    for sku in ("TEA", "SCARF"):
        set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=10, actor="keeper")
    return town


def seen(external_id: str = "o1", at: float = 0, **fields: Any) -> Any:
    """A view of an order, `at` seconds after noon."""
    return fact(order(external_id, version_at=later(at), **fields), digest=str(at), read=(at, at + 1))


def test_an_order_that_was_just_paid_waits_and_goes_on_by_itself(town: Town) -> None:
    put_in_force(town, SETTLE)

    take_in(town, seen())

    assert (status(town, "o1"), ruled_by(town, "o1")) == (("held", "rule"), {"rule:settle": "付款后等15分钟"})
    assert held(town, "o1") == {"TEA": 1}  # its units are kept for it meanwhile
    assert next_look_s(town.ctx) == pytest.approx(15 * 60, abs=0.1)
    town.advance(15 * 60 - 1)
    assert (judge_due(town.ctx), status(town, "o1")[0]) == (0, "held")
    town.advance(1)
    assert (judge_due(town.ctx), status(town, "o1")) == (1, ("allocated", None))
    assert (judge_due(town.ctx), next_look_s(town.ctx)) == (0, None)


def test_an_approval_is_for_what_was_seen(town: Town) -> None:
    """Row 35."""
    put_in_force(town, BIG)
    take_in(town, seen(total_minor=9000))
    assert status(town, "o1") == ("held", "rule")

    assert approve(town.ctx, "o1", actor="li", reason="old customer") == ("big",)
    assert status(town, "o1") == ("allocated", None)

    take_in(town, seen(at=9, total_minor=9000, ship_by_at=later(9999)))
    assert status(town, "o1") == ("allocated", None)  # nothing that the rule matched on has changed
    take_in(town, seen(at=20, total_minor=9001))
    assert status(town, "o1") == ("held", "rule")
    with pytest.raises(Refused, match="rule small asks nothing of order"):
        approve(town.ctx, "o1", ["small"], actor="li")


def test_what_changed_since_somebody_looked_is_not_approved(town: Town) -> None:
    put_in_force(town, BIG)
    take_in(town, seen(total_minor=9000))

    with pytest.raises(Refused, match="has changed since you looked"):
        approve(town.ctx, "o1", ["big"], actor="li", seen={"big": "the digest of another total"})

    assert status(town, "o1") == ("held", "rule")


def test_tags_are_set_by_rules_and_by_people_and_people_win(town: Town) -> None:
    put_in_force(town, "rules: [{id: far, when: {province: 新疆}, then: {tag: [偏远], carrier: [EMS, POST]}}]")
    take_in(town, seen(recipient=XINJIANG))
    assert marked(town, "o1") == {"tag:偏远": "", "carrier": "EMS POST"}

    tag_order(town.ctx, "o1", ["VIP"], actor="li")
    untag_order(town.ctx, "o1", ["偏远"], actor="li")
    assert marked(town, "o1") == {"tag:VIP": "", "tag:偏远": "off", "carrier": "EMS POST"}

    take_in(town, seen(at=9, recipient=replace(XINJIANG, province="浙江省", city="杭州市")))
    assert marked(town, "o1") == {"tag:VIP": "", "tag:偏远": "off"}
    with pytest.raises(Refused, match="no tag 偏远"):
        untag_order(town.ctx, "o1", ["偏远"], actor="li")
    seal_order(town.ctx, "o1", ["merge"], actor="li")
    assert marked(town, "o1")["seal"] == "merge"
    unseal_order(town.ctx, "o1", actor="li")
    assert "seal" not in marked(town, "o1")


def test_a_rule_may_ask_for_what_a_person_marked(town: Town) -> None:
    put_in_force(town, "rules: [{id: look, when: {tag: {has: [LOOK]}}, then: {hold: 要看一下}}]")
    take_in(town, seen())
    assert status(town, "o1")[0] == "allocated"

    tag_order(town.ctx, "o1", ["LOOK"], actor="li")

    assert status(town, "o1") == ("held", "rule")


def test_what_nobody_knows_matches_nothing_and_is_named(town: Town) -> None:
    put_in_force(town, "rules: [{id: heavy, when: {weight_g: {gt: 1000}}, then: {hold: 太重}}]")
    take_in(town, seen())
    assert (status(town, "o1")[0], marked(town, "o1")) == ("allocated", {"unknown:weight_g": ""})

    import_goods(town.ctx, [GoodsRow(sku="TEA", cells={"weight_g": "1500"}, source="goods.csv:2")], actor="li")
    judge_due(town.ctx)

    assert (status(town, "o1"), marked(town, "o1")) == (("held", "rule"), {})


def test_rules_that_are_no_more_leave_nothing_behind(town: Town) -> None:
    put_in_force(town, BIG)
    take_in(town, seen(total_minor=9000))

    put_in_force(town, "rules: []")

    assert (status(town, "o1"), marked(town, "o1")) == (("allocated", None), {})


def test_a_gift_is_a_line_of_ours_that_goes_when_its_reason_goes(town: Town) -> None:
    put_in_force(town, "rules: [{id: spring, when: {total: {ge: 50}}, then: {gift: {sku: SCARF}}}]")
    take_in(town, seen(total_minor=9000))
    assert (lines_of(town, "o1"), held(town, "o1")) == ({"L1": (1, 0), "gift:spring": (1, 0)}, {"TEA": 1, "SCARF": 1})

    take_in(town, seen(at=9, total_minor=1000))
    assert (lines_of(town, "o1")["gift:spring"], held(town, "o1")) == ((1, 1), {"TEA": 1})

    take_in(town, seen(at=20, total_minor=9000))
    assert (lines_of(town, "o1")["gift:spring"], held(town, "o1")) == ((1, 0), {"TEA": 1, "SCARF": 1})


def test_a_gift_alone_is_never_sent(town: Town) -> None:
    """Row 34."""
    put_in_force(town, "rules: [{id: spring, when: {total: {ge: 1}}, then: {gift: {sku: SCARF}}}]")
    take_in(town, seen())

    cancel_order(town.ctx, "o1", reason="changed his mind", actor="li")

    assert (status(town, "o1")[0], held(town, "o1")) == ("cancelled", {})


def test_no_more_gifts_than_there_may_be_and_the_next_one_waits_its_turn(town: Town) -> None:
    put_in_force(town, "rules: [{id: first, when: {total: {ge: 1}}, then: {gift: {sku: SCARF, most: 1}}}]")
    take_in(town, seen("o1"), seen("o2", placed_at=NOON + timedelta(seconds=1), paid_at=later(1)))
    assert ("gift:first" in lines_of(town, "o1"), "gift:first" in lines_of(town, "o2")) == (True, False)

    cancel_order(town.ctx, "o1", reason="changed his mind", actor="li")
    judge_due(town.ctx)

    assert lines_of(town, "o2")["gift:first"] == (1, 0)


def test_a_buyer_gets_one_gift_whichever_order_came_first(town: Town) -> None:
    put_in_force(town, "rules: [{id: once, when: {total: {ge: 1}}, then: {gift: {sku: SCARF, once: buyer}}}]")
    take_in(town, seen("o1"))
    take_in(town, seen("o2"), seen("o3", recipient=replace(HOME, phone="13900002222")))

    assert [("gift:once" in lines_of(town, o)) for o in ("o1", "o2", "o3")] == [True, False, True]
    cancel_order(town.ctx, "o1", reason="changed his mind", actor="li")
    judge_due(town.ctx)
    assert lines_of(town, "o2")["gift:once"] == (1, 0)


def test_a_void_order_takes_no_stock_until_somebody_says_it_is_one(town: Town) -> None:
    put_in_force(town, "rules: [{id: brush, when: {seller_flag: 5}, then: {void: 疑似刷单}}]")
    take_in(town, seen(seller_flag=5))
    assert (status(town, "o1"), held(town, "o1"), marked(town, "o1")) == (("held", "void"), {}, {"void": "疑似刷单"})

    approve(town.ctx, "o1", actor="li")

    assert (status(town, "o1"), held(town, "o1"), marked(town, "o1")) == (("allocated", None), {"TEA": 1}, {})


def test_a_sixth_order_of_a_buyer_has_the_other_five_looked_at(town: Town) -> None:
    put_in_force(town, "rules: [{id: many, when: {buyer_orders_24h: {gt: 2}}, then: {hold: 一天太多, ask: true}}]")
    take_in(town, seen("o1", buyer="b1"), seen("o2", buyer="b1"))
    assert [status(town, o)[0] for o in ("o1", "o2")] == ["allocated", "allocated"]

    take_in(town, seen("o3", buyer="b1"), seen("o4", buyer="b2"))
    judge_due(town.ctx)

    assert [status(town, o)[0] for o in ("o1", "o2", "o3", "o4")] == ["held", "held", "held", "allocated"]


def test_an_order_that_is_cancelled_has_the_buyers_others_looked_at(town: Town) -> None:
    put_in_force(town, "rules: [{id: beside, when: {buyer_orders_open: {ge: 1}}, then: {hold: 同一买家}}]")
    take_in(town, seen("o1", buyer="b1"), seen("o2", buyer="b1"))
    assert [status(town, o)[0] for o in ("o1", "o2")] == ["held", "held"]

    take_in(town, seen("o1", at=9, buyer="b1", state=OrderState.CANCELLED))
    judge_due(town.ctx)

    assert [status(town, o)[0] for o in ("o1", "o2")] == ["cancelled", "allocated"]


def test_an_order_that_ends_with_another_of_its_buyer_in_one_commit_counts_as_ended(town: Town) -> None:
    put_in_force(town, "rules: [{id: beside, when: {buyer_orders_open: {ge: 1}}, then: {hold: 同一买家}}]")
    take_in(town, seen("o1", buyer="b1"), seen("o2", buyer="b1"))

    take_in(town, seen("o1", at=9, buyer="b1", state=OrderState.CANCELLED), seen("o2", at=9, buyer="b1", seller_flag=1))

    assert status(town, "o2")[0] == "allocated"


def test_a_refund_that_is_told_anew_has_the_buyers_other_orders_looked_at(town: Town) -> None:
    put_in_force(town, "rules: [{id: back, when: {buyer_refunds_90d: {ge: 1}}, then: {hold: 常退货, ask: true}}]")
    back = replace(refund(state=RefundState.GRANTED), version_at=later(-1))
    take_in(town, seen("o1", buyer="b1"), seen("o2", buyer="b1"), refunds=[refund_fact(back)])
    assert status(town, "o2")[0] == "held"

    take_in(town, refunds=[refund_fact(replace(back, version_at=later(1)), digest="b", read=(2, 3))])
    judge_due(town.ctx)

    assert status(town, "o2")[0] == "allocated"  # it was placed before that


def test_an_order_that_turns_out_to_be_somebody_elses_has_both_buyers_others_looked_at(town: Town) -> None:
    put_in_force(town, "rules: [{id: many, when: {buyer_orders_24h: {gt: 1}}, then: {hold: 一天太多}}]")
    take_in(town, seen("o1", buyer="b1"), seen("o2", buyer="b1"), seen("o3", buyer="b2"))
    assert [status(town, o)[0] for o in ("o1", "o2", "o3")] == ["held", "held", "allocated"]

    take_in(town, seen("o2", at=9, buyer="b2"))
    judge_due(town.ctx)

    assert [status(town, o)[0] for o in ("o1", "o2", "o3")] == ["allocated", "held", "held"]


def test_a_memo_that_no_rule_understood_waits_for_somebody(town: Town) -> None:
    put_in_force(
        town,
        "rules:\n- {id: sf, when: {seller_note: {contains: [发顺丰]}}, then: {carrier: [SF]}}\n"
        "- {id: left, when: {seller_note: {unread: true}}, then: {hold: 备注没有规则看懂, ask: true}}",
    )
    take_in(town, seen("o1", seller_note="请发顺丰"), seen("o2", seller_note="多放干冰"), seen("o3"))

    assert [status(town, o)[0] for o in ("o1", "o2", "o3")] == ["allocated", "held", "allocated"]


def test_what_a_reload_would_change_is_counted_before(town: Town) -> None:
    put_in_force(town, BIG)
    take_in(town, seen("o1", total_minor=9000), seen("o2"), seen("o3"))
    before = town.ctx.book

    put_in_force(town, "rules: [{id: small, when: {total: {lt: 50}}, then: {hold: 小额}}]")
    change = holds_change(town.ctx, before)

    assert (change.open, change.changed) == (3, 3)
    assert (dict(change.begin), dict(change.end)) == ({"rule:big": 1}, {"rule:small": 2})
    assert (change.begins_with, change.ends_with) == (
        {"rule:big": ["S20260302000001"]},
        {"rule:small": ["S20260302000002", "S20260302000003"]},
    )
    assert coverage(town.ctx).outcomes["small"] == {"matched": 2, "not": 1}


def test_an_order_that_has_ended_is_held_by_no_rule(town: Town) -> None:
    put_in_force(town, BIG)
    take_in(town, seen(total_minor=9000))

    take_in(town, seen(at=9, total_minor=9000, state=OrderState.SHIPPED))

    assert ruled_by(town, "o1") == {}


def test_a_refund_of_everything_ends_the_gift_too(town: Town) -> None:
    put_in_force(town, "rules: [{id: spring, when: {total: {ge: 1}}, then: {gift: {sku: SCARF}}}]")
    take_in(town, seen())

    take_in(town, refunds=[refund_fact(refund(state=RefundState.GRANTED, amount=1000, L1=1))])

    assert (status(town, "o1")[0], held(town, "o1")) == ("cancelled", {})
    assert [detail["gifts"] for kind, detail in events(town, "order.changed") if "gifts" in detail] == [
        {"spring": None}
    ]


def test_explain_says_for_every_rule_why_and_where_it_is_written(town: Town) -> None:
    put_in_force(
        town,
        "rules:\n"
        "- {id: settle, when: {paid_min: {lt: 15}}, then: {hold: 付款后等15分钟}}\n"
        "- {id: night, when: {total: {ge: 3000}}, then: {hold: 大额, ask: true}}\n"
        "- {id: heavy, when: {weight_g: {gt: 1000}}, then: {tag: [heavy]}}\n"
        "- {id: left, when: {seller_note: {unread: true}}, then: {hold: 备注没有规则看懂, ask: true}}\n"
        "- {id: spring, when: {total: {ge: 1}}, then: {gift: {sku: SCARF}}}\n",
    )
    take_in(town, seen(seller_note="多放干冰", ship_by_at=later(9999)))

    said = town.store.retrying(lambda tx: explain_order(tx, town.ctx, "o1", Unwritten()))

    assert said["summary"].endswith("is held: rule left holds it: 备注没有规则看懂")
    (rules,) = [step for step in said["steps"] if step["what"] == "rules"]
    assert rules["text"] == "3 of 5 rules match"
    assert [(step["what"], step["text"], step["setting"]["line"]) for step in rules["steps"]] == [
        ("rule_matched", "rule settle matches: paid_min 0 < 15", 2),
        ("rule_not", "rule night does not match: not total 10.00 >= 3000", 3),
        ("rule_unknown", "rule heavy cannot be answered, and so does not match: weight_g unknown > 1000", 4),
        ("rule_matched", "rule left matches: seller_note unread true", 5),
        ("rule_matched", "rule spring matches: total 10.00 >= 1", 6),
    ]
    assert [step["text"] for step in rules["steps"][3]["steps"]] == ["holds it: 备注没有规则看懂"]
    assert rules["steps"][4]["steps"][0]["text"] == "gives SCARF ×1"
    assert "干冰" not in str(said)
