"""SKUs whose numbers changed: one row each, until the push stage has turned it into rows per listing.

A mark remembers when it was first set, because `settle_s` runs from then and a number may only go to a channel that
was read after then. A mark set while reading a channel's own orders remembers that pass: it asks for no other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Stage, Tx
from erpsync.store.tables import dirty_sku

_MARKED_ALREADY = """
ON CONFLICT (sku_id) DO UPDATE SET
  urgent = dirty_sku.urgent OR excluded.urgent,
  by_pass_at = CASE WHEN dirty_sku.by_channel_id = excluded.by_channel_id THEN dirty_sku.by_pass_at END,
  by_channel_id = CASE WHEN dirty_sku.by_channel_id = excluded.by_channel_id THEN dirty_sku.by_channel_id END
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Which channel's pass set a mark: its id and when the pass began. None for everything else."""

    channel_id: int
    pass_began_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A dirty SKU as taken by the push stage."""

    sku_id: int
    first_at: datetime
    urgent: bool
    cause: Cause | None


def mark_dirty(tx: Tx, sku_ids: Iterable[int], *, urgent: Iterable[int] = (), cause: Cause | None = None) -> None:
    """Mark SKUs, in order of id; a mark that exists is updated (so it locks), keeping its first instant."""
    now_urgent = set(urgent)
    rows = [
        {
            "sku_id": sku_id,
            "first_at": tx.now,
            "urgent": sku_id in now_urgent,
            "by_channel_id": cause.channel_id if cause else None,
            "by_pass_at": min(cause.pass_began_at, tx.now) if cause else None,
        }
        for sku_id in sorted(set(sku_ids))
    ]
    if not rows:
        return
    insert_many(tx, dirty_sku, rows, conflict=_MARKED_ALREADY)
    tx.wake(Stage.DIRTY)


def take_dirty(tx: Tx, *, limit: int) -> list[Mark]:
    """Take up to `limit` marks away, in order of SKU id, locked."""
    query = select(dirty_sku).order_by(dirty_sku.c.sku_id).limit(limit).with_for_update()
    rows = tx.all(query)
    if rows:
        tx.execute(delete(dirty_sku).where(dirty_sku.c.sku_id.in_([row.sku_id for row in rows])))
    return [
        Mark(
            sku_id=row.sku_id,
            first_at=row.first_at,
            urgent=row.urgent,
            cause=None
            if row.by_channel_id is None
            else Cause(channel_id=row.by_channel_id, pass_began_at=row.by_pass_at),
        )
        for row in rows
    ]
