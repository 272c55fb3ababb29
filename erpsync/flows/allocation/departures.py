"""Units that left, taken off the books: the order's own holds first, then free stock."""

from erpsync.core.allocation import HoldOwner, StockKey
from erpsync.core.fulfilment import LINE
from erpsync.core.movements import Movement, Reason, Ref
from erpsync.core.orders import KnownLine
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Context
from erpsync.store.stock_book import Book
from erpsync.store.tasks import Task


def book_out(book: Book, ctx: Context, change: Change) -> list[Task]:
    tasks: list[Task] = []
    lines = {line.id: line for line in change.after.lines}
    for reason, units in ((Reason.SHIPPED_ELSEWHERE, change.left), (Reason.SHIPPED, change.leaving)):
        for line_id, qty in units.items():
            mapped = bool(lines[line_id].parts)
            short = _book_out_line(book, ctx, change, lines[line_id], qty, reason) if mapped else qty
            if short:
                tasks.append(
                    Task(
                        kind="stock_short",
                        key=f"{change.after.number}:{lines[line_id].external_id}",
                        reason=f"{short} units left ({reason}) that the books do not have; count the stock",
                        channel_id=change.after.channel_id,
                        order_id=change.after.id,
                    )
                )
    return tasks


def _book_out_line(book: Book, ctx: Context, change: Change, line: KnownLine, qty: int, reason: Reason) -> int:
    """Take a line's departed units off the books: its own holds first, then free stock; return what is short.

    Of both, those of the warehouse they left from come first.
    """
    order, owner, short = change.after, HoldOwner(LINE, line.id), 0
    departure = change.departure
    at = departure.left_at if departure else None
    ref = Ref("order", order.id)

    def elsewhere(warehouse_id: int) -> bool:
        return departure is None or warehouse_id != departure.warehouse_id

    for sku_id, per_unit in line.parts.items():
        open_qty = qty * per_unit
        mine = book.held_for((owner, sku_id))
        for warehouse_id, held in sorted(mine.items(), key=lambda item: (elsewhere(item[0]), item[0])):
            taken = min(held.qty, open_qty)
            if taken:
                place = StockKey(sku_id, warehouse_id)
                book.unhold(owner, place, taken)
                counted = at is not None and not elsewhere(warehouse_id) and book.is_counted_since(place, at)
                gone = taken if counted else min(taken, book.on_hand(place))
                book.move(Movement(place=place, qty=0 if counted else -gone, reason=reason, ref=ref, at=at))
                open_qty -= gone
        for warehouse_id in sorted(ctx.sourcing.get(order.channel_id, ()), key=elsewhere):
            place = StockKey(sku_id, warehouse_id)
            gone = min(open_qty, book.available(place, 0))
            if gone > 0:
                book.move(Movement(place=place, qty=-gone, reason=reason, ref=ref, at=at))
                open_qty -= gone
        short += open_qty
    return short
