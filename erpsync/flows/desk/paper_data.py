"""What stands on the papers of releases and waves: rows opened, masked and put in the order of the walk.

Why apart from printing: it only reads, so what is recorded can be made twice and compared, once to be set and once
under lock. Nothing on a paper is of the instant of printing: the same rows give the same bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from erpsync.core.masking import masked
from erpsync.core.waves import WaveRelease, picks, place
from erpsync.flows.context import Context
from erpsync.flows.desk.paper_rows import Head, Sheet, WaveHead, sheets_of
from erpsync.flows.warehouses.siblings import siblings_of
from erpsync.papers.records import (
    CourierLabel,
    LabelData,
    PackData,
    PaperLine,
    Party,
    PickData,
    PickLine,
    SlipData,
    Waybill,
)
from erpsync.papers.style import DocumentSettings, Mask, PaperName
from erpsync.sdk.carriers import CARRIERS
from erpsync.sdk.types import LabelKind
from erpsync.store.db.privacy import Vault
from erpsync.store.encrypted import line_row, notes_row, recipient_row
from erpsync.store.waybills import kept_labels

Data = SlipData | PackData | LabelData | CourierLabel
"""A paper of a release."""

_NOTES = ("buyer_note", "seller_note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What papers are made by."""

    ctx: Context
    vault: Vault
    settings: DocumentSettings


def papers_of(connection: Connection, desk: Desk, paper: PaperName, ids: Iterable[int]) -> dict[int, tuple[Data, ...]]:
    """Return what stands on a paper of each of these releases, by id: a label for each parcel, else one.

    Where a courier makes the label it is one, its own. All are first copies. It takes as many statements for a
    thousand releases as for one.
    """
    makers: dict[str, Callable[[Desk, Sheet], tuple[Data, ...]]] = {"slip": _slip, "pack": _pack, "label": _labels}
    make = makers[paper]
    sheets = sheets_of(connection, ids)
    if paper == "slip":
        for id, found in siblings_of(connection, desk.ctx, sheets.keys()).items():
            sheets[id].siblings = tuple(each.order for each in found)
    made = {id: make(desk, sheet) for id, sheet in sheets.items()}
    return made | _by_couriers(connection, desk, sheets) if paper == "label" else made


def _by_couriers(connection: Connection, desk: Desk, sheets: dict[int, Sheet]) -> dict[int, tuple[CourierLabel]]:
    """Return the labels that couriers made, by release id; one that is not here yet holds nothing.

    Why ours is none in their place: it would look like what the courier's depots read, and lacks it.
    """
    booked = {id: sheet.waybills[0] for id, sheet in sheets.items() if sheet.waybills}
    theirs = {id: row.id for id, row in booked.items() if row.label_kind not in ("", LabelKind.NONE)}
    kept = kept_labels(connection, desk.vault, theirs.values())
    return {
        id: (CourierLabel(number=sheets[id].row.number, data=kept.get(waybill_id, b"")),)
        for id, waybill_id in theirs.items()
    }


def pick_of(connection: Connection, desk: Desk, wave: WaveHead, heads: Sequence[Head], slots: int) -> PickData:
    """Return what stands on the pick list of a wave, first copy.

    Args:
        heads: the releases that are to be picked.
        slots: how many boxes the wave has; one whose release is not to be picked stays empty.
    """
    sheets = sheets_of(connection, [head.id for head in heads])
    named = {head.slot: head.number for head in heads}
    columns = tuple(named.get(slot, "") for slot in range(1, slots + 1))
    rows = [row for sheet in sheets.values() for row in sheet.lines]
    by_sku = {row.sku_id: row for row in rows}
    shelves = {row.sku_id: row.shelf for row in rows if row.shelf}
    wanted = [
        WaveRelease(number=sheet.row.number, units=_units(sheet), due_at=sheet.row.made_at) for sheet in sheets.values()
    ]
    return PickData(
        number=wave.number,
        made_on=_day(desk, wave.made_at),
        releases=columns,
        warehouse=_warehouse(desk, wave.warehouse_id),
        lines=tuple(
            PickLine(
                sku=by_sku[pick.sku_id].code,
                title=_title(by_sku[pick.sku_id]),
                shelf=pick.shelf,
                qtys=tuple(pick.units.get(number, 0) for number in columns),
            )
            for pick in picks(wanted, shelves)
        ),
    )


