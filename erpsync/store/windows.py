"""Windows of a channel's past as rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from erpsync.core.seal import AGAIN, WATCHED, Window
from erpsync.store.db.store import Tx
from erpsync.store.tables import orders, seal_window

MOST_NAMED = 50
"""So many late orders of a window are named; all are counted, and each has its event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A window as it stands, with what its scans have found; `late` is JSON, the orders that only a scan found."""

    start_at: datetime
    end_at: datetime
    scanned_at: datetime | None
    since_at: datetime | None
    order_count: int
    ids_hash: str
    sealed_at: datetime | None
    reopened: int
    missed: int
    late: str
    why: str


def window_of(row: Any) -> Window:
    """Return a row as the decisions take it."""
    return Window(
        start=row.start_at,
        end=row.end_at,
        scanned_at=row.scanned_at,
        since_at=row.since_at,
        count=row.order_count,
        hash=row.ids_hash,
        sealed_at=row.sealed_at,
        reopened=row.reopened,
    )


def reach(connection: Connection, channel_id: int) -> tuple[datetime, datetime] | None:
    """Return from when until when a channel has windows; None when it has none."""
    query = select(func.min(seal_window.c.start_at), func.max(seal_window.c.end_at))
    first, last = connection.execute(query.where(seal_window.c.channel_id == channel_id)).one()
    return None if first is None else (first, last)


def add_windows(tx: Tx, channel_id: int, windows: Iterable[Window]) -> None:
    """Add windows; those that are there stay as they are."""
    rows = [{"channel_id": channel_id, "start_at": window.start, "end_at": window.end} for window in windows]
    if rows:
        tx.execute(tx.insert(seal_window).on_conflict_do_nothing(), rows)


def watched(connection: Connection, channel_id: int, now: datetime) -> list[Window]:
    """Return the windows that are not sealed, and those that were not looked at for a day and still may change."""
    again = (seal_window.c.end_at > now - WATCHED) & (seal_window.c.scanned_at <= now - AGAIN)
    query = select(seal_window).where(seal_window.c.channel_id == channel_id, seal_window.c.sealed_at.is_(None) | again)
    return [window_of(row) for row in connection.execute(query)]


def lock_window(tx: Tx, channel_id: int, start: datetime) -> Window:
    """Return a window, locked."""
    query = select(seal_window).where(seal_window.c.channel_id == channel_id, seal_window.c.start_at == start)
    return window_of(tx.execute(query.with_for_update()).one())


def write_window(tx: Tx, channel_id: int, window: Window, *, why: str) -> None:
    """Write what a scan made of a window."""
    this_window = (seal_window.c.channel_id == channel_id) & (seal_window.c.start_at == window.start)
    tx.execute(
        update(seal_window)
        .where(this_window)
        .values(
            scanned_at=window.scanned_at,
            since_at=window.since_at,
            order_count=window.count,
            ids_hash=window.hash,
            sealed_at=window.sealed_at,
            reopened=window.reopened,
            why=why,
        )
    )


def note_late(tx: Tx, channel_id: int, start: datetime, external_ids: Sequence[str]) -> None:
    """Note orders that only a scan of the window found."""
    this_window = (seal_window.c.channel_id == channel_id) & (seal_window.c.start_at == start)
    query = select(seal_window.c.late, seal_window.c.missed).where(this_window)
    row = tx.execute(query.with_for_update()).one()
    named = json.loads(row.late)
    late = [*named, *(external_id for external_id in external_ids if external_id not in named)][:MOST_NAMED]
    values = {"late": json.dumps(late, ensure_ascii=False), "missed": row.missed + len(external_ids)}
    tx.execute(update(seal_window).where(this_window).values(**values))


def reopen(tx: Tx, channel_id: int, placed: Mapping[str, datetime], *, width: timedelta) -> dict[datetime, list[str]]:
    """Open the sealed windows again in which these orders were placed, that come only now; return whose by its start.

    Args:
        placed: when each order was placed, by its external id.
        width: the length of the longest window.
    """
    first, last = min(placed.values()), max(placed.values())
    near = (seal_window.c.start_at > first - width) & (seal_window.c.start_at <= last)
    query = select(seal_window.c.start_at, seal_window.c.end_at).where(
        seal_window.c.channel_id == channel_id, near, seal_window.c.sealed_at.is_not(None)
    )
    reopened: dict[datetime, list[str]] = {}
    for row in tx.all(query.order_by(seal_window.c.start_at).with_for_update()):
        late = sorted(external_id for external_id, at in placed.items() if row.start_at <= at < row.end_at)
        if late:
            reopened[row.start_at] = late
    for start, late in reopened.items():
        this_window = (seal_window.c.channel_id == channel_id) & (seal_window.c.start_at == start)
        shown = ", ".join(late[:3]) + (", …" if late[3:] else "")
        why = f"{len(late)} orders came after it was sealed: {shown}"
        if len(late) == 1:
            why = f"1 order came after it was sealed: {shown}"
        values = {"sealed_at": None, "since_at": None, "reopened": seal_window.c.reopened + 1, "why": why}
        tx.execute(update(seal_window).where(this_window).values(**values))
    return reopened


def open_since(tx: Tx, channel_id: int, since: datetime, *, why: str) -> int:
    """Open the sealed windows of a channel again that end after an instant; return how many there were."""
    sealed = (seal_window.c.channel_id == channel_id) & seal_window.c.sealed_at.is_not(None)
    values = {"sealed_at": None, "since_at": None, "reopened": seal_window.c.reopened + 1, "why": why}
    return tx.execute(update(seal_window).where(sealed, seal_window.c.end_at > since).values(**values)).rowcount


def versions(connection: Connection, channel_id: int, external_ids: Sequence[str]) -> dict[str, datetime]:
    """Return the stored version of each of these orders that is stored."""
    query = select(orders.c.external_id, orders.c.version_at)
    of_orders = query.where(orders.c.channel_id == channel_id, orders.c.external_id.in_(external_ids))
    return {row.external_id: row.version_at for row in connection.execute(of_orders)}


def placed_within(connection: Connection, channel_id: int, window: Window, *, before: datetime) -> set[str]:
    """Return the stored orders of a window that came before an instant and that a list should name.

    Cancelled ones are left out: platforms drop what was closed, or split into others, from their lists.
    """
    query = select(orders.c.external_id).where(
        orders.c.channel_id == channel_id,
        orders.c.placed_at >= window.start,
        orders.c.placed_at < window.end,
        orders.c.imported_at < before,
        orders.c.state != "cancelled",
    )
    return set(connection.execute(query).scalars())


def certified(
    connection: Connection, channel_id: int, *, since: datetime | None = None, until: datetime | None = None
) -> list[Evidence]:
    """Return a channel's windows that touch [since, until), by time."""
    query = select(seal_window).where(seal_window.c.channel_id == channel_id)
    if since is not None:
        query = query.where(seal_window.c.end_at > since)
    if until is not None:
        query = query.where(seal_window.c.start_at < until)
    rows = connection.execute(query.order_by(seal_window.c.start_at))
    return [Evidence(**{field.name: getattr(row, field.name) for field in fields(Evidence)}) for row in rows]
