"""What a flow test looks at: orders as `orders show` prints them, the books, effects, tasks and dead letters."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select, text

from erpsync.flows.operations import counters
from erpsync.store.cursors import read_cursor
from erpsync.store.tables import (
    backorder,
    bundle,
    channel,
    dead_letter,
    hold,
    ledger,
    line_part,
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
from erpsync.store.views.orders import show_order
from erpsync.store.views.story import tell_order
from tests.support.shop import Town


def rows(town: Town, query: Any, **values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query, an SQL text or a statement."""
    statement = text(query) if isinstance(query, str) else query
    with town.store.read() as connection:
        return [tuple(row) for row in connection.execute(statement, values)]


def events(town: Town, *prefixes: str) -> list[tuple[str, dict[str, Any]]]:
    """Return kind and detail of the events whose kinds begin so, in the order in which they were told."""
    told = rows(town, "SELECT kind, detail FROM event ORDER BY id")
    return [(kind, json.loads(detail)) for kind, detail in told if kind.startswith(prefixes or ("",))]


def count(town: Town, table: str) -> int:
    """Return how many rows a table has."""
    return int(rows(town, f"SELECT count(*) FROM {table}")[0][0])


def see(town: Town, order: str) -> dict[str, Any]:
    """Return an order as `orders show` prints it."""
    with town.store.read() as connection:
        return show_order(connection, order)


def status(town: Town, order: str) -> tuple[str, str | None]:
    """Return an order's status and the reason that holds it."""
    shown = see(town, order)
    return shown["status"], shown["hold_reason"]


def lines(town: Town, order: str) -> dict[str, tuple[int, int, int]]:
    """Return (ordered, cancelled, shipped) by line."""
    return {
        line["external_id"]: (line["qty"], line["cancelled_qty"], line["shipped_qty"])
        for line in see(town, order)["lines"]
    }


def held(town: Town, order: str) -> dict[str, int]:
    """Return our units that the order holds, by SKU."""
    found: dict[str, int] = {}
    for line in see(town, order)["lines"]:
        for allocation in line["allocations"]:
            found[allocation["sku"]] = found.get(allocation["sku"], 0) + allocation["qty"]
    return found


