"""Bookings as SF keeps them: what is refused, what is numbered, what is void.

Source: protocol note couriers.md sections 1.3, 1.4 and 5.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.sf.sandbox.errors import ServiceRefusal

MOST_PARCELS = 307
UNSERVED = "南海诸岛"
"""A province that SF does not go to."""

BARRED = "爆竹"
"""Something that SF does not carry."""

FIRST_NUMBER = 1_000_000_000_001
_PHONE = re.compile(r"[0-9+ -]{7,20}")
_EMPTY = {
    1: {"address": "1010", "contact": "1011", "phone": "1012"},
    2: {"address": "1014", "contact": "1015", "phone": "1016"},
}


@dataclass(slots=True, kw_only=True)
class SfOrder:
    """A booking. `numbers` holds the mother's waybill first; `routes` what happened, as told so far."""

    key: str
    parcels: int
    numbers: list[str] = field(default_factory=list)
    served: bool = True
    state: str = "booked"
    routes: list[dict[str, Any]] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """Return it as create and search tell it."""
        if not self.served:
            return {"orderId": self.key, "filterResult": 3, "remark": "1", "waybillNoInfoList": None}
        rows = [{"waybillType": 1 if place == 0 else 2, "waybillNo": n} for place, n in enumerate(self.numbers)]
        label = {"waybillNo": self.numbers[0] if self.numbers else "", "destRouteLabel": "021WA-A1"}
        return {
            "orderId": self.key,
            "originCode": "755",
            "destCode": "021",
            "filterResult": 2 if self.numbers else 1,
            "remark": None,
            "waybillNoInfoList": rows,
            "routeLabelInfo": [{"code": "1000", "routeLabelData": label, "message": None}] if self.numbers else None,
        }


def demand_order(data: Mapping[str, Any], monthly_card: str) -> None:
    """Raise what SF refuses of a booking. Its words quote what they are about."""
    if data.get("monthlyCard") != monthly_card:
        raise ServiceRefusal("8119", "月结卡号不存在或已失效")
    if not isinstance(data.get("expressTypeId"), int):
        raise ServiceRefusal("8057", "快件产品类别有误")
    if not 1 <= int(data.get("parcelQty", 1)) <= MOST_PARCELS:
        raise ServiceRefusal("8117", f"包裹数不能大于{MOST_PARCELS}")
    cargo = data.get("cargoDetails") or []
    if not cargo or not all(row.get("name") for row in cargo):
        raise ServiceRefusal("1023", "托寄物名不能为空")
    _demand_contacts(data.get("contactInfoList") or [])
    if any(BARRED in row["name"] for row in cargo):
        to = next(row for row in data["contactInfoList"] if row["contactType"] == 2)
        raise ServiceRefusal("20035", f"{to['contact']}{to.get('mobile') or to.get('tel')}的托寄物为禁寄品")


def _demand_contacts(contacts: Sequence[Mapping[str, Any]]) -> None:
    by_kind = {row.get("contactType"): row for row in contacts}
    for kind, codes in _EMPTY.items():
        person = by_kind.get(kind, {})
        phone = person.get("mobile") or person.get("tel") or ""
        for name, value in (("address", person.get("address")), ("contact", person.get("contact")), ("phone", phone)):
            if not value:
                raise ServiceRefusal(codes[name], f"{name}不能为空")
        if not _PHONE.fullmatch(phone):
            raise ServiceRefusal("8196", f"{person['contact']}的电话号码{phone}有误")


def goes_to(data: Mapping[str, Any]) -> bool:
    """Return whether SF serves the recipient's place."""
    return not any(row.get("contactType") == 2 and row.get("province") == UNSERVED for row in data["contactInfoList"])


def route(at: datetime, code: str, first_status: str, text: str) -> dict[str, Any]:
    """Return something that happened to a parcel, as a question tells it; `at` is in Beijing time."""
    return {
        "acceptTime": f"{at:%Y-%m-%d %H:%M:%S}",
        "acceptAddress": "上海市",
        "remark": text,
        "opCode": code,
        "firstStatusCode": first_status,
        "firstStatusName": "",
        "secondaryStatusCode": "",
        "secondaryStatusName": "",
    }
