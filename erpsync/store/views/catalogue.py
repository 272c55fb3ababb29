"""Stock, listings and bundles as they are printed."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select, tuple_

from erpsync.store.registry import NO_VARIANT
from erpsync.store.tables import UNMAPPED_LISTING, bundle, channel, listing, sku, sku_policy, stock, warehouse
from erpsync.store.views.values import Json, row_json


def list_stock(
    connection: Connection,
    *,
    warehouse_code: str | None = None,
    sku_code: str | None = None,
    sku_codes: Sequence[str] | None = None,
    variants: bool = False,
    limit: int = 0,
    after: tuple[str, str] | None = None,
) -> list[Json]:
    """Return stock per warehouse and SKU; `available` is what may still be promised, never below zero.

    Nothing is where a warehouse feeds no channel.

    Args:
        sku_codes: only of these SKUs, no more than a page of them.
        variants: also of what is made as buyers want it; whoever names such a SKU sees it anyhow.
        limit: how many at most; 0 is all.
        after: SKU and warehouse of a row: only what comes after it in this list is returned.
    """
    free = stock.c.on_hand - stock.c.reserved - func.coalesce(sku_policy.c.safety, warehouse.c.safety_stock)
    may_leave = and_(free > 0, warehouse.c.sellable, warehouse.c.feeds, sku_policy.c.paused.is_not(True))
    own = and_(
        sku_policy.c.sku_id == stock.c.sku_id,
        sku_policy.c.warehouse_id == stock.c.warehouse_id,
        sku_policy.c.warehouse_id.is_not(None),
    )
    query = (
        select(
            warehouse.c.code.label("warehouse"),
            sku.c.code.label("sku"),
            stock.c.on_hand,
            stock.c.reserved,
            case((may_leave, free), else_=0).label("available"),
        )
        .join(warehouse, warehouse.c.id == stock.c.warehouse_id)
        .join(sku, sku.c.id == stock.c.sku_id)
        .outerjoin(sku_policy, own)
        .order_by(sku.c.code, warehouse.c.priority, warehouse.c.code)
        .limit(limit or None)
    )
    if after is not None:
        query = query.where(_beyond_stock(*after))
    if warehouse_code is not None:
        query = query.where(warehouse.c.code == warehouse_code)
    if sku_code is not None:
        query = query.where(sku.c.code == sku_code)
    if sku_codes is not None:
        query = query.where(sku.c.code.in_(sku_codes))
    if not variants and sku_code is None and sku_codes is None:
        query = query.where(NO_VARIANT)
    return [dict(row._mapping) for row in connection.execute(query)]


def _beyond_stock(code: str, place: str) -> ColumnElement[bool]:
    priority = select(warehouse.c.priority).where(warehouse.c.code == place).scalar_subquery()
    later = or_(warehouse.c.priority > priority, and_(warehouse.c.priority == priority, warehouse.c.code > place))
    return and_(sku.c.code >= code, or_(sku.c.code > code, later))


_LISTING = (
    "channel",
    "channel_sku",
    "item_ref",
    "title",
    "sku",
    "factor",
    "no_stock",
    "told_qty",
    "told_sure",
    "told_at",
    "shown_qty",
    "shown_at",
    "refused",
)


def list_listings(
    connection: Connection,
    *,
    channel_name: str | None = None,
    sku_code: str | None = None,
    unmapped: bool = False,
    limit: int = 0,
    after: tuple[str, str, str] | None = None,
) -> list[Json]:
    """Return listings; `sku` is null where none is known or it is no goods, `told_qty` is what the channel accepted.

    `told_sure` is false while a number is under way or its outcome unknown; `refused` is the channel's last refusal.

    Args:
        limit: how many at most; 0 is all.
        after: channel, channel_sku and item_ref of a listing: only what comes after it in this list is returned.
    """
    query = (
        select(listing, channel.c.name.label("channel"), sku.c.code.label("sku"))
        .join(channel, channel.c.id == listing.c.channel_id)
        .outerjoin(sku, sku.c.id == listing.c.sku_id)
        .order_by(channel.c.name, listing.c.channel_sku, listing.c.item_ref)
        .limit(limit or None)
    )
    if after is not None:
        query = query.where(tuple_(channel.c.name, listing.c.channel_sku, listing.c.item_ref) > tuple_(*after))
    if channel_name is not None:
        query = query.where(channel.c.name == channel_name)
    if sku_code is not None:
        query = query.where(sku.c.code == sku_code)
    if unmapped:
        query = query.where(UNMAPPED_LISTING)
    return [row_json(row, _LISTING) for row in connection.execute(query)]


def list_unknown_stock(connection: Connection, sourcing: Mapping[int, Sequence[int]]) -> list[Json]:
    """Return `{channel, channel_sku, sku}` of mapped listings whose stock nobody has counted.

    `sku` is what has no stock row in any warehouse that feeds the channel: the listing's own, or a part of its bundle.

    Args:
        sourcing: ids of those warehouses, by id of each channel that is told stock.
    """
    part = bundle.alias("part")
    needed = case((part.c.sku_id.is_(None), listing.c.sku_id), else_=part.c.sku_id)
    unknown: list[Json] = []
    for channel_id, warehouse_ids in sourcing.items():
        counted = exists().where(stock.c.sku_id == needed, stock.c.warehouse_id.in_(warehouse_ids))
        query = (
            select(channel.c.name.label("channel"), listing.c.channel_sku, sku.c.code.label("sku"))
            .select_from(listing)
            .join(channel, channel.c.id == listing.c.channel_id)
            .outerjoin(part, part.c.bundle_id == listing.c.sku_id)
            .join(sku, sku.c.id == needed)
            .where(listing.c.channel_id == channel_id, ~counted)
            .order_by(listing.c.channel_sku, sku.c.code)
        )
        unknown += [dict(row._mapping) for row in connection.execute(query)]
    return unknown


def list_bundles(connection: Connection, *, sku_code: str | None = None) -> list[Json]:
    """Return what is in each bundle, `qty` of `sku` in one `bundle`; `sku_code` names either of the two."""
    whole, part = sku.alias("whole"), sku.alias("part")
    query = (
        select(whole.c.code.label("bundle"), part.c.code.label("sku"), bundle.c.qty)
        .join(whole, whole.c.id == bundle.c.bundle_id)
        .join(part, part.c.id == bundle.c.sku_id)
        .order_by(whole.c.code, part.c.code)
    )
    if sku_code is not None:
        query = query.where(or_(whole.c.code == sku_code, part.c.code == sku_code))
    return [dict(row._mapping) for row in connection.execute(query)]
