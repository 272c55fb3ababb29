"""The number of each listing, from stock, holds, bundles and unpaid orders, in a few queries per batch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from erpsync.core.allocation import Place
from erpsync.core.availability import (
    NOTHING_OWN,
    Own,
    Shelf,
    Told,
    braked,
    capped,
    explained,
    number,
    unpack_sent,
    whole_number,
)
from erpsync.flows.fulfil import UNPAID_COUNTS_FOR
from erpsync.flows.house import Channel, House
from erpsync.flows.mapping import bundle_parts
from erpsync.flows.whole_units import Groups, together
from erpsync.store.notes import close_tasks
from erpsync.store.policies import AS_CONFIGURED, kept_in, own_of
from erpsync.store.queue import IS_WAITING
from erpsync.store.store import Tx
from erpsync.store.tables import ledger, listing, orders, outbox, stock
from erpsync.store.unpaid import unpaid_by_sku

BRAKE_WINDOW = timedelta(seconds=60)
SALES = ("shipped", "shipped_elsewhere")


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


def load_listed(tx: Tx, house: House, channel: Channel, listing_ids: Sequence[int]) -> dict[int, Listed]:
    """Return these listings with their numbers as of this transaction."""
    query = select(listing).where(listing.c.id.in_(listing_ids), listing.c.sku_id.is_not(None))
    rows = tx.all(query.order_by(listing.c.id).with_for_update(key_share=True))
    bundles = bundle_parts(tx, [row.sku_id for row in rows])
    parts = {row.id: bundles.get(row.sku_id, {row.sku_id: 1}) for row in rows}
    skus = sorted({sku_id for needs in parts.values() for sku_id in needs})
    unpaid = unpaid_units(tx, channel, skus)  # before the holds: an order paid in between counts twice, not never
    shelves = _shelves(tx, house, channel, skus)
    own, groups = own_of(tx, channel.id, [*skus, *(row.sku_id for row in rows)]), together(house, channel.id)
    numbers = {row.id: _number(channel, row, parts[row.id], shelves, unpaid, own, groups) for row in rows}
    zeros = [row for row in rows if numbers[row.id] == 0 and row.told_qty]
    sales = _sales(tx, house, channel, {sku_id for row in zeros for sku_id in parts[row.id]}, zeros)
    found: dict[int, Listed] = {}
    for row in rows:
        needs = parts[row.id]
        taken = {
            sku_id: sum(shelf.reserved for shelf in shelves[sku_id].values())
            + unpaid.get(sku_id, 0)
            + sum(qty for at, qty in sales.get(sku_id, ()) if row.told_at is None or at >= row.told_at)
            for sku_id in needs
        }
        found[row.id] = Listed(
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
    return found


def _shelves(tx: Tx, house: House, channel: Channel, skus: Sequence[int]) -> dict[int, dict[int, Shelf]]:
    feeding = house.feeding.get(channel.id, ())
    query = select(stock).where(stock.c.sku_id.in_(skus), stock.c.warehouse_id.in_(feeding))
    kept = kept_in(tx, skus)
    shelves: dict[int, dict[int, Shelf]] = defaultdict(dict)
    for row in tx.all(query):
        keep = kept.get(Place(row.sku_id, row.warehouse_id), AS_CONFIGURED)
        safety = house.warehouses[row.warehouse_id].safety_stock if keep.safety is None else keep.safety
        shelf = Shelf(on_hand=row.on_hand, reserved=row.reserved, safety_stock=safety, paused=keep.paused)
        shelves[row.sku_id][row.warehouse_id] = shelf
    return shelves


def _is_paused(own: Mapping[int, Own], sku_id: int, needs: Iterable[int]) -> bool:
    """Whether people have paused a listing's SKU on the channel, or a part of it."""
    return any(own.get(each, NOTHING_OWN).paused for each in (sku_id, *needs))


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
        sku_id: number(
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


def unpaid_units(tx: Tx, channel: Channel, skus: Iterable[int]) -> dict[int, int]:
    """Return the channel's own unpaid units that hold nothing, by SKU; orders older than three days do not count."""
    wanted = set(skus)
    if not wanted:
        return {}
    after = tx.trusted_now - UNPAID_COUNTS_FOR
    query = unpaid_by_sku(orders.c.channel_id == channel.id, skus=sorted(wanted), after=after)
    return {row.sku_id: int(row.qty) for row in tx.all(query) if row.sku_id in wanted}


def _sales(
    tx: Tx, house: House, channel: Channel, skus: set[int], rows: Sequence[Any]
) -> dict[int, list[tuple[datetime, int]]]:
    """Return when and how many units left the channel's warehouses as sales since the first of the rows was told."""
    told = [row.told_at for row in rows if row.told_at is not None]
    found: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    if told and skus:
        query = select(ledger.c.sku_id, ledger.c.at, ledger.c.qty).where(
            ledger.c.sku_id.in_(sorted(skus)),
            ledger.c.at >= min(told),
            ledger.c.reason.in_(SALES),
            ledger.c.warehouse_id.in_(house.feeding.get(channel.id, ())),
        )
        for row in tx.all(query):
            found[row.sku_id].append((row.at, -row.qty))
    return found


def end_brake(tx: Tx, channel: Channel) -> None:
    """Close the brake's task once no number of the channel waits for it any more: a right count has made them void."""
    waits = and_(outbox.c.destination_id == channel.id, outbox.c.waiting_for == "brake", IS_WAITING)
    if tx.execute(select(outbox.c.id).where(waits).limit(1)).first() is None:
        close_tasks(tx, "brake", [channel.name], by="erpsync")


def brake_trips(tx: Tx, channel: Channel) -> bool:
    """Whether too many of the channel's listings went to zero for no reason known, over the last 60 seconds.

    Those that wait since an earlier wave count with them, or they would leak out one by one.
    """
    mine = listing.c.channel_id == channel.id
    waiting = select(outbox.c.ref_id).where(
        outbox.c.destination_id == channel.id, outbox.c.waiting_for == "brake", IS_WAITING
    )
    zeroed = or_(listing.c.zeroed_at > tx.now - BRAKE_WINDOW, listing.c.id.in_(waiting))
    above = select(func.count()).where(mine, or_(listing.c.told_qty > 0, zeroed))
    zeros = select(func.count()).where(mine, zeroed)
    return braked(
        unexplained_zeros=int(tx.execute(zeros).scalar_one()),
        told_above_zero=int(tx.execute(above).scalar_one()),
        policy=channel.stock.brake,
    )
