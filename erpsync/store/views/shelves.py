"""A page of SKUs: what lies where, what is owed, and what each channel was told last; a few queries per page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from erpsync.store.names import plain
from erpsync.store.registry import NO_VARIANT
from erpsync.store.tables import (
    backorder,
    bundle,
    channel,
    listing,
    sku,
    sku_policy,
    sold_out,
    stock,
    waiting_count,
    warehouse,
)
from erpsync.store.views.catalogue import list_stock
from erpsync.store.views.goods import find_goods
from erpsync.store.views.values import Json, row_json

ONLY = ("owed", "low", "out", "unsure", "unknown", "paused")
"""What a page of SKUs may be narrowed to: units are owed, fewer than the safety stock are left, nothing can be
promised, a channel may show another number or refused it, nobody has counted it, people have paused it."""

_TOLD = ("channel", "channel_sku", "told_qty", "told_sure", "told_at", "refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfFilter:
    """Which SKUs are wanted: by a text in code or title, a code, a row in a warehouse, a state of `ONLY`.

    What is made as buyers want it is left out unless it is asked for, by its code or all of it.
    """

    text: str = ""
    code: str | None = None
    warehouse: str | None = None
    only: str = ""
    variants: bool = False


def page_of_shelves(connection: Connection, wanted: ShelfFilter, limit: int, after: str | None = None) -> list[Json]:
    """Return SKUs by code, each `{sku, title, places, owed, orders, told, parts, waiting, paused}`.

    `places` are its rows of `list_stock` by warehouse, `told` its listings, `parts` what is in one of a bundle,
    `waiting` counts that nobody believes yet. More than 2,000 that fit a text are not all found.

    Args:
        after: the code of a SKU: only what comes after it is returned.
    """
    query = select(sku.c.id, sku.c.code, sku.c.title).where(*_conditions(connection, wanted))
    if after is not None:
        query = query.where(sku.c.code > after)
    rows = connection.execute(query.order_by(sku.c.code).limit(limit)).all()
    if not rows:
        return []
    return _with_numbers(connection, {row.id: row.code for row in rows}, wanted.warehouse, [row.title for row in rows])


def _conditions(connection: Connection, wanted: ShelfFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if plain(wanted.text):
        conditions.append(sku.c.id.in_(sorted(find_goods(connection, wanted.text).things.skus)))
    if wanted.code is not None:
        conditions.append(sku.c.code == wanted.code)
    elif not wanted.variants:
        conditions.append(NO_VARIANT)
    if wanted.warehouse is not None:
        place = select(warehouse.c.id).where(warehouse.c.code == wanted.warehouse).scalar_subquery()
        conditions.append(exists().where(stock.c.sku_id == sku.c.id, stock.c.warehouse_id == place))
    if wanted.only in ONLY:
        conditions.append(_only(wanted.only))
    return conditions


def _only(state: str) -> ColumnElement[bool]:
    if state == "owed":
        return sku.c.id.in_(select(backorder.c.sku_id))
    if state == "low":
        return _below_safety()
    if state == "out":
        return sku.c.id.in_(select(sold_out.c.sku_id).where(sold_out.c.to_at.is_(None)))
    if state == "unsure":
        doubtful = and_(listing.c.told_qty.is_not(None), ~listing.c.told_sure)
        return exists().where(listing.c.sku_id == sku.c.id, or_(doubtful, listing.c.refused != ""))
    if state == "paused":
        return sku.c.id.in_(select(sku_policy.c.sku_id).where(sku_policy.c.paused))
    wanted = or_(exists().where(listing.c.sku_id == sku.c.id), exists().where(bundle.c.sku_id == sku.c.id))
    counted = exists().where(stock.c.sku_id == sku.c.id)
    return and_(wanted, ~counted, ~exists().where(bundle.c.bundle_id == sku.c.id))


def _below_safety() -> ColumnElement[bool]:
    # Scans stock: a row per SKU and warehouse, as long as the assortment.
    own = and_(
        sku_policy.c.sku_id == stock.c.sku_id,
        sku_policy.c.warehouse_id == stock.c.warehouse_id,
        sku_policy.c.warehouse_id.is_not(None),
    )
    safety = func.coalesce(sku_policy.c.safety, warehouse.c.safety_stock)
    places = stock.join(warehouse, warehouse.c.id == stock.c.warehouse_id).outerjoin(sku_policy, own)
    low = select(stock.c.sku_id).select_from(places).where(stock.c.on_hand - stock.c.reserved < safety)
    return sku.c.id.in_(low)


def _with_numbers(
    connection: Connection, codes: dict[int, str], place: str | None, titles: Sequence[str]
) -> list[Json]:
    ids = list(codes)
    places: dict[str, dict[str, Json]] = {}
    for row in list_stock(connection, sku_codes=list(codes.values()), warehouse_code=place):
        places.setdefault(row["sku"], {})[row["warehouse"]] = row
    owed, told, parts = _owed(connection, ids), _told(connection, ids), _parts(connection, ids)
    waiting, paused = _waiting(connection, list(codes.values())), _paused(connection, ids)
    return [
        {
            "sku": code,
            "title": title or next((row["title"] for row in told.get(id, ()) if row["title"]), ""),
            "places": places.get(code, {}),
            "owed": owed.get(id, (0, 0))[0],
            "orders": owed.get(id, (0, 0))[1],
            "told": told.get(id, []),
            "parts": parts.get(id, []),
            "waiting": waiting.get(code, 0),
            "paused": id in paused,
        }
        for (id, code), title in zip(codes.items(), titles, strict=True)
    ]


def _owed(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return how many units are owed, and to how many orders, by SKU."""
    columns = (backorder.c.sku_id, func.sum(backorder.c.qty).label("qty"), func.count().label("orders"))
    query = select(*columns).where(backorder.c.sku_id.in_(ids)).group_by(backorder.c.sku_id)
    return {row.sku_id: (int(row.qty), int(row.orders)) for row in connection.execute(query)}


