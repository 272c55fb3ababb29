"""Orders as the platform stores them, whole and unencrypted, nearly every value a text.

Source: protocol note jd.md sections 3.1 and 3.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

FEN = Decimal("0.01")
NEVER = "0001-01-01 00:00:00"
VENDER_ID = "10001"
RECEIVER: Mapping[str, str] = {
    "fullname": "张小明",
    "mobile": "13800001234",
    "telephone": "",
    "fullAddress": "浙江杭州市余杭区五常街道文一西路969号",
    "province": "浙江",
    "city": "杭州市",
    "county": "余杭区",
    "town": "五常街道",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItem:
    """What was bought. `price` is the text of an amount in yuan."""

    sku_id: str
    num: int
    price: str
    code: str = ""
    title: str = "示例商品"
    uuid: str = ""


def yuan(amount: Decimal | str) -> str:
    """Return an amount as the platform writes it."""
    return str(Decimal(amount).quantize(FEN, ROUND_HALF_UP))


def order_info(
    *,
    order_id: str,
    items: Sequence[OrderItem],
    created: str,
    paid: str = "",
    state: str = "WAIT_SELLER_STOCK_OUT",
    freight: str = "0.00",
    discount: str = "0.00",
    actual_pay: str = "",
    receiver: Mapping[str, str] = RECEIVER,
    cash: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """Return an order; times are Beijing texts, amounts yuan texts, `more` adds or replaces fields.

    `actual_pay` replaces what the amounts add up to.
    """
    goods = sum((Decimal(item.price) * item.num for item in items), Decimal(0))
    total = Decimal(actual_pay) if actual_pay else goods - Decimal(discount) + Decimal(freight)
    info: dict[str, Any] = {
        "orderId": order_id,
        "venderId": VENDER_ID,
        "orderType": "22",
        "payType": "1-货到付款" if cash else "4-在线支付",
        "orderTotalPrice": yuan(goods),
        "orderSellerPrice": yuan(goods - Decimal(discount)),
        "shouldPay": yuan(total),
        "actualPay": yuan(total) if paid else "0.00",
        "freightPrice": yuan(freight),
        "sellerDiscount": yuan(discount),
        "orderState": state,
        "orderStateRemark": state,
        "orderRemark": "",
        "venderRemark": "",
        "orderStartTime": created,
        "paymentConfirmTime": paid or NEVER,
        "modified": paid or created,
        "openIdBuyer": "exampleOpenId",
        "returnOrder": "0",
        "parentOrderId": "0",
        "directParentOrderId": "0",
        "storeOrder": "",
        "waybill": "",
        "logisticsId": "",
        "consigneeInfo": dict(receiver),
        "itemInfoList": [_item(item) for item in items],
        "couponDetailList": [],
    }
    return {**info, **more}


def _item(item: OrderItem) -> dict[str, str]:
    row = {
        "skuId": item.sku_id,
        "outerSkuId": item.code,
        "skuName": item.title,
        "jdPrice": yuan(item.price),
        "itemTotal": str(item.num),
        "giftPoint": "0",
        "wareId": f"2{item.sku_id[1:]}",
    }
    return {**row, "skuUuid": item.uuid} if item.uuid else row
