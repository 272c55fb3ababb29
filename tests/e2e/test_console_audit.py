"""The audit desk at the console: what rules hold, why, and a person's yes or no to what was shown."""

import html
import re
from collections.abc import Iterator

import pytest
import requests

from erpsync.flows.inventory.counts import set_stock
from erpsync.store.db.privacy import Vault
from tests.support.order_desk import OrderDesk, numbers_of, order_desk, words_of
from tests.support.ruled import put_in_force, ruled_by
from tests.support.visitor import visitor

RULES = """
rules:
  - {id: settle, when: {paid_min: {lt: 15}}, then: {hold: 付款后等15分钟}}
  - {id: big, when: {total: {ge: 50}}, then: {hold: 大额, ask: true}}
  - {id: vip, when: {seller_note: {contains: [VIP]}}, then: {hold: 备注要看, ask: true}}
  - {id: brush, when: {units: {gt: 30}}, then: {void: 疑似刷单}}
"""
BIG = "rules: [{id: big, when: {total: {ge: 50}}, then: {hold: 大额, ask: true}}]"


@pytest.fixture
def desk(database_url: str) -> Iterator[OrderDesk]:
    """A desk over o1 (20.00, its seller wrote a note), o2 (90.00) and o3, which is not paid."""
    with order_desk(database_url) as opened:
        yield opened


def asked_of(answer: requests.Response) -> dict[str, str]:
    """Return by order what its row sends: the order and the digest of what is shown."""
    found = re.findall(r'<input type="checkbox" name="asked" value="([^" ]+) ([0-9a-f]+)"', answer.text)
    return {order: f"{order} {digest}" for order, digest in found}


def approve(desk: OrderDesk, rule: str, *names: str, **form: str) -> requests.Response:
    """Tick orders on the page of a rule and approve them."""
    page = f"audit?rule={rule}"
    asked = asked_of(desk.get(page))
    chosen = [asked[desk.named(name)] for name in names]
    return desk.act("audit/approve", on=page, rule=rule, asked=chosen, **form)


# -- what is held


def test_without_rules_nothing_is_held(desk: OrderDesk) -> None:
    assert "No rule holds an order." in words_of(desk.get("audit"))


