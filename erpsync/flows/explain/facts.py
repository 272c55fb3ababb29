"""What is so about SKUs and the listings that show them, read in a few queries whatever their number.

Why read apart from what it is said of: a SKU stands on many channels, and each fact is looked up once for all of them.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, select, union_all

from erpsync.core.allocation import StockKey
from erpsync.core.availability import UNPAID_COUNTS_FOR
from erpsync.core.fulfilment import LINE
from erpsync.flows.explain.steps import Units
from erpsync.store.cursors import CursorRow, read_cursors
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.outbox.queue import IS_LEASED, IS_OPEN, STOCK
from erpsync.store.policies import Keep, kept_in
from erpsync.store.tables import (
    backorder,
    channel,
    dead_letter,
    dirty_sku,
    event,
    hold,
    order_line,
    orders,
    outbox,
    sku,
    stock,
    task,
    warehouse,
)
from erpsync.store.unpaid import unpaid_by_order

LATEST = 200
"""How many of a SKU's latest events are looked through for who set what."""

ByOrder = dict[str | None, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBy:
    """Who last set something for a single SKU, and when."""

    at: datetime
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is so about some SKUs, by row ids.

    Args:
        codes: our codes of the SKUs.
        places: the codes of all warehouses.
        shelves: rows of `stock`, also of warehouses that feed nobody.
        held: units by place, by why they are held, by order.
        unpaid: units that hold nothing, by (channel, SKU), by order.
        waiting: who waits for units of a SKU, first served first.
        kept: what people have set for a SKU in a warehouse.
        set_by: who set what, by (SKU, channel or None, warehouse or None).
    """

    codes: Mapping[int, str]
    places: Mapping[int, str]
    shelves: Mapping[StockKey, Any]
    held: Mapping[StockKey, Mapping[str, ByOrder]]
    unpaid: Mapping[tuple[int, int], ByOrder]
    waiting: Mapping[int, Sequence[Units]]
    kept: Mapping[StockKey, Keep]
    set_by: Mapping[tuple[int, int | None, int | None], SetBy]


def read_facts(tx: Tx, skus: Collection[int], channel_ids: Collection[int]) -> Facts:
    """Return what is so about SKUs, unpaid orders of these channels only."""
    wanted = sorted(set(skus))
    named = select(sku.c.id, sku.c.code).where(sku.c.id.in_(wanted))
    rows = tx.all(select(stock).where(stock.c.sku_id.in_(wanted)))
    return Facts(
        codes={row.id: row.code for row in tx.all(named)},
        places={row.id: row.code for row in tx.all(select(warehouse.c.id, warehouse.c.code))},
        shelves={StockKey(row.sku_id, row.warehouse_id): row for row in rows},
        held=_held(tx.connection, wanted),
        unpaid=_unpaid(tx, wanted, sorted(channel_ids)),
        waiting=read_waiting(tx.connection, wanted),
        kept=kept_in(tx, wanted),
        set_by=_set_by(tx.connection, wanted),
    )


def _held(connection: Connection, skus: Sequence[int]) -> dict[StockKey, dict[str, ByOrder]]:
    why = case(
        (orders.c.number.is_(None), "other"),
        (hold.c.released, "released"),
        (hold.c.expires_at.is_not(None), "reserved"),
        (orders.c.hold_reason != "", "kept"),
        else_="allocated",
    )
    # Scans hold: by SKU, and it holds what is open, no history.
    query = (
        select(hold.c.sku_id, hold.c.warehouse_id, why.label("why"), orders.c.number, hold.c.qty)
        .select_from(hold)
        .outerjoin(order_line, and_(hold.c.owner_kind == LINE, hold.c.owner_id == order_line.c.id))
        .outerjoin(orders, orders.c.id == order_line.c.order_id)
        .where(hold.c.sku_id.in_(skus))
    )
    held: dict[StockKey, dict[str, ByOrder]] = defaultdict(lambda: defaultdict(dict))
    for sku_id, warehouse_id, reason, number, qty in connection.execute(query):  # thousands, of a best seller
        by_order = held[StockKey(sku_id, warehouse_id)][reason]
        by_order[number] = by_order.get(number, 0) + qty
    return held


def _unpaid(tx: Tx, skus: Sequence[int], channel_ids: Sequence[int]) -> dict[tuple[int, int], ByOrder]:
    after, wanted = tx.trusted_now - UNPAID_COUNTS_FOR, set(skus)
    shops = orders.c.channel_id.in_(channel_ids)
    rows = [row for row in tx.all(unpaid_by_order(shops, skus=skus, after=after)) if row.qty and row.sku_id in wanted]
    named: dict[int, Any] = {}
    for ids in in_parts({row.order_id for row in rows}):
        query = select(orders.c.id, orders.c.channel_id, orders.c.number).where(orders.c.id.in_(ids))
        named |= {row.id: row for row in tx.all(query)}
    unpaid: dict[tuple[int, int], ByOrder] = defaultdict(dict)
    for row in rows:
        order = named[row.order_id]
        unpaid[order.channel_id, row.sku_id][order.number] = int(row.qty)
    return unpaid


def read_waiting(connection: Connection, skus: Sequence[int]) -> dict[int, list[Units]]:
    """Return who waits for these SKUs and is served as soon as they come, first served first."""
    query = select(backorder.c.sku_id, backorder.c.qty, backorder.c.number, backorder.c.order_id).where(
        backorder.c.sku_id.in_(skus), backorder.c.waits
    )
    waiting: dict[int, list[Units]] = {}
    for row in connection.execute(query.order_by(backorder.c.due_at, backorder.c.number)):
        order = row.number if row.order_id is not None else None
        waiting.setdefault(row.sku_id, []).append(Units(order=order, qty=row.qty))
    return waiting


def _set_by(connection: Connection, skus: Sequence[int]) -> dict[tuple[int, int | None, int | None], SetBy]:
    """Return who last set something for each SKU, as far as its latest events tell."""
    # Scans event: newest first, and no further than `LATEST`, of each SKU.
    latest = [
        select(
            select(event)
            .where(event.c.sku_id == sku_id, event.c.sku_id.is_not(None))
            .order_by(event.c.id.desc())
            .limit(LATEST)
            .subquery()
        )
        for sku_id in skus
    ]
    setters: dict[tuple[int, int | None, int | None], SetBy] = {}
    rows = connection.execute(union_all(*latest)).all() if latest else []
    for row in sorted(rows, key=lambda row: row.id):
        if row.kind == "policy.changed":
            place = json.loads(row.detail).get("warehouse_id")
            setters[row.sku_id, row.channel_id, place] = SetBy(at=row.at, actor=row.actor)
    return setters


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """What is on its way to listings.

    Args:
        open: open or leased rows of the outbox by listing.
        dirty: marks by SKU.
        letters: open dead letters by listing.
        brakes: open tasks of the brake by channel's name.
        channels: rows of channels by id.
        cursors: streams by (channel, stream).
    """

    open: Mapping[int, Any]
    dirty: Mapping[int, Any]
    letters: Mapping[int, Any]
    brakes: Mapping[str, Any]
    channels: Mapping[int, Any]
    cursors: Mapping[tuple[int, str], CursorRow] = field(default_factory=dict)


def read_queued(connection: Connection, listings: Sequence[Any], skus: Iterable[int]) -> Queued:
    """Return what is on its way to these listings (their rows), of which these are the SKUs and their parts."""
    ids = sorted(row.id for row in listings)
    keys, places = [str(id) for id in ids], sorted({row.channel_id for row in listings})
    of_keys = (outbox.c.destination_id.in_(places), outbox.c.kind == STOCK, outbox.c.key.in_(keys))
    rows = list(connection.execute(select(outbox).where(*of_keys, IS_OPEN)))
    serial = outbox.c.serial_key.in_([f"listing:{id}" for id in ids])
    rows += connection.execute(select(outbox).where(serial, IS_LEASED))
    dirty = connection.execute(select(dirty_sku).where(dirty_sku.c.sku_id.in_(sorted(set(skus)))))
    refused = select(dead_letter).where(dead_letter.c.channel_id.in_(places), dead_letter.c.kind == STOCK)
    letters = connection.execute(refused.where(dead_letter.c.key.in_(keys), dead_letter.c.state == "open"))
    brakes = connection.execute(select(task).where(task.c.kind == "brake", task.c.closed_at.is_(None)))
    return Queued(
        open={row.ref_id: row for row in rows},
        dirty={row.sku_id: row for row in dirty},
        letters={int(row.key): row for row in letters},
        brakes={row.key: row for row in brakes},
        channels={row.id: row for row in connection.execute(select(channel).where(channel.c.id.in_(places)))},
        cursors=read_cursors(connection, places),
    )
