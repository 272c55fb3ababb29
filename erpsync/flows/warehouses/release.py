"""Telling warehouses what to send, and asking them to stop.

    order ready, fully held ─▶ release pending ─claim─▶ gate ─▶ unsure ─call─▶ told ─▶ shipped
                                                          │        └─ surely not there ─▶ pending
                                                          └─ held, cancelled, short ─▶ dropped; made anew later
    unsure, told ─order changed─▶ recalled ─▶ stopped (yes: its units are free again) or kept (no: they leave)

Why the holds are marked in the commit before the call: from there on the warehouse may have the order, and nothing of
it is given away until it says that it has stopped.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import structlog
from sqlalchemy import func, select

from erpsync.core.allocation import HoldOwner
from erpsync.core.fulfilment import LINE, needs
from erpsync.core.orders import KnownOrder
from erpsync.core.release import Piece, may_leave
from erpsync.flows.context import Channel, Context
from erpsync.flows.warehouses.releasable import read_to_the_end, releasable
from erpsync.sdk.roles import WarehouseSink
from erpsync.store.cursors import read_cursors
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import (
    LANE_SHIPMENT,
    RELEASE,
    Effect,
    enqueue,
)
from erpsync.store.stock_book import Book
from erpsync.store.tables import hold, order_line, release, release_line

ORDERS_AT_ONCE = 200
log = structlog.get_logger()


def release_ready(ctx: Context) -> int:
    """Make releases of what is ready and fully held in warehouses that a channel runs; return how many."""
    run = {i for i in ctx.warehouses if (c := ctx.runner(i)) and c.enabled and c.plays(WarehouseSink)}
    if not run:
        return 0
    # Scans orders, hold: those that are ready, and what is held of them.
    with ctx.store.read() as connection:
        query = releasable(run, read_to_the_end(ctx, read_cursors(connection)))
        ids = list(connection.execute(query.limit(ORDERS_AT_ONCE)).scalars())
    return ctx.store.retrying(partial(_make, ctx=ctx, run=run, order_ids=ids)) if ids else 0


def _make(tx: Tx, *, ctx: Context, run: set[int], order_ids: Iterable[int]) -> int:
    """Write a pending release per order and warehouse, with its effect."""
    known = {i: order for i, order in lock_order_ids(tx, order_ids).items() if may_leave(order)}
    wanted = sorted(_places(tx, known, run))
    if not wanted:
        return 0
    counts = select(release.c.order_id, func.count().label("n")).where(release.c.order_id.in_(sorted(known)))
    made = {row.order_id: int(row.n) for row in tx.all(counts.group_by(release.c.order_id))}
    rows, effects = [], []
    for id, (order_id, warehouse_id) in zip(new_ids(tx, release, len(wanted)), wanted, strict=True):
        made[order_id] = made.get(order_id, 0) + 1
        row = {
            "id": id,
            "order_id": order_id,
            "warehouse_id": warehouse_id,
            "number": f"{known[order_id].number}-R{made[order_id]}",
            "state": "pending",
            "made_at": tx.now,
        }
        rows.append(row)
        runner = ctx.runner(warehouse_id)
        if runner is not None:
            effects.append(_effect(tx, runner, row))
    insert_many(tx, release, rows)
    enqueue(tx, effects)
    return len(rows)


def _places(tx: Tx, known: Mapping[int, KnownOrder], run: set[int]) -> set[tuple[int, int]]:
    """Return (order, warehouse) pairs that hold something not handed over and have no open release."""
    query = (
        select(order_line.c.order_id, hold.c.warehouse_id)
        .join(hold, (hold.c.owner_kind == LINE) & (hold.c.owner_id == order_line.c.id))
        .where(order_line.c.order_id.in_(sorted(known)), hold.c.warehouse_id.in_(sorted(run)), ~hold.c.released)
    )
    under_way = select(release.c.order_id, release.c.warehouse_id).where(
        release.c.order_id.in_(sorted(known)), release.c.ended_at.is_(None)
    )
    return {tuple(row) for row in tx.all(query)} - {tuple(row) for row in tx.all(under_way)}


def _effect(tx: Tx, runner: Channel, row: Mapping[str, Any]) -> Effect:
    return Effect(
        destination_id=runner.id,
        kind=RELEASE,
        key=row["number"],
        ref_id=row["id"],
        serial_key=f"release:{row['id']}",
        lane=LANE_SHIPMENT,
        run_at=tx.now,
        marked_at=tx.now,
    )


def held_units(tx: Tx, order: KnownOrder, warehouse_id: int) -> dict[tuple[int, int], int]:
    """Return what a warehouse holds for the order and was not told to send, by (line, SKU)."""
    query = select(hold.c.owner_id, hold.c.sku_id, hold.c.qty).where(
        hold.c.owner_kind == LINE,
        hold.c.owner_id.in_([line.id for line in order.lines]),
        hold.c.warehouse_id == warehouse_id,
        ~hold.c.released,
    )
    return {(row.owner_id, row.sku_id): row.qty for row in tx.all(query)}


def is_covered(tx: Tx, order: KnownOrder) -> bool:
    """Whether the order's needs are fully held. Locks its SKUs."""
    skus = {sku_id for line in order.lines for sku_id in line.parts}
    book = Book(tx, skus, [HoldOwner(LINE, line.id) for line in order.lines])
    wanted = needs(order, reserve_until=None, now=tx.now)
    return all(book.held_qty(need) >= qty for need, qty in wanted.items())


def write_release_lines(tx: Tx, release_id: int, found: Iterable[Piece]) -> None:
    rows = [
        {"release_id": release_id, "line_id": p.line_id, "sku_id": p.sku_id, "qty": p.qty, "units": p.units}
        for p in found
    ]
    insert_many(tx, release_line, rows)
