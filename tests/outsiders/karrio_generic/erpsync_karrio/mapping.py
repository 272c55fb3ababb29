"""Karrio's words: bookings into shipments, and shipments into waybills."""

import base64
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.labels import demand_label
from erpsync.sdk.money import decimals
from erpsync.sdk.read import Fields
from erpsync.sdk.types import Booking, BookingRequest, LabelKind, Recipient, Region, Sender, Waybill

COUNTRY = "CN"
DRAFT, CANCELLED = "draft", "cancelled"


def shipment_of(request: BookingRequest, service: str) -> dict[str, Any]:
    """Return the shipment that a booking asks for; its reference is our key."""
    return {
        "service": request.service or service,
        "reference": request.key,
        "shipper": _address(request.sender),
        "recipient": _address(request.recipient),
        "parcels": [
            {
                "weight": (parcel.weight_g or 0) / 1000,
                "weight_unit": "KG",
                "items": [
                    {"title": good.name, "quantity": good.qty, "weight": 0, "weight_unit": "KG"}
                    for good in parcel.goods
                ],
            }
            for parcel in request.parcels
        ],
        "label_type": "PDF",
    }


def rate_request(region: Region, service: str) -> dict[str, Any]:
    """Return the question whether a parcel of a kilogram may go somewhere."""
    there = {"city": region.city or region.province, "state_code": region.province, "country_code": COUNTRY}
    return {
        "services": [service],
        "shipper": {"country_code": COUNTRY},
        "recipient": there,
        "parcels": [{"weight": 1.0, "weight_unit": "KG"}],
    }


def waybill_of(row: Mapping[str, Any], booking: Booking | BookingRequest, carrier: str) -> Waybill:
    """Return the waybill of a shipment that was bought. Of several parcels the first one's number is the booking's."""
    shipment = Fields(row)
    rate = shipment.part("selected_rate")
    numbers = row.get("meta", {}).get("tracking_numbers") or [shipment.text("tracking_number")]
    currency = rate.text("currency") if rate else "CNY"
    return Waybill(
        key=booking.key,
        carrier=carrier,
        number=numbers[0],
        children=tuple(numbers[1:]),
        handle=shipment.text("id"),
        label_kind=LabelKind.PDF,
        label=_label_or_none(row),
        cost_minor=_minor(rate.raw("total_charge"), currency) if rate else None,
        currency=currency,
    )


def label_of(row: Mapping[str, Any]) -> bytes:
    """Return the label of a shipment. Raises `PayloadError` for what is none."""
    text = (row.get("docs") or {}).get("label")
    try:
        data = base64.b64decode(text or "", validate=True)
    except (ValueError, TypeError):
        data = b""
    return demand_label(data, LabelKind.PDF, path="$.docs.label")


def _label_or_none(row: Mapping[str, Any]) -> bytes:
    """Return the label that came with a number; what is none costs no waybill, for it can be asked for again."""
    try:
        return label_of(row)
    except PayloadError:
        return b""


def _minor(charge: object, currency: str) -> int | None:
    """Return a charge, which comes as a number of JSON, in minor units."""
    if isinstance(charge, bool) or not isinstance(charge, int | float):
        return None
    return int(Decimal(json.dumps(charge)).scaleb(decimals(currency)).to_integral_value())


def _address(who: Sender | Recipient) -> dict[str, str]:
    return {
        "person_name": who.name,
        "phone_number": who.phone,
        "state_code": who.province,
        "city": who.city,
        "address_line1": f"{who.district}{who.address}",
        "country_code": COUNTRY,
    }
