"""Rows of one order into `Order`.

What counts when rows differ: an order's own fields (amounts, times, recipient) are those of the first good row that
has them. A status per line is kept: the order is as far as its least advanced line, and lines that are further carry
shipped or cancelled units.

Why `paid` never decides: channels net refunds out, so in real exports a third of the orders "paid 0.00" were paid and
refunded. A time of payment tells, or a status. Money that went back is told as `refunded_minor`; only a status makes
an order cancelled, because the amount may cover goods that have left.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from connectors.csv_drop.mapping.cells import currency_code, identifier, instant, minor_units, quantity
from connectors.csv_drop.mapping.payload import Row, refused, rows_of
from connectors.csv_drop.profiles import STATUS_WORDS
from connectors.csv_drop.settings import Layout, tidy
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import BadLine, Line, Order, OrderState, Raw, Recipient

_T = TypeVar("_T")
_DUE = (OrderState.PAID, OrderState.SHIPPED, OrderState.COMPLETED)
_ADVANCE = {OrderState.UNPAID: 0, OrderState.PAID: 1, OrderState.SHIPPED: 2, OrderState.COMPLETED: 3}
_RECIPIENT = ("recipient", "phone", "province", "city", "district", "address")
_AMOUNTS = ("total", "paid", "refunded", "freight", "discount")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A good row: every cell of it could be read."""

    row: Row
    line_id: str
    sku: str
    title: str
    qty: int
    price_minor: int | None
    state: OrderState | None
    refund_asked: bool
    updated_at: datetime | None
    placed_at: datetime | None
    paid_at: datetime | None
    currency: str
    amounts: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class _Bad:
    """A row that cannot be read; `line_id` is empty when not even that can."""

    row: Row
    line_id: str
    error: PayloadError


def order_of(raw: Raw, layout: Layout) -> Order:
    """Return the order that the rows of `raw` describe; rows that cannot be read are its `bad_lines`.

    Raises `PayloadError` with file and line when no row can be read.
    """
    good: list[_Read] = []
    bad: list[_Bad] = []
    rows = list(rows_of(raw.payload, layout))
    for row, line_id in zip(rows, _line_ids(rows), strict=True):
        try:
            good.append(_read(row, line_id))
        except PayloadError as error:
            bad.append(_Bad(row, line_id, refused(row, error)))
    good = _latest(good) if layout.row_is_order else _distinct(good, bad)
    if not good:
        raise bad[0].error
    return _assemble(raw, good, _lines(good), bad, layout)


def changed_at(rows: Sequence[Row]) -> datetime | None:
    """Return the newest `updated_at` of an order's rows; None if there is none that can be read."""
    found = []
    for row in rows:
        try:
            when = _instant(row, "updated_at")
        except PayloadError:
            continue
        if when:
            found.append(when)
    return max(found, default=None)


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


def _read(row: Row, line_id: str) -> _Read:
    row.require_cells()
    identifier(row.text("line_id"), "line_id")
    _needed(row, "external_id")
    currency = currency_code(row.text("currency") or "CNY")
    identifier(row.text("phone"), "phone")
    return _Read(
        row=row,
        line_id=line_id,
        sku=_needed(row, "channel_sku"),
        title=row.text("title"),
        qty=quantity(row.text("qty"), "qty"),
        price_minor=minor_units(row.text("price"), currency, "price"),
        state=_state(row),
        refund_asked=_is_asked(row),
        updated_at=_instant(row, "updated_at"),
        placed_at=_instant(row, "placed_at"),
        paid_at=_instant(row, "paid_at"),
        currency=currency,
        amounts={name: minor_units(row.text(name), currency, name, signed=name == "discount") for name in _AMOUNTS},
    )


def _needed(row: Row, field: str) -> str:
    text = identifier(row.text(field), field)
    if not text:
        raise PayloadError("is empty", path=field)
    return text


def _instant(row: Row, field: str) -> datetime | None:
    return instant(row.text(field), row.layout.datetime_formats, row.layout.zone, field)


def _state(row: Row) -> OrderState | None:
    text = tidy(row.text("status"))
    if not text:
        return None
    state = row.layout.status_map.get(text.casefold())
    if state is None:
        # Any other text could be a person's name, from a column that has shifted.
        shown = f"status {text!r}" if text.casefold() in STATUS_WORDS else "the status in this row"
        raise PayloadError(f"{shown} is not in status_map", path="status")
    return state


