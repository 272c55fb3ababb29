"""Bookings and waybills in Cainiao's words. All pure; `PayloadError` names the field.

Source: protocol note couriers.md section 3, and the public method reference of cainiao.waybill.ii.*.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.cainiao.settings import CainiaoSettings
from erpsync.sdk.errors import PayloadError, RejectedError
from erpsync.sdk.labels import demand_label
from erpsync.sdk.read import Fields
from erpsync.sdk.top import rows_of
from erpsync.sdk.types import BookingRequest, LabelKind, Recipient, Sender, Waybill

SHOPS: Mapping[str, str] = {"taobao": "TB", "jd": "JD"}
"""Cainiao's word for where orders come from, by the connector that reads them."""

ELSEWHERE = "OTHERS"
MOST_ORDERS = 100
MOST_ITEMS = 100
LOOKING = "look"
_KEY = re.compile(r"[0-9A-Za-z-]{1,64}")
_TRADE = re.compile(r"[0-9A-Za-z_-]{1,64}")
_MOBILE = re.compile(r"1\d{10}(-\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A waybill as Cainiao shows it; `number` and `print_data` may be empty.

    Args:
        object_id: names the request that it was made for, or repeats the name of the question.
    """

    object_id: str
    number: str
    print_data: str
    real_cp_code: str = ""


def apply_data(request: BookingRequest, settings: CainiaoSettings) -> dict[str, Any]:
    """Return the one parameter of cainiao.waybill.ii.get; raises `RejectedError` for what it cannot be told."""
    if not _KEY.fullmatch(request.key):
        raise RejectedError("Cainiao takes keys of letters, digits and dashes, 64 at most", code="key")
    if request.cod_minor is not None:
        raise RejectedError("cash on delivery cannot be booked with Cainiao", code="cod")
    if request.account:
        raise RejectedError("Cainiao bills the account of its settings, none that a booking names", code="account")
    goods = Counter[str]()
    for item in request.parcels[0].goods:
        goods[item.name] += item.qty
    if len(goods) > MOST_ITEMS:
        raise RejectedError(f"Cainiao takes at most {MOST_ITEMS} kinds of goods in a parcel", code="goods")
    product = request.service or settings.product_code
    data: dict[str, Any] = {
        "cp_code": settings.cp_code,
        "sender": _person(request.sender),
        "trade_order_info_dtos": [
            {
                "object_id": request.key,
                "order_info": {
                    "order_channels_type": SHOPS.get(request.platform, ELSEWHERE),
                    "trade_order_list": list(trade_codes(request)),
                },
                "package_info": _package(request, goods),
                "recipient": _recipient(request),
                "template_url": settings.template_url,
                "user_id": settings.user_id,
            }
        ],
        "need_encrypt": True,
    }
    return data | _given(product_code=product, customer_code=settings.customer_code)


def trade_codes(request: BookingRequest) -> tuple[str, ...]:
    """Return what a booking is found by: the platform's orders, or our key where no platform knows them."""
    if request.platform not in SHOPS:
        return (request.key,)
    if not 1 <= len(request.orders) <= MOST_ORDERS or not all(_TRADE.fullmatch(order) for order in request.orders):
        raise RejectedError(f"Cainiao takes from 1 to {MOST_ORDERS} order numbers of the platform", code="orders")
    return request.orders


def personal(request: BookingRequest) -> tuple[str, ...]:
    """Return the values of a request that no error may quote."""
    sender, recipient = request.sender, request.recipient
    people = (sender.name, sender.phone, sender.address, recipient.name, recipient.phone, recipient.address)
    return (*people, recipient.ciphertext)


def _given(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _package(request: BookingRequest, goods: Mapping[str, int]) -> dict[str, Any]:
    parcel = request.parcels[0]
    package: dict[str, Any] = {
        "id": request.key.replace("-", "_"),
        "items": [{"name": name, "count": count} for name, count in goods.items()],
    }
    if parcel.weight_g is not None:
        package["weight"] = parcel.weight_g
    if parcel.volume_cm3 is not None:
        package["volume"] = parcel.volume_cm3
    return package


def _person(person: Sender | Recipient) -> dict[str, Any]:
    address = _given(province=person.province, city=person.city, district=person.district, detail=person.address)
    phone = "mobile" if _MOBILE.fullmatch(person.phone) else "phone"
    return {**_given(name=person.name, **{phone: person.phone}), "address": address}


def _recipient(request: BookingRequest) -> dict[str, Any]:
    person = _person(request.recipient)
    if not request.recipient.ciphertext:
        return person
    return person | {"oaid": request.recipient.ciphertext, "tid": trade_codes(request)[0]}


def booked(body: Mapping[str, Any]) -> list[Found]:
    """Return the waybills that cainiao.waybill.ii.get has made."""
    rows = rows_of(body, "modules", "waybill_cloud_print_response")
    return [_found(row, f"$.modules.waybill_cloud_print_response[{index}]") for index, row in enumerate(rows)]


def looked_up(body: Mapping[str, Any]) -> Iterator[Found]:
    """Yield the waybills that a question by order or by number shows; a row that shows none is passed over."""
    name = "waybill_cloud_print_with_result_desc_response"
    for index, row in enumerate(rows_of(body, "modules", name)):
        inner = Fields(row, f"$.modules.{name}[{index}]").part("waybill_cloud_print_response")
        if inner is not None and str(row.get("success", True)).lower() == "true":
            yield _found(inner.row, inner.path)


def _found(row: Mapping[str, Any], path: str) -> Found:
    fields = Fields(row, path)
    return Found(
        object_id=fields.side_text("object_id") or "",
        number=fields.text_or_none("waybill_code") or "",
        print_data=fields.side_text("print_data") or "",
        real_cp_code=fields.side_text("real_cp_code") or "",
    )


def waybill_of(found: Found, request: BookingRequest) -> Waybill:
    """Return a waybill; print data that are none are left out, and asked for again as a label."""
    return Waybill(
        key=request.key,
        carrier=request.carrier,
        number=found.number,
        label_kind=LabelKind.PRINT_DATA,
        label=_whole(found.print_data.encode()),
    )


def _whole(label: bytes) -> bytes:
    try:
        return demand_label(label, LabelKind.PRINT_DATA)
    except PayloadError:
        return b""


def left_of(body: Mapping[str, Any], cp_code: str) -> tuple[int | None, int]:
    """Return how many waybills are left, None where none are counted, and how many addresses one may send from.

    Source: cainiao.waybill.ii.search; couriers that bill by month (cp_type 1) have no numbers to run out of.
    """
    left: int | None = None
    addresses = 0
    for index, row in enumerate(rows_of(body, "waybill_apply_subscription_cols", "waybill_apply_subscription_info")):
        fields = Fields(row, f"$.waybill_apply_subscription_cols[{index}]")
        if fields.text("cp_code") != cp_code:
            continue
        counted = str(fields.raw("cp_type")) != "1"
        for branch in rows_of(row, "branch_account_cols", "waybill_branch_account", path=fields.path):
            addresses += len(rows_of(branch, "shipp_address_cols", "address_dto", path=fields.path))
            if counted:
                left = (left or 0) + Fields(branch, fields.path).count("quantity", least=0)
    return left, addresses
