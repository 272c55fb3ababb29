"""One page of the trail, narrowed by whatever a person asks for, however long the history is.

Why a page may be short before the end: events have no index by kind, and one that has would cost every order what only
a reader needs. A page looks through so many events and no more; it says how far it got, and the next one goes on there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, select

from erpsync.store.tables import channel, event, sku
from erpsync.store.views.feed import tell, with_codes
from erpsync.store.views.orders import find_order
from erpsync.store.views.trail import SLACK
from erpsync.store.views.values import Json, NotFound

LOOK_AT = 10_000
"""So many events one page looks through at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailSearch:
    """Which events: all that is given must hold.

    Args:
        kind: an event kind; one that ends in "." means all that begin so.
        order: our number or the channel's id.
        since: inclusive.
        until: exclusive.
    """

    actor: str | None = None
    kind: str | None = None
    order: str | None = None
    sku: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailPage:
    """Events, newest first; `following` is what the next page comes after, None at the end.

    `looked_back_to` is set when fewer were found than the page holds and there are older ones to look through.
    """

    events: list[Json]
    following: int | None
    looked_back_to: datetime | None = None


def trail_page(connection: Connection, wanted: TrailSearch, *, limit: int, after: int | None = None) -> TrailPage:
    """Return a page of the trail; raises `NotFound` where there is no such order, SKU or shop."""
    start = after
    if wanted.until is not None:
        behind = _first_at(connection, wanted.until + SLACK)
        start = behind if start is None or (behind is not None and behind < start) else start
    newest = event.c.id.desc() if wanted.order is None else (event.c.id + 0).desc()
    candidates = select(event.c.id, event.c.at, event.c.kind, event.c.channel_id).where(*_indexed(connection, wanted))
    if start is not None:
        candidates = candidates.where(event.c.id < start)
    # Scans event: newest first, along the key or the index of an order, SKU or actor, and no further than LOOK_AT.
    looked = candidates.order_by(newest).limit(LOOK_AT).subquery()
    chosen = select(looked.c.id, looked.c.at).where(*_narrowed(connection, wanted, looked))
    ids = [row.id for row in connection.execute(chosen.order_by(looked.c.id.desc()).limit(limit + 1))]
    events = tell(connection, _whole(connection, ids[:limit]))
    if len(ids) > limit:
        return TrailPage(events=events, following=ids[limit - 1])
    return _end(connection, wanted, looked, events)


def _end(connection: Connection, wanted: TrailSearch, looked: Any, events: list[Json]) -> TrailPage:
    """Return the page that found less than it holds: there is nothing older, or it has looked far enough."""
    query = select(func.count(), func.min(looked.c.id), func.min(looked.c.at)).select_from(looked)
    count, last, at = connection.execute(query).one()
    if count < LOOK_AT or (wanted.since is not None and at < wanted.since - SLACK):
        return TrailPage(events=events, following=None)
    return TrailPage(events=events, following=last, looked_back_to=at)


def _whole(connection: Connection, ids: list[int]) -> list[Any]:
    if not ids:
        return []
    return list(connection.execute(with_codes().where(event.c.id.in_(ids)).order_by(event.c.id.desc())))


def _indexed(connection: Connection, wanted: TrailSearch) -> list[ColumnElement[bool]]:
    """Return what an index finds."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.order is not None:
        conditions += [event.c.order_id == find_order(connection, wanted.order), event.c.order_id.is_not(None)]
    if wanted.sku is not None:
        conditions += [event.c.sku_id == _sku(connection, wanted.sku), event.c.sku_id.is_not(None)]
    if wanted.actor is not None:
        conditions += [event.c.actor == wanted.actor, event.c.actor != literal_column("''")]
    return conditions


def _narrowed(connection: Connection, wanted: TrailSearch, looked: Any) -> list[ColumnElement[bool]]:
    """Return what is looked for in the events that an index led to."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        whole = not wanted.kind.endswith(".")
        conditions.append(
            looked.c.kind == wanted.kind if whole else looked.c.kind.startswith(wanted.kind, autoescape=True)
        )
    if wanted.channel is not None:
        conditions.append(looked.c.channel_id == _channel(connection, wanted.channel))
    if wanted.since is not None:
        conditions.append(looked.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(looked.c.at < wanted.until)
    return conditions


def _sku(connection: Connection, code: str) -> int:
    id = connection.execute(select(sku.c.id).where(sku.c.code == code)).scalar()
    if id is None:
        raise NotFound(f"no SKU {code}")
    return int(id)


def _channel(connection: Connection, name: str) -> int:
    id = connection.execute(select(channel.c.id).where(channel.c.name == name)).scalar()
    if id is None:
        raise NotFound(f"no shop {name}")
    return int(id)


def _first_at(connection: Connection, at: datetime) -> int | None:
    """Return the smallest id behind all events before an instant, None when it lies in the future.

    Found by halves: ids and instants rise together, but for a transaction that took long, which `SLACK` is for.
    """
    # One by one: SQLite finds an end at once, but walks through everything to find both.
    first, last = (connection.execute(select(end(event.c.id))).scalar() for end in (func.min, func.max))
    if first is None or last is None or _at(connection, last) < at:
        return None
    low, high = first, last
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(_upwards(middle)).first()
        if found is not None and found.at < at:
            low = found.id + 1
        else:
            high = middle
    return int(low)


def _upwards(id: int) -> Select[Any]:
    return select(event.c.id, event.c.at).where(event.c.id >= id).order_by(event.c.id).limit(1)


def _at(connection: Connection, id: int) -> datetime:
    at: datetime = connection.execute(select(event.c.at).where(event.c.id == id)).scalar_one()
    return at
