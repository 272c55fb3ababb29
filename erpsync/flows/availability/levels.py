"""The number of each listing, from stock, holds, bundles and unpaid orders, in a few queries per batch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from erpsync.core.allocation import Groups, StockKey
from erpsync.core.availability import (
    NOTHING_OWN,
    Own,
    Shelf,
    Told,
    capped,
    explained,
    level,
    unpack_sent,
    whole_number,
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


def load_listed(tx: Tx, ctx: Context, channel: Channel, listing_ids: Sequence[int]) -> dict[int, Listed]:
    """Return these listings with their numbers as of this transaction."""
    query = select(listing).where(listing.c.id.in_(listing_ids), listing.c.sku_id.is_not(None))
    rows = tx.all(query.order_by(listing.c.id).with_for_update(key_share=True))
    bundles = bundle_parts(tx, [row.sku_id for row in rows])
    parts = {row.id: bundles.get(row.sku_id, {row.sku_id: 1}) for row in rows}
    skus = sorted({sku_id for needs in parts.values() for sku_id in needs})
    unpaid = unpaid_units(tx, channel, skus)  # before the holds: an order paid in between counts twice, not never
    shelves = _shelves(tx, ctx, channel, skus)
    own = own_of(tx, channel.id, [*skus, *(row.sku_id for row in rows)])
    groups = ctx.sourcing.together(ctx.sourcing.of(channel.id))
    numbers = {row.id: _number(channel, row, parts[row.id], shelves, unpaid, own, groups) for row in rows}
    zeros = [row for row in rows if numbers[row.id] == 0 and row.told_qty]
    sales = _sales(tx, ctx, channel, {sku_id for row in zeros for sku_id in parts[row.id]}, zeros)
    listed: dict[int, Listed] = {}
    for row in rows:
        needs = parts[row.id]
        taken = {
            sku_id: sum(shelf.reserved for shelf in shelves[sku_id].values())
            + unpaid.get(sku_id, 0)
            + sum(qty for at, qty in sales.get(sku_id, ()) if row.told_at is None or at >= row.told_at)
            for sku_id in needs
        }
        listed[row.id] = Listed(
            id=row.id,
            channel_sku=row.channel_sku,
            item_ref=row.item_ref,
            skus=tuple(needs),
            qty=numbers[row.id],
            told=Told(
                accepted=row.told_qty,
                sure=row.told_sure,
                sent_since=unpack_sent(row.sent_since),
                earlier=unpack_sent(row.earlier),
                late=unpack_sent(row.late),
                late_over=row.late_until_at is None or row.late_until_at <= tx.now,
            ),
            late_until_at=row.late_until_at,
            unexplained_zero=row in zeros
            and not _is_paused(own, row.sku_id, needs)
            and not any(
                explained(told_qty=row.told_qty, units=row.factor * qty, taken=taken[sku_id])
                for sku_id, qty in needs.items()
            ),
        )
    return listed


def _shelves(tx: Tx, ctx: Context, channel: Channel, skus: Sequence[int]) -> dict[int, dict[int, Shelf]]:
    query = select(stock).where(stock.c.sku_id.in_(skus), stock.c.warehouse_id.in_(ctx.sourcing.of(channel.id)))
    kept = kept_in(tx, skus)
    shelves: dict[int, dict[int, Shelf]] = defaultdict(dict)
    for row in tx.all(query):
        keep = kept.get(StockKey(row.sku_id, row.warehouse_id), AS_CONFIGURED)
        safety = ctx.warehouses[row.warehouse_id].safety_stock if keep.safety is None else keep.safety
        shelf = Shelf(on_hand=row.on_hand, reserved=row.reserved, safety_stock=safety, paused=keep.paused)
        shelves[row.sku_id][row.warehouse_id] = shelf
    return shelves


def _is_paused(own: Mapping[int, Own], sku_id: int, needs: Iterable[int]) -> bool:
    """Whether people have paused a listing's SKU on the channel, or a part of it."""
    return any(own.get(id, NOTHING_OWN).paused for id in (sku_id, *needs))


def _number(
    channel: Channel,
    row: Any,
    needs: Mapping[int, int],
    shelves: Mapping[int, Mapping[int, Shelf]],
    unpaid: Mapping[int, int],
    own: Mapping[int, Own],
    groups: Groups,
) -> int | None:
    """Return what a listing shows: what every part of it allows, and no more than can be sent whole."""
    if _is_paused(own, row.sku_id, needs):
        return 0
    if any(not shelves.get(sku_id) for sku_id in needs):
        return None
    free = {sku_id: {place: shelf.available for place, shelf in shelves[sku_id].items()} for sku_id in needs}
    shares = {
        sku_id: level(
            available=sum(free[sku_id].values()),
            unpaid=unpaid.get(sku_id, 0),
            factor=1,
            policy=channel.stock,
            own=own.get(sku_id, NOTHING_OWN),
        )
        for sku_id in needs
    }
    parts = {sku_id: row.factor * qty for sku_id, qty in needs.items()}
    qty = min(share // parts[sku_id] for sku_id, share in shares.items())
    if len(groups) > 1 and sum(parts.values()) > 1:
        qty = min(qty, whole_number(parts, groups, free, shares))
    return capped(qty, policy=channel.stock, own=own.get(row.sku_id, NOTHING_OWN))


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
