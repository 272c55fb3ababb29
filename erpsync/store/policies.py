"""What people set for single SKUs: kept back, capped, buffered or paused, on a channel or in a warehouse.

Why in the database and not in the configuration: they change daily and by the thousand, out of a spreadsheet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from erpsync.core.allocation import StockKey
from erpsync.core.availability import Own
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.tables import channel, sku, sku_policy, warehouse
from erpsync.store.views.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What a warehouse keeps of a SKU: `safety` units (None: as the warehouse says), or all of it."""

    safety: int | None = None
    paused: bool = False


AS_CONFIGURED = Keep()


def kept_in(tx: Tx, sku_ids: Iterable[int]) -> dict[StockKey, Keep]:
    """Return what warehouses keep of these SKUs, where people have set something."""
    keeps: dict[StockKey, Keep] = {}
    for part in in_parts(sku_ids):
        query = select(sku_policy).where(sku_policy.c.sku_id.in_(part), sku_policy.c.warehouse_id.is_not(None))
        for row in tx.all(query):
            keeps[StockKey(row.sku_id, row.warehouse_id)] = Keep(safety=row.safety, paused=bool(row.paused))
    return keeps


def own_of(tx: Tx, channel_id: int, sku_ids: Iterable[int]) -> dict[int, Own]:
    """Return what people have set for these SKUs on a channel, by SKU id."""
    by_sku: dict[int, Own] = {}
    for part in in_parts(sku_ids):
        of_channel = (sku_policy.c.channel_id == channel_id) & sku_policy.c.channel_id.is_not(None)
        for row in tx.all(select(sku_policy).where(sku_policy.c.sku_id.in_(part), of_channel)):
            own = Own(safety=row.safety or 0, cap=row.cap, buffer=row.buffer, paused=bool(row.paused))
            by_sku[row.sku_id] = own
    return by_sku


def list_policies(connection: Connection, **only: str | None) -> list[Json]:
    """Return what is set for single SKUs, by SKU; `only` are codes of `sku`, `channel` and `warehouse`."""
    columns: Mapping[str, Any] = {"sku": sku.c.code, "channel": channel.c.name, "warehouse": warehouse.c.code}
    query = (
        select(
            *(column.label(name) for name, column in columns.items()),
            sku_policy.c.safety,
            sku_policy.c.cap,
            sku_policy.c.buffer,
            sku_policy.c.paused,
        )
        .select_from(sku_policy)
        .join(sku, sku.c.id == sku_policy.c.sku_id)
        .outerjoin(channel, channel.c.id == sku_policy.c.channel_id)
        .outerjoin(warehouse, warehouse.c.id == sku_policy.c.warehouse_id)
        .order_by(sku.c.code, channel.c.name, warehouse.c.code)
    )
    for name, code in only.items():
        if code is not None:
            query = query.where(columns[name] == code)
    return [dict(row._mapping) for row in connection.execute(query)]
