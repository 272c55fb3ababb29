"""What is left for people: events (why), tasks (what to do), dead letters (what could not be applied)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text, update
from sqlalchemy.sql.dml import ReturningInsert

from erpsync.core.personal import scrubbed
from erpsync.sdk.text import storable
from erpsync.sdk.types import BadLine
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import dead_letter_row
from erpsync.store.events import Event, write_events
from erpsync.store.tables import dead_letter


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A row that only a person can move on. `body` is what it takes to replay it.

    Args:
        broken: no other reading of it helps; only its source can mend it.
        digest: of the record, and `received_at`: when it first came; both of orders, refunds and their lines only.
        order_external_id: the order that is held until this ends; None when it holds none.
        version_at: the version of the view that cannot be read; None when that cannot be told either.
        unknown_status: the status text that is in no table; None when that is not what is wrong.
        of_line: a line of the order may have been changed or taken out by it.
    """

    channel_id: int
    kind: str
    key: str
    error: str
    source: str = ""
    broken: bool = False
    digest: str = ""
    received_at: datetime | None = None
    body: dict[str, Any] | None = None
    order_id: int | None = None
    order_external_id: str | None = None
    version_at: datetime | None = None
    unknown_status: str | None = None
    of_line: bool = False
    outbox_id: int | None = None


def add_dead_letters(tx: Tx, letters: Iterable[DeadLetter]) -> None:
    """Store dead letters, each new one with an event; what is open for (channel, kind, key) is counted, not doubled.

    A view older than the one of the open letter changes nothing, nor does one that a person dropped.
    """
    wanted = [_storable(letter) for letter in letters]
    dropped = dropped_views(tx, [(letter.channel_id, letter.kind, letter.key) for letter in wanted if letter.digest])
    opened: list[Event] = []
    for letter in sorted(wanted, key=lambda item: (item.channel_id, item.kind, item.key)):
        if (letter.channel_id, letter.kind, letter.key, letter.digest) in dropped:
            continue
        row = tx.execute(_stored(tx, letter)).first()
        if row is not None and row.attempts == 1:  # of one that was open already it is more
            opened.append(_opened(row.id, letter))
    write_events(tx, opened)


def _opened(letter_id: int, letter: DeadLetter) -> Event:
    said = scrubbed(letter.error)
    detail = {"dead_letter": letter_id, "kind": letter.kind, "key": letter.key, "error": said}
    return Event(kind="letter.opened", order_id=letter.order_id, channel_id=letter.channel_id, detail=detail)


def _stored(tx: Tx, letter: DeadLetter) -> ReturningInsert[tuple[int, int]]:
    """Return the statement that stores a letter, or brings the one that is open up to date; its id and attempts."""
    sealed_for = dead_letter_row(letter.channel_id, letter.kind, letter.key)
    body = None if letter.body is None else tx.vault.encrypt(letter.body, row=sealed_for)
    row = tx.insert(dead_letter).values(
        channel_id=letter.channel_id,
        kind=letter.kind,
        key=letter.key,
        at=tx.now,
        error=letter.error,
        source=letter.source,
        broken=letter.broken,
        digest=letter.digest,
        received_at=letter.received_at,
        body=body,
        order_id=letter.order_id,
        order_external_id=letter.order_external_id,
        version_at=letter.version_at,
        unknown_status=letter.unknown_status or None,
        of_line=letter.of_line,
        outbox_id=letter.outbox_id,
        state="open",
    )
    same = dead_letter.c.digest == row.excluded.digest
    undated = row.excluded.version_at.is_(None) | dead_letter.c.version_at.is_(None)
    stored = row.on_conflict_do_update(
        index_elements=["channel_id", "kind", "key"],
        index_where=text("state = 'open'"),
        set_={
            "attempts": dead_letter.c.attempts + 1,
            "error": row.excluded.error,
            "source": row.excluded.source,
            "broken": row.excluded.broken,
            "digest": row.excluded.digest,
            "received_at": case((same, dead_letter.c.received_at), else_=row.excluded.received_at),
            "body": row.excluded.body,
            "order_id": func.coalesce(row.excluded.order_id, dead_letter.c.order_id),
            "order_external_id": row.excluded.order_external_id,
            "version_at": case((same, dead_letter.c.version_at), else_=row.excluded.version_at),
            "unknown_status": row.excluded.unknown_status,
            "of_line": row.excluded.of_line,
        },
        where=undated | (row.excluded.version_at >= dead_letter.c.version_at),
    )
    return stored.returning(dead_letter.c.id, dead_letter.c.attempts)


