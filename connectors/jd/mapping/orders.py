"""Orders in normal form.

Why a bad line does not spoil the order: the rest of the order is real and its stock must be held; the order waits until
the line can be read.

Why an order of JD's own warehouse has no open units: JD's stock serves it, so it must neither hold ours nor be shipped
by us. Its lines count as closed, whatever the order says.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.jd.mapping.lines import Item, items_of, sent_units
from connectors.jd.mapping.values import Fields
from erpsync.sdk.bad_lines import no_line
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import BadLine, Line, Order, OrderState, Recipient

OPTIONAL_FIELDS = (
    "orderId,venderId,orderType,payType,orderTotalPrice,orderSellerPrice,orderPayment,actualPay,shouldPay,"
    "totalOriginalPrice,freightPrice,sellerDiscount,orderState,orderStateRemark,orderRemark,venderRemark,"
    "orderStartTime,paymentConfirmTime,modified,openIdBuyer,xidBuyer,returnOrder,parentOrderId,directParentOrderId,"
    "storeOrder,waybill,logisticsId,partialLogisticsInfoModel,consigneeInfo,itemInfoList,couponDetailList,scDT"
)
"""What is asked for; a field that is not named does not come. Source: protocol note jd.md section 3.2."""

STATES: Mapping[str, OrderState] = {
    "NOT_PAY": OrderState.UNPAID,
    "WAIT_SELLER_STOCK_OUT": OrderState.PAID,
    "DengDaiChuKu": OrderState.PAID,
    "WAIT_SELLER_DELIVERY": OrderState.PAID,
    "DengDaiFaHuo": OrderState.PAID,
    "WAIT_SEND_CODE": OrderState.PAID,
    "LOCKED": OrderState.PAID,
    "POP_ORDER_PAUSE": OrderState.PAID,
    "PAUSE": OrderState.PAID,
    "ZanTing": OrderState.PAID,
    "WAIT_GOODS_RECEIVE_CONFIRM": OrderState.SHIPPED,
    "DengDaiQueRenShouHuo": OrderState.SHIPPED,
    "DELIVERY_RETURN": OrderState.SHIPPED,
    "PeiSongTuiHuo": OrderState.SHIPPED,
    "RECEIPT_CONFIRM": OrderState.COMPLETED,
    "FINISHED_L": OrderState.COMPLETED,
    "WanCheng": OrderState.COMPLETED,
    "TRADE_CANCELED": OrderState.CANCELLED,
    "PARENT_TRADE_CANCELED": OrderState.CANCELLED,
    "TRADE_REFUNDED": OrderState.CANCELLED,
}
"""Source: protocol note jd.md section 3; the pinyin forms, PARENT_TRADE_CANCELED, RECEIPT_CONFIRM and TRADE_REFUNDED
are uncertain there. A view of a state that is not listed is not understood: what is known of its order is held."""

SHIPPABLE = frozenset({"WAIT_SELLER_STOCK_OUT", "DengDaiChuKu"})
"""Of the states that count as paid, those in which the merchant may ship; the others hold the order."""

NOT_STORED = frozenset({"0"})
"""Texts of `storeOrder` that mean the same as none: the merchant's own stock. Source: section 3.2."""

CASH_ON_DELIVERY = "1"
PLATFORM_COUPONS = frozenset({"34", "39", "41"})
"""Codes of couponType that are paid for neither by the buyer nor within sellerDiscount: red packet, JD beans, JD
coupon. Only 41 stands in the note's example (section 3.1), the other two are uncertain. Gift cards are payments."""

DUE = frozenset({OrderState.PAID, OrderState.SHIPPED, OrderState.COMPLETED})
GONE = frozenset({OrderState.SHIPPED, OrderState.COMPLETED})


