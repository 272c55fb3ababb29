"""Views of an order, the order they make, and refunds of it, by hand and without a database."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from erpsync.core.orders import KnownOrder, Merged, first_seen, merge
from erpsync.core.readings import Reading
from erpsync.sdk.types import Line, Order, OrderState, Refund, RefundLine, RefundState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
READ = Reading(version_at=NOON, digest="a", read_from=NOON, read_to=NOON)


def line(id: str = "L1", qty: int = 2, **fields: Any) -> Line:
    return Line(external_id=id, channel_sku=fields.pop("sku", "TEA"), qty=qty, price_minor=1000, **fields)


def view(*lines: Line, state: OrderState = OrderState.PAID, **fields: Any) -> Order:
    values: dict[str, Any] = {
        "version_at": NOON,
        "placed_at": NOON,
        "paid_at": NOON,
        "ready_at": None if state is OrderState.UNPAID else NOON,
        "currency": "CNY",
        "total_minor": 2000,
    } | fields
    return Order(external_id="o1", state=state, lines=lines, **values)


def known(*lines: Line, **fields: Any) -> KnownOrder:
    return first_seen(view(*(lines or (line(),)), **fields), READ, id=1, channel_id=1, number="S1", ids=count(1))


def merged(before: KnownOrder, new: Order) -> Merged:
    return merge(before, new, READ, count(100))


def granted(amount: int = 0, **units: int) -> Refund:
    return asked(amount, state=RefundState.GRANTED, **units)


def asked(
    amount: int = 0, *, state: RefundState = RefundState.OPEN, id: str = "r1", at: datetime = NOON, **units: int
) -> Refund:
    return Refund(
        external_id=id,
        order_external_id="o1",
        version_at=at,
        state=state,
        amount_minor=amount,
        currency="CNY",
        lines=tuple(RefundLine(line_external_id=id, qty=qty) for id, qty in units.items()),
    )
