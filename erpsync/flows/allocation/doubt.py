"""What channels were told, doubted where their own orders have moved it."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select

from erpsync.core.orders import KnownOrder
from erpsync.store import listings
from erpsync.store.db.store import Tx
from erpsync.store.tables import listing


def doubt(tx: Tx, changes: Iterable[tuple[KnownOrder | None, KnownOrder]]) -> set[int]:
    """Make what a channel was told about the SKUs of its own orders unsure; return the SKUs to be told anew.

    A channel takes its own sales off the number it shows (and gives cancelled units back), so what it was told is no
    longer what it shows; were goods to come in at the same time, both numbers might be equal by chance.
    """
    sold: dict[int, set[int]] = defaultdict(set)
    moved: set[int] = set()
    for before, after in changes:
        if before is None or _by_channel(before) != _by_channel(after):
            sold[after.channel_id] |= {line.sku_id for line in after.of_channel if line.sku_id is not None}
            moved |= {
                sku_id for order in (before, after) if order for line in order.of_channel for sku_id in line.parts
            }
    for channel_id, skus in sorted(sold.items()):
        same = (listing.c.channel_id == channel_id) & listing.c.sku_id.in_(sorted(skus))
        locked = select(listing.c.id).where(same).order_by(listing.c.id).with_for_update(key_share=True)
        ids = list(tx.execute(locked).scalars())
        listings.doubt(tx, listing.c.id.in_(ids))
    return moved


def _by_channel(order: KnownOrder) -> list[object]:
    """Return what of an order moves the number that its channel shows."""
    return [order.ready_at is None, *((line.id, line.sku_id, line.qty, line.closed_qty) for line in order.of_channel)]