def _told(connection: Connection, ids: Sequence[int]) -> dict[int, list[Json]]:
    query = (
        select(listing, channel.c.name.label("channel"))
        .join(channel, channel.c.id == listing.c.channel_id)
        .where(listing.c.sku_id.in_(ids))
        .order_by(channel.c.name, listing.c.channel_sku, listing.c.item_ref)
    )
    return _grouped(connection, query, (*_TOLD, "title"))


def _grouped(connection: Connection, query: Any, names: Sequence[str]) -> dict[int, list[Json]]:
    by_sku: dict[int, list[Json]] = {}
    for row in connection.execute(query):
        by_sku.setdefault(row.sku_id, []).append(row_json(row, names))
    return by_sku


def _parts(connection: Connection, ids: Sequence[int]) -> dict[int, list[Json]]:
    joined = select(bundle.c.bundle_id.label("sku_id"), sku.c.code.label("sku"), bundle.c.qty).select_from(bundle)
    query = joined.join(sku, sku.c.id == bundle.c.sku_id).where(bundle.c.bundle_id.in_(ids)).order_by(sku.c.code)
    return _grouped(connection, query, ("sku", "qty"))


def _waiting(connection: Connection, codes: Sequence[str]) -> dict[str, int]:
    # Scans waiting_count: counts that wait for a person, no history.
    query = select(waiting_count.c.sku, func.count().label("counts")).where(waiting_count.c.sku.in_(codes))
    named = query.where(~waiting_count.c.unknown).group_by(waiting_count.c.sku)
    return {row.sku: int(row.counts) for row in connection.execute(named)}


def _paused(connection: Connection, ids: Sequence[int]) -> set[int]:
    query = select(sku_policy.c.sku_id).where(sku_policy.c.paused, sku_policy.c.sku_id.in_(ids))
    return set(connection.execute(query.distinct()).scalars())
