"""What an operator decides about a channel, and about tasks."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select, update

from erpsync.flows.channels.streams import ASKED, STREAMS, streams_of
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import Refused
from erpsync.store import tables
from erpsync.store.cursors import forget_failures, set_cursor, want_pass
from erpsync.store.db.store import Stage, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.held import free_held
from erpsync.store.outbox.hurry import run_now


def _named(ctx: Context, name: str) -> Channel:
    try:
        return ctx.channel(name)
    except LookupError as error:
        names = ", ".join(sorted(channel.name for channel in ctx.channels.values()))
        raise Refused(f"{error}; there are {names}") from error


def pause_channel(ctx: Context, name: str, *, reason: str, actor: str) -> None:
    """Stop polling and pushing a channel until it is resumed; what is due waits."""
    channel = _named(ctx, name)

    def write_pause(tx: Tx) -> None:
        values = {"paused": True, "paused_reason": reason, "paused_by": actor}
        detail = {"reason": reason, "from": _standing(tx, channel), "to": "paused"}
        tx.execute(update(tables.channel).where(tables.channel.c.id == channel.id).values(**values))
        event = Event(kind="channel.paused", channel_id=channel.id, detail=detail, actor=actor)
        write_events(tx, [event])

    ctx.store.retrying(write_pause)


def resume_channel(ctx: Context, name: str, *, actor: str) -> None:
    """Let a channel go on, also one whose credentials were refused: it is tried at once."""
    channel = _named(ctx, name)
    able = [stream for stream in streams_of(channel) or ASKED if stream in ASKED]

    def end_pause(tx: Tx) -> None:
        values = {
            "paused": False,
            "paused_reason": "",
            "paused_by": "",
            "auth_failed_at": None,
            "blocked_until_at": None,
        }
        detail = {"from": _standing(tx, channel), "to": "running"}
        tx.execute(update(tables.channel).where(tables.channel.c.id == channel.id).values(**values))
        forget_failures(tx, channel.id)
        run_now(tx, channel.id)
        free_held(tx, channel.id)
        want_pass(tx, channel.id, able)
        write_events(tx, [Event(kind="channel.resumed", channel_id=channel.id, detail=detail, actor=actor)])
        tx.wake(Stage.PUSH)

    ctx.store.retrying(end_pause)


def _standing(tx: Tx, channel: Channel) -> str:
    """Return in words how a channel stands, its row locked."""
    row = tx.execute(
        select(tables.channel).where(tables.channel.c.id == channel.id).with_for_update(key_share=True)
    ).one()
    if row.paused:
        return f"paused by {row.paused_by}" + (f": {row.paused_reason}" if row.paused_reason else "")
    if row.auth_failed_at is not None:
        return "credentials refused"
    return "running" if row.blocked_until_at is None else "blocked"


def ask_poll(ctx: Context, name: str, streams: Iterable[str] | None = None, *, actor: str) -> None:
    """Ask for a pass of a channel's streams now; refuses one that its connector, where it is known, cannot read."""
    channel = _named(ctx, name)
    able = streams_of(channel) or list(STREAMS)
    asked = list(streams or (stream for stream in ASKED if stream in able))
    for stream in asked:
        if stream not in able:
            raise Refused(f"channel {name} has no stream {stream}; it has {', '.join(able)}")

    def want_passes(tx: Tx) -> None:
        want_pass(tx, channel.id, asked)
        detail = {"streams": asked}
        write_events(tx, [Event(kind="channel.poll_asked", channel_id=channel.id, detail=detail, actor=actor)])

    ctx.store.retrying(want_passes)


def ask_backfill(ctx: Context, name: str, *, days: int | None, actor: str) -> None:
    """Read the channel's orders of the last `days` (default: as configured) again, beside what is open."""
    channel = _named(ctx, name)
    reach = channel.poll.backfill_days if days is None else days

    def reset_backfill(tx: Tx) -> None:
        since = tx.now - timedelta(days=reach)
        values = {"mark": None, "since_at": since, "complete_ended_at": None, "wanted_at": tx.now}
        set_cursor(tx, channel.id, "backfill", **values)
        tx.wake(Stage.POLL)
        detail = {"days": reach}
        write_events(tx, [Event(kind="channel.backfill_asked", channel_id=channel.id, detail=detail, actor=actor)])

    ctx.store.retrying(reset_backfill)
