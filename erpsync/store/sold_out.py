"""When a SKU was sold out, as rows: from when to when nothing of it could be promised in any warehouse that sells.

Why it is written down at once: what buyers would have wanted meanwhile stands nowhere, and a forecast that takes such a
week for a quiet one orders too little for ever.
"""

from collections.abc import Mapping

from sqlalchemy import insert, select, update

from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.tables import sold_out

OPEN = sold_out.c.to_at.is_(None)


def note_sold_out(tx: Tx, left: Mapping[int, int]) -> None:
    """Open a stretch for each SKU of which nothing is left to promise, end it where something is.

    Args:
        left: units that may be promised, by SKU; the SKUs are locked.
    """
    for part in in_parts(left):
        sold_out_now = set(tx.execute(select(sold_out.c.sku_id).where(sold_out.c.sku_id.in_(part), OPEN)).scalars())
        gone = [sku_id for sku_id in part if left[sku_id] <= 0 and sku_id not in sold_out_now]
        back = [sku_id for sku_id in part if left[sku_id] > 0 and sku_id in sold_out_now]
        if gone:
            tx.execute(insert(sold_out), [{"sku_id": sku_id, "from_at": tx.now} for sku_id in gone])
        if back:
            tx.execute(update(sold_out).where(sold_out.c.sku_id.in_(back), OPEN).values(to_at=tx.now))
