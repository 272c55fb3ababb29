"""Asking a warehouse to stop what it was told to send, as soon as the order wants something else.

Why nothing is taken back here: the warehouse may have packed the parcel already. Its units stay held for the order
until it answers; only a yes frees them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import structlog
from sqlalchemy import select

from erpsync.core.allocation import HoldOwner
from erpsync.core.fulfilment import LINE, needs
from erpsync.core.orders import KnownOrder
from erpsync.core.release import may_leave
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Context
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.queue import LANE_CANCEL, RELEASE_CANCEL, Effect, enqueue
from erpsync.store.releases import RECALLABLE, note_recalled, orders_in
from erpsync.store.stock_book import Book
from erpsync.store.tables import hold, order_line, release, release_order
from erpsync.store.tasks import Task, open_tasks

log = structlog.get_logger()


def recall_changed(tx: Tx, ctx: Context, book: Book, changes: Sequence[Change]) -> None:
    """Recall what warehouses were told of orders that are held, cancelled, want less or more, or left otherwise.

    The warehouse that reports what left knows what of its release is gone.
    """
    left_from = {change.after.id: change.departure.warehouse_id for change in changes if change.departure}
    order_of = {HoldOwner(LINE, line.id): change.after for change in changes for line in change.after.lines}
    unwanted: dict[int, set[int]] = defaultdict(set)
    for (owner, place), held in book.holds.items():
        order = order_of.get(owner) if held.released and held.qty else None
        if order is not None and _is_unwanted(book, order, owner, place.sku_id, tx):
            unwanted[order.id].add(place.warehouse_id)
    for owner, place in book.altered():
        order = order_of.get(owner)
        if order is not None and left_from.get(order.id) != place.warehouse_id:
            unwanted[order.id].add(place.warehouse_id)
    recall(tx, ctx, unwanted)


def _is_unwanted(book: Book, order: KnownOrder, owner: HoldOwner, sku_id: int, tx: Tx) -> bool:
    if not may_leave(order):
        return True
    return book.held_qty((owner, sku_id)) > needs(order, reserve_until=None, now=tx.now).get((owner, sku_id), 0)


def recall(tx: Tx, ctx: Context, unwanted: Mapping[int, Iterable[int]]) -> None:
    """Ask the warehouses (by order id) to stop the orders they have, once each."""
    if not unwanted:
        return
    theirs = release_order.c.order_id.in_(sorted(unwanted)) & release_order.c.ended_at.is_(None)
    query = select(release, release_order.c.order_id).join(release_order).where(theirs, release.c.state.in_(RECALLABLE))
    rows = {
        row.id: row for row in tx.all(query.order_by(release.c.id)) if row.warehouse_id in set(unwanted[row.order_id])
    }
    recalled = note_recalled(tx, rows) if rows else set()
    if not recalled:
        return
    together = orders_in(tx, recalled)
    effects, events, tasks = [], [], []
    desks = set(ctx.desks.values())
    for row in [row for row in rows.values() if row.id in recalled]:
        detail = {"release": row.number, "warehouse_id": row.warehouse_id}
        events += [Event(kind="release.recalled", order_id=id, detail=detail) for id in together[row.id]]
        runner = ctx.runner(row.warehouse_id)
        if row.warehouse_id in desks:  # stopped there at once, or by a person: `warehouses.desk_recalls`
            continue
        if runner is None:
            reason = (
                f"release {row.number} must be stopped, and no channel runs its warehouse any more; stop it by hand"
            )
            tasks.append(Task(kind="recall", key=row.number, reason=reason, order_id=row.order_id))
            continue
        effects.append(
            Effect(
                destination_id=runner.id,
                kind=RELEASE_CANCEL,
                key=row.number,
                ref_id=row.id,
                serial_key=f"release:{row.id}",
                lane=LANE_CANCEL,
                run_at=tx.now,
                marked_at=tx.now,
            )
        )
        log.info("release.recalled", release=row.number, channel=runner.name)
    enqueue(tx, effects)
    open_tasks(tx, tasks)
    write_events(tx, events)


def set_released(tx: Tx, line_ids: Iterable[int], warehouse_id: int, *, released: bool) -> set[int]:
    """Mark all that a warehouse holds for lines as handed over, or no more; return the SKUs concerned.

    The orders are locked; their SKUs are locked here, as every writer of holds does.
    """
    lines = sorted(set(line_ids))
    of_lines = (hold.c.owner_kind == LINE, hold.c.owner_id.in_(lines), hold.c.warehouse_id == warehouse_id)
    skus = set(tx.execute(select(hold.c.sku_id).where(*of_lines)).scalars())
    book = Book(tx, skus, [HoldOwner(LINE, line_id) for line_id in lines])
    for (_, place), held in book.holds.items():
        if place.warehouse_id == warehouse_id:
            held.released = released
    book.flush()
    return skus


def released_orders(tx: Tx, order_ids: Iterable[int]) -> set[int]:
    """Return which of these orders have units that a warehouse was told to send."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return set()
    held = (hold.c.owner_kind == LINE) & (hold.c.owner_id == order_line.c.id) & hold.c.released
    # Scans hold: for hundreds of orders at once, and it holds what is open, no history.
    query = select(order_line.c.order_id).join(hold, held).where(order_line.c.order_id.in_(wanted))
    return set(tx.execute(query).scalars())
