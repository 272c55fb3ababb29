"""What an operator decides about a channel, and about tasks."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select, update

from erpsync.flows.counting import asks_about_counts, look_again, take_asked, take_last
from erpsync.flows.due import streams_of
from erpsync.flows.errors import Refused
from erpsync.flows.house import Channel, House
from erpsync.flows.outcomes import answer
from erpsync.flows.streams import ASKED, STREAMS
from erpsync.store.cursors import forget_failures, set_cursor, want_pass
from erpsync.store.held import free_held
from erpsync.store.hurry import hurry
from erpsync.store.notes import Event, closed, write_events
from erpsync.store.store import Tx
from erpsync.store.tables import channel as channels
from erpsync.store.tables import task


def _named(house: House, name: str) -> Channel:
    try:
        return house.channel(name)
    except LookupError as error:
        known = ", ".join(sorted(channel.name for channel in house.channels.values()))
        raise Refused(f"{error}; there are {known}") from error


def pause_channel(house: House, name: str, *, reason: str, actor: str) -> None:
    """Stop polling and pushing a channel until it is resumed; what is due waits."""
    channel = _named(house, name)

    def work(tx: Tx) -> None:
        values = {"paused": True, "paused_reason": reason, "paused_by": actor}
        detail = {"reason": reason, "from": _standing(tx, channel), "to": "paused"}
        tx.execute(update(channels).where(channels.c.id == channel.id).values(**values))
        event = Event(kind="channel.paused", channel_id=channel.id, detail=detail, actor=actor)
        write_events(tx, [event])

    house.store.retrying(work)


def resume_channel(house: House, name: str, *, actor: str) -> None:
    """Let a channel go on, also one whose credentials were refused: it is tried at once."""
    channel = _named(house, name)
    able = [stream for stream in streams_of(channel) or ASKED if stream in ASKED]

    def work(tx: Tx) -> None:
        values = {
            "paused": False,
            "paused_reason": "",
            "paused_by": "",
            "auth_failed_at": None,
            "blocked_until_at": None,
        }
        detail = {"from": _standing(tx, channel), "to": "running"}
        tx.execute(update(channels).where(channels.c.id == channel.id).values(**values))
        forget_failures(tx, channel.id)
        hurry(tx, channel.id)
        free_held(tx, channel.id)
        want_pass(tx, channel.id, able)
        write_events(tx, [Event(kind="channel.resumed", channel_id=channel.id, detail=detail, actor=actor)])
        tx.wake("push")

    house.store.retrying(work)


def _standing(tx: Tx, channel: Channel) -> str:
    """Return in words how a channel stands, its row locked."""
    row = tx.execute(select(channels).where(channels.c.id == channel.id).with_for_update(key_share=True)).one()
    if row.paused:
        return f"paused by {row.paused_by}" + (f": {row.paused_reason}" if row.paused_reason else "")
    if row.auth_failed_at is not None:
        return "credentials refused"
    return "running" if row.blocked_until_at is None else "blocked"


def ask_poll(house: House, name: str, streams: Iterable[str] | None = None, *, actor: str) -> None:
    """Ask for a pass of a channel's streams now; refuses one that its connector, where it is known, cannot read."""
    channel = _named(house, name)
    able = streams_of(channel) or list(STREAMS)
    asked = list(streams or (stream for stream in ASKED if stream in able))
    for stream in asked:
        if stream not in able:
            raise Refused(f"channel {name} has no stream {stream}; it has {', '.join(able)}")

    def work(tx: Tx) -> None:
        want_pass(tx, channel.id, asked)
        detail = {"streams": asked}
        write_events(tx, [Event(kind="channel.poll_asked", channel_id=channel.id, detail=detail, actor=actor)])

    house.store.retrying(work)


def ask_backfill(house: House, name: str, *, days: int | None, actor: str) -> None:
    """Read the channel's orders of the last `days` (default: as configured) again, beside what is open."""
    channel = _named(house, name)
    reach = channel.poll.backfill_days if days is None else days

    def work(tx: Tx) -> None:
        since = tx.now - timedelta(days=reach)
        values = {"mark": None, "since_at": since, "complete_ended_at": None, "wanted_at": tx.now}
        set_cursor(tx, channel.id, "backfill", **values)
        tx.wake("poll")
        detail = {"days": reach}
        write_events(tx, [Event(kind="channel.backfill_asked", channel_id=channel.id, detail=detail, actor=actor)])

    house.store.retrying(work)


def finish_task(house: House, task_id: int, *, actor: str, arrived: bool = False) -> None:
    """Close a task; what waited for the person goes on.

    Args:
        arrived: of something that was sent without an answer: it is there, and not to be sent again.
    """
    with house.store.read() as connection:
        asked = connection.execute(
            select(task.c.kind, task.c.key, task.c.closed_at).where(task.c.id == task_id)
        ).first()
    skus: list[str] = []
    if asked is not None and asked.closed_at is None and asks_about_counts(asked.kind):
        skus = take_asked(house, asked.kind, asked.key, actor=actor)

    def work(tx: Tx) -> None:
        row = tx.execute(select(task).where(task.c.id == task_id).with_for_update(key_share=True)).first()
        if row is None:
            raise Refused(f"task {task_id} is not known")
        if row.closed_at is not None:
            raise Refused(f"task {task_id} was closed by {row.closed_by}")
        tx.execute(update(task).where(task.c.id == task_id).values(closed_at=tx.now, closed_by=actor))
        answer(tx, row, arrived=arrived, actor=actor)
        if asks_about_counts(row.kind):
            skus.extend(take_last(tx, house, row.kind, row.key, actor=actor))
        write_events(tx, [closed(row, by=actor)])

    house.store.retrying(work)
    look_again(house, skus)
