"""Orders by the keyed hash of what nobody may read in them: a phone number, a buyer."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, bindparam, func, select

from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.names import part_of
from erpsync.store.tables import ORDER_PART, orders


def orders_with(tx: Tx, key: Column[Any], hashes: Iterable[bytes], *, limit: int) -> list[Any]:
    """Return id, number and `placed_at` of the orders with one of these hashes in a column, newest first."""
    last = part_of(tx.execute(select(func.max(orders.c.id))).scalar() or 0)
    query = select(orders.c.id, orders.c.number, orders.c.placed_at).where(key.in_(list(hashes)))
    query = query.where(ORDER_PART.in_(bindparam("parts", expanding=True)))
    newest = query.order_by(orders.c.placed_at.desc(), orders.c.id.desc()).limit(limit)
    rows = [row for parts in in_parts(range(last + 1)) for row in tx.all(newest.params(parts=parts))]
    return sorted(rows, key=lambda row: (row.placed_at, row.id), reverse=True)[:limit]