def dropped_views(tx: Tx, keys: Iterable[tuple[int, str, str]]) -> set[tuple[int, str, str, str]]:
    """Return the views, as (channel, kind, key, digest), that a person gave up, among those of (channel, kind, key)."""
    groups: dict[tuple[int, str], list[str]] = {}
    for channel_id, kind, key in sorted(set(keys)):
        groups.setdefault((channel_id, kind), []).append(key)
    views: set[tuple[int, str, str, str]] = set()
    for (channel_id, kind), wanted in groups.items():
        for part in in_parts(wanted):
            of_these = dead_letter.c.key.in_(part) & text("dead_letter.state = 'dropped'")
            of_channel = (dead_letter.c.channel_id == channel_id) & (dead_letter.c.kind == kind) & of_these
            rows = tx.all(select(dead_letter.c.key, dead_letter.c.digest).where(of_channel))
            views |= {(channel_id, kind, row.key, row.digest) for row in rows}
    return views


def _storable(letter: DeadLetter) -> DeadLetter:
    """Return the letter with names that can be stored whatever the channel sent; its body keeps what came."""
    key, error, source = (storable(name) for name in (letter.key, letter.error, letter.source))
    order = storable(letter.order_external_id) if letter.order_external_id else None
    return replace(letter, key=key, error=error, source=source, order_external_id=order)


def close_dead_letters(tx: Tx, channel_id: int, kind: str, keys: Iterable[str], *, state: str) -> int:
    """End the open dead letters of a kind with these keys as `replayed`, `dropped` or `superseded`."""
    wanted = sorted({storable(key) for key in keys})
    if not wanted:
        return 0
    statement = update(dead_letter).where(
        dead_letter.c.channel_id == channel_id,
        dead_letter.c.kind == kind,
        dead_letter.c.key.in_(wanted),
        dead_letter.c.state == "open",
    )
    return tx.execute(statement.values(state=state)).rowcount


def close_file_letters(tx: Tx, channel_id: int, file: str, *, kept: Iterable[str]) -> None:
    """End the open letters about an earlier file of this name, with an event each; those of keys in `kept` stay.

    They are what names the file or a line of it, and reports of parcels, releases, counts and waybills that stood
    there. An order is none of them: it has an identity of its own and is read again wherever it stands.
    """
    if not file:
        return
    name, letter = storable(file), dead_letter.c
    stood_there = and_(
        letter.kind.in_(("shipment_report", "warehouse_report", "waybill_report")), _names(letter.source, name)
    )
    about = and_(letter.channel_id == channel_id, text("dead_letter.state = 'open'"))
    spared = letter.key.not_in(sorted({storable(key) for key in kept}))
    ended = tx.all(
        update(dead_letter)
        .where(about, or_(_names(letter.key, name), stood_there), spared)
        .values(state="superseded")
        .returning(letter.id, letter.kind, letter.key, letter.error, letter.order_id)
    )
    write_events(
        tx,
        [
            Event(
                kind="letter.superseded",
                order_id=row.order_id,
                channel_id=channel_id,
                detail={"dead_letter": row.id, "kind": row.kind, "key": row.key, "error": row.error, "file": name},
            )
            for row in ended
        ],
    )


def bury_reports(
    tx: Tx,
    channel_id: int,
    kind: str,
    *,
    read: Iterable[str],
    problems: Mapping[str, tuple[str, str]],
    bad: Iterable[BadLine],
    begins: str,
) -> None:
    """Keep what of a page of reports could not be booked, and end the letters of what could.

    Args:
        read: keys of all reports of the page.
        problems: why reports were refused and where they stand, by key.
        bad: what could not be read.
        begins: the file that the page is the first of; empty for any other.
    """
    close_dead_letters(tx, channel_id, kind, set(read) - problems.keys(), state="superseded")
    letters = [
        DeadLetter(channel_id=channel_id, kind=kind, key=key, error=text, source=source, broken=True)
        for key, (text, source) in sorted(problems.items())
    ]
    letters += [
        DeadLetter(
            channel_id=channel_id,
            kind=kind,
            key=line.key,
            error=str(line.error),
            source=line.error.source,
            broken=True,
            body={"row": dict(line.row)},
        )
        for line in bad
    ]
    close_file_letters(tx, channel_id, begins, kept=[letter.key for letter in letters])
    add_dead_letters(tx, letters)


def _names(column: ColumnElement[str], file: str) -> ColumnElement[bool]:
    """Return whether a key or source is that of a file, or of a line of it."""
    return or_(column == file, func.substr(column, 1, len(file) + 1).in_((f"{file}:", f"{file}#")))


def open_line_letters(tx: Tx, order_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the keys of open dead letters of single lines, by order id."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return {}
    keys: dict[int, list[str]] = {}
    query = select(dead_letter.c.order_id, dead_letter.c.key).where(
        dead_letter.c.order_id.in_(wanted), dead_letter.c.kind == "line", dead_letter.c.state == "open"
    )
    for row in tx.all(query):
        keys.setdefault(row.order_id, []).append(row.key)
    return keys
