"""Status texts and the after-sales column of exports: what was sent and refunded, and what is being asked for.

Seen in: public tables and scripts that read these exports.
"""

from collections.abc import Callable

import pytest

from tests.support.export import Export

FILE = "03-status-texts-of-a-group-buying-platform/orders.csv"
HEADER = "订单号,订单状态,商品数量(件),订单成交时间,售后状态,用户实付金额(元),商家编码-规格维度,收货人,手机,街道"


def test_every_order_of_the_export_is_understood(export: Callable[..., Export]) -> None:
    shop = export(profile="pdd")
    shop.drop_case(FILE)

    assert [shop.status(f"261122-{number}") for number in range(1, 7)] == [
        ("allocated", None),
        ("held", "refund_open"),
        ("shipped", None),
        ("shipped", None),
        ("cancelled", None),
        ("unpaid", None),
    ]
    assert (shop.reserved(), shop.letters()) == ({"CUP": 2}, [])


def row(after_sales: str, status: str = "待发货") -> str:
    return f"{HEADER}\nP1,{status},1,2026/11/22 9:05,{after_sales},25.80,CUP,李雷,13800000000,文三路1号\n"


@pytest.mark.parametrize("closed", ["无售后或售后取消", "售后关闭", ""])
def test_what_was_asked_for_ends_when_the_column_says_so(export: Callable[..., Export], closed: str) -> None:
    shop = export(profile="pdd")
    shop.drop(row("退款中"))
    assert shop.status("P1") == ("held", "refund_open")

    shop.drop(row(closed))
    assert shop.status("P1") == ("allocated", None)


def test_a_refund_granted_for_what_is_still_to_be_sent_lets_nothing_leave(export: Callable[..., Export]) -> None:
    """Whether the money was for the goods or a favour stands nowhere."""
    shop = export(profile="pdd")
    shop.drop(row("退款成功"))
    assert shop.status("P1") == ("held", "do_not_ship")

    shop.drop(row("退款成功", status="未发货，退款成功"))
    assert (shop.status("P1"), shop.reserved()) == (("cancelled", None), {})


@pytest.mark.parametrize("status", ["已发货，退款成功", "已发货,退款成功"])
def test_a_comma_of_either_width_is_the_same_status(export: Callable[..., Export], status: str) -> None:
    shop = export(profile="pdd")
    shop.drop(row("退款成功", status=f'"{status}"'))

    assert shop.status("P1") == ("shipped", None)


@pytest.mark.parametrize(
    ("profile", "header", "status", "expected"),
    [
        ("taobao", "订单编号,订单状态,商家编码,购买数量,价格", "付款以后用户退款成功，交易自动关闭", "cancelled"),
        ("taobao", "订单编号,订单状态,商家编码,购买数量,价格", "定金已付尾款未付", "unpaid"),
        ("jd", "订单号,订单状态,商家SKUID,订购数量,京东价", "待付款", "unpaid"),
        ("jd", "订单号,订单状态,商家SKUID,订购数量,京东价", "已出库", "shipped"),
        ("douyin", "主订单编号,订单状态,商家编码,商品数量,商品单价", "备货中", "held"),
        ("douyin", "主订单编号,订单状态,商家编码,商品数量,商品单价", "已关闭", "cancelled"),
    ],
)
def test_status_texts_of_the_other_exports(
    export: Callable[..., Export], profile: str, header: str, status: str, expected: str
) -> None:
    shop = export(profile=profile)
    shop.drop(f"{header},收货人姓名,收件人,收货人,客户姓名\nX1,{status},CUP,1,10,,,,\n")

    assert (shop.order("X1")["status"], shop.letters()) == (expected, [])