def order_of(info: Mapping[str, Any], *, encrypted: bool) -> Order:
    """Return the order in normal form. Raises `PayloadError` naming the field.

    `ready_at` is the time of payment; for cash on delivery, and for what JD wants shipped before it is paid (monthly
    billing), the time of the order. The old order of a split is cancelled; its children come as orders of their own.
    The seller's flag and the properties of a row are in no view of an order.

    Args:
        encrypted: receiver fields hold cipher text.
    """
    fields = Fields(info, "$.orderInfo")
    state = _state(fields)
    placed_at, paid_at = fields.at("orderStartTime"), fields.at_or_none("paymentConfirmTime")
    lines, bad_lines = _lines(fields, state)
    return Order(
        external_id=fields.id("orderId"),
        version_at=fields.at("modified"),
        state=state,
        placed_at=placed_at,
        paid_at=paid_at,
        ready_at=_ready_at(fields, state, placed_at, paid_at),
        ship_by_at=_ship_by_at(fields),
        currency="CNY",
        total_minor=_total_minor(fields, paid_at),
        paid_minor=fields.fen_or_none("actualPay") if paid_at else 0,
        goods_minor=_first_side(fields, "orderTotalPrice", "totalOriginalPrice"),
        freight_minor=fields.side_minor("freightPrice"),
        discount_minor=_discount_minor(fields),
        lines=lines,
        bad_lines=bad_lines,
        recipient=_recipient(fields, encrypted),
        buyer=fields.side_text("openIdBuyer") or fields.side_text("xidBuyer"),
        buyer_note=fields.note("orderRemark"),
        seller_note=fields.note("venderRemark"),
        do_not_ship=do_not_ship(fields),
    )


def _state(fields: Fields) -> OrderState:
    text = fields.text("orderState")
    if text not in STATES:
        problem = f"unknown order state {text[:40]!r}"
        raise PayloadError(problem, path=f"{fields.path}.orderState", unknown_status=text[:40])
    return STATES[text]


def do_not_ship(order: Fields) -> str:
    """Return why the merchant must not ship now, empty when they may."""
    store = _store(order)
    if store:
        return f"JD's own warehouse ships this order: {store[:40]}"
    state = order.text("orderState")
    if _state(order) is OrderState.PAID and state not in SHIPPABLE:
        return f"the platform forbids shipping: {state}"
    return ""


def _store(order: Fields) -> str:
    text = order.text_or_none("storeOrder") or ""
    return "" if text in NOT_STORED else text


def _ship_by_at(fields: Fields) -> datetime | None:
    """Return the latest ship time; its format is not documented, so one that cannot be read counts as none."""
    try:
        return fields.at_or_none("scDT")
    except PayloadError:
        return None


def _ready_at(fields: Fields, state: OrderState, placed_at: datetime, paid_at: datetime | None) -> datetime | None:
    if state not in DUE:
        return None
    pay_type = (fields.text_or_none("payType") or "").partition("-")[0]
    return placed_at if pay_type == CASH_ON_DELIVERY else paid_at or placed_at


def _first_fen(fields: Fields, *names: str) -> int | None:
    amounts = (fields.fen_or_none(name) for name in names)
    return next((amount for amount in amounts if amount is not None), None)


def _first_side(fields: Fields, *names: str) -> int | None:
    amounts = (fields.side_minor(name) for name in names)
    return next((amount for amount in amounts if amount is not None), None)


def _total_minor(fields: Fields, paid_at: datetime | None) -> int:
    """Return what the buyer has to pay in all: `actualPay`, else `shouldPay`.

    While nothing is paid an `actualPay` of 0 says nothing. `orderPayment` is the last resort, it is not maintained any
    more. Source: section 3.2.
    """
    actual = fields.fen_or_none("actualPay")
    if actual is not None and (actual or paid_at):
        return actual
    total = _first_fen(fields, "shouldPay", "orderPayment")
    if total is None:
        total = actual
    if total is None:
        raise fields.error("actualPay", "expected an amount, found neither actualPay nor shouldPay")
    return total