def _units(sheet: Sheet) -> dict[int, int]:
    units: dict[int, int] = {}
    for row in sheet.lines:
        units[row.sku_id] = units.get(row.sku_id, 0) + row.qty
    return units


def _slip(desk: Desk, sheet: Sheet) -> tuple[SlipData]:
    row = sheet.row
    slip = SlipData(
        number=row.number,
        made_on=_day(desk, row.made_at),
        lines=_lines(desk, sheet, "slip"),
        shop=_shops(desk, sheet),
        warehouse=_warehouse(desk, row.warehouse_id),
        orders=_numbers(sheet),
        sender=_sender(desk, row.warehouse_id),
        recipient=_recipient(desk, sheet, "slip"),
        waybill=_waybill(desk, sheet, "slip"),
        notes=_notes(desk, sheet),
        wave=row.wave or "",
        slot=row.slot,
        cod_minor=_to_collect(sheet),
        currency=_currency(sheet),
        replaces=sheet.replaces,
        siblings=sheet.siblings,
    )
    return (slip,)


def _pack(desk: Desk, sheet: Sheet) -> tuple[PackData]:
    """Return what the buyer reads. What the order costs is only said where all of it lies in this parcel."""
    row = sheet.row
    orders = sheet.orders if sheet.whole else ()
    pack = PackData(
        number=row.number,
        made_on=_day(desk, row.made_at),
        lines=_lines(desk, sheet, "pack"),
        shop=_shops(desk, sheet),
        orders=_numbers(sheet),
        recipient=_recipient(desk, sheet, "pack"),
        waybill=_waybill(desk, sheet, "pack"),
        currency=_currency(sheet),
        freight_minor=_sum(order.freight_minor for order in orders),
        discount_minor=_sum(order.discount_minor for order in orders),
        total_minor=_sum(order.total_minor for order in orders),
    )
    return (pack,)


def _labels(desk: Desk, sheet: Sheet) -> tuple[LabelData, ...]:
    row = sheet.row
    goods = ", ".join(f"{line.title} {line.qty}" for line in _lines(desk, sheet, "label"))
    return tuple(
        LabelData(
            number=row.number,
            made_on=_day(desk, row.made_at),
            waybill=waybill,
            sender=_sender(desk, row.warehouse_id),
            recipient=_recipient(desk, sheet, "label"),
            weight_g=row.weight_g,
            goods=goods,
            cod_minor=_to_collect(sheet) if waybill.parcel == 1 else None,
            currency=_currency(sheet),
        )
        for waybill in _waybills(desk, sheet, "label")
    )


def _lines(desk: Desk, sheet: Sheet, paper: PaperName) -> tuple[PaperLine, ...]:
    """Return what is in a release by shelf; what cannot be told apart on the paper stands there once."""
    style = desk.settings.styles[paper]
    qtys: dict[tuple[Any, ...], int] = {}
    for row in sheet.lines:
        spec = _spec(desk, row) if style.spec else ""
        price = _price(row) if style.prices else None
        key = (row.shelf or "", row.code, _title(row), spec, price)
        qtys[key] = qtys.get(key, 0) + row.qty
    walked = sorted(qtys.items(), key=lambda item: (not item[0][0], place(item[0][0]), item[0][1], item[0][2:4]))
    return tuple(
        PaperLine(sku=sku, title=title, qty=qty, shelf=shelf, spec=spec, price_minor=price)
        for (shelf, sku, title, spec, price), qty in walked
    )


def _title(row: Any) -> str:
    return str(row.title or row.line_title)


def _spec(desk: Desk, row: Any) -> str:
    if row.properties is None:
        return ""
    pairs = desk.vault.decrypt(row.properties, row=line_row(row.order_id, row.external_id))
    return "; ".join(f"{name}: {value}" for name, value in pairs)


def _price(row: Any) -> int | None:
    """Return what one of our units costs; None for pieces of a bundle, and where it does not come out even."""
    each, rest = divmod(row.price_minor * row.units, row.qty)
    return None if (row.has_parts and not row.as_wanted) or rest else int(each)


def _notes(desk: Desk, sheet: Sheet) -> tuple[str, ...]:
    opened = [
        desk.vault.decrypt(order.notes, row=notes_row(order.channel_id, order.external_id))
        for order in sheet.orders
        if order.notes is not None
    ]
    texts = [notes.get(name) for notes in opened for name in _NOTES]
    return tuple(dict.fromkeys(text for text in texts if text))


