"""Bookings into rows, and rows of the courier's files into numbers.

Our own layout.

    booking-KEY.csv   one row per parcel, the first one gets the booking's number
    cancel-KEY.csv    key, tracking
    waybills-*.csv    key, tracking [, carrier] [, cost] [, sort_code]; further rows of a key are its further parcels
    spare-*.csv       tracking [, carrier] [, service] [, cost]
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from connectors.carrier_file.settings import CarrierFileSettings
from erpsync.sdk.carriers import as_in_file
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.money import decimals, major
from erpsync.sdk.read import MAX_MINOR
from erpsync.sdk.reports import Layout, ReportFile, Row, needed
from erpsync.sdk.sheets import amount_of
from erpsync.sdk.text import quoted
from erpsync.sdk.types import BadLine, BookedNumber, BookingRequest, LabelKind, SpareNumber, Waybill

BOOKING_HEADER = (
    "key", "parcel", "parcels", "carrier", "service", "account", "recipient", "phone", "province", "city", "district",
    "address", "ciphertext", "goods", "weight_g", "volume_cm3", "cod", "currency", "sender", "sender_company",
    "sender_phone", "sender_province", "sender_city", "sender_district", "sender_address",
)  # fmt: skip
CANCEL_HEADER = ("key", "tracking")
LAYOUTS: Mapping[str, Layout] = {
    "waybills": Layout(
        columns=("key", "tracking", "carrier", "cost", "sort_code"),
        needed=("key", "tracking"),
        exact=frozenset({"key", "tracking", "sort_code"}),
    ),
    "spare": Layout(
        columns=("tracking", "carrier", "service", "cost"), needed=("tracking",), exact=frozenset({"tracking"})
    ),
}
Report = BookedNumber | SpareNumber
_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Za-z-]{1,64}")
"""Below a list of numbers stands a sum now and then, and its word is in their column."""


def booking_rows(request: BookingRequest) -> list[tuple[object, ...]]:
    """Return the rows of a booking, one per parcel; what is to be collected stands in the first."""
    to, of = request.recipient, request.sender
    head = (request.carrier, request.service, request.account)
    who = (to.name, to.phone, to.province, to.city, to.district, to.address, to.ciphertext)
    back = (of.name, of.company, of.phone, of.province, of.city, of.district, of.address)
    collected = major(request.cod_minor, request.currency) if request.cod_minor else ""
    rows: list[tuple[object, ...]] = []
    for number, parcel in enumerate(request.parcels, start=1):
        goods = "; ".join(f"{good.name} × {good.qty}" for good in parcel.goods)
        size = (_known(parcel.weight_g), _known(parcel.volume_cm3))
        cod = (collected, request.currency) if number == 1 and collected else ("", "")
        rows.append((request.key, number, len(request.parcels), *head, *who, goods, *size, *cod, *back))
    return rows


def reports_of(file: ReportFile, settings: CarrierFileSettings) -> Iterator[Report | BadLine]:
    """Yield the numbers that a file tells, in the order of first lines; what cannot be read is a bad line.

    Rows of one key are one booking, wherever they stand; one bad row withholds it: a parcel without its number would
    take the next one's.
    """
    lines: dict[str, list[int]] = {}
    groups: dict[object, list[tuple[int, Row]]] = {}
    for line, row in file.rows:
        lines.setdefault(row.get("tracking", ""), []).append(line)
        groups.setdefault(row.get("key") or line, []).append((line, row))
    for rows in groups.values():
        line, first = rows[0]
        try:
            numbers = [_number(file.sound(number, row), lines) for number, row in rows]
            if file.kind == "spare":
                yield _spare(file, line, first, settings)
            else:
                yield _booked(file, line, [row for _, row in rows], numbers, settings)
        except PayloadError as error:
            yield file.bad(line, first, error)


def _number(row: Row, lines: Mapping[str, Sequence[int]]) -> str:
    """Return the number of a row that no other row of the file has: else nobody knows whose it is."""
    number = needed(row, "tracking")
    if not _NUMBER.fullmatch(number):
        raise PayloadError("expected a waybill number, found other signs", path="tracking")
    if len(lines[number]) > 1:
        raise PayloadError(f"this number stands in lines {', '.join(map(str, lines[number]))}", path="tracking")
    return number


def _booked(
    file: ReportFile, line: int, rows: Sequence[Row], numbers: Sequence[str], settings: CarrierFileSettings
) -> BookedNumber:
    first = rows[0]
    costs = [cost for row in rows if (cost := _cost(row, settings.currency)) is not None]
    waybill = Waybill(
        key=needed(first, "key"),
        carrier=_carrier(first, settings),
        number=numbers[0],
        children=tuple(numbers[1:]),
        label_kind=LabelKind.NONE,
        sort_code=first.get("sort_code", ""),
        cost_minor=sum(costs) if costs else None,
        currency=settings.currency,
    )
    return BookedNumber(key=file.key(line), waybill=waybill, source=file.source(line))


def _spare(file: ReportFile, line: int, row: Row, settings: CarrierFileSettings) -> SpareNumber:
    return SpareNumber(
        key=file.key(line),
        carrier=_carrier(row, settings),
        number=needed(row, "tracking"),
        service=row.get("service", ""),
        cost_minor=_cost(row, settings.currency),
        currency=settings.currency,
        source=file.source(line),
    )


def _carrier(row: Row, settings: CarrierFileSettings) -> str:
    named = row.get("carrier")
    if not named:
        if len(settings.carriers) == 1:
            return settings.carriers[0]
        raise PayloadError("is empty, and the account has several couriers", path="carrier")
    code = as_in_file(named, settings.carrier_map)
    if code not in settings.carriers:
        raise PayloadError(f"is none of this account's couriers: {', '.join(settings.carriers)}", path="carrier")
    return code


def _cost(row: Row, currency: str) -> int | None:
    """Return what a row costs in minor units, None where it does not say."""
    text = row.get("cost", "")
    if not text:
        return None
    amount = amount_of(text)
    minor = None if amount is None else amount.scaleb(decimals(currency))
    if minor is None or minor != minor.to_integral_value() or not 0 <= minor <= MAX_MINOR:
        raise PayloadError(f"expected an amount like 12.50{quoted(text)}", path="cost")
    return int(minor)


def _known(number: int | None) -> object:
    return "" if number is None else number
