"""The story behind a SKU: where it lies, who holds it, what each channel was told, and what led there."""

from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from erpsync.store.tables import (
    backorder,
    bundle,
    channel,
    event,
    hold,
    ledger,
    listing,
    order_line,
    orders,
    outbox,
    shipment,
    sku,
    sold_out,
    warehouse,
)
from erpsync.store.views.catalogue import list_bundles, list_listings, list_stock
from erpsync.store.views.entries import entry, in_order, of_effect, of_events, of_movement
from erpsync.store.views.next_steps import next_of_sku
from erpsync.store.views.values import Json, NotFound, row_json

LATEST = 200
MOST_HOLDS = 500


def tell_sku(connection: Connection, code: str, *, latest: int = LATEST, off: Collection[str] = ()) -> Json:
    """Return `{sku, stock, holds, more_holds, backorders, listings, bundles, story, next}`; raises `NotFound`.

    Of very many holds the oldest `MOST_HOLDS` are named, and the others counted.

    Args:
        off: channels that are switched off in the configuration.
        latest: how many events, stock movements and pushes the story goes back, of each.
    """
    sku_id = connection.execute(select(sku.c.id).where(sku.c.code == code)).scalar()
    if sku_id is None:
        raise NotFound(f"no SKU {code}")
    shown: Json = {
        "sku": code,
        "stock": list_stock(connection, sku_code=code),
        "holds": (holds := _holds(connection, sku_id)),
        "more_holds": _count_holds(connection, sku_id) - MOST_HOLDS if len(holds) == MOST_HOLDS else 0,
        "backorders": _backorders(connection, sku_id),
        "listings": list_listings(connection, sku_code=code),
        "bundles": list_bundles(connection, sku_code=code),
        "story": in_order(_story(connection, sku_id, latest)),
    }
    return shown | {"next": next_of_sku(connection, sku_id, shown, off=off)}


def _story(connection: Connection, sku_id: int, latest: int) -> Iterable[Json]:
    # Scans event: newest first, and no further than `latest`.
    events = select(event).where(event.c.sku_id == sku_id, event.c.sku_id.is_not(None))
    told = connection.execute(events.order_by(event.c.id.desc()).limit(latest)).all()
    return chain(
        of_events(connection, reversed(told)),
        _movements(connection, sku_id, latest),
        _pushes(connection, sku_id, latest),
        _sold_out(connection, sku_id, latest),
    )


def _holds(connection: Connection, sku_id: int) -> list[Json]:
    """Return who has units; what belongs to no order names none."""
    # Scans hold: by SKU, and it holds what is open, no history.
    oldest = select(hold).where(hold.c.sku_id == sku_id).order_by(hold.c.owner_id, hold.c.owner_kind).limit(MOST_HOLDS)
    held = oldest.subquery("held")
    query = (
        select(
            orders.c.number.label("order"),
            channel.c.name.label("channel"),
            order_line.c.external_id.label("line"),
            warehouse.c.code.label("warehouse"),
            held.c.qty,
            held.c.expires_at,
            held.c.released,
            held.c.owner_kind.label("owner"),
        )
        .select_from(held)
        .outerjoin(order_line, and_(held.c.owner_kind == "line", held.c.owner_id == order_line.c.id))
        .outerjoin(orders, orders.c.id == order_line.c.order_id)
        .outerjoin(channel, channel.c.id == orders.c.channel_id)
        .join(warehouse, warehouse.c.id == held.c.warehouse_id)
        .order_by(orders.c.number.is_(None), orders.c.number, held.c.owner_kind, held.c.owner_id)
    )
    rows = connection.execute(query)
    return [row_json(row, row._fields) for row in rows]


def _count_holds(connection: Connection, sku_id: int) -> int:
    # Scans hold: by SKU, and it holds what is open, no history.
    return int(connection.execute(select(func.count()).select_from(hold).where(hold.c.sku_id == sku_id)).scalar_one())


def _backorders(connection: Connection, sku_id: int) -> list[Json]:
    """Return who waits for units, in the order in which they will be served; what is no order names none."""
    query = (
        select(
            orders.c.number.label("order"),
            channel.c.name.label("channel"),
            backorder.c.qty,
            backorder.c.due_at,
            backorder.c.waits,
            backorder.c.owner_kind.label("owner"),
        )
        .select_from(backorder)
        .outerjoin(orders, orders.c.id == backorder.c.order_id)
        .outerjoin(channel, channel.c.id == backorder.c.channel_id)
        .where(backorder.c.sku_id == sku_id)
        .order_by(backorder.c.due_at, backorder.c.number)
    )
    return [row_json(row, row._fields) for row in connection.execute(query)]


def _movements(connection: Connection, sku_id: int, latest: int) -> list[Json]:
    # Scans ledger: newest first, and no further than `latest`.
    query = (
        select(ledger, sku.c.code.label("sku"), warehouse.c.code.label("warehouse"), orders.c.number.label("order"))
        .join(sku, sku.c.id == ledger.c.sku_id)
        .join(warehouse, warehouse.c.id == ledger.c.warehouse_id)
        .outerjoin(shipment, and_(ledger.c.ref_kind == "shipment", ledger.c.ref_id == shipment.c.id))
        .outerjoin(order_line, and_(ledger.c.ref_kind == "line", ledger.c.ref_id == order_line.c.id))
        .outerjoin(orders, _names_order())
        .where(ledger.c.sku_id == sku_id)
        .order_by(ledger.c.at.desc(), ledger.c.id.desc())
        .limit(latest)
    )
    rows = connection.execute(query).all()
    return [of_movement(row, {"order": row.order} if row.order else {}) for row in reversed(rows)]


def _sold_out(connection: Connection, sku_id: int, latest: int) -> list[Json]:
    """Return from when and to when nothing of the SKU could be promised."""
    periods = select(sold_out).where(sold_out.c.sku_id == sku_id).order_by(sold_out.c.from_at.desc()).limit(latest)
    entries = []
    for row in connection.execute(periods):
        entries.append(entry(row.from_at, "stock", "sold out", {}))
        if row.to_at is not None:
            entries.append(entry(row.to_at, "stock", "to be had again", {}))
    return entries


def _names_order() -> ColumnElement[bool]:
    return or_(
        orders.c.id == shipment.c.order_id,
        orders.c.id == order_line.c.order_id,
        and_(ledger.c.ref_kind == "order", orders.c.id == ledger.c.ref_id),
    )


def _pushes(connection: Connection, sku_id: int, latest: int) -> list[Json]:
    """Return pushes of every listing the SKU feeds, alone or in a bundle."""
    bundles = select(bundle.c.bundle_id).where(bundle.c.sku_id == sku_id)
    fed_listings = or_(listing.c.sku_id == sku_id, listing.c.sku_id.in_(bundles))
    named = connection.execute(select(listing.c.id, listing.c.channel_sku).where(fed_listings))
    channel_skus = {row.id: row.channel_sku for row in named}
    query = select(outbox, channel.c.name.label("channel")).join(channel, channel.c.id == outbox.c.destination_id)
    rows: list[Any] = []
    # Scans outbox: backwards, and the latest of each: all that a best seller was told is too much.
    for listing_id in sorted(channel_skus):
        told = query.where(outbox.c.kind == "stock", outbox.c.ref_id == listing_id)
        rows += connection.execute(told.order_by(outbox.c.id.desc()).limit(latest))
    rows = sorted(rows, key=lambda row: row.id)[-latest:]
    return [of_effect(row, {"channel_sku": channel_skus[row.ref_id]}) for row in rows]
