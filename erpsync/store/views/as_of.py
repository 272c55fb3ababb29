"""Up to when what is printed of stock holds: so that it can be changed, and imported, while orders go on leaving."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from erpsync.store.tables import ledger, sku, stock, warehouse


def stock_as_of(connection: Connection, sku_codes: Sequence[str]) -> dict[tuple[str, str], datetime]:
    """Return the instant of the latest change of each row of stock, by warehouse and SKU; one without any is left out.

    It is the SKU's latest movement anywhere, or its count in the warehouse if that came later: what is on hand in the
    snapshot is what was on hand then, and every later movement is one that the snapshot does not hold.

    Args:
        sku_codes: of these SKUs, no more than a page of them.
    """
    # Scans ledger: the end of each SKU's stretch of the index.
    moved = select(ledger.c.at).where(ledger.c.sku_id == sku.c.id).order_by(ledger.c.at.desc()).limit(1)
    query = (
        select(
            warehouse.c.code.label("warehouse"),
            sku.c.code.label("sku"),
            stock.c.counted_at,
            moved.correlate(sku).scalar_subquery().label("moved_at"),
        )
        .join(warehouse, warehouse.c.id == stock.c.warehouse_id)
        .join(sku, sku.c.id == stock.c.sku_id)
        .where(sku.c.code.in_(sku_codes))
    )
    rows = connection.execute(query)
    latest = {(row.warehouse, row.sku): max(filter(None, (row.counted_at, row.moved_at)), default=None) for row in rows}
    return {place: at for place, at in latest.items() if at is not None}


def count_skus(connection: Connection) -> int:
    """Return how many SKUs there are."""
    # Scans sku: counted, as long as the assortment.
    return connection.execute(select(func.count()).select_from(sku)).scalar_one()
