"""What has changed since somebody last looked: marks that move with every change, read cheaply once a second.

Why marks and not what the daemon tells its stages: a page is answered by any node, and commands change things, too.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from erpsync.store.tables import channel, cursor, dead_letter, event, login_session, orders, outbox, task, user_account
from erpsync.store.views.feed import newest_event

TOPICS = ("orders", "stock", "tasks", "channels")
_EVERYTHING = frozenset(TOPICS)
_SALES = frozenset({"orders", "stock"})
_BY_KIND = {
    "order": _SALES,
    "release": _SALES,
    "shipment": _SALES,
    "wave": frozenset({"orders"}),
    "scan": frozenset(),
    "correction": _SALES,
    "stock": frozenset({"stock"}),
    "gate": frozenset({"stock"}),
    "bundle": frozenset({"stock"}),
    "bundles": frozenset({"stock"}),
    "listing": frozenset({"stock"}),
    "listings": frozenset({"stock"}),
    "task": frozenset({"tasks"}),
    "letter": frozenset({"tasks"}),
    "policy": frozenset({"stock"}),
    "session": frozenset({"channels"}),
    "user": frozenset({"channels"}),
    "channel": frozenset({"channels"}),
    "token": frozenset({"channels"}),
    "brake": frozenset({"stock", "tasks"}),
    "alarm": frozenset({"channels"}),
    "clock": frozenset({"channels"}),
    "api": frozenset(),  # beside these two stands what was done
    "console": frozenset(),
}
MOST_KINDS = 500
_STATE = ("id", "active", "paused", "down_since_at", "auth_failed_at", "blocked_until_at")
_READ = ("channel_id", "stream", "complete_began_at", "failed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What moves when something changes.

    Args:
        events: id of the newest event.
        settled: id up to which no event can turn up any more, see `erpsync.store.feed`.
        sold: id of the newest order.
        told: id of the newest effect, and when the last one was done.
        asked: ids of the newest task and dead letter.
        read: how each channel stands, and until when each of its streams was read.
    """

    events: int
    settled: int
    sold: int | None
    told: tuple[int | None, datetime | None]
    asked: tuple[int | None, int | None]
    read: tuple[Any, ...]


def read_marks(connection: Connection, settled: int) -> Marks:
    """Return the marks as they stand."""
    newest = {
        table.name: select(func.max(table.c.id)).scalar_subquery() for table in (orders, outbox, task, dead_letter)
    }
    # Scans outbox: one entry, the last of the index of what is done.
    done = select(func.max(outbox.c.done_at)).where(outbox.c.done_at.is_not(None)).scalar_subquery()
    found = connection.execute(select(*(query.label(name) for name, query in newest.items()), done.label("done"))).one()
    # Scans channel, cursor: a row for each shop, and for each of its streams.
    state = connection.execute(select(*(channel.c[name] for name in _STATE)).order_by(channel.c.id)).all()
    passes = connection.execute(
        select(*(cursor.c[name] for name in _READ)).order_by(cursor.c.channel_id, cursor.c.stream)
    ).all()
    return Marks(
        events=newest_event(connection),
        settled=settled,
        sold=found.orders,
        told=(found.outbox, found.done),
        asked=(found.task, found.dead_letter),
        read=(*map(tuple, state), *map(tuple, passes)),
    )


def topics_between(connection: Connection, before: Marks, after: Marks) -> frozenset[str]:
    """Return the topics of everything that has changed."""
    changed: set[str] = set()
    if after.sold != before.sold:
        changed |= _SALES
    if after.told != before.told:
        changed |= {"orders", "stock", "channels"}
    if after.asked != before.asked:
        changed |= {"tasks"}
    if after.read != before.read:
        changed |= {"channels"}
    if (after.events, after.settled) != (before.events, before.settled):
        since = min(before.settled, before.events)
        newest = select(event.c.kind).where(event.c.id > since).order_by(event.c.id.desc()).limit(MOST_KINDS)
        kinds = list(connection.execute(newest).scalars())
        changed |= _EVERYTHING if len(kinds) == MOST_KINDS else topics_of(kinds)
    return frozenset(changed)


def topics_of(kinds: Iterable[str]) -> frozenset[str]:
    """Return the topics of events; every one for a kind that is not listed here."""
    return frozenset(topic for kind in set(kinds) for topic in _BY_KIND.get(kind.partition(".")[0], _EVERYTHING))


def sessions_that_last(
    connection: Connection, ids: Collection[int], *, now: datetime, unused_since: datetime
) -> frozenset[int]:
    """Return those of these sessions in which a page would still be shown."""
    query = (
        select(login_session.c.id)
        .join(user_account, user_account.c.id == login_session.c.user_id)
        .where(
            login_session.c.id.in_(list(ids)),
            login_session.c.ended_at.is_(None),
            login_session.c.expires_at > now,
            login_session.c.last_seen_at > unused_since,
            user_account.c.disabled_at.is_(None),
        )
    )
    return frozenset(connection.execute(query).scalars())
