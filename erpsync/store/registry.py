"""Channels, warehouses and SKUs: the few rows that everything else points at."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, exists, select, update

from erpsync.core.policy import WarehousePolicy
from erpsync.store.db.bulk import in_parts, insert_many, new_ids, update_many
from erpsync.store.db.store import Tx
from erpsync.store.tables import channel, sku, variant, warehouse

OWN, OWN_ID = "internal", -1
"""The channel of orders that were made here, and its connector, which there is none of; its row is made with the first.

Its id is the same everywhere, so that a process that began before that row was there serves its orders all the same."""


NO_VARIANT = ~exists().where(variant.c.sku_id == sku.c.id)
"""SKUs that are goods of the assortment, and not what was made as one buyer wanted it."""


class ChannelRow(NamedTuple):
    """A channel as stored."""

    id: int
    name: str
    connector: str
    active: bool
    paused: bool


def sync_channels(tx: Tx, configured: Sequence[tuple[str, str]]) -> None:
    """Make the channel rows equal to the configured (name, connector) pairs; others but our own stay, not active."""
    stored = {row.name: row for row in tx.all(select(channel.c.id, channel.c.name, channel.c.connector))}
    fresh = [{"name": name, "connector": kind, "active": True} for name, kind in configured if name not in stored]
    insert_many(tx, channel, [dict(row, id=i) for row, i in zip(fresh, new_ids(tx, channel, len(fresh)), strict=True)])
    kept_names = [OWN, *(name for name, _ in configured)]
    tx.execute(update(channel).where(channel.c.name.not_in(kept_names)).values(active=False))
    kept = [{"id": stored[n].id, "connector": kind, "active": True} for n, kind in configured if n in stored]
    update_many(tx, channel, kept, keys=["id"])


def make_own_channel(tx: Tx) -> None:
    """See to it that the channel of own orders has its row."""
    if tx.execute(select(channel.c.id).where(channel.c.id == OWN_ID)).scalar() is None:
        row = {"id": OWN_ID, "name": OWN, "connector": OWN, "active": True}
        insert_many(tx, channel, [row], conflict="ON CONFLICT DO NOTHING")


def channels(connection: Connection) -> dict[str, ChannelRow]:
    """Return all channels by name."""
    columns = (channel.c.id, channel.c.name, channel.c.connector, channel.c.active, channel.c.paused)
    return {row.name: ChannelRow(*row) for row in connection.execute(select(*columns).order_by(channel.c.name))}


def sync_warehouses(tx: Tx, configured: Sequence[WarehousePolicy], sourcing: Collection[str]) -> list[int]:
    """Make the warehouse rows equal to the configuration; return ids of those whose safety stock or sale changed.

    A warehouse that is no longer configured keeps its stock and feeds nobody.

    Args:
        sourcing: codes of the warehouses that serve a channel.
    """
    stored = {row.code: row for row in tx.all(select(warehouse))}
    wanted = {
        w.id: {
            "priority": w.priority,
            "safety_stock": w.safety_stock,
            "sellable": w.sellable,
            "feeds": w.id in sourcing,
        }
        for w in configured
    }
    for code, row in stored.items():
        if code not in wanted:
            wanted[code] = {
                "priority": row.priority,
                "safety_stock": row.safety_stock,
                "sellable": False,
                "feeds": False,
            }
    fresh = [code for code in wanted if code not in stored]
    ids = new_ids(tx, warehouse, len(fresh))
    insert_many(tx, warehouse, [{"id": i, "code": c, **wanted[c]} for c, i in zip(fresh, ids, strict=True)])
    changed = [
        {"id": row.id, **wanted[code]}
        for code, row in stored.items()
        if (row.priority, row.safety_stock, row.sellable, row.feeds) != tuple(wanted[code].values())
    ]
    update_many(tx, warehouse, changed, keys=["id"])
    return [row["id"] for row in changed]


def warehouse_ids(connection: Connection) -> dict[str, int]:
    """Return warehouse ids by code."""
    return {row.code: row.id for row in connection.execute(select(warehouse.c.code, warehouse.c.id))}


def sku_ids(connection: Connection, codes: Iterable[str]) -> dict[str, int]:
    """Return the ids of those SKUs that exist, by code."""
    queries = (select(sku.c.code, sku.c.id).where(sku.c.code.in_(part)) for part in in_parts(codes))
    return {row.code: row.id for query in queries for row in connection.execute(query)}


def ids_by_name(connection: Connection, codes: Iterable[str]) -> dict[str, int]:
    """Return the ids of those SKUs that a seller code may mean, by code: what was made as a buyer wants it is none."""
    query = select(sku.c.code, sku.c.id).where(NO_VARIANT)
    return {
        row.code: row.id for part in in_parts(codes) for row in connection.execute(query.where(sku.c.code.in_(part)))
    }


def sku_codes(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Return SKU codes by id."""
    queries = (select(sku.c.id, sku.c.code).where(sku.c.id.in_(part)) for part in in_parts(ids))
    return {row.id: row.code for query in queries for row in connection.execute(query)}


def make_skus(tx: Tx, codes: Iterable[str]) -> dict[str, int]:
    """Return the ids of all the SKUs, those that are new made first."""
    wanted = sorted(set(codes))
    ids = sku_ids(tx.connection, wanted)
    fresh = [code for code in wanted if code not in ids]
    if fresh:
        statement = tx.insert(sku).on_conflict_do_nothing(index_elements=["code"])
        rows = [{"id": i, "code": c} for c, i in zip(fresh, new_ids(tx, sku, len(fresh)), strict=True)]
        tx.execute(statement, rows)
        ids |= sku_ids(tx.connection, fresh)
    return ids


def lock_skus(tx: Tx, sku_ids: Iterable[int]) -> None:
    """Lock SKUs, in order of id: after orders, before listings and dirty marks."""
    if tx.dialect == "sqlite":
        return
    for part in in_parts(sku_ids):
        rows = select(sku.c.id).where(sku.c.id.in_(part)).order_by(sku.c.id)
        tx.execute(rows.with_for_update(key_share=True))


def channel_id_of(connection: Connection, name: str) -> int | None:
    """Return a channel's row id."""
    return connection.execute(select(channel.c.id).where(channel.c.name == name)).scalar()
