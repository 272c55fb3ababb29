"""Open tasks by kind, those of one kind, and those that were closed last, each with what it is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from erpsync.store.tables import channel, listing, orders, sku, task
from erpsync.store.views.values import Json, iso, row_json

MOST_SHOWN = 25
"""So many tasks of each kind are shown among the others; all of them on the page of their kind."""

MOST_OF_KIND = 100
CLOSED = 100
_TASK = ("id", "kind", "key", "channel", "order", "reason", "opened_at", "closed_at", "closed_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """The open tasks of one kind; `tasks` are the newest of them."""

    kind: str
    count: int
    oldest_at: str
    tasks: tuple[Json, ...]


def task_groups(connection: Connection, *, kind: str | None = None, shop: str | None = None) -> list[TaskGroup]:
    """Return open tasks by kind, the kind with most first, then the one that got the newest.

    Args:
        kind: this kind alone, more of it.
        shop: the tasks of this channel alone.
    """
    wanted = [task.c.closed_at.is_(None), *_of_shop(shop)]
    counts = select(
        task.c.kind, func.count().label("tasks"), func.min(task.c.opened_at).label("oldest_at"), func.max(task.c.id)
    ).where(*wanted)
    if kind is not None:
        counts = counts.where(task.c.kind == kind)
    kinds = connection.execute(counts.group_by(task.c.kind).order_by(func.count().desc(), func.max(task.c.id).desc()))
    most = MOST_SHOWN if kind is None else MOST_OF_KIND
    return [
        TaskGroup(
            kind=row.kind,
            count=row.tasks,
            oldest_at=iso(row.oldest_at) or "",
            tasks=tuple(_shown(connection, _of_kind(row.kind, most).where(*wanted))),
        )
        for row in kinds.all()
    ]


def _of_kind(kind: str, most: int) -> Select[Any]:
    newest = (task.c.id + 0).desc()  # what is open is short, the key leads through all that ever was
    return _named().where(task.c.kind == kind).order_by(newest).limit(most)


def _of_shop(name: str | None) -> list[ColumnElement[bool]]:
    if name is None:
        return []
    return [task.c.channel_id.in_(select(channel.c.id).where(channel.c.name == name))]


def closed_tasks(connection: Connection) -> list[Json]:
    """Return the tasks opened last that are closed by now, the latest first."""
    # Scans task: newest first along its key, and no further than twice the page and what is open.
    newest = select(task.c.id).order_by(task.c.id.desc()).limit(CLOSED * 20).subquery()
    query = _named().where(task.c.id.in_(select(newest.c.id)), task.c.closed_at.is_not(None))
    return _shown(connection, query.order_by(task.c.closed_at.desc(), task.c.id.desc()).limit(CLOSED))


def _named() -> Select[Any]:
    return (
        select(task, channel.c.name.label("channel"), orders.c.number.label("order"))
        .outerjoin(channel, channel.c.id == task.c.channel_id)
        .outerjoin(orders, orders.c.id == task.c.order_id)
    )


def _shown(connection: Connection, query: Select[Any]) -> list[Json]:
    """Return tasks as JSON, with `sku`: the code of the SKU that each is about, None where it is about none."""
    rows = connection.execute(query).all()
    codes = _codes(connection, rows)
    return [row_json(row, _TASK) | {"sku": codes.get(row.id)} for row in rows]


def _codes(connection: Connection, rows: Sequence[Any]) -> dict[int, str]:
    """Return the SKU of each task that is about one: by its listing, by its row, or by the code in its key."""
    listings = {row.id: int(row.key) for row in rows if row.kind == "stock_drift" and row.key.isdecimal()}
    skus = {row.id: int(row.key.rpartition(":")[2]) for row in rows if _keeps_sku_id(row)}
    counted = {row.id: row.key.partition(" ")[2] for row in rows if row.kind in ("count_rose", "count_fell")}
    of_listing = select(listing.c.id, sku.c.code).join(sku, sku.c.id == listing.c.sku_id)
    by_listing = _by_id(connection, of_listing, listing.c.id, listings.values())
    by_id = _by_id(connection, select(sku.c.id, sku.c.code), sku.c.id, skus.values())
    known = set(_ours(connection, counted.values()))
    told = {id: by_listing[each] for id, each in listings.items() if each in by_listing}
    told |= {id: by_id[each] for id, each in skus.items() if each in by_id}
    return told | {id: code for id, code in counted.items() if code in known}


def _keeps_sku_id(row: Any) -> bool:
    return row.kind == "stock_short" and row.order_id is None and row.key.rpartition(":")[2].isdecimal()


def _by_id(connection: Connection, query: Select[Any], column: Any, ids: Iterable[int]) -> dict[int, str]:
    wanted = sorted(set(ids))
    return {row[0]: row[1] for row in connection.execute(query.where(column.in_(wanted)))} if wanted else {}


def _ours(connection: Connection, codes: Iterable[str]) -> list[str]:
    wanted = sorted(set(codes))
    return list(connection.execute(select(sku.c.code).where(sku.c.code.in_(wanted))).scalars()) if wanted else []
