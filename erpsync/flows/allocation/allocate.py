"""Turning decided orders and stock movements into holds, backorders, ledger rows and dirty marks.

Why one function for everything that touches stock: each path plans all open needs of the SKUs it touched, oldest
first, before it commits; so no commit leaves units lying beside an order that waits for them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from erpsync.core.allocation import Allocation, HoldOwner, StockKey, plan
from erpsync.core.availability import UNPAID_COUNTS_FOR
from erpsync.core.fulfilment import LINE
from erpsync.core.orders import KnownOrder
from erpsync.flows.allocation.changes import Change, Movement, Outcome
from erpsync.flows.allocation.departures import book_out
from erpsync.flows.allocation.doubt import doubt
from erpsync.flows.allocation.free_units import free_units
from erpsync.flows.allocation.recall import recall_changed
from erpsync.flows.allocation.stock_holds import adjust_holds, hold_taken, take_back
from erpsync.flows.allocation.whole_units import WholeUnits
from erpsync.flows.context import Context
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.dirty import Cause, mark_dirty
from erpsync.store.policies import kept_in
from erpsync.store.stock_book import Book
from erpsync.store.tasks import Task, open_tasks


def allocate(
    tx: Tx,
    ctx: Context,
    changes: Sequence[Change],
    *,
    movements: Sequence[Movement] = (),
    also: Iterable[int] = (),
    cause: Cause | None = None,
    actor: str = "",
) -> Outcome:
    """Write what the changes mean for stock. The orders are locked and already written by the caller.

    Args:
        movements: stock that came, went or was counted.
        also: further SKUs to plan anew (a safety stock changed, a listing was told for the first time).
    """
    whole = WholeUnits(tx, ctx)
    parts = (
        {sku_id for change in changes for sku_id in _skus_of(change)} | {m.place.sku_id for m in movements} | set(also)
    )
    book = Book(tx, parts | whole.partners(parts), _owners_of(changes))
    tasks: list[Task] = []
    events: list[Event] = []
    for movement in movements:
        if movement.counted_at is not None:
            book.count(movement.place, movement.counted_at)
        book.move(movement.place, movement.qty, reason=movement.reason, actor=actor)
    for change in changes:
        tasks += book_out(book, ctx, change)
    whole.mend_all(book, [change.after for change in changes])
    kept = book.held_skus()
    soft = [demand for change in changes for demand in adjust_holds(book, ctx, change, tx, kept)]
    events += take_back(book, ctx, tasks)
    some = free_units(book, ctx, kept_in(tx, book.sku_ids))
    book.load_waiting(place.sku_id for place, qty in some.items() if qty > 0)
    whole.complete(book)
    keeps = kept_in(tx, book.sku_ids)
    free = free_units(book, ctx, keeps)
    takes = plan([*book.demands(ctx.feeding, [c.after.id for c in changes]), *soft], free, whole.lines)
    book.load_owners(take.owner for take in takes)
    waited = {need[0]: waiting.order_id for need, waiting in book.waiting_before().items()}
    hold_taken(book, takes, changes, ctx, tx.now)
    left_from = {c.after.id: c.departure.warehouse_id for c in changes if c.departure}
    recall_changed(tx, ctx, book, [change.after for change in changes], left_from=left_from)
    book.flush()
    in_doubt = doubt(tx, [(change.before, change.after) for change in changes])
    _mark(tx, ctx, book, changes, cause, {*also, *in_doubt}, free_units(book, ctx, keeps))
    open_tasks(tx, tasks)
    if any(policy.channel for policy in ctx.warehouses.values()):
        tx.wake("release")
    return _outcome(tx, changes, takes, book, waited, tasks, events)


def _skus_of(change: Change) -> set[int]:
    lines = [*change.after.lines, *(change.before.lines if change.before else ())]
    return {sku_id for line in lines for sku_id in line.parts}


def _owners_of(changes: Sequence[Change]) -> list[HoldOwner]:
    return [HoldOwner(LINE, line.id) for change in changes if change.before for line in change.before.lines]


def _mark(
    tx: Tx,
    ctx: Context,
    book: Book,
    changes: Sequence[Change],
    cause: Cause | None,
    also: Iterable[int],
    free: Mapping[StockKey, int],
) -> None:
    dirty = {place.sku_id for place in book.changed_places()} | set(also)
    recent = tx.trusted_now - UNPAID_COUNTS_FOR
    for change in changes:
        if change.after.placed_at > recent and (_is_unpaid(change.after) or _is_unpaid(change.before)):
            dirty |= _skus_of(change)
    below = max((channel.stock.urgent_below for channel in ctx.channels.values()), default=0)
    left: dict[int, int] = defaultdict(int)
    for place, qty in free.items():
        left[place.sku_id] += qty
    mark_dirty(tx, dirty, urgent=[sku_id for sku_id in dirty if left[sku_id] < below], cause=cause)


def _is_unpaid(order: KnownOrder | None) -> bool:
    return order is not None and order.ready_at is None and order.open_qty > 0


def _outcome(
    tx: Tx,
    changes: Sequence[Change],
    takes: Iterable[Allocation],
    book: Book,
    waited: Mapping[HoldOwner, int],
    tasks: Sequence[Task],
    events: list[Event],
) -> Outcome:
    """Return what planning did and write its events; `waited` are the orders of owners that waited before."""
    line_order = {line.id: change.after.id for change in changes for line in change.after.lines}
    by_order: dict[int, list[Allocation]] = defaultdict(list)
    filled: dict[int, dict[str, Any]] = {}
    for take in takes:
        order_id = line_order.get(take.owner.id)
        if order_id is None:
            order_id = waited[take.owner]
            filled.setdefault(order_id, {"takes": []})["takes"].append(take_detail(take))
        by_order[order_id].append(take)
    events += [Event(kind="order.filled", order_id=order_id, detail=detail) for order_id, detail in filled.items()]
    short: dict[int, int] = defaultdict(int)
    for waiting in book.waiting.values():
        short[waiting.order_id] += waiting.qty
    write_events(tx, events)
    return Outcome(takes=by_order, short=short, tasks=tuple(tasks))


def take_detail(take: Allocation) -> dict[str, int]:
    """Return a take as an event holds it."""
    return {"line_id": take.owner.id, "sku_id": take.sku_id, "warehouse_id": take.warehouse_id, "qty": take.qty}
