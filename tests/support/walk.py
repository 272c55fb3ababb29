"""Driving a town step by step, and looking at what its database holds."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from erpsync.flows.availability import fan_out
from erpsync.flows.availability import push as stock_push
from erpsync.flows.availability.levels import load_listed
from erpsync.flows.intake import poll, schedule
from erpsync.flows.operations import counters
from erpsync.flows.shipments import push as shipment_push
from erpsync.store.cursors import read_cursor
from erpsync.store.tables import (
    backorder,
    channel,
    hold,
    ledger,
    listing,
    order_line,
    orders,
    outbox,
    shipment,
    sku,
    stock,
    task,
    warehouse,
)
from tests.support.shop import Town

SETTLED_S = 5.0


def read(town: Town, *streams: str, name: str = "shop") -> None:
    """Read streams of a channel once (orders, the back-fill and refunds when none are named)."""
    for stream in streams or ("orders", "backfill", "refunds"):
        if stream == "backfill" and not streams and backfilled(town, name):
            continue
        town.advance(0.01)
        poll.poll_stream(town.ctx, town.channel(name), stream)


def backfilled(town: Town, name: str) -> bool:
    """Whether the channel's back-fill is done."""
    with town.store.read() as connection:
        return read_cursor(connection, town.channel(name).id, "backfill").complete_ended_at is not None


def fan(town: Town) -> None:
    """Turn all dirty marks into rows."""
    while fan_out.fan_out(town.ctx):
        pass


def push_due(town: Town, name: str = "shop") -> int:
    """Push what is due now; return how many rows were handled."""
    fan(town)
    done = 0
    while handled := stock_push.push_stock(town.ctx, town.channel(name)):
        done += handled
    while handled := shipment_push.push_shipments(town.ctx, town.channel(name)):
        done += handled
    return done


def run(town: Town, *, rounds: int = 12) -> None:
    """Let the daemon's stages run until nothing is due any more within a few seconds."""
    for _ in range(rounds):
        busy = 0
        for one in town.ctx.channels.values():
            for stream in schedule.due_streams(town.ctx, one):
                busy += 1
                poll.poll_stream(town.ctx, one, stream)
            busy += push_due(town, one.name)
        next_s = stock_push.next_run_s(town.ctx)
        if next_s is not None and next_s <= SETTLED_S:
            town.advance(next_s + 0.01)
        elif not busy:
            return


def rows(town: Town, query: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with town.store.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def on_shelf(town: Town) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (on hand, reserved) by (warehouse, SKU)."""
    query = select(warehouse.c.code, sku.c.code, stock.c.on_hand, stock.c.reserved)
    joined = query.select_from(stock.join(sku).join(warehouse))
    return {(w, s): (on_hand, reserved) for w, s, on_hand, reserved in rows(town, joined)}


def held(town: Town) -> dict[str, int]:
    """Return the units held, by the channel's order id."""
    query = (
        select(orders.c.external_id, func.sum(hold.c.qty))
        .select_from(hold.join(order_line, hold.c.owner_id == order_line.c.id).join(orders))
        .group_by(orders.c.external_id)
    )
    return {order: int(qty) for order, qty in rows(town, query)}


def owed(town: Town) -> dict[str, int]:
    """Return the units nothing covers yet, by the channel's order id."""
    query = (
        select(orders.c.external_id, func.sum(backorder.c.qty))
        .select_from(backorder.join(orders, backorder.c.order_id == orders.c.id))
        .group_by(orders.c.external_id)
    )
    return {order: int(qty) for order, qty in rows(town, query)}


def told(town: Town, name: str = "shop") -> dict[str, tuple[int | None, bool]]:
    """Return (last accepted number, whether sure) by seller code."""
    query = select(listing.c.channel_sku, listing.c.told_qty, listing.c.told_sure)
    mine = query.where(listing.c.channel_id == town.channel(name).id)
    return {code: (qty, sure) for code, qty, sure in rows(town, mine)}


def effects(town: Town, kind: str = "stock") -> list[tuple[Any, ...]]:
    """Return (state, waiting for, attempts) of the open and dead effects of a kind, oldest first."""
    query = select(outbox.c.state, outbox.c.waiting_for, outbox.c.attempts).where(outbox.c.kind == kind)
    return rows(town, query.where(outbox.c.state != "done").order_by(outbox.c.id))


def tasks(town: Town) -> list[str]:
    """Return the kinds of the open tasks."""
    return [kind for (kind,) in rows(town, select(task.c.kind).where(task.c.closed_at.is_(None)).order_by(task.c.id))]


def shipments(town: Town) -> list[tuple[str, str]]:
    """Return (number, state) of all shipments."""
    return [(number, state) for number, state in rows(town, select(shipment.c.number, shipment.c.state))]


def booked(town: Town, code: str) -> list[tuple[int, str]]:
    """Return (quantity, reason) of a SKU's ledger."""
    query = select(ledger.c.qty, ledger.c.reason).join(sku).where(sku.c.code == code).order_by(ledger.c.id)
    return [(qty, reason) for qty, reason in rows(town, query)]


def problems(town: Town) -> Sequence[str]:
    """Return what no commit may ever leave behind: counters beside their sums, promises twice, gaps."""
    return [*counters.verify_counters(town.ctx), *_promised_twice(town), *_gaps(town)]


def _promised_twice(town: Town) -> list[str]:
    return [f"{place}: {n[1]} promised of {n[0]}" for place, n in on_shelf(town).items() if n[1] > n[0]]


def _gaps(town: Town) -> list[str]:
    """Return backorders that wait beside units a warehouse of their channel has free."""
    query = select(stock.c.sku_id, stock.c.warehouse_id, stock.c.on_hand, stock.c.reserved)
    free = {
        (sku_id, place): on_hand - reserved - town.ctx.warehouses[place].safety_stock
        for sku_id, place, on_hand, reserved in rows(town, query)
    }
    waiting = select(orders.c.external_id, backorder.c.sku_id, channel.c.id, orders.c.hold_reason, orders.c.ready_at)
    joined = waiting.select_from(
        backorder.join(orders, backorder.c.order_id == orders.c.id).join(channel, orders.c.channel_id == channel.c.id)
    )
    return [
        f"{order} waits for sku {sku_id} although {place} has {free[sku_id, place]}"
        for order, sku_id, channel_id, reason, ready_at in rows(town, joined)
        if not reason and ready_at is not None
        for place in town.ctx.sourcing[channel_id]
        if free.get((sku_id, place), 0) > 0
    ]


def right_numbers(town: Town, name: str) -> dict[str, int]:
    """Return what each listing of a channel with known stock should show now, by seller code."""
    one = town.channel(name)
    with town.store.begin() as tx:
        ids = list(tx.execute(select(listing.c.id).where(listing.c.channel_id == one.id)).scalars())
        found = load_listed(tx, town.ctx, one, ids)
    return {item.channel_sku: item.qty for item in found.values() if item.qty is not None}
