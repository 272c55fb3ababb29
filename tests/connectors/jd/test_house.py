"""A JD shop in the context: from the buyer's order to the parcel, through the real flows and database."""

from collections.abc import Iterator

import pytest

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.shipments import record
from erpsync.flows.shipments.record import ShipLine
from erpsync.store.db.store import Store
from tests.connectors.jd.shop import Shop
from tests.support import looking, walk
from tests.support.shop import SHANGHAI, VAULT, Town


class JdTown(Town):
    """A context whose only channel is a JD sandbox, with ten units of A in the warehouse SH and told to the shop."""

    def __init__(self, url: str) -> None:
        self.jd = Shop()
        self.sku_id = self.jd.item("A", qty=0)
        store = Store.open(url, clock=self.jd.clock, vault=VAULT)
        spec = ChannelSpec(name="shop", kind="jd", connector=self.jd.connector)
        ctx = open_context(store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI)
        super().__init__(store=store, clock=self.jd.clock, ctx=ctx, shops={})
        counts.set_stock(ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
        walk.run(self)
        walk.read(self, "listings")
        walk.run(self)

    @property
    def shown(self) -> int:
        return self.jd.sandbox.stock()[self.sku_id]

    def pass_time(self) -> None:
        self.advance(60)
        walk.run(self)


@pytest.fixture
def town(database_url: str) -> Iterator[JdTown]:
    made = JdTown(database_url)
    yield made
    made.store.close()


def test_stock_is_told_from_the_catalogue_before_the_first_order(town: JdTown) -> None:
    assert town.shown == 10


def test_an_order_is_held_shipped_and_told_to_jd(town: JdTown) -> None:
    order_id = town.jd.sandbox.place_order([("A", 3)], pay=True)
    town.pass_time()
    held = looking.on_shelf(town)
    record.ship(town.ctx, order=order_id, carrier="SF", tracking="SF001", actor="me")
    town.pass_time()

    assert held == {("SH", "A"): (10, 3)}
    assert [(parcel.order_id, parcel.number) for parcel in town.jd.sandbox.shipments()] == [(order_id, "SF001")]
    assert looking.on_shelf(town) == {("SH", "A"): (7, 0)}
    assert town.shown == 7


def test_an_order_in_two_parcels_is_told_in_two_parts(town: JdTown) -> None:
    order_id = town.jd.sandbox.place_order([("A", 3)], pay=True)
    town.pass_time()
    for tracking, qty in (("SF001", 1), ("SF002", 2)):
        line = ShipLine(line=town.sku_id, qty=qty)
        record.ship(town.ctx, order=order_id, carrier="SF", tracking=tracking, actor="me", lines=[line])
        town.pass_time()

    assert [dict(parcel.units) for parcel in town.jd.sandbox.shipments()] == [{town.sku_id: 1}, {town.sku_id: 2}]
    assert town.jd.sandbox.orders.records[order_id]["orderState"] == "WAIT_GOODS_RECEIVE_CONFIRM"


def test_a_refund_holds_the_order_and_its_grant_frees_the_units(town: JdTown) -> None:
    order_id = town.jd.sandbox.place_order([("A", 3)], pay=True)
    town.pass_time()
    refund_id = town.jd.sandbox.request_refund(order_id)
    town.pass_time()
    with pytest.raises(Refused, match="open refund"):
        record.ship(town.ctx, order=order_id, carrier="SF", tracking="SF001", actor="me")
    held = looking.on_shelf(town)
    town.jd.sandbox.grant_refund(refund_id)
    town.pass_time()

    assert held == {("SH", "A"): (10, 3)}
    assert looking.on_shelf(town) == {("SH", "A"): (10, 0)}
    assert town.shown == 10


def test_an_order_of_jds_own_warehouse_touches_none_of_our_stock(town: JdTown) -> None:
    order_id = town.jd.sandbox.place_order([("A", 3)], pay=True, storeOrder="京仓订单")
    town.pass_time()
    waiting = looking.on_shelf(town)
    town.jd.sandbox.change_order_fields(order_id, orderState="WAIT_GOODS_RECEIVE_CONFIRM", waybill="JD1")
    town.pass_time()

    assert waiting == looking.on_shelf(town) == {("SH", "A"): (10, 0)}
    with pytest.raises(Refused):
        record.ship(town.ctx, order=order_id, carrier="SF", tracking="SF001", actor="me")


def test_a_split_moves_the_units_from_the_old_order_to_its_children(town: JdTown) -> None:
    order_id = town.jd.sandbox.place_order([("A", 1), ("A", 2)], pay=True)
    town.pass_time()
    before = looking.on_shelf(town)
    town.jd.sandbox.split_order(order_id)
    town.pass_time()

    assert before == looking.on_shelf(town) == {("SH", "A"): (10, 3)}