def test_what_is_held_stands_by_rule_what_asks_a_person_first(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    desk.town.advance(150)
    page = words_of(desk.get("audit"))

    assert re.search(
        r"A person has to decide 2 Rule Orders Oldest 大额 big · rules.yaml:4 1 2 min ago "
        r"备注要看 vip · rules.yaml:5 1 2 min ago "
        r"They go on by themselves 2 Rule Orders Oldest 付款后等15分钟 settle · rules.yaml:3 2 ",
        page,
    )


def test_the_orders_of_a_rule_stand_with_what_decided(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    answer = desk.get("audit?rule=big")

    assert numbers_of(answer) == [desk.named("o2")]
    page = words_of(answer)
    assert "They wait until a person approves. rules.yaml:4" in page
    assert "✓ it is so: Total 90.00 ≥ 50 shop CN¥90.00" in page


def test_who_has_waited_longest_comes_first(desk: OrderDesk) -> None:
    put_in_force(desk.town, BIG)
    desk.town.shop.place("o4", ("A", 7))
    desk.read()

    assert numbers_of(desk.get("audit?rule=big")) == [desk.named("o2"), desk.named("o4")]


def test_what_ends_by_itself_says_when_and_asks_nobody(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    answer = desk.get("audit?rule=settle")

    assert re.search(r"Minutes since payment 0 < 15 .* ends by itself 20:15", words_of(answer))
    assert 'action="/audit/approve"' not in answer.text


def test_what_people_wrote_is_shown_nowhere(desk: OrderDesk) -> None:
    desk.town.shop.change("o1", seller_note="VIP 张总的朋友")
    desk.read()
    put_in_force(desk.town, RULES)
    page = words_of(desk.get("audit?rule=vip"))

    assert "Note of the seller contains VIP" in page
    assert "张总" not in page


def test_what_is_not_so_any_more_cannot_be_approved(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    desk.town.advance(16 * 60)
    answer = desk.get("audit?rule=settle")

    assert "This is not so any more: it goes on in a moment." in words_of(answer)
    assert asked_of(answer) == {}


def test_fifty_stand_on_a_page_and_the_others_on_the_next(desk: OrderDesk) -> None:
    for number in range(52):
        desk.town.shop.place(f"m{number}", ("A", 6))
    desk.read()
    put_in_force(desk.town, BIG)
    first = desk.get("audit?rule=big")
    [newer] = re.findall(r'href="/(audit\?rule=big&amp;after=[^"]+)"', first.text)
    second = desk.get(html.unescape(newer))

    assert (len(numbers_of(first)), len(numbers_of(second))) == (50, 3)
    assert not set(numbers_of(first)) & set(numbers_of(second))
    assert "大额 53" in words_of(second)


@pytest.mark.parametrize("place", ["x", "1-", "-1", f"{10**30}-1", f"1-{10**30}", "1-2-3"])
def test_a_page_that_is_none_is_refused(desk: OrderDesk, place: str) -> None:
    assert desk.get(f"audit?rule=big&after={place}").status_code == 400


def test_without_the_keys_for_notes_the_desk_says_so_and_shows_what_is_held(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    desk.town.store.vault = Vault([b"other key".ljust(32, b"!")], b"i" * 32)
    page = words_of(desk.get("audit?rule=vip"))

    assert "this process does not have the keys for notes and addresses" in page
    assert desk.named("o1") in page
    assert asked_of(desk.get("audit?rule=vip")) == {}


def test_the_overview_names_the_orders_that_wait_for_an_approval(desk: OrderDesk) -> None:
    assert "to approve" not in words_of(desk.get(""))
    put_in_force(desk.town, RULES)
    answer = desk.get("")

    assert "2 orders wait for a person to approve them 0 s ago" in words_of(answer)
    assert '<a class="tag" href="/audit">' in answer.text


# -- yes


def test_an_order_is_approved_by_its_button_with_who_and_why(desk: OrderDesk) -> None:
    put_in_force(desk.town, BIG)
    number = desk.named("o2")
    page = words_of(approve(desk, "big", "o2", reason="老客户"))

    assert f"what rule big asks of order {number} is approved" in page
    assert "This rule holds no order any more." in page
    assert ruled_by(desk.town, "o2") == {}
    [told] = desk.events("order.approved")
    assert (told["actor"], told["detail"]["rules"], told["detail"]["reason"]) == ("web:lin", ["big"], "老客户")


def test_many_are_approved_at_once(desk: OrderDesk) -> None:
    desk.town.shop.place("o4", ("A", 7))
    desk.read()
    put_in_force(desk.town, BIG)
    page = words_of(approve(desk, "big", "o2", "o4"))

    assert "what rule big asks of 2 orders is approved" in page
    assert (ruled_by(desk.town, "o2"), ruled_by(desk.town, "o4")) == ({}, {})


def test_what_changed_since_it_was_shown_is_not_approved_and_the_page_says_which(desk: OrderDesk) -> None:
    desk.town.shop.place("o4", ("A", 7))
    desk.read()
    put_in_force(desk.town, BIG)
    asked = asked_of(desk.get("audit?rule=big"))
    desk.town.shop.change("o2", total=9100)
    desk.read()
    page = words_of(desk.act("audit/approve", on="audit?rule=big", rule="big", asked=list(asked.values())))

    changed = desk.named("o2")
    assert f"what rule big asks of order {desk.named('o4')} is approved" in page
    assert f"{changed} order {changed} has changed since you looked; look again at what rule big asks" in page
    assert set(ruled_by(desk.town, "o2")) == {"rule:big"}


def test_a_form_without_a_digest_of_what_was_shown_approves_nothing(desk: OrderDesk) -> None:
    put_in_force(desk.town, BIG)
    number = desk.named("o2")
    for asked in (number, f"{number} ", f"{number} 0"):
        page = words_of(desk.act("audit/approve", on="audit?rule=big", rule="big", asked=asked))
        assert "is approved" not in page
    assert set(ruled_by(desk.town, "o2")) == {"rule:big"}


def test_an_order_that_was_approved_meanwhile_says_that_nothing_is_asked(desk: OrderDesk) -> None:
    put_in_force(desk.town, BIG)
    asked = list(asked_of(desk.get("audit?rule=big")).values())
    approve(desk, "big", "o2")

    page = words_of(desk.act("audit/approve", on="audit?rule=big", rule="big", asked=asked))
    assert f"rule big asks nothing of order {desk.named('o2')}" in page


@pytest.mark.parametrize("act", ["audit/approve", "audit/cancel"])
def test_a_form_that_chooses_no_order_says_so(desk: OrderDesk, act: str) -> None:
    assert "no order is chosen: tick those that are meant" in words_of(desk.act(act, on="audit?rule=big", rule="big"))


def test_without_the_keys_nothing_is_approved(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    asked = list(asked_of(desk.get("audit?rule=vip")).values())
    keys, desk.town.store.vault = desk.town.store.vault, Vault([b"other key".ljust(32, b"!")], b"i" * 32)
    page = words_of(desk.act("audit/approve", on="audit?rule=vip", rule="vip", asked=asked))
    desk.town.store.vault = keys

    assert "this process does not have the keys for notes and addresses" in page
    assert "rule:vip" in ruled_by(desk.town, "o1")


def test_who_only_reads_sees_what_is_held_and_is_offered_no_act(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    reader = visitor(desk.store, "mei", role="read")
    text = desk.get("audit?rule=big", reader).text

    assert desk.named("o2") in text
    assert "/audit/approve" not in text
    assert desk.get("audit", reader).status_code == 200
    assert desk.act("audit/approve", reader, rule="big", asked=f"{desk.named('o2')} 0").status_code == 403


# -- no


def test_what_is_no_real_order_is_cancelled_with_what_was_shown(desk: OrderDesk) -> None:
    set_stock(desk.town.ctx, warehouse="SH", sku="A", on_hand=99, actor="wang")
    desk.town.shop.place("o4", ("A", 40))
    desk.read()
    put_in_force(desk.town, RULES)
    page = desk.get("audit?rule=brush")
    assert "These may be no real orders: they take no stock until a person decides." in words_of(page)
    asked = list(asked_of(page).values())

    said = words_of(desk.act("audit/cancel", on="audit?rule=brush", rule="brush", asked=asked))

    assert f"order {desk.named('o4')} is cancelled; cancel it on its channel too" in said
    assert desk.order("o4")["status"] == "cancelled"
    [told] = desk.events("order.cancelled")
    assert (told["actor"], told["detail"]["reason"]) == ("web:lin", "no real order")


def test_what_changed_since_it_was_shown_is_not_cancelled(desk: OrderDesk) -> None:
    desk.town.shop.place("o4", ("A", 40))
    desk.read()
    put_in_force(desk.town, RULES)
    asked = list(asked_of(desk.get("audit?rule=brush")).values())
    lines = [line | {"qty": 41} for line in desk.town.shop.orders["o4"]["lines"]]
    desk.town.shop.change("o4", lines=lines)
    desk.read()

    said = words_of(desk.act("audit/cancel", on="audit?rule=brush", rule="brush", asked=asked, reason="刷单"))

    assert "has changed since you looked; look again at what rule brush asks" in said
    assert (desk.order("o4")["status"], desk.events("order.cancelled")) == ("held", [])


def test_a_real_order_is_freed_by_approving_it(desk: OrderDesk) -> None:
    set_stock(desk.town.ctx, warehouse="SH", sku="A", on_hand=99, actor="wang")
    desk.town.shop.place("o4", ("A", 40))
    desk.read()
    put_in_force(desk.town, "rules: [{id: brush, when: {units: {gt: 30}}, then: {void: 疑似刷单}}]")
    assert desk.order("o4")["hold_reason"] == "void"

    approve(desk, "brush", "o4")

    assert desk.order("o4")["status"] == "allocated"


# -- the page of the order


def test_the_page_of_an_order_says_which_rule_holds_it_why_and_until_when(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES)
    answer = desk.get(f"orders/{desk.named('o2')}")
    page = words_of(answer)

    assert "see below which rule holds it: approve what it asks, or wait until it ends by itself" in page
    assert re.search(r"大额 big · rules.yaml:4 · \d s ago ✓ it is so: Total 90.00 ≥ 50", page)
    assert re.search(r"付款后等15分钟 settle .* ends by itself 20:15", page)
    assert "Looked at again 20:15" in page
    assert f'href="/rules?order={desk.named("o2")}"' in answer.text


def test_an_order_is_approved_on_its_page(desk: OrderDesk) -> None:
    put_in_force(desk.town, BIG)
    number = desk.named("o2")
    page = desk.get(f"orders/{number}")
    [asked] = re.findall(r'name="asked" value="([^"]+)"', page.text)

    said = desk.act("audit/approve", on=f"orders/{number}", rule="big", asked=asked)

    assert said.url.startswith(f"{desk.server.url}orders/{number}?said=")
    assert "Held by rules" not in words_of(said)


def test_an_order_that_may_be_no_real_one_asks_for_a_decision(desk: OrderDesk) -> None:
    desk.town.shop.place("o4", ("A", 40))
    desk.read()
    put_in_force(desk.town, RULES)
    answer = desk.get(f"orders/{desk.named('o4')}")

    assert "decide whether it is a real order: approve it, or cancel it" in words_of(answer)
    assert 'action="/audit/cancel"' in answer.text


def test_the_list_of_orders_is_filtered_by_the_rule_that_holds_them_and_by_tag(desk: OrderDesk) -> None:
    put_in_force(desk.town, RULES.replace("大额, ask: true", "大额, ask: true, tag: [贵]"))
    number = desk.named("o2")
    answer = desk.get("orders?status=held")

    assert re.search(rf"{number} !? ?held rule 贵", words_of(answer))
    assert "rule 4" in words_of(answer)
    assert numbers_of(desk.get("orders?rule=big")) == [number]
    assert numbers_of(desk.get("orders?tag=贵")) == [number]
    assert numbers_of(desk.get("orders?reason=rule&tag=贵")) == [number]
    assert numbers_of(desk.get("orders?reason=void")) == []
    assert "Rule big" in words_of(desk.get("orders?rule=big"))
