"""Orders over the sandbox: windows, back-fill, splits, JD's own warehouse."""

from datetime import timedelta

import pytest

from connectors.jd.mapping import format_time
from connectors.jd.sandbox import OrderItem, order_info
from erpsync.sdk.errors import PayloadError, RejectedError
from erpsync.sdk.types import Cursor, OrderState
from tests.connectors.jd.shop import NOW, Shop

SEARCH = "jingdong.pop.order.enSearch"
GET = "jingdong.pop.order.enGet"


@pytest.fixture
def shop() -> Shop:
    shop = Shop(page_size=5)
    shop.item("A-1")
    shop.item("B-1")
    return shop


def old_order(shop: Shop, days: float, state: str = "WAIT_SELLER_STOCK_OUT") -> str:
    order_id = str(290_000_000_000 + shop.sandbox.next_number())
    at = format_time(NOW - timedelta(days=days))
    items = [OrderItem(sku_id="100000000001", num=1, price="10.00", code="A-1")]
    shop.sandbox.load([order_info(order_id=order_id, items=items, created=at, paid=at, state=state)])
    return order_id


def test_a_paid_order_arrives_with_its_seller_code_and_the_sku_it_stands_for(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True, freight="6.00")
    (order,) = shop.changed()

    assert (order.external_id, order.state, order.total_minor) == (order_id, OrderState.PAID, 2600)
    assert [(line.channel_sku, line.item_ref, line.qty) for line in order.lines] == [
        ("A-1", shop.sandbox.find_ref("A-1"), 2)
    ]
    assert order.recipient is not None
    assert order.recipient.complete
    assert "张小明" not in str(order.recipient)


def test_a_list_row_is_the_whole_order_and_costs_no_detail_call(shop: Shop) -> None:
    for _ in range(7):
        shop.sandbox.place_order([("A-1", 1)], pay=True)

    assert len(shop.changed()) == 7
    assert shop.sandbox.counts[GET] == 0


def test_one_order_is_read_again_by_its_id_alone(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 1)], pay=True)
    listed = shop.changed()[0]

    assert shop.order(order_id) == listed
    assert shop.sandbox.counts[GET] == 1


def test_an_order_that_is_not_there_is_refused(shop: Shop) -> None:
    with pytest.raises(RejectedError):
        shop.order("42")


def test_the_backfill_reads_what_waits_however_old_and_what_is_young_whatever_its_state(shop: Shop) -> None:
    waits, locked = old_order(shop, 60), old_order(shop, 45, "LOCKED")
    abroad, paused = old_order(shop, 50, "WAIT_SELLER_DELIVERY"), old_order(shop, 40, "POP_ORDER_PAUSE")
    old_order(shop, 60, "FINISHED_L")
    young = old_order(shop, 3, "FINISHED_L")
    pages = shop.connector.backfill_orders(Cursor(since=NOW - timedelta(days=7)))

    assert {head.external_id for page in pages for head in page.heads} == {waits, locked, abroad, paused, young}


def test_no_request_is_longer_than_the_platform_takes(shop: Shop) -> None:
    old_order(shop, 80)
    list(shop.connector.pull_orders(Cursor()))
    first = max(page.mark for page in shop.connector.pull_orders(Cursor()))
    shop.clock.advance(seconds=86_400 * 200)
    shop.sandbox.expires_at = shop.clock.now() + timedelta(days=1)
    list(shop.connector.pull_orders(Cursor(mark=first)))
    list(shop.connector.backfill_orders(Cursor(since=NOW)))

    assert shop.sandbox.counts[SEARCH] > 10


def test_the_source_and_the_states_are_sent_as_the_platform_wants_them(shop: Shop) -> None:
    list(shop.connector.pull_orders(Cursor()))
    params = shop.sandbox.calls[-1].params

    assert (params["order_state"], params["source_id"], params["dateType"]) == ("ALL", "JOS", 0)
    assert (params["page"], params["page_size"]) == ("1", "5")
    assert "actualPay" in params["optional_fields"]


@pytest.mark.parametrize("mark", ["", "{}", "[]", '{"step":"other","until":"2026-11-20 12:00:00","window":""}', "x"])
def test_a_mark_of_something_else_is_told(shop: Shop, mark: str) -> None:
    with pytest.raises(PayloadError):
        list(shop.connector.backfill_orders(Cursor(mark=mark)))
    with pytest.raises(PayloadError):
        list(shop.connector.pull_orders(Cursor(mark=mark)))
    if mark:
        with pytest.raises(PayloadError):
            list(shop.connector.pull_refunds(Cursor(mark=mark)))
        with pytest.raises(PayloadError):
            list(shop.connector.pull_listings(Cursor(mark=mark)))


def test_a_split_cancels_the_old_order_and_brings_its_children(shop: Shop) -> None:
    parent = shop.sandbox.place_order([("A-1", 1), ("B-1", 2)], pay=True)
    children = shop.sandbox.split_order(parent)
    found = {order.external_id: order for order in shop.changed()}

    assert found[parent].state is OrderState.CANCELLED
    assert [found[child].lines[0].channel_sku for child in children] == ["A-1", "B-1"]
    assert {found[child].state for child in children} == {OrderState.PAID}


def test_an_order_of_jds_own_warehouse_leaves_nothing_for_us_to_ship_at_any_time(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 2)], pay=True, storeOrder="京仓订单")
    before = shop.order(order_id)
    shop.sandbox.change_order_fields(order_id, orderState="WAIT_GOODS_RECEIVE_CONFIRM", waybill="JD1")
    after = shop.order(order_id)

    assert [(line.qty, line.cancelled_qty, line.shipped_qty) for line in (*before.lines, *after.lines)] == [
        (2, 2, 0)
    ] * 2
    assert before.do_not_ship == after.do_not_ship == "JD's own warehouse ships this order: 京仓订单"


def test_cash_on_delivery_is_due_unpaid(shop: Shop) -> None:
    order = shop.order(shop.sandbox.place_order([("A-1", 1)], cash=True))

    assert (order.state, order.paid_at, order.ready_at) == (OrderState.PAID, None, NOW)
    assert (order.total_minor, order.paid_minor) == (1000, 0)


def test_an_order_that_jd_locks_is_held_and_freed_with_it(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 1)], pay=True)
    shop.sandbox.change_order_fields(order_id, orderState="LOCKED")
    locked = shop.order(order_id)
    assert locked.do_not_ship == "the platform forbids shipping: LOCKED"
    for state in ("WAIT_SELLER_STOCK_OUT", "WAIT_GOODS_RECEIVE_CONFIRM"):
        shop.sandbox.change_order_fields(order_id, orderState=state)
        assert shop.order(order_id).do_not_ship == ""


def test_a_row_without_an_id_is_a_head_that_names_the_field_when_it_is_read(shop: Shop) -> None:
    order_id = shop.sandbox.place_order([("A-1", 1)], pay=True)
    shop.sandbox.change_order_fields(order_id, orderId="not-a-number")

    with pytest.raises(PayloadError, match="orderId"):
        shop.changed()
