"""Orders leave from the warehouses that their rules name, as far as those have the goods."""

from collections.abc import Callable
from typing import Any

import pytest

from erpsync.core.policy import AccountPolicy, WarehousePolicy
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.couriers.rates import import_rates
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.sdk.types import Repeat, Sender
from tests.support import looking, walk
from tests.support.courier import Courier, CourierConnector, rate
from tests.support.ruled import marked, put_in_force
from tests.support.shop import SHANGHAI, Town

NAMED = "rules: [{id: near, when: {province: 广东省}, then: {warehouse: [GZ, BJ]}}]"
BY_ZONE = """
zones: {south: [广东省, 广西], north: [北京市]}
rules: [{id: near, when: {total: {ge: 0}}, then: {warehouse: {by: zone}}}]
"""


def sender(province: str) -> Sender:
    return Sender(name="王五", phone="13800001111", province=province, city=province, address="1号")


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """Three warehouses, of which SH is preferred; each has 2 of A but BJ, which has none."""
    places = [("SH", "上海市"), ("GZ", "广东省"), ("BJ", "北京市")]
    warehouses = [WarehousePolicy(id=id, priority=n, sender=sender(home)) for n, (id, home) in enumerate(places, 1)]
    town = make_town(warehouses=warehouses)
    for id, qty in (("SH", 2), ("GZ", 2), ("BJ", 0)):
        counts.set_stock(town.ctx, warehouse=id, sku="A", on_hand=qty, actor="me")
    return town


def buy(town: Town, id: str, province: str, qty: int = 1, **fields: Any) -> None:
    town.shop.place(id, ("A", qty), province=province, city=province, **fields)
    walk.read(town)


def held(town: Town) -> dict[str, int]:
    """Return the units that are set apart, by warehouse."""
    return {place: reserved for (place, _), (_, reserved) in looking.on_shelf(town).items()}


def test_the_warehouse_that_a_rule_names_comes_before_the_preferred_one(town: Town) -> None:
    put_in_force(town, NAMED)
    buy(town, "o1", "广东省")
    buy(town, "o2", "浙江省")

    assert marked(town, "o1")["warehouse"] == "GZ BJ"
    assert held(town) == {"SH": 1, "GZ": 1, "BJ": 0}


def test_where_it_has_none_the_order_leaves_from_another(town: Town) -> None:
    put_in_force(town, NAMED)
    counts.set_stock(town.ctx, warehouse="GZ", sku="A", on_hand=0, actor="me")
    buy(town, "o1", "广东省")

    assert held(town) == {"SH": 1, "GZ": 0, "BJ": 0}


def test_an_order_that_waited_takes_from_where_it_wishes(town: Town) -> None:
    put_in_force(town, NAMED)
    for id in ("SH", "GZ"):
        counts.set_stock(town.ctx, warehouse=id, sku="A", on_hand=0, actor="me")
    buy(town, "o1", "广东省", 2)
    assert looking.status(town, "o1")[0] == "backordered"

    counts.set_stock(town.ctx, warehouse="BJ", sku="A", on_hand=1, actor="me")
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=3, actor="me")

    assert held(town) == {"SH": 1, "GZ": 0, "BJ": 1}
    assert looking.status(town, "o1")[0] == "allocated"


def test_without_rules_the_preferred_warehouse_comes_first(town: Town) -> None:
    buy(town, "o1", "广东省")

    assert held(town) == {"SH": 1, "GZ": 0, "BJ": 0}


@pytest.mark.parametrize(("province", "warehouse"), [("广西", "GZ"), ("广东", "GZ"), ("浙江省", "SH"), ("", "SH")])
def test_the_nearest_is_in_the_recipients_zone(town: Town, province: str, warehouse: str) -> None:
    put_in_force(town, BY_ZONE)
    buy(town, "o1", province)

    assert {place for place, units in held(town).items() if units} == {warehouse}


def test_a_place_in_no_zone_is_nearest_to_its_province(town: Town) -> None:
    put_in_force(town, BY_ZONE.replace("广东省, ", ""))
    buy(town, "o1", "广东省")

    assert held(town) == {"SH": 0, "GZ": 1, "BJ": 0}


def test_a_wish_for_a_warehouse_that_does_not_serve_the_channel_is_none(town: Town) -> None:
    put_in_force(town, NAMED.replace("GZ, BJ", "HZ, BJ"))
    buy(town, "o1", "广东省")

    assert held(town) == {"SH": 1, "GZ": 0, "BJ": 0}


BY_FREIGHT = """
zones: {south: [广东省, 广西]}
rules: [{id: cheap, when: {total: {ge: 0}}, then: {warehouse: {by: freight}}}]
"""


@pytest.fixture
def priced(town: Town) -> Town:
    """The three warehouses, with an account that fetches parcels in SH and one in GZ; A weighs 500 g."""
    specs = [(name, AccountPolicy(warehouses=(place,))) for name, place in (("sf-sh", "SH"), ("sf-gz", "GZ"))]
    accounts = [
        ChannelSpec(
            name=name,
            kind="courier",
            courier=account,
            connector=CourierConnector(Courier(clock=town.clock), town.clock, Repeat.LOOK_FIRST, None),
        )
        for name, account in specs
    ]
    shops = [
        ChannelSpec(name=c.name, kind=c.kind, poll=c.poll, orders=c.orders, stock=c.stock, connector=c.connector)
        for c in town.ctx.channels.values()
    ]
    places = list(town.ctx.warehouses.values())
    town.ctx = open_context(town.store, warehouses=places, channels_=[*shops, *accounts], timezone=SHANGHAI)
    put_in_force(town, BY_FREIGHT)
    rates = [
        rate("south", 1500, account="sf-sh"),
        rate("south", 800, account="sf-gz"),
        rate("", 600, account="sf-sh"),
        rate("", 1800, account="sf-gz"),
    ]
    taken = import_rates(town.ctx, [(each, f"r.csv:{at}") for at, each in enumerate(rates, 2)], bad=[], actor="me")
    assert not taken.refused
    import_goods(town.ctx, [GoodsRow(sku="A", cells={"weight_g": "500"}, source="g:2")], actor="me")
    return town


@pytest.mark.parametrize(("province", "warehouse"), [("广东省", "GZ"), ("广西", "GZ"), ("浙江省", "SH")])
def test_the_cheapest_is_where_an_account_that_fetches_there_takes_least(
    priced: Town, province: str, warehouse: str
) -> None:
    buy(priced, "o1", province)

    assert marked(priced, "o1")["warehouse"] == "by:freight"
    assert {place for place, units in held(priced).items() if units} == {warehouse}


def test_where_nobody_knows_the_weight_there_is_no_wish(priced: Town) -> None:
    import_goods(priced.ctx, [GoodsRow(sku="A", cells={"weight_g": "-"}, source="g:2")], actor="me")
    buy(priced, "o1", "广东省")

    assert held(priced) == {"SH": 1, "GZ": 0, "BJ": 0}


def test_where_the_cheapest_has_none_the_next_one_serves(priced: Town) -> None:
    counts.set_stock(priced.ctx, warehouse="GZ", sku="A", on_hand=0, actor="me")
    buy(priced, "o1", "广东省")

    assert held(priced) == {"SH": 1, "GZ": 0, "BJ": 0}