def _recipient(desk: Desk, sheet: Sheet, paper: PaperName) -> Party:
    first = sheet.orders[0]
    mask: Mask = desk.settings.masks[paper]
    if mask == "none" or first.recipient is None:
        return Party()
    known: dict[str, str] = desk.vault.decrypt(first.recipient, row=recipient_row(first.channel_id, first.external_id))
    if mask == "masked":
        seen = masked(known)
        return Party(name=seen.get("name", ""), phone=seen.get("phone", ""), region=seen.get("city", ""))
    region = _region(known["province"], known["city"], known["district"])
    return Party(name=known["name"], phone=known["phone"], region=region, address=known["address"])


def _waybill(desk: Desk, sheet: Sheet, paper: PaperName) -> Waybill:
    """Return the first waybill of a release; without any number the courier it is to go by."""
    booked = _waybills(desk, sheet, paper)
    row = sheet.row
    if booked:
        return booked[0]
    return Waybill(carrier=_courier(desk, row.carrier, paper), service=row.service, parcels=row.parcels)


def _waybills(desk: Desk, sheet: Sheet, paper: PaperName) -> list[Waybill]:
    return [
        Waybill(
            number=row.number,
            carrier=_courier(desk, row.carrier, paper),
            service=row.service,
            sort_code=row.sort_code,
            parcel=row.parcel,
            parcels=max(sheet.row.parcels, len(sheet.waybills)),
        )
        for row in sheet.waybills
    ]


def _courier(desk: Desk, code: str, paper: PaperName) -> str:
    carrier = CARRIERS.get(code)
    if carrier is None:
        return code
    return carrier.name_zh if desk.settings.styles[paper].lang == "zh" else carrier.name


def _numbers(sheet: Sheet) -> tuple[str, ...]:
    """Return the orders by the numbers that buyer and shop know: our own orders have only ours."""
    return tuple(order.external_id if order.kind == "channel" else order.number for order in sheet.orders)


def _shops(desk: Desk, sheet: Sheet) -> str:
    channels = (desk.ctx.channels.get(order.channel_id) for order in sheet.orders)
    return ", ".join(dict.fromkeys(channel.name for channel in channels if channel is not None))


def _sender(desk: Desk, warehouse_id: int) -> Party:
    policy = desk.ctx.warehouses.get(warehouse_id)
    if policy is None or policy.sender is None:
        return Party()
    who = policy.sender
    return Party(
        name=f"{who.company} {who.name}".strip(),
        phone=who.phone,
        region=_region(who.province, who.city, who.district),
        address=who.address,
    )


def _region(*parts: str) -> str:
    """Return province, city and district in one line; a municipality is its own province."""
    return " ".join(dict.fromkeys(filter(None, parts)))


def _warehouse(desk: Desk, warehouse_id: int) -> str:
    policy = desk.ctx.warehouses.get(warehouse_id)
    return "" if policy is None else policy.id


def _day(desk: Desk, at: datetime) -> date:
    return at.astimezone(desk.ctx.timezone).date()


def _currency(sheet: Sheet) -> str:
    return str(sheet.orders[0].currency)


def _to_collect(sheet: Sheet) -> int | None:
    """Return what is still to pay of orders that are paid on delivery; such an order leaves in one parcel."""
    owed = [order.total_minor - (order.paid_minor or 0) for order in sheet.orders if order.kind == "cod"]
    return sum(owed) or None


def _sum(amounts: Iterable[int | None]) -> int | None:
    told = [amount for amount in amounts if amount is not None]
    return sum(told) if told else None


def is_addressed(desk: Desk, data: LabelData) -> bool:
    """Whether a courier can go by what stands on a label; what a platform hides he cannot read."""
    who = data.recipient
    known = all(text and "*" not in text for text in (who.name, who.phone, who.address))
    return known or desk.settings.masks["label"] != "full"


def digest_of(desk: Desk, paper: PaperName, first: object) -> str:
    """Return by what a paper is told from one that says something else, whichever copy it is.

    It is keyed: names and addresses have few spellings, and a plain digest would give them away.
    """
    return desk.vault.index(["paper", paper, repr(first)]).hex()
