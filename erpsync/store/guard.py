"""The guard of the stock counters: no write may promise a unit that is not there, whatever the plan said."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, bindparam

from erpsync.core.allocation import StockKey
from erpsync.store.db.store import Tx
from erpsync.store.tables import stock


class StockConflictError(Exception):
    """A guarded stock write found other numbers than were planned with; nothing of the transaction stays."""


def add_guarded(tx: Tx, deltas: Sequence[tuple[StockKey, int, int]]) -> None:
    """Add (on hand, reserved) deltas; a promise is refused by the row itself where nothing is free."""
    if not deltas:
        return
    if tx.dialect == "sqlite":
        hand, kept = bindparam("h", type_=BigInteger), bindparam("r", type_=BigInteger)
        statement = (
            stock.update()
            .values(on_hand=stock.c.on_hand + hand, reserved=stock.c.reserved + kept)
            .where(
                stock.c.sku_id == bindparam("s"),
                stock.c.warehouse_id == bindparam("w"),
                (kept <= 0) | (stock.c.on_hand + hand - stock.c.reserved - kept >= 0),
            )
        )
        rows = [{"s": p.sku_id, "w": p.warehouse_id, "h": h, "r": r} for p, h, r in deltas]
        updated = tx.execute(statement, rows).rowcount
    else:
        updated = tx.connection.exec_driver_sql(
            "UPDATE stock t SET on_hand = t.on_hand + n.h, reserved = t.reserved + n.r "
            "FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS n(s, w, h, r) "
            "WHERE t.sku_id = n.s AND t.warehouse_id = n.w "
            "AND (n.r <= 0 OR t.on_hand + n.h - t.reserved - n.r >= 0)",
            tuple(
                list(column) for column in zip(*((p.sku_id, p.warehouse_id, h, r) for p, h, r in deltas), strict=True)
            ),
        ).rowcount
    if updated != len(deltas):
        raise StockConflictError(f"{len(deltas) - updated} of {len(deltas)} stock rows changed under their lock")
