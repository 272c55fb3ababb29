"""A changed configuration is put into force on stock: no gap, and numbers told anew."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from erpsync.core.policy import OrderPolicy, StockPolicy, WarehousePolicy
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations.config_change import replan_changed
from erpsync.runtime.once import drain
from erpsync.store.tables import backorder
from tests.support.looking import status
from tests.support.own_orders import make
from tests.support.shop import Town

TWO = (WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2))


def owed(town: Town) -> int:
    with town.store.read() as connection:
        return int(connection.execute(select(func.coalesce(func.sum(backorder.c.qty), 0))).scalar_one())


def test_a_warehouse_that_begins_to_feed_a_channel_serves_its_backorders_at_once(
    make_town: Callable[..., Town],
) -> None:
    town = make_town(warehouses=TWO, stock=StockPolicy(warehouses=("SH",)))
    replan_changed(town.ctx)
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    set_stock(town.ctx, warehouse="GZ", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2))
    drain(town.ctx)
    assert owed(town) == 2

    town = make_town(warehouses=TWO, town=town)

    assert replan_changed(town.ctx) == 1
    assert owed(town) == 0


def test_a_warehouse_that_begins_to_sell_serves_an_own_order_of_what_no_shop_lists(
    make_town: Callable[..., Town],
) -> None:
    closed = (WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2, sellable=False))
    town = make_town(warehouses=closed, stock=StockPolicy(warehouses=("SH",)))
    replan_changed(town.ctx)
    set_stock(town.ctx, warehouse="GZ", sku="TEA", on_hand=5, actor="me")
    make(town)
    assert owed(town) == 2

    town = make_town(warehouses=TWO, stock=StockPolicy(warehouses=("SH",)), town=town)

    assert (replan_changed(town.ctx), owed(town)) == (1, 0)


def test_a_new_buffer_is_told_without_any_sale(make_town: Callable[..., Town]) -> None:
    town = make_town()
    replan_changed(town.ctx)
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="me")
    town.shop.place("o1", ("A", 1))
    drain(town.ctx)
    assert town.shop.shown == {"A": 8}

    town = make_town(stock=StockPolicy(buffer=3), town=town)
    replan_changed(town.ctx)
    drain(town.ctx)

    assert town.shop.shown == {"A": 5}


def test_a_channel_that_is_switched_on_is_told_what_it_missed(make_town: Callable[..., Town]) -> None:
    town = make_town(enabled=False)
    replan_changed(town.ctx)
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    drain(town.ctx)
    assert town.shop.shown == {}

    town = make_town(town=town)
    replan_changed(town.ctx)
    drain(town.ctx)

    assert town.shop.shown == {"A": 9}


def test_an_unchanged_configuration_is_not_planned_anew(make_town: Callable[..., Town]) -> None:
    town = make_town()
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="me")
    town.shop.place("o1", ("A", 1))
    drain(town.ctx)
    replan_changed(town.ctx)

    assert replan_changed(make_town(town=town).ctx) == 0


@pytest.mark.parametrize(("before", "after"), [("always", "never"), ("never", "always")])
def test_open_orders_are_held_or_freed_when_the_shopkeeper_asks_for_addresses_otherwise(
    make_town: Callable[..., Town], before: str, after: str
) -> None:
    shown = {"always": ("held", "incomplete_address"), "never": ("allocated", None)}
    town = make_town(orders=OrderPolicy(require_address=before))  # type: ignore[arg-type]
    replan_changed(town.ctx)
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="me")
    town.shop.place("o1", ("A", 1), address="")
    town.shop.place("o2", ("A", 1))
    drain(town.ctx)
    assert (status(town, "o1"), status(town, "o2")) == (shown[before], ("allocated", None))

    town = make_town(orders=OrderPolicy(require_address=after), town=town)  # type: ignore[arg-type]
    replan_changed(town.ctx)

    assert (status(town, "o1"), status(town, "o2")) == (shown[after], ("allocated", None))