def _is_asked(row: Row) -> bool:
    """Return whether a refund of this row is asked for; a text that nobody explained counts as that."""
    text = tidy(row.text("refund_status"))
    return bool(text) and row.layout.refund_status_map.get(text.casefold(), "open") == "open"


def _refund_asked(good: Sequence[_Read], layout: Layout) -> str | None:
    """Return the lines of which a refund is asked for; None where no column tells."""
    if "refund_status" not in layout.columns and "refund_status" not in layout.constants:
        return None
    return ", ".join(f"line {read.line_id}" for read in good if read.refund_asked)


def _latest(good: list[_Read]) -> list[_Read]:
    """Return the newest row where each row is a whole order: by its change time, else the one further down."""
    newest = max(
        good, key=lambda read: (read.updated_at.timestamp() if read.updated_at else 0, read.row.nth), default=None
    )
    return [newest] if newest else []


def _distinct(good: list[_Read], bad: list[_Bad]) -> list[_Read]:
    """Return one row per line id: equal rows are one, a second that differs is bad."""
    kept: dict[str, _Read] = {}
    for read in good:
        known = kept.setdefault(read.line_id, read)
        if known is not read and known.row.entry.get("cells") != read.row.entry.get("cells"):
            error = PayloadError("stands twice in one order with different values", path="line_id")
            bad.append(_Bad(read.row, read.line_id, refused(read.row, error)))
    return list(kept.values())


def _lines(good: Sequence[_Read]) -> tuple[Line, ...]:
    """Return the lines; where they are differently far, each says how far."""
    lines = [
        Line(
            external_id=read.line_id,
            channel_sku=read.sku,
            qty=read.qty,
            price_minor=_price(read, single=len(good) == 1),
            title=read.title,
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


def _price(read: _Read, *, single: bool) -> int:
    """Return the unit price; where only the order has an amount, a single line's share of it, else 0."""
    if read.price_minor is not None:
        return read.price_minor
    total = read.amounts["total"]
    if not single or total is None:
        return 0
    return max(0, total - (read.amounts["freight"] or 0) + (read.amounts["discount"] or 0)) // read.qty


def _assemble(raw: Raw, good: list[_Read], lines: tuple[Line, ...], bad: list[_Bad], layout: Layout) -> Order:
    amounts = {name: _first([read.amounts[name] for read in good]) for name in _AMOUNTS}
    paid_at = _first([read.paid_at for read in good])
    placed_at = _first([read.placed_at for read in good]) or paid_at or raw.head.version_at
    state = _order_state(good, paid=paid_at is not None)
    goods = sum(line.price_minor * line.qty for line in lines)
    total = amounts["total"]
    if total is None:
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
        lines=lines,
        bad_lines=_bad_lines(external_id, bad, raw),
        recipient=_recipient(good, layout),
        buyer=_text(good, "buyer"),
        buyer_note=_text(good, "buyer_note"),
        refund_asked=_refund_asked(good, layout),
        undated=all(read.updated_at is None for read in good),
    )


def _first(values: Sequence[_T | None]) -> _T | None:
    return next((value for value in values if value is not None), None)


def _text(good: Sequence[_Read], field: str) -> str | None:
    return next((text for read in good if (text := read.row.text(field))), None)


def _bad_lines(external_id: str, bad: Sequence[_Bad], raw: Raw) -> tuple[BadLine, ...]:
    """Return the bad lines, each with all rows of its order, so that reading one again brings the whole order.

    `line_id` beside the rows names the line, if that much can be read.
    """
    return tuple(
        BadLine(key=f"{external_id}@{item.row.source}", error=item.error, row={**raw.payload, "line_id": item.line_id})
        for item in bad
    )


def _order_state(good: Sequence[_Read], *, paid: bool) -> OrderState:
    """Return how far the order is: its least advanced open line; a time of payment lifts unpaid to paid."""
    known = [read.state or (OrderState.PAID if paid else OrderState.UNPAID) for read in good]
    open_states = [state for state in known if state is not OrderState.CANCELLED]
    if not open_states:
        return OrderState.CANCELLED
    state = min(open_states, key=_ADVANCE.__getitem__)
    return OrderState.PAID if paid and state is OrderState.UNPAID else state


def _recipient(good: Sequence[_Read], layout: Layout) -> Recipient | None:
    """Return who gets the parcel; None where the files have no column for any of it."""
    if not any(name in layout.columns or name in layout.constants for name in _RECIPIENT):
        return None
    found = {name: _text(good, name) or "" for name in _RECIPIENT}
    return Recipient(name=found.pop("recipient"), **found)
