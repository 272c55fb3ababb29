"""From which warehouse an order leaves cheapest, by rate card.

Why as one parcel: how an order is split is known only once its units are given out, and that is what is asked here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from erpsync.core.orders import KnownOrder, OrderKind
from erpsync.core.rates import Rate, least
from erpsync.core.rules.places import ZoneMap
from erpsync.flows.context import Channel, Context
from erpsync.store.db.store import Tx
from erpsync.store.goods import goods_of
from erpsync.store.orders import read_orders
from erpsync.store.rates import cards_of


def cheapest(tx: Tx, ctx: Context, order_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Return by order the warehouses that have a price for it, cheapest first; none where no cost is known.

    A warehouse costs what the cheapest account takes that fetches parcels there.
    """
    known = read_orders(tx.connection, order_ids)
    units = {id: _units(order) for id, order in known.items()}
    goods = goods_of(tx.connection, {sku_id for of_order in units.values() for sku_id in of_order})
    accounts = [channel for channel in ctx.channels.values() if channel.enabled]
    cards = cards_of(tx.connection, [account.id for account in accounts])
    priced = [(account, cards[account.id]) for account in accounts if account.id in cards]
    return {id: _ranked(ctx, order, units[id], goods, priced) for id, order in known.items()}


def _units(order: KnownOrder) -> dict[int, int]:
    """Return what has still to leave, by SKU; nothing where a line is tied to none."""
    units: dict[int, int] = {}
    for line in order.lines:
        if line.open_qty and not line.parts:
            return {}
        for sku_id, per_unit in line.parts.items():
            units[sku_id] = units.get(sku_id, 0) + line.open_qty * per_unit
    return {sku_id: qty for sku_id, qty in units.items() if qty}


def _ranked(
    ctx: Context,
    order: KnownOrder,
    units: Mapping[int, int],
    goods: Mapping[int, Mapping[str, Any]],
    priced: Sequence[tuple[Channel, Sequence[Rate]]],
) -> tuple[int, ...]:
    zones = _zones(ctx.book.zone_map, order)
    weight_g, volume_cm3 = (_sum(name, units, goods) for name in ("weight_g", "volume_cm3"))
    found = []
    for row_id in ctx.sourcing.of(order.channel_id):
        place = ctx.warehouses[row_id]
        costs = [
            cost
            for account, card in priced
            if account.courier.fetches(place.id) and (account.courier.cod or order.kind is not OrderKind.COD)
            if (cost := least(account.courier.booked(card), zones, weight_g, volume_cm3)) is not None
        ]
        if costs:
            found.append((min(costs), place.priority, place.id, row_id))
    return tuple(row_id for *_, row_id in sorted(found))


def _zones(zone_map: ZoneMap, order: KnownOrder) -> frozenset[str] | None:
    province, city, _ = order.region or ("", "", "")
    zones = zone_map.of(province, city) if province and city else None
    return zones if isinstance(zones, frozenset) else None


def _sum(name: str, units: Mapping[int, int], goods: Mapping[int, Mapping[str, Any]]) -> int | None:
    each = [(goods[sku_id][name], qty) for sku_id, qty in units.items()]
    return None if not each or any(one is None for one, _ in each) else sum(one * qty for one, qty in each)
