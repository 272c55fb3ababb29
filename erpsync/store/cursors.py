"""Where each stream of a channel stands.

A pass is one reading of a stream to its end. `complete_began_at` is when the last whole pass began: everything the
channel knew before that instant has been read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, literal, select, update

from erpsync.store.db.store import Stage, Tx
from erpsync.store.tables import Instant, cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorRow:
    """A stream's progress as stored."""

    mark: str | None = None
    since_at: datetime | None = None
    wanted_at: datetime | None = None
    began_at: datetime | None = None
    complete_began_at: datetime | None = None
    complete_ended_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""

    @property
    def unreadable(self) -> bool:
        """Whether the last try failed."""
        return self.failed_at is not None

    @property
    def wanted(self) -> bool:
        """Whether somebody asked for a pass that has not begun since."""
        return self.wanted_at is not None and (self.began_at is None or self.began_at <= self.wanted_at)


_FIELDS = tuple(CursorRow.__dataclass_fields__)


def read_cursor(connection: Connection, channel_id: int, stream: str) -> CursorRow:
    """Return a stream's progress; an empty one when nothing was read yet."""
    query = select(*(cursor.c[name] for name in _FIELDS))
    row = connection.execute(query.where(cursor.c.channel_id == channel_id, cursor.c.stream == stream)).first()
    return CursorRow() if row is None else CursorRow(**row._asdict())


def read_cursors(connection: Connection, channel_ids: Iterable[int] | None = None) -> dict[tuple[int, str], CursorRow]:
    """Return the progress of all streams, of these channels or all, by (channel id, stream)."""
    query = select(cursor.c.channel_id, cursor.c.stream, *(cursor.c[name] for name in _FIELDS))
    if channel_ids is not None:
        query = query.where(cursor.c.channel_id.in_(sorted(channel_ids)))
    return {
        (row.channel_id, row.stream): CursorRow(**{name: getattr(row, name) for name in _FIELDS})
        for row in connection.execute(query)
    }


def set_cursor(tx: Tx, channel_id: int, stream: str, **values: Any) -> None:
    """Set fields of a stream's progress."""
    row = tx.insert(cursor).values(channel_id=channel_id, stream=stream, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["channel_id", "stream"], set_=values))


def still_reaches(tx: Tx, channel_id: int, stream: str, since: datetime | None) -> bool:
    """Whether a stream is still to be read from `since`, locked: a back-fill that is asked for anew begins anew."""
    query = select(cursor.c.since_at).where(cursor.c.channel_id == channel_id, cursor.c.stream == stream)
    return tx.execute(query.with_for_update(key_share=True)).scalar() == since


def want_pass(tx: Tx, channel_id: int, streams: Iterable[str]) -> None:
    """Ask for a pass of these streams that begins after now, and wake the poller."""
    for stream in sorted(set(streams)):
        set_cursor(tx, channel_id, stream, wanted_at=tx.now)
        tx.wake(Stage.POLL)


def forget_failures(tx: Tx, channel_id: int) -> None:
    """Mark the streams of a channel as readable again until proven otherwise; those that failed are read at once."""
    failed = (cursor.c.channel_id == channel_id) & cursor.c.failed_at.is_not(None)
    if tx.execute(update(cursor).where(failed).values(failed_at=None, error="", wanted_at=tx.now)).rowcount:
        tx.wake(Stage.POLL)


def read_again(tx: Tx, channel_id: int, *, since: datetime) -> None:
    """Let the back-fill of a channel begin anew, at the latest at `since`; its catalogue too, from the first page.

    A back-fill that had not come to its end keeps how far it reaches.
    """
    of_channel = cursor.c.channel_id == channel_id
    unfinished = and_(cursor.c.complete_ended_at.is_(None), cursor.c.since_at < literal(since, Instant))
    reach = case((unfinished, cursor.c.since_at), else_=literal(since, Instant))
    tx.execute(update(cursor).where(of_channel, cursor.c.stream == "backfill").values(mark=None, since_at=reach))
    tx.execute(update(cursor).where(of_channel, cursor.c.stream == "listings").values(mark=None))


def forget_progress(tx: Tx) -> None:
    """Let no stream of any channel count as read to its end, or as failing, and ask for a pass of each.

    Where each stands is kept: it goes on from there.
    """
    unread = dict.fromkeys(("began_at", "complete_began_at", "complete_ended_at", "failed_at"))
    tx.execute(update(cursor).values(**unread, error="", wanted_at=tx.now))
