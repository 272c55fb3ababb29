"""How large the numbers of an order may be: what no column holds is told as what it is, not found out by a database.

Amounts that decide nothing (discount, freight, sum of goods, paid) refuse no order: one that makes no sense is left
out, and the residual shows what does not add up. Nor does what people wrote: a text that never ends is cut.
"""

from dataclasses import replace
from typing import Any

from erpsync.core.orders import GIFT_ID
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import Line, Order, Refund

MOST = 10**18
"""Minor units, or units. A column of eight bytes holds nine times as many, so sums of a few fit as well."""

NOTE_CHARS = 2_000
PROPERTIES = 50
"""More than that nobody wrote or chose for a line."""

_NOTES = ("buyer", "buyer_note", "seller_note")
_AMOUNTS = ("total_minor", "refunded_minor")
_SIDES = ("paid_minor", "goods_minor", "freight_minor", "discount_minor")


def bounded(order: Order) -> Order:
    """Return the order without side amounts that make no sense; raises `PayloadError` naming what else is too large."""
    senseless: dict[str, Any] = {name: None for name in _SIDES if not 0 <= (getattr(order, name) or 0) <= MOST}
    endless: dict[str, Any] = {
        name: text[:NOTE_CHARS] for name in _NOTES if len(text := getattr(order, name) or "") > NOTE_CHARS
    }
    if any(line.properties for line in order.lines):
        endless["lines"] = tuple(_cut(line) for line in order.lines)
    order = replace(order, **senseless, **endless) if senseless or endless else order
    for name in _AMOUNTS:
        if abs(getattr(order, name) or 0) > MOST:
            raise PayloadError("is larger than any amount", path=name)
    goods = 0
    for number, line in enumerate(order.lines):
        if line.external_id.startswith(GIFT_ID):
            raise PayloadError("begins as our own ids of gifts do", path=f"lines[{number}].external_id")
        if max(abs(line.qty), abs(line.price_minor)) > MOST:
            raise PayloadError("quantity or price is larger than any amount", path=f"lines[{number}]")
        goods += abs(line.qty * line.price_minor)
        if goods > MOST:
            raise PayloadError("quantity times price is larger than any amount", path=f"lines[{number}]")
    return order


def _cut(line: Line) -> Line:
    """Return the line with properties of a length that a person may have written."""
    pairs = line.properties or ()
    if len(pairs) <= PROPERTIES and all(max(map(len, pair)) <= NOTE_CHARS for pair in pairs):
        return line
    cut = tuple((name[:NOTE_CHARS], value[:NOTE_CHARS]) for name, value in pairs[:PROPERTIES])
    return replace(line, properties=cut)


def bounded_refund(refund: Refund) -> Refund:
    """Return the refund; raises `PayloadError` as `bounded`."""
    if abs(refund.amount_minor) > MOST or any(abs(line.qty) > MOST for line in refund.lines):
        raise PayloadError("is larger than any amount", path="amount_minor")
    return refund
