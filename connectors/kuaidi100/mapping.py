"""Kuaidi100's words: bookings into parameters, answers into waybills, lists of scans into tracks."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kuaidi100.settings import Kuaidi100Settings
from erpsync.sdk.carriers import map_carrier
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import OutcomeUnknownError, PayloadError, RejectedError
from erpsync.sdk.money import major
from erpsync.sdk.read import Fields, kind, local
from erpsync.sdk.types import (
    BadLine,
    Booking,
    BookingRequest,
    LabelKind,
    Payload,
    TrackedParcel,
    TrackNode,
    TrackPage,
    TrackState,
    Waybill,
)

BEIJING = ZoneInfo("Asia/Shanghai")
MAX_CARGO = 100
LENT_BY_TAOBAO = frozenset({"taobao", "cainiao"})
"""Values of `net` with which a recipient that Taobao hides may be booked. Source: section 2.4."""

PAYERS: Mapping[str, str] = {
    "sender": "SHIPPER",
    "recipient": "CONSIGNEE",
    "third_party": "THIRDPARTY",
    "monthly": "MONTHLY",
}

COMPANIES: Mapping[str, str] = {
    "SF": "shunfeng",
    "YTO": "yuantong",
    "ZTO": "zhongtong",
    "STO": "shentong",
    "YUNDA": "yunda",
    "JT": "jtexpress",
    "EMS": "ems",
    "POST": "youzhengguonei",
    "JD": "jd",
    "DBL": "debangkuaidi",
    "DBL_FREIGHT": "debangwuliu",
    "BEST": "huitongkuaidi",
    "UC": "youshuwuliu",
    "ZJS": "zhaijisong",
    "GTO": "guotongkuaidi",
    "TTK": "tiantian",
}
"""Kuaidi100's codes of couriers. Source: protocol note couriers.md section 4."""

STATES: Mapping[str, TrackState] = {
    "1": TrackState.PICKED_UP,
    "101": TrackState.ANNOUNCED,
    "102": TrackState.ANNOUNCED,
    "2": TrackState.PROBLEM,
    "3": TrackState.DELIVERED,
    "4": TrackState.RETURNED,
    "401": TrackState.PROBLEM,
    "5": TrackState.DELIVERING,
    "6": TrackState.RETURNING,
    "14": TrackState.PROBLEM,
}
"""By code; a code of three digits that is not here counts as its first digit, any other as in transit.

So do 10 to 13, which are customs, and 1001 to 1003, which are parts of 0. 101 and 102 are parts of 1, but nobody has
the parcel yet; 401 says that the booking was voided. Source: section 2.1.
"""


def company_codes(settings: Kuaidi100Settings) -> Mapping[str, str]:
    """Return Kuaidi100's code by ours, as the settings say it and else our table."""
    return {**COMPANIES, **settings.company_codes}


def booking_param(request: BookingRequest, settings: Kuaidi100Settings) -> dict[str, Any]:
    """Return the parameter of an order. Raises `RejectedError` for what cannot be booked here.

    `reorder` false makes one key one waybill, for 48 hours. Source: section 2.4.
    """
    weights = [parcel.weight_g for parcel in request.parcels]
    wanted: dict[str, Any] = {
        **_account(settings, request.account),
        "printType": "IMAGE" if settings.template else "NON",
        "tempId": settings.template,
        "kuaidicom": map_carrier(company_codes(settings), request.carrier),
        "recMan": _recipient(request),
        "sendMan": _sender(request),
        "cargo": _cargo(request),
        "count": len(request.parcels),
        "needChild": "1" if len(request.parcels) > 1 else "",
        "weight": round(sum(weight for weight in weights if weight) / 1000, 3) if all(weights) else None,
        "payType": PAYERS[settings.payer],
        "expType": request.service or settings.service,
        "collection": _to_collect(request),
        "orderId": request.key,
    }
    if request.recipient.ciphertext:
        wanted |= {"oaid": request.recipient.ciphertext, "thirdOrderId": ",".join(request.orders)}
    return {**{name: value for name, value in wanted.items() if value not in ("", None)}, "reorder": False}


