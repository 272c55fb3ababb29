"""Units that left, taken off the books: their owner's holds first, then free stock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from erpsync.core.allocation import HoldOwner, StockKey
from erpsync.core.movements import Movement, Reason, Ref
from erpsync.store.stock_book import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where and when units left; a count of that warehouse at that instant or later has them off already."""

    warehouse_id: int
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Units of an owner that left.

    Args:
        units: by SKU.
        ref: what they moved for, as the ledger keeps it.
        warehouses: where free ones may be taken from.
        departure: where and when they left, if a warehouse reports it.
    """

    owner: HoldOwner
    units: Mapping[int, int]
    reason: Reason
    ref: Ref
    warehouses: tuple[int, ...]
    departure: Departure | None = None


def book_out(book: Book, gone: Gone) -> int:
    """Take units that left off the books: the owner's holds first, then free stock; return how many are short.

    Of both, those of the warehouse they left from come first.
    """
    departure, reason, ref, short = gone.departure, gone.reason, gone.ref, 0
    at = departure.left_at if departure else None

    def elsewhere(warehouse_id: int) -> bool:
        return departure is None or warehouse_id != departure.warehouse_id

    for sku_id, qty in gone.units.items():
        open_qty, holds = qty, book.held_for((gone.owner, sku_id))
        for warehouse_id, held in sorted(holds.items(), key=lambda item: (elsewhere(item[0]), item[0])):
            taken = min(held.qty, open_qty)
            if taken:
                place = StockKey(sku_id, warehouse_id)
                book.unhold(gone.owner, place, taken)
                counted = at is not None and not elsewhere(warehouse_id) and book.is_counted_since(place, at)
                off = taken if counted else min(taken, book.on_hand(place))
                book.move(Movement(place=place, qty=0 if counted else -off, reason=reason, ref=ref, at=at))
                open_qty -= off
        for warehouse_id in sorted(gone.warehouses, key=elsewhere):
            place = StockKey(sku_id, warehouse_id)
            off = min(open_qty, book.available(place, 0))
            if off > 0:
                book.move(Movement(place=place, qty=-off, reason=reason, ref=ref, at=at))
                open_qty -= off
        short += open_qty
    return short
