"""Which streams a channel has, and when each is to be read next.

Streams: `orders` (changes), `backfill` (what lay before, and all that still waits to be shipped), `refunds` (begins
when the back-fill is done), `listings` (the catalogue), `shipments` (parcels that a file reports), `warehouse` (what a
warehouse reports), `waybills` (numbers that a courier tells).

Why all channels are looked at in one go: the poller looks after every commit that asks for a pass, and a few queries
per channel are thousands where there are hundreds of shops.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from erpsync.flows.channels.health import Standing, admits, standing_of
from erpsync.flows.channels.streams import BY_NAME, STREAMS, streams_of
from erpsync.flows.context import Channel, Context
from erpsync.sdk.roles import OrderSource
from erpsync.store.cursors import CursorRow, read_cursors
from erpsync.store.tables import channel as channel_table

IDLE_S = 60.0
MOST_REST_S = 60.0
REST_SHARE = 0.1
"""What failed is tried again after this share of the time for which its channel has been down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A channel's streams that are to be read now, most urgent first, and in how many seconds the next one is due."""

    due: list[str]
    next_s: float


def due_streams(ctx: Context, channel: Channel) -> list[str]:
    """Return the streams to be read now, most urgent first."""
    return outlooks(ctx, [channel])[channel.id].due


def outlooks(ctx: Context, channels: Collection[Channel]) -> dict[int, Outlook]:
    """Return the outlook of each channel by its row id, with two queries however many there are."""
    ids = [channel.id for channel in channels]
    with ctx.store.read() as connection:
        result = connection.execute(select(channel_table).where(channel_table.c.id.in_(ids)))
        standings = {row.id: standing_of(row) for row in result}
        cursors = read_cursors(connection, ids)
    now = ctx.store.clock.now()
    return {channel.id: _outlook(channel, standings[channel.id], cursors, now) for channel in channels}


def _outlook(
    channel: Channel, standing: Standing, cursors: Mapping[tuple[int, str], CursorRow], now: datetime
) -> Outlook:
    by_stream = {stream: cursors.get((channel.id, stream), CursorRow()) for stream in STREAMS}
    down_s = 0.0 if standing.down_since_at is None else max(0.0, (now - standing.down_since_at).total_seconds())
    in_s = _due_in(channel, by_stream, now, down_s)
    due = (
        [stream for stream, due_s in in_s.items() if due_s <= 0] if admits(channel, standing, now, probing=True) else []
    )
    return Outlook(due=due, next_s=max(0.0, min(in_s.values(), default=IDLE_S)))


def _due_in(channel: Channel, by_stream: Mapping[str, CursorRow], now: datetime, down_s: float) -> dict[str, float]:
    due: dict[str, float] = {}
    for stream in streams_of(channel):
        row = by_stream[stream]
        if stream == "backfill" and (row.complete_ended_at is not None or not _has_begun(by_stream["orders"])):
            continue
        if stream == "refunds" and _has_backfill(channel) and _waits_for_backfill(row, by_stream["backfill"]):
            continue
        if row.wanted:
            due[stream] = 0.0
            continue
        rested_s = None if row.began_at is None else max(0.0, (now - row.began_at).total_seconds())
        due[stream] = 0.0 if rested_s is None else _interval_s(channel, stream, row, down_s) - rested_s
    return due


def _has_begun(orders: CursorRow) -> bool:
    """Whether the stream of changes has a fixed beginning; before that, changes made during the back-fill were lost."""
    return orders.mark is not None or orders.complete_ended_at is not None


def _waits_for_backfill(refunds: CursorRow, backfill: CursorRow) -> bool:
    """Whether nobody knows yet how far back refunds have to be read; a later back-fill does not stop them."""
    return backfill.complete_ended_at is None and refunds.complete_ended_at is None


def _has_backfill(channel: Channel) -> bool:
    return channel.plays(OrderSource)


def _interval_s(channel: Channel, stream: str, row: CursorRow, down_s: float) -> float:
    """Return the seconds between two passes; one that failed is tried again as soon as the order stream would be.

    The longer the channel is down the longer the tries rest, but never for more than a minute: so late at most it is
    known to be back.
    """
    usual: float = getattr(channel.poll, BY_NAME[stream].every)
    if not row.unreadable:
        return usual
    return min(MOST_REST_S, max(min(usual, channel.poll.orders_s), down_s * REST_SHARE))
