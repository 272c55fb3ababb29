"""What an order wants from stock, given its phase and the channel's reservation policy."""

from collections.abc import Mapping
from datetime import datetime

from erpsync.core.allocation import HoldOwner
from erpsync.core.orders import KnownOrder, phase

LINE, ORDER = "line", "order"
"""Kinds of who holds units and of who is served together."""


def needs(order: KnownOrder, *, reserve_until: datetime | None, now: datetime) -> Mapping[tuple[HoldOwner, int], int]:
    """Return our units that each line wants held, by (owner, SKU).

    An order that is void wants nothing, one that is not ready only something while its reservation has not run out.

    Args:
        reserve_until: end of the reservation of an order that is not ready; None when it reserves nothing.
    """
    if order.is_void or phase(order) in ("cancelled", "completed", "shipped"):
        return {}
    if order.ready_at is None and (reserve_until is None or reserve_until <= now):
        return {}
    return {
        (HoldOwner(LINE, line.id), sku_id): line.open_qty * units
        for line in order.lines
        for sku_id, units in line.parts.items()
        if line.open_qty
    }
