"""Exports: a month of 28,010 Tmall orders, the real one where at hand, and 2,455 invoice lines of a British shop."""

import shutil
from collections import Counter
from pathlib import Path

from erpsync.sdk.types import Order, OrderState
from tests.connectors.csv_drop.builders import order_drop, read
from tests.support.real_data import retail_file, tmall_file


def read_real(folder: Path, **changes: object) -> dict[str, Order]:
    orders, refused = read(order_drop(folder, settle_s=0, **changes))
    assert refused == []
    return orders


def test_paid_is_told_by_the_time_of_payment_and_never_by_an_amount(tmp_path: Path) -> None:
    """9,055 of these orders were "paid 0.00", and more than half of those had been paid and refunded."""
    shutil.copy(tmall_file(), tmp_path)
    columns = {
        "external_id": "订单编号",
        "total": "总金额",
        "paid": "买家实际支付金额",
        "refunded": "退款金额",
        "address": "收货地址",
        "placed_at": "订单创建时间",
        "paid_at": "订单付款时间",
    }

    orders = read_real(tmp_path, columns=columns, rows="orders", constants={"channel_sku": "MASK", "qty": 1})

    assert Counter(order.state for order in orders.values()) == {OrderState.PAID: 24_087, OrderState.UNPAID: 3_923}
    nothing_left = [order for order in orders.values() if order.paid_minor == 0]
    assert len(nothing_left) == 9_055
    assert sum(order.paid_at is not None for order in nothing_left) == 5_132
    assert all(order.refunded_minor == order.total_minor for order in nothing_left if order.paid_at)
    assert all(
        order.paid_minor + order.refunded_minor == order.total_minor for order in orders.values() if order.paid_at
    )


def test_orders_of_many_lines_keep_every_line(tmp_path: Path) -> None:
    shutil.copy(retail_file(), tmp_path)
    columns = {
        "external_id": "InvoiceNo",
        "channel_sku": "StockCode",
        "title": "Description",
        "qty": "Quantity",
        "placed_at": "InvoiceDate",
        "price": "UnitPrice",
    }

    orders = read_real(
        tmp_path,
        columns=columns,
        constants={"status": "paid", "currency": "GBP"},
        timezone="Europe/London",
        datetime_formats=["%m/%d/%Y %H:%M"],
    )

    assert len(orders) == 115
    assert sum(len(order.lines) for order in orders.values()) == 2_455
    assert all(line.external_id for order in orders.values() for line in order.lines)
    first = orders["536389"]
    assert (first.currency, first.placed_at.isoformat()) == ("GBP", "2010-12-01T10:03:00+00:00")
    assert first.lines[0].title == "SMALL HEART MEASURING SPOONS"
