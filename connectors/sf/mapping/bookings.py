"""Bookings in SF's words. Source: protocol note couriers.md section 1.4."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sf.settings import SfSettings
from erpsync.sdk.errors import RejectedError
from erpsync.sdk.money import major
from erpsync.sdk.read import Fields
from erpsync.sdk.types import BookingRequest, LabelKind, Recipient, Sender, Waybill

PAYERS = {"sender": 1, "recipient": 2, "third_party": 3}
SENDER, RECIPIENT = 1, 2
MOTHER, CHILD = "1", "2"
OUT_OF_AREA = "3"
MAX_KEY = 64
_MOBILE = re.compile(r"1\d{10}")
_AREA_PROBLEMS: Mapping[str, str] = {
    "1": "SF does not go to the recipient",
    "2": "SF does not fetch from the sender",
    "3": "SF serves neither the sender's place nor the recipient's",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What SF says of a booking it has: `waybill` is None while it lacks a number."""

    waybill: Waybill | None
    filter_result: str


def order_data(request: BookingRequest, settings: SfSettings) -> dict[str, Any]:
    """Return the data of EXP_RECE_CREATE_ORDER; raises `RejectedError` for what SF cannot be told."""
    if len(request.key) > MAX_KEY:
        raise RejectedError(f"SF takes keys of at most {MAX_KEY} characters", code="key")
    weights = [parcel.weight_g for parcel in request.parcels]
    data: dict[str, Any] = {
        "language": "zh-CN",
        "orderId": request.key,
        "cargoDetails": _cargo(request),
        "contactInfoList": [_contact(SENDER, request.sender), _contact(RECIPIENT, request.recipient)],
        "monthlyCard": request.account or settings.monthly_card,
        "payMethod": PAYERS[settings.payer],
        "expressTypeId": _product(request, settings),
        "parcelQty": len(request.parcels),
        "isDocall": int(settings.call_courier),
        "isReturnRoutelabel": 1,
    }
    known = [weight for weight in weights if weight is not None]
    if len(known) == len(weights):
        data["totalWeight"] = sum(known) / 1000
    if request.cod_minor is not None:
        data["serviceList"] = [_cash(request, request.cod_minor, settings)]
    return data


def personal(request: BookingRequest) -> tuple[str, ...]:
    """Return the values of a request that no error may quote, as they are and as they are sent."""
    people = (request.sender, request.recipient)
    return tuple(value for each in people for value in (each.name, each.phone, _digits(each.phone), each.address))


def _cargo(request: BookingRequest) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    for parcel in request.parcels:
        counts.update({goods.name: goods.qty for goods in parcel.goods})
    return [{"name": name, "count": count} for name, count in counts.items()]


def _digits(phone: str) -> str:
    """Return a number without its country and what stands between its digits."""
    return phone.removeprefix("+86").replace("-", "").replace(" ", "")


def _contact(kind: int, person: Sender | Recipient) -> dict[str, Any]:
    phone = _digits(person.phone)
    company = person.company if isinstance(person, Sender) else ""
    return {
        "contactType": kind,
        "contact": person.name,
        **({"mobile": phone} if _MOBILE.fullmatch(phone) else {"tel": person.phone}),
        **({"company": company} if company else {}),
        "country": "CN",
        "province": person.province,
        "city": person.city,
        "county": person.district,
        "address": person.address,
    }


def _product(request: BookingRequest, settings: SfSettings) -> int:
    if not request.service:
        return settings.express_type
    if not (request.service.isascii() and request.service.isdigit()):
        raise RejectedError(f"SF's products are numbers, not {request.service!r}", code="service")
    return int(request.service)


def _cash(request: BookingRequest, cod_minor: int, settings: SfSettings) -> dict[str, str]:
    if not settings.cod_account:
        raise RejectedError("cash on delivery needs settings.cod_account", code="cod_account")
    if request.currency != "CNY":
        raise RejectedError(f"SF collects CNY, not {request.currency}", code="currency")
    return {"name": "COD", "value": str(major(cod_minor, "CNY")), "value1": settings.cod_account}


def accepted_of(data: Mapping[str, Any], request: BookingRequest) -> Accepted:
    """Return what SF says of a booking; raises `RejectedError` where it does not go.

    Fewer numbers than parcels are none yet: a parcel without one cannot be sent.
    """
    order = Fields(data)
    result = str(order.raw("filterResult") or "")
    if result == OUT_OF_AREA:
        reason = _AREA_PROBLEMS.get(str(order.raw("remark") or ""), "SF does not carry this parcel")
        raise RejectedError(reason, code=f"filterResult={result}")
    numbers: dict[str, list[str]] = {MOTHER: [], CHILD: []}
    for row in order.parts("waybillNoInfoList"):
        number = row.text_or_none("waybillNo")
        if number:
            numbers.setdefault(str(row.raw("waybillType")), []).append(number)
    mothers, children = numbers[MOTHER], numbers[CHILD]
    if len(mothers) != 1 or len(children) != len(request.parcels) - 1:
        return Accepted(waybill=None, filter_result=result)
    waybill = Waybill(
        key=request.key,
        carrier="SF",
        number=mothers[0],
        children=tuple(children),
        label_kind=LabelKind.PDF,
        sort_code=_sort_code(order),
    )
    return Accepted(waybill=waybill, filter_result=result)


def _sort_code(order: Fields) -> str:
    """Return what sorts the parcel: of the route label where it is there, else the code of the destination."""
    labels = order.raw("routeLabelInfo")
    first = labels[0] if isinstance(labels, list) and labels else None
    label = first.get("routeLabelData") if isinstance(first, dict) else None
    code = Fields(label).side_text("destRouteLabel") if isinstance(label, dict) else None
    return code or order.side_text("destCode") or ""
