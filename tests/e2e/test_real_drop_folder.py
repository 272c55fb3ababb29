"""A month of a Tmall shop, dropped as the file its owner exported: every order once, to the cent.

The counts are those of the real month; one that is made in its place has the same.
"""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_desk import Desk
from tests.support.real_data import fen, tmall_file, tmall_orders

pytestmark = pytest.mark.timeout(900)
CONFIG = """
database: sqlite:///var/erpsync.db
timezone: Asia/Shanghai
warehouses:
  - {id: SH}
"""
CHANNEL = """
id: tmall-export
connector: csv_drop
settings:
  folder: in
  rows: orders
  settle_s: 0
  columns:
    external_id: 订单编号
    total: 总金额
    paid: 买家实际支付金额
    refunded: 退款金额
    province: 收货地址
    placed_at: 订单创建时间
    paid_at: 订单付款时间
  constants: {channel_sku: MASK-50, qty: 1, currency: CNY}
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A shop that has read the file once; it has 30,000 masks in one warehouse."""
    source = tmall_file()
    desk = Desk(tmp_path_factory.mktemp("tmall"))
    desk.write("erpsync.yaml", CONFIG)
    desk.write("channels/tmall-export.yaml", CHANNEL)
    (desk.folder / "in").mkdir()
    counts = desk.write("counts.csv", "warehouse,sku,on_hand\nSH,MASK-50,30000\n")
    assert desk.run("migrate").code == 0
    assert desk.run("stock", "import", counts).code == 0
    drop(desk, source)
    return desk


@pytest.fixture(scope="module")
def found(desk: Desk) -> list[dict[str, Any]]:
    """All orders as they are listed after the first drop."""
    return desk.json("orders", "list", "--limit", "0")


def drop(desk: Desk, source: Path) -> None:
    """Put a file into the drop folder and let the daemon go through everything once."""
    dropped = desk.folder / "in" / source.name
    shutil.copy(source, dropped)
    ran = desk.run("run", "--once")
    assert ran.code == 0, ran.err
    assert not dropped.exists(), ran.err


@pytest.mark.slow
def test_every_order_of_the_month_is_there_once(desk: Desk, found: list[dict[str, Any]]) -> None:
    assert len(found) == 28_010
    assert {order["external_id"] for order in found} == {order.number for order in tmall_orders()}
    assert len({order["number"] for order in found}) == 28_010
    assert desk.json("dead", "list") == []


@pytest.mark.slow
def test_unpaid_paid_and_refunded_orders_are_told_apart(found: list[dict[str, Any]]) -> None:
    """Of 9,055 orders "paid 0.00" 5,132 had been paid and refunded; 514 got a part of their money back."""
    by_id = {order["external_id"]: order for order in found}

    assert Counter(order["status"] for order in found) == {"unpaid": 3_923, "allocated": 18_955, "cancelled": 5_132}
    for order in tmall_orders():
        kept = by_id[order.number]
        assert (kept["status"] == "unpaid") == (kept["paid_at"] is None) == (not order.paid_at)
        assert (kept["status"] == "cancelled") == order.all_refunded
    assert sum(order["status"] == "allocated" and order["refunded_minor"] > 0 for order in found) == 514


@pytest.mark.slow
def test_totals_payments_and_refunds_add_up_to_those_of_the_file_to_the_cent(found: list[dict[str, Any]]) -> None:
    file = tmall_orders()
    assert sum(order["total_minor"] for order in found) == sum(fen(order.total) for order in file)
    assert sum(order["paid_minor"] for order in found) == sum(fen(order.paid) for order in file)
    assert sum(order["refunded_minor"] for order in found) == sum(fen(order.refunded) for order in file)
    amounts = {order["external_id"]: (order["total_minor"], order["paid_minor"]) for order in found}
    assert amounts == {order.number: (fen(order.total), fen(order.paid)) for order in file}


@pytest.mark.slow
def test_stock_is_held_for_what_is_to_be_sent_and_for_nothing_else(desk: Desk) -> None:
    (place,) = desk.json("stock", "list")

    assert (place["on_hand"], place["reserved"], place["available"]) == (30_000, 18_955, 11_045)


@pytest.mark.slow
def test_the_same_file_a_second_time_changes_nothing(desk: Desk, found: list[dict[str, Any]]) -> None:
    stock = desk.json("stock", "list")

    drop(desk, tmall_file())

    assert desk.json("orders", "list", "--limit", "0") == found
    assert desk.json("stock", "list") == stock
    assert desk.json("dead", "list") == []
    some = [desk.json("orders", "show", order["number"]) for order in found[::4_000]]
    assert all(len(order["events"]) == 1 for order in some)
