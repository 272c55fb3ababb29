"""Rows of one order into `Order`.

What counts when rows differ: an order's own fields (amounts, times, recipient) are those of the first good row that
has them, and rows that contradict each other in one make no order, see `own`. A status per line is kept: the order is
as far as its least advanced line, and lines that are further carry shipped or cancelled units.

Why `paid` never decides: channels net refunds out, so in real exports a third of the orders "paid 0.00" were paid and
refunded. A time of payment tells, or a status. Money that went back is told as `refunded_minor`; only a status makes
an order cancelled, because the amount may cover goods that have left.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from connectors.csv_drop.mapping.cells import (
    exact_minor,
    identifier,
    minor_units,
    quantity,
    whole_minor,
)
from connectors.csv_drop.mapping.own import Bad, Read, currencies_of, require_agreement, with_one_state
from connectors.csv_drop.mapping.payload import Row, refused, rows_of
from connectors.csv_drop.profiles import RefundWord, flag_of, is_status, status_key
from connectors.csv_drop.settings import Layout
from erpsync.sdk.bad_lines import no_line
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.read import properties
from erpsync.sdk.sheets import amount_of, instant, tidy
from erpsync.sdk.text import quoted
from erpsync.sdk.types import BadLine, Line, Order, OrderState, Raw, Recipient

_T = TypeVar("_T")
_DUE = (OrderState.PAID, OrderState.SHIPPED, OrderState.COMPLETED)
_ADVANCE = {OrderState.UNPAID: 0, OrderState.PAID: 1, OrderState.SHIPPED: 2, OrderState.COMPLETED: 3}
UNSHOWN = "(not shown)"
"""Stands for every status text that could be a name, so that those are one task as well."""

RECIPIENT = ("recipient", "phone", "province", "city", "district", "address")
_AMOUNTS = ("total", "refunded")
_SIDES = ("paid", "freight", "discount")
"""Amounts that decide nothing: one that makes no sense is left out, and the residual shows what is missing."""


def order_of(raw: Raw, layout: Layout) -> Order:
    """Return the order that the rows of `raw` describe; rows that cannot be read are its `bad_lines`.

    Raises `PayloadError` with file and line when no row can be read, or the rows do not make one order.
    """
    good: list[Read] = []
    bad: list[Bad] = []
    coupons: dict[str, int] = {}
    rows = list(rows_of(raw.payload, layout))
    for row, line_id, currency in zip(rows, _line_ids(rows), currencies_of(rows, layout), strict=True):
        try:
            row.require_cells()
            if isinstance(currency, PayloadError):
                raise currency
            if layout.discount_skus and row.text("channel_sku") in layout.discount_skus:
                coupons[line_id] = _coupon(row, currency)
            else:
                good.append(_read(row, line_id, currency))
        except PayloadError as error:
            bad.append(Bad(row, line_id, refused(row, error)))
    good = _latest(good) if layout.row_is_order else _distinct(good, bad)
    good = with_one_state(good, bad)
    if not good:
        if bad:
            raise no_line(_bad_lines("", bad, raw))
        raise refused(rows[0], PayloadError("an order of coupons alone", path="channel_sku"))
    if not layout.row_is_order:
        require_agreement(good, RECIPIENT)
    return _assemble(raw, good, coupons, bad, layout)


def changed_at(rows: Sequence[Row]) -> datetime | None:
    """Return the newest `updated_at` of an order's rows; None if there is none that can be read."""
    changes = []
    for row in rows:
        try:
            when = _instant(row, "updated_at")
        except PayloadError:
            continue
        if when:
            changes.append(when)
    return max(changes, default=None)


def _line_ids(rows: Sequence[Row]) -> list[str]:
    """Return an id for every row, readable or not.

    Without line ids a line is known by its seller code and its place among equal codes; bad rows keep their place, so
    that the good ones keep their names from file to file.
    """
    seen: Counter[str] = Counter()
    return [_line_id(row, seen) for row in rows]


def _line_id(row: Row, seen: Counter[str]) -> str:
    try:
        own, sku = row.text("line_id"), row.text("channel_sku")
    except PayloadError:
        return ""
    if own or not sku:
        return own
    if row.layout.row_is_order:
        return "1"
    seen[sku] += 1
    return sku if seen[sku] == 1 else f"{sku}#{seen[sku]}"


