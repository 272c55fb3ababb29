"""Which warehouses orders are to leave from, as rules say.

Why the others stay: a wish is no reason to let a buyer wait while another warehouse has his goods.
"""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import select

from erpsync.core.rules.places import short_place
from erpsync.flows.allocation.freight import cheapest
from erpsync.flows.context import Context
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.tables import order_mark, orders

WAREHOUSE, BY_ZONE, BY_FREIGHT = "warehouse", "by:zone", "by:freight"
REFUSED = "refused:"
"""With a warehouse's code behind it, the name of the mark of an order that this warehouse gave back."""


def with_wishes(tx: Tx, ctx: Context, order_ids: Collection[int]) -> Context:
    """Return the context with what these orders wish for, and which warehouses they are not to leave from.

    Where no rule names warehouses, and no warehouse that gives an order back is passed over, it is as it was.
    """
    if WAREHOUSE not in ctx.book.effects and not ctx.releases.refused.reroute:
        return ctx
    asked = sorted(set(order_ids) - ctx.sourcing.wishes.keys())
    wishes: dict[int, tuple[int, ...]] = dict.fromkeys(asked, ())
    query = select(order_mark.c.order_id, order_mark.c.name, order_mark.c.value, orders.c.province, orders.c.city)
    about = (order_mark.c.name == WAREHOUSE) | order_mark.c.name.startswith(REFUSED)
    marked = query.join(orders, orders.c.id == order_mark.c.order_id).where(about)
    ids = {place.id: row_id for row_id, place in ctx.warehouses.items()}
    refused = dict(ctx.sourcing.refused)
    by_freight: list[int] = []
    for part in in_parts(asked):
        for row in tx.all(marked.where(order_mark.c.order_id.in_(part))):
            if row.name == WAREHOUSE and row.value == BY_FREIGHT:
                by_freight.append(row.order_id)
            elif row.name == WAREHOUSE:
                wishes[row.order_id] = _places(ctx, row.value, row.province or "", row.city or "")
            elif (place := ids.get(row.name.removeprefix(REFUSED))) is not None:
                refused[row.order_id] = refused.get(row.order_id, frozenset()) | {place}
    if not asked:
        return ctx
    if by_freight:
        wishes |= cheapest(tx, ctx, by_freight)
    sourcing = replace(ctx.sourcing, wishes={**ctx.sourcing.wishes, **wishes}, refused=refused)
    return replace(ctx, sourcing=sourcing)


def _places(ctx: Context, value: str, province: str, city: str) -> tuple[int, ...]:
    """Return the warehouses of a mark: those it names that are configured, or the nearest ones."""
    if value == BY_ZONE:
        return _nearest(ctx, province, city) if province else ()
    ids = {place.id: row_id for row_id, place in ctx.warehouses.items()}
    return tuple(ids[code] for code in value.split() if code in ids)


def _nearest(ctx: Context, province: str, city: str) -> tuple[int, ...]:
    """Return the warehouses in a place's zone, then those in its province, each by priority."""
    zone_map, home = ctx.book.zone_map, short_place(province)
    zones = _known(zone_map.of(province, city))
    near = []
    for row_id, place in ctx.warehouses.items():
        if place.sender is None:
            continue
        in_zone = not zones.isdisjoint(_known(zone_map.of(place.sender.province, place.sender.city)))
        in_province = short_place(place.sender.province) == home
        if in_zone or in_province:
            near.append((not in_zone, not in_province, place.priority, place.id, row_id))
    return tuple(row_id for *_, row_id in sorted(near))


def _known(zones: object) -> frozenset[str]:
    return zones if isinstance(zones, frozenset) else frozenset()