def promised(town: Town) -> dict[str, int]:
    """Return the units held for orders, by the channel's order id."""
    query = (
        select(orders.c.external_id, func.sum(hold.c.qty))
        .select_from(hold.join(order_line, hold.c.owner_id == order_line.c.id).join(orders))
        .where(hold.c.owner_kind == "line")
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


def story(town: Town, order: str) -> list[str]:
    """Return what happened to an order, as `explain` tells it."""
    with town.store.read() as connection:
        return [entry["what"] for entry in tell_order(connection, order)["story"]]


def on_shelf(town: Town) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (on hand, reserved) by (warehouse, SKU)."""
    query = select(warehouse.c.code, sku.c.code, stock.c.on_hand, stock.c.reserved)
    joined = query.select_from(stock.join(sku).join(warehouse))
    return {(w, s): (on_hand, reserved) for w, s, on_hand, reserved in rows(town, joined)}


def booked(town: Town, code: str) -> list[tuple[int, str]]:
    """Return (quantity, reason) of a SKU's ledger."""
    query = select(ledger.c.qty, ledger.c.reason).join(sku).where(sku.c.code == code).order_by(ledger.c.id)
    return [(qty, reason) for qty, reason in rows(town, query)]


def told(town: Town, name: str = "shop") -> dict[str, tuple[int | None, bool]]:
    """Return (last accepted number, whether sure) by seller code."""
    query = select(listing.c.channel_sku, listing.c.told_qty, listing.c.told_sure)
    mine = query.where(listing.c.channel_id == town.channel(name).id)
    return {code: (qty, sure) for code, qty, sure in rows(town, mine)}


def right_numbers(town: Town, name: str) -> dict[str, int]:
    """Return what each listing of a channel with known stock should show now, by seller code, in towns without caps.

    `(floor(free x ratio) - buffer - unpaid) / units`, whole and never below 0, of the part that allows the least.
    """
    one, unpaid = town.channel(name), _unpaid(town, name)
    free: dict[int, int] = {}
    for sku_id, place, on_hand, reserved in rows(
        town, select(stock.c.sku_id, stock.c.warehouse_id, stock.c.on_hand, stock.c.reserved)
    ):
        if place in town.ctx.sourcing.of(one.id):
            units = max(0, on_hand - reserved - town.ctx.warehouses[place].safety_stock)
            free[sku_id] = free.get(sku_id, 0) + units
    parts: dict[int, dict[int, int]] = {}
    for whole, part, qty in rows(town, select(bundle.c.bundle_id, bundle.c.sku_id, bundle.c.qty)):
        parts.setdefault(whole, {})[part] = qty
    query = select(listing.c.channel_sku, listing.c.sku_id, listing.c.factor).where(listing.c.channel_id == one.id)
    right: dict[str, int] = {}
    for code, sku_id, factor in rows(town, query.where(listing.c.sku_id.is_not(None))):
        needs = parts.get(sku_id, {sku_id: 1})
        if needs.keys() <= free.keys():
            shares = {
                part: int(free[part] * Fraction(str(one.stock.ratio))) - one.stock.buffer - unpaid[part]
                for part in needs
            }
            right[code] = min(max(0, shares[part]) // (factor * qty) for part, qty in needs.items())
    return right


def _unpaid(town: Town, name: str) -> Counter[int]:
    """Return the units of a channel's unpaid orders of the last three days that hold nothing, by SKU."""
    lines = order_line.join(orders)
    mine = (
        (orders.c.channel_id == town.channel(name).id)
        & (orders.c.placed_at > town.clock.now() - timedelta(days=3))
        & ((orders.c.phase == "unpaid") | ((orders.c.phase == "held") & orders.c.ready_at.is_(None)))
    )
    left = order_line.c.qty - order_line.c.cancelled_qty - order_line.c.shipped_qty
    plain = select(order_line.c.sku_id, left * order_line.c.factor).select_from(lines)
    bundled = select(line_part.c.sku_id, left * line_part.c.qty).select_from(
        lines.join(line_part, line_part.c.line_id == order_line.c.id)
    )
    kept = select(hold.c.sku_id, -hold.c.qty).select_from(
        lines.join(hold, (hold.c.owner_id == order_line.c.id) & (hold.c.owner_kind == "line"))
    )
    units: Counter[int] = Counter()
    for query in (plain.where(order_line.c.has_parts.is_(False)), bundled, kept):
        for sku_id, qty in rows(town, query.where(mine)):
            units[sku_id] += qty
    return units


def effects(town: Town, kind: str = "stock") -> list[tuple[Any, ...]]:
    """Return (state, waiting for, attempts) of the open and dead effects of a kind, oldest first."""
    query = select(outbox.c.state, outbox.c.waiting_for, outbox.c.attempts).where(outbox.c.kind == kind)
    return rows(town, query.where(outbox.c.state != "done").order_by(outbox.c.id))


def shipments(town: Town) -> list[tuple[str, str]]:
    """Return (number, state) of all shipments."""
    return [(number, state) for number, state in rows(town, select(shipment.c.number, shipment.c.state))]


def parcel_state(town: Town) -> str:
    """Return the state of the only shipment."""
    ((_, state),) = shipments(town)
    return state


def told_parcels(town: Town) -> list[str]:
    """Return the tracking numbers that the shop was told."""
    return [parcel.tracking for parcel in town.shop.parcels]


def tasks(town: Town) -> list[str]:
    """Return the kinds of the open tasks."""
    return [kind for (kind,) in rows(town, select(task.c.kind).where(task.c.closed_at.is_(None)).order_by(task.c.id))]


def letters(town: Town, state: str = "open") -> list[tuple[str, str]]:
    """Return (kind, key) of the dead letters in a state."""
    query = select(dead_letter.c.kind, dead_letter.c.key).where(dead_letter.c.state == state)
    return [(kind, key) for kind, key in rows(town, query.order_by(dead_letter.c.id))]


def letter_id(town: Town, key: str) -> int:
    """Return the open dead letter about `key`."""
    query = "SELECT id FROM dead_letter WHERE key = :key AND state = 'open'"
    return int(rows(town, query, key=key)[0][0])


def mark(town: Town, stream: str) -> str | None:
    """Return how far a stream has been read."""
    found = rows(town, "SELECT mark FROM cursor WHERE stream = :stream", stream=stream)
    return found[0][0] if found else None


def backfilled(town: Town, name: str) -> bool:
    """Whether the channel's back-fill is done."""
    with town.store.read() as connection:
        return read_cursor(connection, town.channel(name).id, "backfill").complete_ended_at is not None


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
        for place in town.ctx.sourcing.of(channel_id)
        if free.get((sku_id, place), 0) > 0
    ]
