"""The number of each listing, from stock, holds, bundles and unpaid orders, in a few queries per batch."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from erpsync.core.allocation import Groups, StockKey
from erpsync.core.availability import (
    NOTHING_OWN,
    Derivation,
    Own,
    Shelf,
    Told,
    derive,
    explained,
    share,
    unpack_sent,
)
from erpsync.core.movements import Reason
from erpsync.flows.availability.unpaid import unpaid_units
from erpsync.flows.context import Channel, Context
from erpsync.store.db.store import Tx
from erpsync.store.policies import AS_CONFIGURED, kept_in, own_of
from erpsync.store.sku_mapping import bundle_parts
from erpsync.store.tables import ledger, listing, stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A listing with the number it should show.

    Args:
        qty: None when the stock of one of its SKUs is unknown.
        skus: what one unit consists of.
        unexplained_zero: the number falls to 0 and neither a hold nor a sale explains it.
    """

    id: int
    channel_sku: str
    item_ref: str
    skus: tuple[int, ...]
    qty: int | None
    told: Told
    unexplained_zero: bool
    late_until_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the numbers of some listings of a channel are made of.

    Args:
        needs: our units in one of the SKU that is listed, by listing and SKU.
        shelves: by SKU and warehouse, of those that feed the channel.
        unpaid: units of the channel's unpaid orders that hold nothing, by SKU.
        own: what people have set on the channel, by SKU.
        groups: warehouses that can each send a whole unit.
    """

    channel: Channel
    needs: Mapping[int, Mapping[int, int]]
    shelves: Mapping[int, Mapping[int, Shelf]]
    unpaid: Mapping[int, int]
    own: Mapping[int, Own]
    groups: Groups


def load_basis(tx: Tx, ctx: Context, channel: Channel, rows: Sequence[Any]) -> Basis:
    """Return what the numbers of listings (rows of a channel, each with its SKU) are made of, in a few queries."""
    bundles = bundle_parts(tx, [row.sku_id for row in rows])
    needs = {row.id: bundles.get(row.sku_id, {row.sku_id: 1}) for row in rows}
    skus = sorted({sku_id for parts in needs.values() for sku_id in parts})
    unpaid = unpaid_units(tx, channel, skus)  # before the holds: an order paid in between counts twice, not never
    return Basis(
        channel=channel,
        needs=needs,
        unpaid=unpaid,
        shelves=load_shelves(tx, ctx, channel, skus),
        own=own_of(tx, channel.id, [*skus, *(row.sku_id for row in rows)]),
        groups=ctx.sourcing.together(ctx.sourcing.of(channel.id)),
    )


def load_listed(tx: Tx, ctx: Context, channel: Channel, listing_ids: Sequence[int]) -> dict[int, Listed]:
    """Return these listings with their numbers as of this transaction."""
    query = select(listing).where(listing.c.id.in_(listing_ids), listing.c.sku_id.is_not(None))
    rows = tx.all(query.order_by(listing.c.id).with_for_update(key_share=True))
    return listed(tx, ctx, rows, load_basis(tx, ctx, channel, rows))


def listed(tx: Tx, ctx: Context, rows: Sequence[Any], basis: Basis) -> dict[int, Listed]:
    """Return these listings (rows of a channel, each with its SKU) with their numbers."""
    numbers = {row.id: derived(row, basis).qty for row in rows}
    zeros = [row for row in rows if numbers[row.id] == 0 and row.told_qty]
    gone = {sku_id for row in zeros for sku_id in basis.needs[row.id]}
    sales = _sales(tx, ctx, basis.channel, gone, zeros)
    items: dict[int, Listed] = {}
    for row in rows:
        needs = basis.needs[row.id]
        taken = {
            sku_id: sum(shelf.reserved for shelf in basis.shelves.get(sku_id, {}).values())
            + basis.unpaid.get(sku_id, 0)
            + sum(qty for at, qty in sales.get(sku_id, ()) if row.told_at is None or at >= row.told_at)
            for sku_id in needs
        }
        items[row.id] = Listed(
            id=row.id,
            channel_sku=row.channel_sku,
            item_ref=row.item_ref,
            skus=tuple(needs),
            qty=numbers[row.id],
            told=told_of(row, tx.now),
            late_until_at=row.late_until_at,
            unexplained_zero=row in zeros
            and not _paused(row, basis)
            and not any(
                explained(told_qty=row.told_qty, units=row.factor * qty, taken=taken[sku_id])
                for sku_id, qty in needs.items()
            ),
        )
    return items


def told_of(row: Any, now: datetime) -> Told:
    """Return what the channel was told about a listing (its row)."""
    return Told(
        accepted=row.told_qty,
        sure=row.told_sure,
        sent_since=unpack_sent(row.sent_since),
        earlier=unpack_sent(row.earlier),
        late=unpack_sent(row.late),
        late_over=row.late_until_at is None or row.late_until_at <= now,
    )


def derived(row: Any, basis: Basis) -> Derivation:
    """Return the number that a listing (its row) should show, and what made it so."""
    needs, shelves = basis.needs[row.id], basis.shelves
    parts = {sku_id: row.factor * qty for sku_id, qty in needs.items()}
    if paused := _paused(row, basis):
        return Derivation(qty=0, parts=parts, paused=paused)
    if unknown := tuple(sku_id for sku_id in needs if not shelves.get(sku_id)):
        return Derivation(qty=None, parts=parts, unknown=unknown)
    free = {sku_id: {place: shelf.available for place, shelf in shelves[sku_id].items()} for sku_id in needs}
    shares = {
        sku_id: share(
            available=sum(free[sku_id].values()),
            unpaid=basis.unpaid.get(sku_id, 0),
            policy=basis.channel.stock,
            own=basis.own.get(sku_id, NOTHING_OWN),
        )
        for sku_id in needs
    }
    own = basis.own.get(row.sku_id, NOTHING_OWN)
    return derive(parts, shares, free=free, groups=basis.groups, policy=basis.channel.stock, own=own)


def _paused(row: Any, basis: Basis) -> tuple[int, ...]:
    """Return which SKUs of a listing people have paused on the channel: its own, or parts of it."""
    skus = dict.fromkeys((row.sku_id, *basis.needs[row.id]))
    return tuple(sku_id for sku_id in skus if basis.own.get(sku_id, NOTHING_OWN).paused)


def load_shelves(tx: Tx, ctx: Context, channel: Channel, skus: Sequence[int]) -> dict[int, dict[int, Shelf]]:
    """Return what lies of these SKUs in the warehouses that serve a channel, by SKU and warehouse."""
    query = select(stock).where(stock.c.sku_id.in_(skus), stock.c.warehouse_id.in_(ctx.sourcing.of(channel.id)))
    kept = kept_in(tx, skus)
    shelves: dict[int, dict[int, Shelf]] = defaultdict(dict)
    for row in tx.all(query):
        keep = kept.get(StockKey(row.sku_id, row.warehouse_id), AS_CONFIGURED)
        safety = ctx.warehouses[row.warehouse_id].safety_stock if keep.safety is None else keep.safety
        shelf = Shelf(on_hand=row.on_hand, reserved=row.reserved, safety_stock=safety, paused=keep.paused)
        shelves[row.sku_id][row.warehouse_id] = shelf
    return shelves


def _sales(
    tx: Tx, ctx: Context, channel: Channel, skus: set[int], rows: Sequence[Any]
) -> dict[int, list[tuple[datetime, int]]]:
    """Return when and how many units left the channel's warehouses as sales since the first of the rows was told."""
    told = [row.told_at for row in rows if row.told_at is not None]
    sales: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    if told and skus:
        query = select(ledger.c.sku_id, ledger.c.at, ledger.c.qty).where(
            ledger.c.sku_id.in_(sorted(skus)),
            ledger.c.at >= min(told),
            ledger.c.reason.in_([reason.value for reason in Reason if reason.explains_zero]),
            ledger.c.warehouse_id.in_(ctx.sourcing.of(channel.id)),
        )
        for row in tx.all(query):
            sales[row.sku_id].append((row.at, -row.qty))
    return sales