def _read(row: Row, line_id: str, currency: str) -> Read:
    identifier(row.text("line_id"), "line_id")
    _needed(row, "external_id")
    identifier(row.text("phone"), "phone")
    return Read(
        row=row,
        line_id=line_id,
        sku=_needed(row, "channel_sku"),
        title=row.text("title"),
        qty=quantity(row.text("qty"), "qty", least=0),
        price=_unit_price(row, currency),
        state=_state(row),
        refund=_refund(row),
        updated_at=_instant(row, "updated_at"),
        placed_at=_instant(row, "placed_at"),
        paid_at=_instant(row, "paid_at"),
        currency=currency,
        amounts={name: minor_units(row.text(name), currency, name) for name in _AMOUNTS}
        | {name: _side(row, currency, name) for name in _SIDES},
    )


def _side(row: Row, currency: str, name: str) -> int | None:
    try:
        return minor_units(row.text(name), currency, name, signed=name == "discount")
    except PayloadError:
        return None


def _unit_price(row: Row, currency: str) -> Decimal | None:
    """Return the price of one unit; it may have more decimals than the currency, a line's amount is rounded."""
    price = exact_minor(row.text("price"), currency, "price")
    if price is not None and price < 0:
        raise PayloadError(f"an amount cannot be negative{quoted(row.text('price'))}", path="price")
    return price


def _coupon(row: Row, currency: str) -> int:
    """Return what a row of a coupon takes off its order."""
    price = exact_minor(row.text("price") or row.text("total"), currency, "price")
    units = amount_of(row.text("qty") or "1")
    if price is None or units is None:
        raise PayloadError("a coupon without an amount", path="price")
    if (amount := price * units) > 0:
        raise PayloadError("a coupon's amount must be below zero", path="price")
    return whole_minor(-amount)


def _needed(row: Row, field: str) -> str:
    text = identifier(row.text(field), field)
    if not text:
        raise PayloadError("is empty", path=field)
    return text


def _instant(row: Row, field: str) -> datetime | None:
    when = instant(row.text(field), row.layout.datetime_formats, row.layout.zone, field)
    return when.astimezone(UTC) if when else None


def _state(row: Row) -> OrderState | None:
    text = tidy(row.text("status"))
    if not text:
        return None
    state = row.layout.status_map.get(status_key(text))
    if state is None:
        # Any other text could be a person's name, from a column that has shifted.
        is_known = is_status(status_key(text))
        shown = f"status {text!r}" if is_known else "the status in this row"
        unknown = text[:40] if is_known else UNSHOWN
        raise PayloadError(f"{shown} is not in status_map", path="status", unknown_status=unknown)
    return state


def _refund(row: Row) -> RefundWord:
    """Return what the row says of a refund; a text that nobody explained counts as asked for."""
    text = tidy(row.text("refund_status"))
    return row.layout.refund_status_map.get(status_key(text), "open") if text else "none"


def _refund_asked(good: Sequence[Read], layout: Layout) -> str | None:
    """Return the lines of which a refund is asked for; None where no column tells."""
    if "refund_status" not in layout.columns and "refund_status" not in layout.constants:
        return None
    return ", ".join(f"line {read.line_id}" for read in good if read.refund == "open")


def _refunded_to_send(good: Sequence[Read]) -> str:
    """Return why lines must not leave of which a refund was granted, although their status says that they are to.

    Whether the money was for the goods or a favour stands nowhere, so nothing is cancelled and nothing leaves.
    """
    ids = [read.line_id for read in good if read.refund == "granted" and read.state is OrderState.PAID]
    return f"a refund of line {', '.join(ids)} is granted while the status says that it is to be sent" if ids else ""


def _latest(good: list[Read]) -> list[Read]:
    """Return the newest row where each row is a whole order: by its change time, else the one further down."""
    newest = max(
        good, key=lambda read: (read.updated_at.timestamp() if read.updated_at else 0, read.row.nth), default=None
    )
    return [newest] if newest else []


def _distinct(good: list[Read], bad: list[Bad]) -> list[Read]:
    """Return one row per line id: equal rows are one, a second that differs is bad."""
    kept: dict[str, Read] = {}
    for read in good:
        first = kept.setdefault(read.line_id, read)
        if first is not read and first.row.entry.get("cells") != read.row.entry.get("cells"):
            error = PayloadError("stands twice in one order with different values", path="line_id")
            bad.append(Bad(read.row, read.line_id, refused(read.row, error)))
    return list(kept.values())


