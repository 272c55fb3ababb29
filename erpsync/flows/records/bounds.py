"""How large the numbers of an order may be: what no column holds is told as what it is, not found out by a database.

Amounts that decide nothing (discount, freight, sum of goods, paid) refuse no order: one that makes no sense is left
out, and the residual shows what does not add up.
"""

from dataclasses import replace
from typing import Any

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import Order, Refund

MOST = 10**18
"""Minor units, or units. A column of eight bytes holds nine times as many, so sums of a few fit as well."""

_AMOUNTS = ("total_minor", "refunded_minor")
_SIDES = ("paid_minor", "goods_minor", "freight_minor", "discount_minor")


def bounded(order: Order) -> Order:
    """Return the order without side amounts that make no sense; raises `PayloadError` naming what else is too large."""
    senseless: dict[str, Any] = {name: None for name in _SIDES if not 0 <= (getattr(order, name) or 0) <= MOST}
    order = replace(order, **senseless) if senseless else order
    for name in _AMOUNTS:
        if abs(getattr(order, name) or 0) > MOST:
            raise PayloadError("is larger than any amount", path=name)
    goods = 0
    for number, line in enumerate(order.lines):
        if max(abs(line.qty), abs(line.price_minor)) > MOST:
            raise PayloadError("quantity or price is larger than any amount", path=f"lines[{number}]")
        goods += abs(line.qty * line.price_minor)
        if goods > MOST:
            raise PayloadError("quantity times price is larger than any amount", path=f"lines[{number}]")
    return order


def bounded_refund(refund: Refund) -> Refund:
    """Return the refund; raises `PayloadError` as `bounded`."""
    if abs(refund.amount_minor) > MOST or any(abs(line.qty) > MOST for line in refund.lines):
        raise PayloadError("is larger than any amount", path="amount_minor")
    return refund
