"""What a channel sells, as its own catalogue says: known before the first order, and the read-back of told numbers."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.context import Channel, Context
from erpsync.sdk.types import ListingPage
from erpsync.store.cursors import read_cursor
from erpsync.store.db.bulk import update_many
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import DeadLetter, add_dead_letters, close_dead_letters
from erpsync.store.registry import lock_skus
from erpsync.store.sku_mapping import Thing, map_things, note_listings
from erpsync.store.tables import listing

LETTER = "listing"
GRACE = timedelta(seconds=60)
"""A number told so shortly before a reading may not show yet."""


def apply_listings(tx: Tx, *, ctx: Context, channel: Channel, page: ListingPage) -> None:
    """Note the channel's listings and the numbers it shows; one that is new and mapped is pushed.

    A number counts as shown when the reading of the catalogue began: what is told meanwhile is newer than it.
    """
    read_at = read_cursor(tx.connection, channel.id, "listings").began_at or tx.now
    rows = {Thing(row.channel_sku, row.item_ref): row for row in page.rows}
    mapped = map_things(tx, channel.id, rows)
    first = note_listings(tx, channel.id, {thing: row.title for thing, row in rows.items()}, mapped)
    columns = ("id", "channel_sku", "item_ref", "shown_qty", "shown_at", "shown_since_at", "told_at")
    query = select(*(listing.c[name] for name in columns)).where(
        listing.c.channel_id == channel.id, listing.c.channel_sku.in_([thing.channel_sku for thing in rows])
    )
    shown = [
        {
            "id": row.id,
            "shown_qty": rows[thing].shown_qty,
            "shown_at": read_at,
            "shown_since_at": row.shown_since_at if _shows_still(row, rows[thing].shown_qty) else tx.now,
        }
        for row in tx.all(query)
        if (thing := Thing(row.channel_sku, row.item_ref)) in rows
    ]
    lock_skus(tx, first)
    update_many(tx, listing, shown, keys=["id"])
    if first:
        allocate(tx, ctx, [], also=first)
    _bury(tx, channel, page)


def _shows_still(row: Any, shown_qty: int | None) -> bool:
    """Whether an earlier reading, long enough behind what was told last, showed the same number already."""
    if row.shown_qty != shown_qty or row.shown_since_at is None:
        return False
    return row.told_at is None or row.shown_at > row.told_at + GRACE


def _bury(tx: Tx, channel: Channel, page: ListingPage) -> None:
    """Let a row that cannot be read be a dead letter, until it can; the rest of the catalogue goes on."""
    bad = {bad_row.key: bad_row for bad_row in page.bad}
    close_dead_letters(tx, channel.id, LETTER, {row.item_ref for row in page.rows} - bad.keys(), state="superseded")
    add_dead_letters(
        tx,
        [
            DeadLetter(
                channel_id=channel.id,
                kind=LETTER,
                key=key,
                error=str(bad_row.error),
                source=bad_row.error.source,
                broken=True,
                body={"row": dict(bad_row.row)},
            )
            for key, bad_row in bad.items()
        ],
    )
