"""What rules may ask about, each fact by the way that an order really takes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from erpsync.core.facts import ORDER_FACTS
from erpsync.flows.audit.looks import judge_due
from erpsync.flows.audit.marks import tag_order
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.sdk.types import Line, Recipient, RefundState
from tests.support import looking, walk
from tests.support.facts import fact, later, line, order, refund, refund_fact, take_in
from tests.support.ruled import marked, put_in_force
from tests.support.shop import NOON, Town

TO = Recipient(
    name="王小明", phone="13800001111", province="浙江省", city="杭州市", district="西湖区", address="文三路 100 号"
)
GOODS = {
    "TEA": {"weight_g": "100", "volume_cm3": "20", "floor": "10.00", "currency": "CNY", "tags": "dry"},
    "POT": {"weight_g": "700", "volume_cm3": "900", "floor": "50.00", "currency": "CNY", "tags": "fragile"},
}
DAY = timedelta(days=1)


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """TEA, POT and a SET of one POT and two TEA."""
    town = make_town()
    for sku, cells in GOODS.items():
        set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=100, actor="keeper")
        assert not import_goods(town.ctx, [GoodsRow(sku=sku, cells=cells)], actor="keeper").refused
    parts = [BundlePart(bundle="SET", sku="POT", qty=1), BundlePart(bundle="SET", sku="TEA", qty=2)]
    import_bundles(town.ctx, parts, actor="keeper")
    return town


def ask(town: Town, **conditions: str) -> None:
    """Put one rule in force for each condition, which gives a tag of its name."""
    rules = "\n".join(
        f"- {{id: {name}, when: {{{when}}}, then: {{tag: [{name}]}}}}" for name, when in conditions.items()
    )
    put_in_force(town, f"zones: {{near: [浙江/杭州], far: [西藏]}}\nrules:\n{rules}\n")


def seen(id: str = "o1", *lines: Line, at: float = 0, **said: Any) -> Any:
    item = order(id, *lines, version_at=later(at), **({"recipient": TO} | said))
    return fact(item, digest=str(at), read=(at, at + 1))


def tags(town: Town, id: str = "o1") -> set[str]:
    return {name.removeprefix("tag:") for name in marked(town, id)}


TRUE_OF_ALL = {
    "channel": "channel: shop",
    "connector": "connector: shop",
    "kind": "kind: channel",
    "province": "province: 浙江",
    "city": "city: 杭州",
    "zone": "zone: near",
    "address": "address: {has: [bad_phone]}",
    "total": "total: 99.5",
    "goods_total": "goods_total: 90",
    "freight": "freight: 12.5",
    "discount": "discount: 3",
    "paid": "paid: 99.49",
    "currency": "currency: CNY",
    "lines": "lines: 2",
    "units": "units: 3",
    "weight_g": "weight_g: 2500",
    "volume_cm3": "volume_cm3: 2780",
    "sku": "sku: {all: [TEA, POT]}",
    "sku_tag": "sku_tag: {all: [dry, fragile]}",
    "below_floor": "below_floor: true",
    "buyer_note": "buyer_note: {contains: [礼盒]}",
    "seller_note": "seller_note: {unread: true}",
    "seller_flag": "seller_flag: 3",
    "tag": "tag: {has: [VIP]}",
    "buyer_new": "buyer_new: true",
    "buyer_orders_24h": "buyer_orders_24h: 1",
    "buyer_orders_open": "buyer_orders_open: 0",
    "buyer_refunds_90d": "buyer_refunds_90d: 0",
    "paid_min": "paid_min: {lt: 1}",
    "placed_min": "placed_min: {ge: 60}",
    "ship_by_h": "ship_by_h: {le: 5}",
    "clock": "clock: {from: '19:00', to: '21:00'}",
    "weekday": "weekday: mon",
}


def test_each_fact_is_what_the_order_says(town: Town) -> None:
    assert TRUE_OF_ALL.keys() == ORDER_FACTS.keys()
    ask(town, **TRUE_OF_ALL)

    take_in(
        town,
        seen(
            "o1",
            line("SET", 2, id="L1", price=6999),
            line("POT", 1, id="L2", price=5000),
            line("POT", 1, id="L3", price=5000, cancelled_qty=1),
            total_minor=9950,
            goods_minor=9000,
            freight_minor=1250,
            discount_minor=300,
            paid_minor=9949,
            placed_at=NOON - timedelta(hours=1),
            ship_by_at=NOON + timedelta(hours=5),
            recipient=replace(TO, phone="1380000"),
            buyer="b1",
            buyer_note="要礼盒",
            seller_note="老客户",
            seller_flag=3,
        ),
    )
    assert TRUE_OF_ALL.keys() - tags(town) == {"tag"}
    tag_order(town.ctx, "o1", ["VIP"], actor="li")
    assert "tag" in tags(town)


@pytest.mark.parametrize(
    ("to", "wanted"),
    [
        (TO, {"province", "zone"}),
        (replace(TO, name="王*", phone="138****1111", address="***"), {"province", "zone"}),
        (replace(TO, province="**", city="**", district="**"), {"unknown:province", "unknown:zone"}),
        (None, {"unknown:province", "unknown:zone"}),
    ],
)
def test_where_an_order_goes_is_known_as_far_as_the_channel_shows_it(
    town: Town, to: Recipient | None, wanted: set[str]
) -> None:
    ask(town, province="province: 浙江", zone="zone: near")

    take_in(town, seen(recipient=to))

    assert tags(town) >= wanted
    assert not {"province", "zone"} & (tags(town) - wanted)


def test_a_view_without_a_recipient_leaves_the_place_as_it_is_known(town: Town) -> None:
    ask(town, province="province: 浙江", address="address: {has: [bad_phone]}")
    take_in(town, seen(recipient=replace(TO, phone="1380000")))

    take_in(town, seen(at=9, recipient=None, seller_flag=1))

    assert tags(town) == {"province", "address"}


@pytest.mark.parametrize(
    ("price", "currency", "wanted"),
    [(6999, "CNY", {"below_floor"}), (7000, "CNY", set()), (1, "USD", {"unknown:below_floor"})],
)
def test_a_set_is_below_its_floor_if_its_parts_are_and_only_in_their_currency(
    town: Town, price: int, currency: str, wanted: set[str]
) -> None:
    ask(town, below_floor="below_floor: true")

    take_in(town, seen("o1", line("SET", price=price), currency=currency))

    assert tags(town) == wanted


def test_what_is_tied_to_no_sku_has_no_weight(town: Town) -> None:
    ask(town, heavy="weight_g: {ge: 1}")

    take_in(town, seen("o1", line("TEA"), line("NEW", id="L2")))
    assert tags(town) == {"unknown:weight_g"}

    import_goods(town.ctx, [GoodsRow(sku="NEW", cells={"weight_g": "5"})], actor="keeper")
    judge_due(town.ctx)
    assert tags(town) == {"heavy"}


@pytest.mark.parametrize("apart", [DAY, DAY + timedelta(microseconds=1)])
def test_orders_of_a_day_are_those_within_24_hours_whatever_week_they_fall_in(town: Town, apart: timedelta) -> None:
    ask(town, many="buyer_orders_24h: 2", new="buyer_new: true")
    midnight = NOON - timedelta(days=NOON.weekday() + 4)  # the weeks of the index begin on Thursdays
    first = midnight.replace(hour=0, minute=0)

    take_in(town, seen("o1", placed_at=first - timedelta(hours=1), buyer="b1"))
    take_in(town, seen("o2", placed_at=first - timedelta(hours=1) + apart, buyer="b1"))
    judge_due(town.ctx)

    many = {"many"} if apart == DAY else set()
    assert (tags(town, "o1"), tags(town, "o2")) == ({"new"} | many, many)


@pytest.mark.parametrize(("before", "counts"), [(0, True), (90, True), (90.001, False), (-0.001, False)])
def test_refunds_count_in_the_90_days_before_an_order_was_placed(town: Town, before: float, counts: bool) -> None:
    ask(town, back="buyer_refunds_90d: {ge: 1}")
    take_in(town, seen("o1", buyer="b1", placed_at=NOON - 100 * DAY), seen("o2", buyer="b1"))

    told = replace(refund(order_id="o1", state=RefundState.GRANTED, L1=1), version_at=NOON - before * DAY)
    take_in(town, refunds=[refund_fact(told)])
    judge_due(town.ctx)

    assert tags(town, "o2") == ({"back"} if counts else set())


def test_a_line_of_a_channel_that_names_itself_a_gift_is_a_dead_letter(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    town.shop.orders["o1"]["lines"][0]["id"] = "gift:spring"

    walk.read(town)

    assert looking.letters(town) == [("order", "o1")]


def test_a_refund_that_was_closed_counts_not(town: Town) -> None:
    ask(town, back="buyer_refunds_90d: {ge: 1}")

    take_in(town, seen("o1", buyer="b1"), refunds=[refund_fact(refund(state=RefundState.CLOSED, L1=1))])

    assert tags(town) == set()
