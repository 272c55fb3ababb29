"""Telling warehouses what to send, and asking them to stop.

    order ready, fully held ─▶ release pending ─claim─▶ gate ─▶ unsure ─call─▶ told ─▶ shipped
                                                          │        └─ surely not there ─▶ pending
                                                          └─ held, cancelled, short ─▶ dropped; made anew later
    unsure, told ─order changed─▶ recalled ─▶ stopped (yes: its units are free again) or kept (no: they leave)

Why the holds are marked in the commit before the call: from there on the warehouse may have the order, and nothing of
it is given away until it says that it has stopped.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import structlog
from sqlalchemy import select

from erpsync.core.allocation import HoldOwner
from erpsync.core.fulfilment import LINE, needs
from erpsync.core.orders import KnownOrder
from erpsync.core.release import Piece, may_leave
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.numbering import next_numbers
from erpsync.flows.warehouses.releasable import read_to_the_end, releasable
from erpsync.flows.warehouses.short_gifts import settle_short_gifts
from erpsync.sdk.roles import WarehouseSink
from erpsync.store.cursors import read_cursors
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Tx
from erpsync.store.names import write_names
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import (
    LANE_SHIPMENT,
    RELEASE,
    Effect,
    enqueue,
)
from erpsync.store.stock_book import Book
from erpsync.store.tables import hold, order_line, release, release_line, release_order

NUMBER = "R{yyyymmdd}{seq:06}"
"""The pattern of release numbers. Nothing is to be read out of one: an order may have many, and one many orders."""
ORDERS_AT_ONCE = 200
log = structlog.get_logger()


def release_ready(ctx: Context) -> int:
    """Make releases of what is ready and fully held in warehouses that a channel runs; return how many."""
    run = {i for i in ctx.warehouses if (c := ctx.runner(i)) and c.enabled and c.plays(WarehouseSink)}
    if not run:
        return 0
    settle_short_gifts(ctx)
    # Scans orders, hold: those that are ready, and what is held of them.
    with ctx.store.read() as connection:
        query = releasable(run, read_to_the_end(ctx, read_cursors(connection)))
        ids = list(connection.execute(query.limit(ORDERS_AT_ONCE)).scalars())
    return ctx.store.retrying(partial(_make, ctx=ctx, run=run, order_ids=ids)) if ids else 0


def _make(tx: Tx, *, ctx: Context, run: set[int], order_ids: Iterable[int]) -> int:
    """Make a release per order and warehouse."""
    leaving = {i: order for i, order in lock_order_ids(tx, order_ids).items() if may_leave(order)}
    groups = [(warehouse_id, [order_id]) for order_id, warehouse_id in sorted(_places(tx, leaving, run))]
    make_releases(tx, ctx, groups)
    return len(groups)


def make_releases(tx: Tx, ctx: Context, groups: Sequence[tuple[int, Sequence[int]]]) -> None:
    """Write a pending release for each group (a warehouse, and ids of locked orders), with its effect.

    The database refuses a second one of an order that is open in a warehouse.
    """
    ids = new_ids(tx, release, len(groups))
    numbers = next_numbers(tx, ctx, NUMBER, len(groups), taken=release.c.number)
    heads, members, names, effects = [], [], [], []
    for id, number, (warehouse_id, order_ids) in zip(ids, numbers, groups, strict=True):
        heads.append({"id": id, "warehouse_id": warehouse_id, "number": number, "state": "pending", "made_at": tx.now})
        members += [{"release_id": id, "order_id": order_id, "warehouse_id": warehouse_id} for order_id in order_ids]
        names += [(order_id, number) for order_id in order_ids]
        runner = ctx.runner(warehouse_id)
        if runner is not None:
            effects.append(_effect(tx, runner, id, number))
    insert_many(tx, release, heads)
    insert_many(tx, release_order, members)
    write_names(tx, names)
    enqueue(tx, effects)


def _places(tx: Tx, leaving: Mapping[int, KnownOrder], run: set[int]) -> set[tuple[int, int]]:
    """Return (order, warehouse) pairs that hold something not handed over and have no open release."""
    query = (
        select(order_line.c.order_id, hold.c.warehouse_id)
        .join(hold, (hold.c.owner_kind == LINE) & (hold.c.owner_id == order_line.c.id))
        .where(order_line.c.order_id.in_(sorted(leaving)), hold.c.warehouse_id.in_(sorted(run)), ~hold.c.released)
    )
    under_way = select(release_order.c.order_id, release_order.c.warehouse_id).where(
        release_order.c.order_id.in_(sorted(leaving)), release_order.c.ended_at.is_(None)
    )
    return {tuple(row) for row in tx.all(query)} - {tuple(row) for row in tx.all(under_way)}


def _effect(tx: Tx, runner: Channel, release_id: int, number: str) -> Effect:
    return Effect(
        destination_id=runner.id,
        kind=RELEASE,
        key=number,
        ref_id=release_id,
        serial_key=f"release:{release_id}",
        lane=LANE_SHIPMENT,
        run_at=tx.now,
        marked_at=tx.now,
    )


def held_units(tx: Tx, orders: Iterable[KnownOrder], warehouse_id: int) -> dict[tuple[int, int], int]:
    """Return what a warehouse holds for the orders and was not told to send, by (line, SKU)."""
    query = select(hold.c.owner_id, hold.c.sku_id, hold.c.qty).where(
        hold.c.owner_kind == LINE,
        hold.c.owner_id.in_([line.id for order in orders for line in order.lines]),
        hold.c.warehouse_id == warehouse_id,
        ~hold.c.released,
    )
    return {(row.owner_id, row.sku_id): row.qty for row in tx.all(query)}


def are_covered(tx: Tx, orders: Sequence[KnownOrder]) -> bool:
    """Whether the orders' needs are fully held. Locks their SKUs."""
    lines = [line for order in orders for line in order.lines]
    book = Book(tx, {sku_id for line in lines for sku_id in line.parts}, [HoldOwner(LINE, line.id) for line in lines])
    wanted = [needs(order, reserve_until=None, now=tx.now) for order in orders]
    return all(book.held_qty(need) >= qty for needed in wanted for need, qty in needed.items())


def write_release_lines(tx: Tx, release_id: int, pieces: Iterable[Piece]) -> None:
    rows = [
        {"release_id": release_id, "line_id": p.line_id, "sku_id": p.sku_id, "qty": p.qty, "units": p.units}
        for p in pieces
    ]
    insert_many(tx, release_line, rows)