def _discount_minor(fields: Fields) -> int | None:
    """Return the seller's discount and JD's own coupons; None when the view leaves out the former.

    What of it makes no sense is left out; the residual shows what is missing.
    """
    own = fields.side_minor("sellerDiscount")
    if own is None:
        return None
    try:
        coupons = fields.parts("couponDetailList")
    except PayloadError:
        return own
    paid_by_jd = [row for row in coupons if (row.side_text("couponType") or "").partition("-")[0] in PLATFORM_COUPONS]
    return own + sum(row.side_minor("couponPrice") or 0 for row in paid_by_jd)


def _lines(fields: Fields, state: OrderState) -> tuple[tuple[Line, ...], tuple[BadLine, ...]]:
    items = items_of(fields)
    sent, stored = sent_units(fields, items), bool(_store(fields))
    good: list[Line] = []
    bad: list[BadLine] = []
    for item in items:
        try:
            good.append(_line(item, fields, state, sent=sent.get(item.line_id, 0), stored=stored))
        except PayloadError as error:
            bad.append(BadLine(key=item.line_id, error=error, row=item.fields.row))
    if not good:
        raise no_line(bad)
    return tuple(good), tuple(bad)


def _line(item: Item, order: Fields, state: OrderState, *, sent: int, stored: bool) -> Line:
    """Return one row. Seller code, else the skuId."""
    fields = item.fields
    qty, sku_id = fields.count("itemTotal", least=0), fields.id("skuId")
    shipped_qty = 0 if stored else _shipped_qty(order, state, qty, sent)
    closed = stored or state is OrderState.CANCELLED
    return Line(
        external_id=item.line_id,
        channel_sku=fields.text_or_none("outerSkuId") or sku_id,
        qty=qty,
        price_minor=fields.fen("jdPrice"),
        item_ref=sku_id,
        title=fields.side_text("skuName") or "",
        cancelled_qty=qty - shipped_qty if closed else 0,
        shipped_qty=shipped_qty,
    )


def _shipped_qty(order: Fields, state: OrderState, qty: int, sent: int) -> int:
    """Return the units that have left; a cancelled order that carries a waybill left before it was cancelled."""
    cancelled_later = state is OrderState.CANCELLED and not sent and order.text_or_none("waybill") is not None
    return qty if state in GONE or cancelled_later else min(qty, sent)


def _recipient(order: Fields, encrypted: bool) -> Recipient | None:
    """Return the receiver, None when the view carries none.

    Of an encrypted one the place names and the masked phone are readable; `oaid`, or the cipher texts themselves, stand
    for the person. Source: sections 3.2 and 10.
    """
    fields = order.part("consigneeInfo")
    if fields is None or not fields.row:
        return None
    text = {name: fields.text_or_none(name) or "" for name in ("fullname", "mobile", "telephone", "fullAddress")}
    province, city, county = (fields.text_or_none(name) or "" for name in ("province", "city", "county"))
    masked = fields.text_or_none("desenMobile") or fields.text_or_none("desenTelephone") or ""
    oaid = fields.text_or_none("oaid") or ""
    return Recipient(
        name="" if encrypted else text["fullname"],
        phone=masked if encrypted else text["mobile"] or text["telephone"],
        province=province,
        city=city,
        district=county,
        address="" if encrypted else _street(text["fullAddress"], (province, city, county)),
        ciphertext=(oaid or _ciphers(text)) if encrypted else "",
    )


def _ciphers(text: Mapping[str, str]) -> str:
    """Return the cipher texts as one, empty when one of name, phone and address is not there."""
    whole = text["fullname"] and (text["mobile"] or text["telephone"]) and text["fullAddress"]
    return json.dumps(text, sort_keys=True, separators=(",", ":")) if whole else ""


def _street(address: str, places: Sequence[str]) -> str:
    """Return the address without the place names it begins with, which stand in fields of their own."""
    rest = address
    for place in places:
        rest = rest.removeprefix(place).lstrip()
    return rest or address
