"""The twelve rules of the example file, each as a seller lives through it; no wrong clock ends one of them early."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from erpsync.flows.audit.approve import approve
from erpsync.flows.audit.looks import judge_due
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.flows.warehouses.parcel_rules import try_with_parcels
from erpsync.sdk.types import Recipient
from erpsync.store.db.clock import confirm
from tests.support.facts import OrderRecord, line, order, raw, take_in
from tests.support.looking import held, status
from tests.support.own_orders import make
from tests.support.ruled import lines_of, marked, put_in_force, ruled_by
from tests.support.shop import NOON, Town
from tests.support.sources import ROOT

MORNING = datetime(2027, 3, 2, 1, tzinfo=UTC)
"""Nine in the morning in Shanghai, on the second day of the gifts."""

SHOP = "tmall-flagship"
TO = Recipient(
    name="王小明", phone="13800001111", province="浙江省", city="杭州市", district="西湖区", address="文三路 100 号"
)
XINJIANG = replace(TO, province="新疆维吾尔自治区", city="乌鲁木齐市", district="天山区")


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """The flagship shop with its goods and the twelve rules in force."""
    town = make_town(names=(SHOP,))
    town.advance((MORNING - town.clock.now()).total_seconds())
    for sku in ("MUG", "DRESS-08", "SCARF", "ICE"):
        set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=10, actor="keeper")
    cells = ({"floor": "20.00", "currency": "CNY"}, {"tags": "frozen", "floor": "1", "currency": "CNY"})
    rows = [GoodsRow(sku=sku, cells=each) for sku, each in zip(("MUG", "ICE"), cells, strict=True)]
    assert not import_goods(town.ctx, rows, actor="keeper").refused
    put_in_force(town, (ROOT / "config" / "rules.example.yaml").read_text(encoding="utf-8"))
    return town


def buy(town: Town, id: str = "o1", sku: str = "MUG", *, price: int = 9900, settled: bool = True, **said: Any) -> None:
    """Let the shop tell of an order that was paid now, and that it has settled unless told otherwise."""
    now = town.clock.now()
    values = {"version_at": now, "placed_at": now, "paid_at": now, "ready_at": now, "recipient": TO, "buyer": id} | said
    item = order(id, line(sku, price=price), **values)
    began = (now - NOON).total_seconds()
    record = OrderRecord(raw=raw(id, now, digest=str(now), read=(began, began)), order=item)
    take_in(town, record, channel=SHOP)
    if settled:
        town.advance(15 * 60 + 1)
        judge_due(town.ctx)


def test_settle_time_ends_by_itself(town: Town) -> None:
    buy(town, settled=False)
    assert (status(town, "o1"), ruled_by(town, "o1")) == (("held", "rule"), {"rule:settle-time": "付款后等15分钟"})

    town.advance(15 * 60)

    assert (judge_due(town.ctx), status(town, "o1")) == (1, ("allocated", None))


def test_night_big_waits_for_a_person_until_the_morning(town: Town) -> None:
    town.advance(14 * 3600)  # 23:00
    buy(town, "large", total_minor=300_000)
    buy(town, "small", total_minor=299_999)
    assert (ruled_by(town, "large"), status(town, "small")[0]) == ({"rule:night-big": "夜间大额"}, "allocated")

    town.advance(9 * 3600)
    judge_due(town.ctx)

    assert status(town, "large")[0] == "allocated"


def test_floor_waits_until_somebody_agrees_to_the_price(town: Town) -> None:
    buy(town, price=1999)
    assert ruled_by(town, "o1") == {"rule:floor": "低于底价"}

    assert approve(town.ctx, "o1", actor="li") == ("floor",)

    assert status(town, "o1")[0] == "allocated"


def test_address_is_held_and_tagged_until_it_is_right(town: Town) -> None:
    buy(town, recipient=replace(TO, phone="1380000"))
    assert (ruled_by(town, "o1"), marked(town, "o1")) == ({"rule:address": "地址需核对"}, {"tag:地址异常": ""})

    buy(town)

    assert (ruled_by(town, "o1"), marked(town, "o1")) == ({}, {})


def test_remote_goes_by_post(town: Town) -> None:
    buy(town, recipient=XINJIANG)

    assert (ruled_by(town, "o1"), marked(town, "o1")) == ({}, {"tag:偏远": "", "carrier": "EMS POST"})


def test_memo_sf_chooses_the_courier(town: Town) -> None:
    buy(town, "o1", seller_note="请发顺丰")
    buy(town, "o2", buyer_note="发顺丰", total_minor=30_000)
    buy(town, "o3", buyer_note="发顺丰", total_minor=29_999)

    assert [marked(town, id) for id in ("o1", "o2", "o3")] == [{"carrier": "SF"}, {"carrier": "SF"}, {}]
    assert ruled_by(town, "o1") == {}  # the memo was understood


def test_memo_left_waits_for_somebody_who_reads_it(town: Town) -> None:
    buy(town, seller_note="多放干冰")
    assert ruled_by(town, "o1") == {"rule:memo-left": "备注没有规则看懂"}

    approve(town.ctx, "o1", ["memo-left"], actor="li")

    assert status(town, "o1")[0] == "allocated"


def test_brush_takes_no_stock_for_six_orders_of_one_buyer_in_a_day(town: Town) -> None:
    ids = [f"o{n}" for n in range(6)]
    for id in ids[:5]:
        buy(town, id, buyer="b1", settled=False)
    town.advance(15 * 60 + 1)
    judge_due(town.ctx)
    assert [status(town, id)[0] for id in ids[:5]] == ["allocated"] * 5

    buy(town, ids[5], buyer="b1")

    assert [(status(town, id), held(town, id)) for id in ids] == [(("held", "void"), {})] * 6


def test_cod_alone_is_sealed(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")

    made = make(town, key="call-1", kind="cod")

    assert marked(town, "call-1")["seal"] == "merge split", made


def test_spring_gift_comes_with_a_dress_and_goes_when_the_week_is_over(town: Town) -> None:
    dress = {"goods_minor": 29_900, "total_minor": 29_900, "price": 29_900}
    buy(town, "o1", "DRESS-08", buyer="b1", **dress)
    buy(town, "o2", "DRESS-08", buyer="b1", **dress)
    buy(town, "o3", "DRESS-08", **dress | {"goods_minor": 29_899})
    assert [held(town, id).get("SCARF", 0) for id in ("o1", "o2", "o3")] == [1, 0, 0]

    town.advance(7 * 24 * 3600)
    judge_due(town.ctx)

    assert lines_of(town, "o1")["gift:spring-gift"] == (1, 1)


def test_frozen_apart_is_a_parcel_of_its_own(town: Town) -> None:
    buy(town, sku="ICE")

    assert marked(town, "o1") == {"part:frozen": '{"sku_tag": ["frozen"]}'}


def test_heavy_is_judged_with_the_parcel_and_not_with_the_order(town: Town) -> None:
    import_goods(town.ctx, [GoodsRow(sku="MUG", cells={"weight_g": "30000"})], actor="keeper")
    buy(town)

    tried = try_with_parcels(town.ctx, "o1")
    (heavy,) = [each for each in tried["rules"] if each["id"] == "heavy"]
    assert (heavy["outcome"], marked(town, "o1")) == ("later", {})
    [parcel] = tried["parcels"]
    assert (parcel["rules"][0]["outcome"], parcel["carrier"]) == ("matched", ["DBL_FREIGHT", "DBL"])


@pytest.mark.parametrize("by_s", [-2 * 24 * 3600, -15 * 60, 2 * 3600, 2 * 24 * 3600])
def test_a_clock_that_jumps_ends_no_hold_early(town: Town, by_s: int) -> None:
    buy(town, settled=False)

    town.clock.jump(seconds=by_s)
    judge_due(town.ctx)
    assert ruled_by(town, "o1") == {"rule:settle-time": "付款后等15分钟"}

    town.advance(14 * 60)
    judge_due(town.ctx)
    assert ruled_by(town, "o1") == {"rule:settle-time": "付款后等15分钟"}


def test_a_leap_ahead_that_is_confirmed_counts_as_time_gone_by(town: Town) -> None:
    buy(town, settled=False)
    town.clock.jump(seconds=2 * 3600)
    judge_due(town.ctx)
    assert status(town, "o1")[0] == "held"

    town.store.retrying(confirm)
    town.store.clock.look_again()
    with town.store.begin():
        pass
    judge_due(town.ctx)

    assert status(town, "o1")[0] == "allocated"