def _lines(good: Sequence[Read]) -> tuple[Line, ...]:
    """Return the lines; where they are differently far, each says how far."""
    lines = [
        Line(
            external_id=read.line_id,
            channel_sku=read.sku,
            qty=read.qty,
            price_minor=whole_minor(_price(read, single=len(good) == 1)),
            title=read.title,
            properties=properties(text) if (text := read.row.text("properties")) else None,
        )
        for read in good
    ]
    if len({read.state for read in good}) == 1:
        return tuple(lines)
    return tuple(_with_state(line, read.state) for line, read in zip(lines, good, strict=True))


def _with_state(line: Line, state: OrderState | None) -> Line:
    if state in {OrderState.SHIPPED, OrderState.COMPLETED}:
        return replace(line, shipped_qty=line.qty)
    return replace(line, cancelled_qty=line.qty) if state is OrderState.CANCELLED else line


def _price(read: Read, *, single: bool) -> Decimal | int:
    """Return the unit price; where only the order has an amount, a single line's share of it, else 0."""
    if read.price is not None:
        return read.price
    total = read.amounts["total"]
    if not single or total is None or not read.qty:
        return 0
    return max(0, total - (read.amounts["freight"] or 0) + (read.amounts["discount"] or 0)) // read.qty


def _assemble(raw: Raw, good: list[Read], coupons: Mapping[str, int], bad: list[Bad], layout: Layout) -> Order:
    amounts = {name: _first([read.amounts[name] for read in good]) for name in (*_AMOUNTS, *_SIDES)}
    if coupons:
        amounts["discount"] = (amounts["discount"] or 0) + sum(coupons.values())
    paid_at = _first([read.paid_at for read in good])
    placed_at = _first([read.placed_at for read in good]) or paid_at or raw.head.version_at
    state = _order_state(good, paid=paid_at is not None)
    total = amounts["total"]
    if total is None:
        goods = sum(whole_minor(_price(read, single=len(good) == 1) * read.qty) for read in good)
        total = max(0, goods + (amounts["freight"] or 0) - (amounts["discount"] or 0))
    external_id = good[0].row.text("external_id")
    return Order(
        external_id=external_id,
        version_at=raw.head.version_at,
        state=state,
        placed_at=placed_at,
        paid_at=paid_at,
        ready_at=(paid_at or placed_at) if state in _DUE else None,
        currency=good[0].currency,
        total_minor=total,
        paid_minor=amounts["paid"],
        refunded_minor=amounts["refunded"],
        freight_minor=amounts["freight"],
        discount_minor=amounts["discount"],
        lines=_lines(good),
        bad_lines=_bad_lines(external_id, bad, raw),
        some_lines=not layout.whole,
        recipient=_recipient(good, layout),
        buyer=_text(good, "buyer"),
        buyer_note=_text(good, "buyer_note"),
        seller_note=_text(good, "seller_note"),
        seller_flag=flag_of(_text(good, "seller_flag") or ""),
        do_not_ship=_refunded_to_send(good),
        refund_asked=_refund_asked(good, layout),
        undated=all(read.updated_at is None for read in good),
    )


def _first(values: Sequence[_T | None]) -> _T | None:
    return next((value for value in values if value is not None), None)


def _text(good: Sequence[Read], field: str) -> str | None:
    return next((text for read in good if (text := read.row.text(field))), None)


def _bad_lines(external_id: str, bad: Sequence[Bad], raw: Raw) -> tuple[BadLine, ...]:
    """Return the bad lines, each with all rows of its order, so that reading one again brings the whole order.

    `line_id` beside the rows names the line, if that much can be read.
    """
    return tuple(
        BadLine(key=f"{external_id}@{item.row.source}", error=item.error, row={**raw.payload, "line_id": item.line_id})
        for item in bad
    )


def _order_state(good: Sequence[Read], *, paid: bool) -> OrderState:
    """Return how far the order is: its least advanced open line; a time of payment lifts unpaid to paid."""
    states = [read.state or (OrderState.PAID if paid else OrderState.UNPAID) for read in good]
    open_states = [state for state in states if state is not OrderState.CANCELLED]
    if not open_states:
        return OrderState.CANCELLED
    state = min(open_states, key=_ADVANCE.__getitem__)
    return OrderState.PAID if paid and state is OrderState.UNPAID else state


def _recipient(good: Sequence[Read], layout: Layout) -> Recipient | None:
    """Return who gets the parcel; None where the files have no column for any of it."""
    if not any(name in layout.columns or name in layout.constants for name in RECIPIENT):
        return None
    texts = {name: _text(good, name) or "" for name in RECIPIENT}
    return Recipient(name=texts.pop("recipient"), **texts)