def cancel_param(booking: Booking, settings: Kuaidi100Settings) -> dict[str, Any]:
    """Return the parameter that voids a booking: the account, and the courier's own order number where it gave one."""
    noted = _handle(booking)
    wanted = {
        **_account(settings, noted.get("account", "")),
        "kuaidicom": map_carrier(company_codes(settings), booking.carrier),
        "kuaidinum": booking.number,
        "orderId": noted.get("order", ""),
        "expType": noted.get("service") or settings.service,
        "reason": "不寄了",
    }
    return {name: value for name, value in wanted.items() if value}


def waybill_of(data: Mapping[str, Any], request: BookingRequest) -> Waybill:
    """Return the waybill of an order's answer.

    Raises:
        OutcomeUnknownError: accepted, and no number is there yet.
    """
    fields = Fields(data, "$.data")
    number = fields.side_text("kuaidinum")
    if not number:
        raise OutcomeUnknownError("Kuaidi100 accepted the booking and gave no number")
    link = fields.side_text("label")
    noted = {
        "order": fields.side_text("kdComOrderNum"),
        "label": link,
        "account": request.account,
        "service": request.service,
    }
    known = {name: value for name, value in noted.items() if value}
    children = (fields.side_text("childNum") or "").split(",")
    return Waybill(
        key=request.key,
        carrier=request.carrier,
        number=number,
        handle=json.dumps(known, ensure_ascii=False) if known else "",
        children=tuple(child.strip() for child in children if child.strip()),
        label_kind=LabelKind.PICTURE if link else LabelKind.NONE,
        sort_code=fields.side_text("bulkpen") or "",
    )


def label_link(booking: Booking) -> str:
    """Return where a booking's label is. Raises `RejectedError` where none was made."""
    link = _handle(booking).get("label")
    if not link:
        raise RejectedError("no label was made with this booking", code="label")
    return link


def private_texts(request: BookingRequest) -> tuple[str, ...]:
    """Return what no error may quote of a booking."""
    to = request.recipient
    return (_address(to.province, to.city, to.district, to.address), to.address, to.name, to.phone, to.ciphertext)


def query_param(parcel: TrackedParcel, settings: Kuaidi100Settings) -> dict[str, str]:
    """Return the parameter of a query, finer states wanted. Source: section 2.1."""
    com = map_carrier(company_codes(settings), parcel.carrier)
    phone = {"phone": parcel.phone} if parcel.phone else {}
    return {"com": com, "num": parcel.number, **phone, "resultv2": "4", "show": "0", "order": "desc"}


def page_of(payload: Payload, settings: Kuaidi100Settings) -> TrackPage:
    """Return what is known of a parcel, from a query's answer or a call to us. Raises `PayloadError`.

    Every call carries the whole list. After three days without news the calls end, and may be asked for once more;
    unless Kuaidi100 found that another courier has the parcel: then it goes on by itself. Source: section 2.3.
    """
    pushed, found = Fields(payload), _found(payload)
    number, status = found.text("nu"), pushed.side_text("status")
    company = pushed.side_text("comNew") or found.text("com")
    nodes, bad = _nodes(found, number)
    ended = status == "abort" and not pushed.side_text("comNew")
    silent = ended and "3天" in (pushed.side_text("message") or "")
    return TrackPage(
        carrier=next((ours for ours, theirs in company_codes(settings).items() if theirs == company), company),
        number=number,
        nodes=nodes,
        bad=bad,
        whole=True,
        over=status == "shutdown" or (ended and not silent),
        watch_again=silent,
    )


def newest_at(payload: Payload) -> datetime | None:
    """Return when the newest scan was that can be read, None where there is none."""
    try:
        nodes, _ = _nodes(_found(payload), "")
    except PayloadError:
        return None
    return nodes[-1].at if nodes else None


def _found(payload: Payload) -> Fields:
    """Return what is known of a parcel: the whole answer to a query, a part of a call to us."""
    whole = Fields(payload)
    if any(name in payload for name in ("nu", "com", "data")):
        return whole
    part = whole.part("lastResult")
    if part is None:
        raise whole.error("lastResult", "expected an object, found nothing")
    return part


