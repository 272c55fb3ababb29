"""Trades as the platform stores them, whole and unmasked.

Source: protocol note taobao.md sections 3.6 and 3.7, amounts by DOC-108471.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

FEN = Decimal("0.01")
SELLER_NICK = "示例旗舰店"
RECEIVER: Mapping[str, str] = {
    "receiver_name": "张小明",
    "receiver_state": "浙江省",
    "receiver_city": "杭州市",
    "receiver_district": "余杭区",
    "receiver_town": "五常街道",
    "receiver_address": "文一西路969号",
    "receiver_mobile": "13800001234",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLine:
    """What was bought: one sub-order. `price` is the text of an amount in yuan."""

    num_iid: int
    num: int
    price: str
    sku_id: str = ""
    outer_iid: str = ""
    outer_sku_id: str = ""
    title: str = "示例商品"
    properties: str = ""


def yuan(amount: Decimal | str) -> str:
    """Return an amount as the platform writes it."""
    return str(Decimal(amount).quantize(FEN, ROUND_HALF_UP))


def trade_of(
    *,
    tid: int,
    lines: Sequence[TradeLine],
    created: str,
    status: str = "WAIT_BUYER_PAY",
    pay_time: str = "",
    modified: str = "",
    type: str = "fixed",
    post_fee: str = "0.00",
    discount: str = "0.00",
    payment: str = "",
    receiver: Mapping[str, str] = RECEIVER,
    buyer_nick: str = "小明同学",
    message: str = "",
    **more: Any,
) -> dict[str, Any]:
    """Return a trade with its sub-orders; times are Beijing texts, amounts yuan texts, `more` adds or replaces fields.

    `payment` replaces what the amounts add up to.
    """
    goods = sum((Decimal(line.price) * line.num for line in lines), Decimal(0))
    total = Decimal(payment) if payment else goods - Decimal(discount) + Decimal(post_fee)
    shares = _shares(lines, goods, Decimal(discount))
    single = len(lines) == 1
    orders = [
        _order(line, oid=tid if single else tid + number, status=status, share=share)
        for number, (line, share) in enumerate(zip(lines, shares, strict=True), 1)
    ]
    if single:
        orders[0] |= {"payment": yuan(total), "divide_order_fee": yuan(total)}
    trade: dict[str, Any] = {
        "tid": tid,
        "status": status,
        "type": type,
        "seller_nick": SELLER_NICK,
        "buyer_nick": buyer_nick,
        "buyer_open_uid": f"AA{buyer_nick}",
        "title": SELLER_NICK,
        "created": created,
        "pay_time": pay_time,
        "modified": modified or pay_time or created,
        "payment": yuan(total),
        "total_fee": yuan(goods),
        "post_fee": yuan(post_fee),
        "discount_fee": yuan(discount),
        "adjust_fee": "0.00",
        "received_payment": "0.00",
        "num": lines[0].num if single else 0,
        "seller_flag": 0,
        "shipping_type": "express",
        "trade_from": "WAP",
        "has_buyer_message": bool(message),
        "buyer_message": message,
        "seller_memo": "",
        "is_part_consign": False,
        "top_hold": 0,
        "orders": {"order": orders},
    }
    return {**trade, **receiver, **more}


def _order(line: TradeLine, *, oid: int, status: str, share: Decimal) -> dict[str, Any]:
    amount = Decimal(line.price) * line.num
    order = {
        "oid": oid,
        "oid_str": str(oid),
        "status": status,
        "refund_status": "NO_REFUND",
        "num_iid": line.num_iid,
        "sku_id": line.sku_id,
        "outer_iid": line.outer_iid,
        "outer_sku_id": line.outer_sku_id,
        "title": line.title,
        "sku_properties_name": line.properties,
        "num": line.num,
        "price": yuan(line.price),
        "total_fee": yuan(amount),
        "payment": yuan(amount),
        "discount_fee": "0.00",
        "adjust_fee": "0.00",
        "part_mjz_discount": yuan(share),
        "divide_order_fee": yuan(amount - share),
        "is_oversold": False,
    }
    return {name: value for name, value in order.items() if value != ""}


def _shares(lines: Sequence[TradeLine], goods: Decimal, discount: Decimal) -> list[Decimal]:
    """Return each line's share of the order's discount; the last one takes what rounding left."""
    shares = [
        (discount * Decimal(line.price) * line.num / goods).quantize(FEN, ROUND_HALF_UP) if goods else Decimal(0)
        for line in lines
    ]
    return [*shares[:-1], discount - sum(shares[:-1], Decimal(0))]
