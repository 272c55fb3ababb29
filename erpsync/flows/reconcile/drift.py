"""Numbers that a channel shows and was not told: found when its catalogue is read, repaired by telling ours again.

Why only after a pass over the orders: a lower number is usually a sale, and what has not been read yet must not be
taken for somebody's edit. Why a repair only casts doubt on what was told: the ordinary push then computes the number
anew, behind the same freshness rule and the same brake as every other.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, func, or_, select, union, update

from erpsync.core.availability import unpack_sent
from erpsync.core.drift import Drift
from erpsync.core.drift import drift as drift_of
from erpsync.core.orders import Origin
from erpsync.flows.availability.fan_out import pushes
from erpsync.flows.context import Channel, Context
from erpsync.flows.inventory.catalogue import GRACE
from erpsync.sdk.roles import ListingSource, OrderSource
from erpsync.store.cursors import CursorRow, read_cursor, want_pass
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.listings import doubt
from erpsync.store.outbox.dirty import mark_dirty
from erpsync.store.outbox.queue import IS_OPEN, STOCK
from erpsync.store.tables import dirty_sku, drift, listing, order_line, orders, outbox
from erpsync.store.tasks import Task, close_tasks, open_tasks

AT_ONCE = 100
MOST_REPAIRS = 3
"""A listing that was told again so often without showing it once is left to a person."""

TASK = "stock_drift"
log = structlog.get_logger()


class _Listed(Protocol):
    """A row of `listing` that was told a number and shows one, as it was read."""

    id: int
    sku_id: int
    channel_sku: str
    item_ref: str
    told_qty: int
    told_sure: bool
    told_at: datetime
    shown_qty: int
    shown_at: datetime
    shown_since_at: datetime | None
    earlier: str


def find_drift(ctx: Context, channel: Channel, *, most: int = AT_ONCE) -> dict[str, int]:
    """Classify the numbers of the last reading that are not what was told, those that oversell most first.

    Returns how many were found, by kind.
    """
    if not channel.plays(ListingSource) or not channel.stock.push or not channel.enabled:
        return {}
    with ctx.store.read() as connection:
        read = read_cursor(connection, channel.id, "listings")
        sold = read_cursor(connection, channel.id, "orders")
        suspects = _suspects(connection, channel, read, most)
        over = _shown_again(connection, channel)
    if over:
        ctx.store.retrying(partial(_end, listing_ids=over))
    if not suspects:
        return {}
    fresh = [row for row in suspects if _fresh(channel, row, sold)]
    if len(fresh) < len(suspects) and not sold.wanted and not sold.unreadable:
        ctx.store.retrying(lambda tx: want_pass(tx, channel.id, ["orders"]))
    if not fresh:
        return {}
    counts = ctx.store.retrying(partial(_classify, channel=channel, suspects=fresh))
    if counts:
        log.warning("drift.found", channel=channel.name, policy=channel.stock.drift, **counts)
    return dict(counts)


def _suspects(connection: Connection, channel: Channel, read: CursorRow, most: int) -> Sequence[_Listed]:
    """Return the listings whose number was told surely, long enough before a whole reading, and is not the one shown.

    Those with a number on its way are left out: the next reading sees what comes of it.
    """
    if read.complete_began_at is None:
        return []
    on_its_way = select(outbox.c.ref_id).where(outbox.c.kind == STOCK, outbox.c.destination_id == channel.id, IS_OPEN)
    query = (
        select(listing)
        .outerjoin(drift, drift.c.listing_id == listing.c.id)
        .where(
            listing.c.channel_id == channel.id,
            listing.c.told_sure,
            listing.c.shown_qty != listing.c.told_qty,
            listing.c.shown_at == read.complete_began_at,
            listing.c.told_at < read.complete_began_at - GRACE,
            or_(drift.c.listing_id.is_(None), drift.c.shown_at < listing.c.shown_at),
            listing.c.id.not_in(on_its_way),
            listing.c.sku_id.not_in(select(dirty_sku.c.sku_id)),
        )
        .order_by((listing.c.shown_qty - listing.c.told_qty).desc(), listing.c.id)
        .limit(most)
    )
    rows: Sequence[Any] = connection.execute(query).all()
    return [row for row in rows if pushes(channel, row.item_ref)]


def _fresh(channel: Channel, row: _Listed, sold: CursorRow) -> bool:
    """Whether the orders were read since the number was first shown, in whichever reading of the catalogue.

    In the last one only it would never be so where the catalogue is read more often than the orders.
    """
    if not channel.plays(OrderSource):
        return True
    began = sold.complete_began_at
    return began is not None and row.shown_since_at is not None and began > row.shown_since_at


def _shown_again(connection: Connection, channel: Channel) -> list[int]:
    """Return the listings that drifted once and show what they were told."""
    query = (
        select(drift.c.listing_id)
        .join(listing, listing.c.id == drift.c.listing_id)
        .where(
            listing.c.channel_id == channel.id,
            drift.c.ended_at.is_(None),
            listing.c.shown_at > drift.c.shown_at,
            listing.c.shown_qty == listing.c.told_qty,
        )
    )
    return list(connection.execute(query).scalars())


def _end(tx: Tx, *, listing_ids: Sequence[int]) -> None:
    ended = update(drift).where(drift.c.listing_id.in_(listing_ids))
    tx.execute(ended.values(ended_at=tx.now, repairs=0))
    close_tasks(tx, TASK, [str(listing_id) for listing_id in listing_ids], by="erpsync")


def _classify(tx: Tx, *, channel: Channel, suspects: Sequence[_Listed]) -> Counter[str]:
    """Note what each suspect is, and repair or report it; one that was told anew meanwhile is left alone."""
    ids = [row.id for row in suspects]
    query = select(listing).where(listing.c.id.in_(ids)).order_by(listing.c.id).with_for_update(key_share=True)
    now = {row.id: row for row in tx.all(query)}
    same = [row for row in suspects if row.id in now and _unchanged(row, now[row.id])]
    ordered = _ordered(tx, channel, same)
    repaired = {row.listing_id: row for row in tx.all(select(drift).where(drift.c.listing_id.in_(ids)))}
    counts: Counter[str] = Counter()
    for row in same:
        earlier = unpack_sent(row.earlier)
        kind = drift_of(row.shown_qty, told_qty=row.told_qty, ordered_qty=ordered.get(row.id, 0), earlier=earlier)
        before = repaired.get(row.id)
        repairs = before.repairs if before is not None and before.ended_at is None else 0
        repairs = _act(tx, channel, row, kind, repairs)
        _write(tx, row, kind, repairs)
        counts[kind.value] += 1
    return counts


def _unchanged(before: _Listed, now: _Listed) -> bool:
    return bool(now.told_sure) and (now.told_at, now.shown_at) == (before.told_at, before.shown_at)


def _ordered(tx: Tx, channel: Channel, rows: Sequence[_Listed]) -> dict[int, int]:
    """Return the units of each listing that orders took since it was told; cancelled ones were given back."""
    if not rows:
        return {}
    units: dict[tuple[str, str], list[tuple[datetime, int]]] = {}
    since = min(row.told_at for row in rows)
    took_at = func.coalesce(orders.c.paid_at, orders.c.placed_at).label("took_at")
    ids = select(orders.c.id).where(orders.c.channel_id == channel.id)
    recent = union(ids.where(orders.c.placed_at >= since), ids.where(orders.c.paid_at >= since)).subquery()
    query = (
        select(order_line.c.channel_sku, order_line.c.item_ref, order_line.c.qty, order_line.c.cancelled_qty, took_at)
        .join(orders, orders.c.id == order_line.c.order_id)
        .where(
            order_line.c.order_id.in_(select(recent.c.id)),
            order_line.c.channel_sku.in_([row.channel_sku for row in rows]),
            order_line.c.origin == Origin.CHANNEL,
        )
    )
    for line in tx.all(query):
        units.setdefault((line.channel_sku, line.item_ref), []).append((line.took_at, line.qty - line.cancelled_qty))
    return {row.id: _since(units, row) for row in rows}


def _since(units: Mapping[tuple[str, str], list[tuple[datetime, int]]], row: _Listed) -> int:
    return sum(qty for at, qty in units.get((row.channel_sku, row.item_ref), ()) if at >= row.told_at)


def _act(tx: Tx, channel: Channel, row: _Listed, kind: Drift, repairs: int) -> int:
    """Do what the policy says; return how often the listing was repaired by now."""
    if kind is Drift.SALE:
        return repairs
    name = f"{row.channel_sku} {row.item_ref}".strip()
    said = f"{name} shows {row.shown_qty} and was told {row.told_qty} ({kind.value})"
    repair = channel.stock.drift == "repair" and repairs < MOST_REPAIRS
    detail = {
        "channel": channel.name,
        "channel_sku": row.channel_sku,
        "kind": kind.value,
        "shown_qty": row.shown_qty,
        "told_qty": row.told_qty,
        "repaired": repair,
    }
    write_events(tx, [Event(kind="stock.drifted", sku_id=row.sku_id, channel_id=channel.id, detail=detail)])
    if repair:
        doubt(tx, listing.c.id == row.id)
        mark_dirty(tx, [row.sku_id])
        return repairs + 1
    again = f"; it was told again {repairs} times" if repairs else ""
    if repairs == 1:
        again = "; it was told again once"
    open_tasks(tx, [Task(kind=TASK, key=str(row.id), reason=said + again, channel_id=channel.id)])
    return repairs


def _write(tx: Tx, row: _Listed, kind: Drift, repairs: int) -> None:
    values = {
        "kind": kind.value,
        "shown_qty": row.shown_qty,
        "told_qty": row.told_qty,
        "shown_at": row.shown_at,
        "found_at": tx.now,
        "repairs": repairs,
        "ended_at": None,
    }
    statement = tx.insert(drift).values(listing_id=row.id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["listing_id"], set_=values))