def _nodes(found: Fields, number: str) -> tuple[tuple[TrackNode, ...], tuple[BadLine, ...]]:
    """Return the scans by their time, each once, and what cannot be read; the newest one may stand in `state` only."""
    nodes: dict[str, TrackNode] = {}
    bad: list[BadLine] = []
    rows = found.raw("data") or []
    if not isinstance(rows, list):
        raise found.error("data", f"expected a list, found {kind(rows)}")
    for place, row in enumerate(rows):
        path = f"{found.path_of('data')}[{place}]"
        kept = row if isinstance(row, dict) else {"row": row}
        try:
            if kept is not row:
                raise PayloadError(f"expected an object, found {kind(row)}", path=path)
            node = _node(Fields(row, path), default=found.raw("state") if place == 0 else None)
        except PayloadError as error:
            bad.append(BadLine(key=f"{number}#{digest_of(kept)[:8]}", error=error, row=kept))
        else:
            nodes.setdefault(node.key, node)
    oldest_first = reversed(list(nodes.values()))  # of two at one time the one that came first is the later one
    return tuple(sorted(oldest_first, key=lambda node: node.at)), tuple(bad)


def _node(row: Fields, *, default: object) -> TrackNode:
    name = "ftime" if row.raw("ftime") is not None else "time"
    at = local(row.raw(name), BEIJING, path=row.path_of(name))
    text, code = row.side_text("context") or "", _code(row.raw("statusCode"))
    return TrackNode(
        key=digest_of({"at": at.isoformat(), "text": text, "code": code})[:16],
        at=at,
        state=_state(code or _code(default)),
        text=text,
        place=row.side_text("areaName") or row.side_text("location") or "",
        code=code,
    )


def _code(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _state(code: str) -> TrackState:
    general = code[0] if len(code) == 3 else code
    return STATES.get(code) or STATES.get(general) or TrackState.IN_TRANSIT


def _account(settings: Kuaidi100Settings, booked_with: str) -> dict[str, str]:
    """Return what names the account with the courier; what was given with the order has to be given to void it."""
    account = {
        "partnerId": booked_with or settings.partner_id,
        "partnerKey": settings.partner_key.get_secret_value() if settings.partner_key else "",
        "partnerSecret": settings.partner_secret.get_secret_value() if settings.partner_secret else "",
        "partnerName": settings.partner_name,
        "net": settings.net,
        "code": settings.code,
        "checkMan": settings.check_man,
        "tbNet": settings.tb_net,
    }
    return {name: value for name, value in account.items() if value}


def _recipient(request: BookingRequest) -> dict[str, str]:
    to = request.recipient
    return _man(to.name, to.phone, _address(to.province, to.city, to.district, to.address), "")


def _sender(request: BookingRequest) -> dict[str, str]:
    of = request.sender
    return _man(of.name, of.phone, _address(of.province, of.city, of.district, of.address), of.company)


def _man(name: str, phone: str, address: str, company: str) -> dict[str, str]:
    named = "mobile" if len(phone) == 11 and phone.startswith("1") else "tel"
    man = {"name": name, named: phone, "printAddr": address, "company": company}
    return {field: value for field, value in man.items() if value}


def _address(*parts: str) -> str:
    """Return an address in one piece; a city that is a province is named once."""
    return "".join(dict.fromkeys(parts))


def _cargo(request: BookingRequest) -> str:
    goods = [good for parcel in request.parcels for good in parcel.goods]
    return "、".join(good.name if good.qty == 1 else f"{good.name}×{good.qty}" for good in goods)[:MAX_CARGO]


def _to_collect(request: BookingRequest) -> str:
    if not request.cod_minor:
        return ""
    if request.currency != "CNY":
        raise RejectedError(f"Kuaidi100 collects no {request.currency}", code="currency")
    return str(major(request.cod_minor, request.currency))


def _handle(booking: Booking) -> dict[str, str]:
    """Return what was noted of a booking besides its number."""
    return json.loads(booking.handle) if booking.handle else {}
