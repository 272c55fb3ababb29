"""Channels as `channels list` and `channels show` print them."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func, select, union_all

from erpsync.store.outbox.queue import IS_LEASED, IS_OPEN
from erpsync.store.registry import OWN_ID
from erpsync.store.tables import UNMAPPED_LISTING, channel, cursor, dead_letter, listing, outbox, task
from erpsync.store.views.values import Json, NotFound, row_json

_CHANNEL = (
    "connector",
    "active",
    "paused",
    "paused_reason",
    "paused_by",
    "down_since_at",
    "down_error",
    "auth_failed_at",
    "blocked_until_at",
    "token_expires_at",
    "balance",
    "balance_at",
)
_STREAM = (
    "stream",
    "mark",
    "since_at",
    "wanted_at",
    "began_at",
    "complete_began_at",
    "complete_ended_at",
    "failed_at",
    "error",
)


def list_channels(connection: Connection) -> list[Json]:
    """Return all channels that ever were configured, our own not among them; `active` tells whether one still is."""
    shops = select(channel).where(channel.c.id != OWN_ID).order_by(channel.c.name)
    return [_channel(row) for row in connection.execute(shops)]


def show_channel(connection: Connection, name: str) -> Json:
    """Return one channel, as `list_channels` has it, with its streams and how much waits; raises `NotFound`."""
    row = connection.execute(select(channel).where(channel.c.name == name, channel.c.id != OWN_ID)).first()
    if row is None:
        raise NotFound(f"no channel {name}")
    streams = connection.execute(select(cursor).where(cursor.c.channel_id == row.id).order_by(cursor.c.stream))
    return {
        **_channel(row),
        "streams": [row_json(stream, _STREAM) for stream in streams],
        "queue": _queue(connection, row.id),
        "listings": _count(connection, listing.c.channel_id == row.id),
        "unmapped_listings": _count(connection, (listing.c.channel_id == row.id) & UNMAPPED_LISTING),
        "dead_letters": _count(connection, (dead_letter.c.channel_id == row.id) & (dead_letter.c.state == "open")),
        "tasks": _count(connection, (task.c.channel_id == row.id) & task.c.closed_at.is_(None)),
    }


def _channel(row: Any) -> Json:
    return {"id": row.name, **row_json(row, _CHANNEL)}


def _queue(connection: Connection, channel_id: int) -> list[Json]:
    # Counted here: asked to group, SQLite walks all rows by their kind.
    query = select(outbox.c.kind, outbox.c.state, outbox.c.waiting_for).where(outbox.c.destination_id == channel_id)
    counts = Counter(tuple(row) for row in connection.execute(union_all(query.where(IS_OPEN), query.where(IS_LEASED))))
    names = ("kind", "state", "waiting_for")
    return [dict(zip(names, key, strict=True)) | {"rows": rows} for key, rows in sorted(counts.items())]


def _count(connection: Connection, condition: Any) -> int:
    return int(connection.execute(select(func.count()).where(condition)).scalar_one())
