"""How SKUs are planned: whether they are made, for whom, where they come out, and by which rules specs are read."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from erpsync.store.db.bulk import in_parts, insert_many
from erpsync.store.db.store import Tx
from erpsync.store.tables import bundle, item, sku, variant, warehouse
from erpsync.store.views.values import Json

COLUMNS = ("supply", "make_for", "warehouse_id", "spec", "offer", "lead_days")

_UPSERT = "ON CONFLICT (sku_id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)


def items_of(connection: Connection, sku_ids: Iterable[int]) -> dict[int, Json]:
    """Return how those of the SKUs are planned of which it is said: `COLUMNS`, by SKU id."""
    return {
        row.sku_id: {name: getattr(row, name) for name in COLUMNS}
        for part in in_parts(sku_ids)
        for row in connection.execute(select(item).where(item.c.sku_id.in_(part)))
    }


def write_items(tx: Tx, changed: Mapping[int, Mapping[str, Any]]) -> None:
    """Set how SKUs are planned, all of `COLUMNS` of each."""
    insert_many(tx, item, [{"sku_id": id, **row} for id, row in sorted(changed.items())], conflict=_UPSERT)


def bundles_among(connection: Connection, sku_ids: Iterable[int]) -> set[int]:
    """Return those of the SKUs that are bundles."""
    query = select(bundle.c.bundle_id).distinct()
    return {
        id
        for part in in_parts(sku_ids)
        for id in connection.execute(query.where(bundle.c.bundle_id.in_(part))).scalars()
    }


def bundles_with(connection: Connection, sku_ids: Iterable[int]) -> set[int]:
    """Return the bundles that hold one of the SKUs."""
    query = select(bundle.c.bundle_id).distinct()
    return {
        id for part in in_parts(sku_ids) for id in connection.execute(query.where(bundle.c.sku_id.in_(part))).scalars()
    }


def made_among(connection: Connection, codes: Iterable[str]) -> set[str]:
    """Return the codes of those SKUs that are made, or are what somebody wanted of one."""
    query = (
        select(sku.c.code).outerjoin(item, item.c.sku_id == sku.c.id).outerjoin(variant, variant.c.sku_id == sku.c.id)
    )
    made = (item.c.supply == "make") | variant.c.sku_id.is_not(None)
    return {
        code
        for part in in_parts(codes)
        for code in connection.execute(query.where(sku.c.code.in_(part), made)).scalars()
    }


def list_items(
    connection: Connection,
    *,
    sku_code: str | None = None,
    spec: str | None = None,
    limit: int = 0,
    after: str | None = None,
) -> list[Json]:
    """Return how SKUs are planned, by code: `{sku, supply, make_for, warehouse, spec, offer, lead_days}`.

    Args:
        spec: only those whose specs are read by this set of rules.
        limit: how many at most; 0 is all.
        after: the code of a SKU: only what comes after it is returned.
    """
    # Scans item: it is as long as the assortment, no history.
    columns = (sku.c.code.label("sku"), item.c.supply, item.c.make_for, warehouse.c.code.label("warehouse"))
    query = (
        select(*columns, item.c.spec, item.c.offer, item.c.lead_days)
        .join(sku, sku.c.id == item.c.sku_id)
        .outerjoin(warehouse, warehouse.c.id == item.c.warehouse_id)
        .order_by(sku.c.code)
        .limit(limit or None)
    )
    for column, value in ((sku.c.code, sku_code), (item.c.spec, spec)):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(sku.c.code > after)
    return [dict(row._mapping) for row in connection.execute(query)]
