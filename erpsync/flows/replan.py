"""Putting a changed configuration into force on stock: who waits may be served now, and numbers may be others.

Why a digest is kept per channel: at a start nobody knows whether the configuration was edited since, and planning and
telling everything anew each time would make a start slow for nothing.
"""

import zlib
from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import select

from erpsync.flows.fulfil import settle
from erpsync.flows.house import Channel, House
from erpsync.store.sequence import read_mark, set_mark
from erpsync.store.tables import backorder, bundle, listing

AT_ONCE = 500
log = structlog.get_logger()


def replan_changed(house: House) -> int:
    """Plan anew what the configuration changed since this was last asked; return how many SKUs were looked at."""
    changed = [channel for channel in house.channels.values() if _known(house, channel) != _digest(house, channel)]
    if not changed:
        return 0
    skus = _concerned(house, [channel.id for channel in changed])
    for start in range(0, len(skus), AT_ONCE):
        some = skus[start : start + AT_ONCE]
        house.store.retrying(partial(settle, house=house, changes=[], also=some))
    with house.store.begin() as tx:
        for channel in changed:
            set_mark(tx, f"policy:{channel.name}", _digest(house, channel))
    log.info("stock.replanned", channels=len(changed), skus=len(skus))
    return len(skus)


def _digest(house: House, channel: Channel) -> int:
    """Return a number that changes with whatever decides which stock the channel gets and is told."""
    places = [house.warehouses[warehouse_id] for warehouse_id in house.feeding.get(channel.id, ())]
    return zlib.crc32(repr((channel.stock, channel.enabled, places)).encode())


def _known(house: House, channel: Channel) -> int | None:
    with house.store.read() as connection:
        return read_mark(connection, f"policy:{channel.name}")


def _concerned(house: House, channel_ids: Sequence[int]) -> list[int]:
    with house.store.read() as connection:
        waiting = connection.execute(select(backorder.c.sku_id).where(backorder.c.channel_id.in_(channel_ids)))
        listed = select(listing.c.sku_id).where(listing.c.channel_id.in_(channel_ids), listing.c.sku_id.is_not(None))
        skus = {*waiting.scalars(), *connection.execute(listed).scalars()}
        held = select(bundle.c.sku_id).join(listing, listing.c.sku_id == bundle.c.bundle_id)
        parts = connection.execute(held.where(listing.c.channel_id.in_(channel_ids)))
        return sorted(skus | set(parts.scalars()))
