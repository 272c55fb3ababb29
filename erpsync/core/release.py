"""What of an order a warehouse is told to send, and when it must be asked to stop.

Why in pieces of our own SKUs: a warehouse knows what lies on its shelves, not what a shop calls a set of three; what it
reports is counted back into the order's units here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from erpsync.core.orders import KnownOrder, phase

OPEN_PHASES = ("ready", "partially_shipped")


class NotWholeError(Exception):
    """Pieces that make no whole unit of an order line; says which line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Units of one SKU for one order line in one warehouse: `qty` ours, `units` the channel's."""

    line_id: int
    sku_id: int
    qty: int
    units: int


def may_leave(order: KnownOrder) -> bool:
    """Whether the order is due and nothing holds it."""
    return order.ready_at is not None and not order.holds and phase(order) in OPEN_PHASES


def units_of(released: Mapping[int, Mapping[int, Piece]], sent: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """Return the channel's units, by line id, that reported pieces make.

    Args:
        released: what the warehouse was told to send, by line id and SKU id.
        sent: our units it reports, by (line id, SKU id).

    Raises `NotWholeError` when a unit is incomplete.
    """
    units: dict[int, int] = {}
    for line_id in sorted({line_id for line_id, _ in sent}):
        counts = {
            divmod(sent.get((line_id, sku_id), 0) * piece.units, piece.qty)
            for sku_id, piece in released[line_id].items()
        }
        if len(counts) != 1 or (whole := counts.pop())[1]:
            raise NotWholeError("the pieces reported make no whole unit of the line")
        units[line_id] = whole[0]
    return units
