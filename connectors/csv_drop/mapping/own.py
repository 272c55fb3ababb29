"""An order's own fields: said once, by whichever of its rows has them.

Why an empty cell says nothing: exports leave what belongs to the order blank on its further rows, so a default put
there would make paid what is refunded, and yuan what is dollars. Why rows that differ make no order: one of them is of
another order, or the file was damaged, and a choice would ship to the wrong person or for the wrong price.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

from connectors.csv_drop.mapping.cells import currency_code
from connectors.csv_drop.mapping.payload import Row, refused
from connectors.csv_drop.profiles import RefundWord
from connectors.csv_drop.settings import Layout
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import OrderState

USUAL_CURRENCY = "CNY"
"""Of files that have no column for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A good row: every cell of it could be read. `state` is None where it says none; prices are exact minor units."""

    row: Row
    line_id: str
    sku: str
    title: str
    qty: int
    price: Decimal | None
    state: OrderState | None
    refund: RefundWord
    updated_at: datetime | None
    placed_at: datetime | None
    paid_at: datetime | None
    currency: str
    amounts: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be read; `line_id` is empty when not even that can."""

    row: Row
    line_id: str
    error: PayloadError


def currencies_of(rows: Sequence[Row], layout: Layout) -> list[str | PayloadError]:
    """Return the currency of each of an order's rows, or why that cannot be read.

    A row that names none has that of the others, the usual one where the file has no column for it. Raises
    `PayloadError` where the rows name several, or none in a file that has the column.
    """
    currencies = [_currency(row) for row in rows]
    named = {
        currency: row for currency, row in zip(currencies, rows, strict=True) if currency and isinstance(currency, str)
    }
    if len(named) > 1 and not layout.row_is_order:
        one, other, *_ = named.values()
        raise _differ(one, other, "currency")
    if not named:
        if error := next((currency for currency in currencies if isinstance(currency, PayloadError)), None):
            raise error
        if blank := next((row for row in rows if row.has("currency")), None):
            raise refused(blank, PayloadError("is empty in every row of this order", path="currency"))
    usual = next(iter(named), USUAL_CURRENCY)
    return [currency or usual for currency in currencies]


def _currency(row: Row) -> str | PayloadError:
    try:
        text = row.text("currency")
        return currency_code(text) if text else ""
    except PayloadError as error:
        return refused(row, error)


def with_one_state(good: list[Read], bad: list[Bad]) -> list[Read]:
    """Return the rows with the order's status where they say none.

    Raises `PayloadError` where no row says one although the file has the column. Where rows say several, one without
    is bad: it could be as far as any of them.
    """
    blank = [read for read in good if read.state is None]
    if not blank:
        return good
    said = {read.state for read in good if read.state is not None}
    if len(said) == 1:
        state = said.pop()
        return [read if read.state is not None else replace(read, state=state) for read in good]
    if said:
        error = PayloadError("is empty, and the other rows of the order differ in it", path="status")
        bad += [Bad(read.row, read.line_id, refused(read.row, error)) for read in blank]
        return [read for read in good if read.state is not None]
    if any(read.row.has("status") for read in blank):
        if bad:
            raise bad[0].error
        raise refused(blank[0].row, PayloadError("is empty in every row of this order", path="status"))
    return good


def require_agreement(good: Sequence[Read], texts: Sequence[str]) -> None:
    """Raise `PayloadError` naming two rows that say different things of their order.

    Args:
        texts: fields of which the text is compared, beside the total and when it was placed. Not when it was paid:
            lines may be paid for one after the other.
    """
    if len(good) < 2:
        return
    fields: dict[str, Callable[[Read], object]] = {
        "total": lambda read: read.amounts["total"],
        "placed_at": lambda read: read.placed_at,
    }
    for field, value_of in fields.items():
        _agree(good, field, value_of)
    for field in texts:
        _agree(good, field, partial(_text_of, field=field))


def _text_of(read: Read, *, field: str) -> str | None:
    return read.row.text(field) or None


def _agree(good: Sequence[Read], field: str, value_of: Callable[[Read], object]) -> None:
    said: list[tuple[object, Read]] = [(value, read) for read in good if (value := value_of(read)) is not None]
    if other := next((read for value, read in said if value != said[0][0]), None):
        raise _differ(said[0][1].row, other.row, field)


def _differ(one: Row, other: Row, field: str) -> PayloadError:
    problem = f"rows {one.number} and {other.number} of this order say different things"
    return refused(one, PayloadError(problem, path=field))
