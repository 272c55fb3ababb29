"""What follows when a warehouse gives a release back: its orders are planned anew elsewhere, or wait for a person.

Why a mark says which warehouse refused: the order is decided on again with every change, and each time without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import exists, literal_column, select

from erpsync.core.allocation import HoldOwner, StockKey
from erpsync.core.fulfilment import LINE
from erpsync.core.order_holds import HoldReason
from erpsync.core.orders import KnownOrder
from erpsync.flows.allocation.wishes import REFUSED
from erpsync.flows.context import Context
from erpsync.store.db.store import Tx
from erpsync.store.order_rules import StoredMark, marks_of, write_marks
from erpsync.store.releases import ReleaseHead
from erpsync.store.stock_book import Book
from erpsync.store.tables import hold, order_hold, orders, task
from erpsync.store.tasks import Task, close_tasks, open_tasks

TASK = "warehouse_refused"
AT_ONCE = 200


def given_back(
    tx: Tx, ctx: Context, head: ReleaseHead, known: Sequence[KnownOrder], *, text: str, actor: str
) -> list[KnownOrder]:
    """Return the orders of a release that a warehouse gives back as they are to be: held, or to be served elsewhere.

    What it holds for orders that are served elsewhere is theirs no more. They are locked, and nothing of them is in a
    warehouse's hands.
    """
    place = ctx.warehouses.get(head.warehouse_id)
    marks = marks_of(tx.connection, [order.id for order in known])
    elsewhere = [order for order in known if place and _goes_elsewhere(ctx, order, place.id, marks.get(order.id, {}))]
    for order in elsewhere:
        _give_up(tx, order, head.warehouse_id)
    if place is not None:
        said = StoredMark(value="", actor=actor or f"warehouse {place.id}")
        write_marks(tx, {(order.id, f"{REFUSED}{place.id}"): said for order in elsewhere})
    moved = {order.id for order in elsewhere}
    return [
        order if order.id in moved else replace(order, holds={HoldReason.WAREHOUSE_REFUSED.value: text, **order.holds})
        for order in known
    ]


def _goes_elsewhere(ctx: Context, order: KnownOrder, code: str, marks: Mapping[str, StoredMark]) -> bool:
    policy = ctx.releases.refused
    refused = {name.removeprefix(REFUSED) for name in marks if name.startswith(REFUSED)} | {code}
    others = [id for id in ctx.sourcing.of(order.channel_id) if ctx.warehouses[id].id not in refused]
    return policy.reroute and len(refused) < policy.tries and bool(others)


def _give_up(tx: Tx, order: KnownOrder, warehouse_id: int) -> None:
    """Free what a warehouse holds for an order that it does not send."""
    lines = [line.id for line in order.lines]
    of_lines = (hold.c.owner_kind == LINE, hold.c.owner_id.in_(lines), hold.c.warehouse_id == warehouse_id)
    skus = set(tx.execute(select(hold.c.sku_id).where(*of_lines)).scalars())
    book = Book(tx, skus, [HoldOwner(LINE, line_id) for line_id in lines])
    for (owner, place), held in list(book.holds.items()):
        if place.warehouse_id == warehouse_id and held.qty and not held.released:
            book.unhold(owner, StockKey(place.sku_id, warehouse_id), held.qty)
    book.flush()


def ask_about_refused(ctx: Context) -> int:
    """Ask a person about orders that no warehouse took for as long as the settings say; return how many.

    What was asked about an order that is not held for it any more ends.
    """
    since = ctx.store.clock.now() - timedelta(hours=ctx.releases.refused.ask_after_h)
    asked = exists().where(task.c.kind == TASK, task.c.key == orders.c.number, task.c.closed_at.is_(None))
    query = (
        select(orders.c.id, orders.c.number, order_hold.c.detail)
        .join(order_hold, order_hold.c.order_id == orders.c.id)
        .where(order_hold.c.reason == literal_column("'warehouse_refused'"), order_hold.c.at <= since, ~asked)
    )
    held = exists().where(order_hold.c.order_id == task.c.order_id, order_hold.c.reason == "warehouse_refused")
    settled = select(task.c.key).where(task.c.kind == TASK, task.c.closed_at.is_(None), ~held)
    with ctx.store.read() as connection:
        rows = connection.execute(query.order_by(orders.c.id).limit(AT_ONCE)).all()
        over = list(connection.execute(settled.limit(AT_ONCE)).scalars())
    if rows or over:
        ctx.store.retrying(partial(_ask, rows=rows, over=over))
    return len(rows)


def _ask(tx: Tx, *, rows: Sequence[Any], over: Sequence[str]) -> None:
    close_tasks(tx, TASK, over, by="erpsync")
    tasks = []
    for row in rows:
        number, detail = row.number, row.detail
        reason = f"no warehouse sends order {number}: {detail}"
        tasks.append(Task(kind="warehouse_refused", key=number, reason=reason, order_id=row.id))
    open_tasks(tx, tasks)
