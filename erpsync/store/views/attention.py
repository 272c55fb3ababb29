"""What waits for people: dead letters and tasks."""

from typing import Any

from sqlalchemy import Connection, select

from erpsync.core import advice
from erpsync.store.remedies import letter_remedy
from erpsync.store.tables import channel, dead_letter, orders, task
from erpsync.store.views.values import Json, NotFound, row_json

_DEAD = ("id", "channel", "kind", "key", "at", "attempts", "error", "source", "remedy")
_TASK = ("id", "kind", "key", "channel", "order", "reason", "opened_at", "closed_at", "closed_by")


def list_dead(
    connection: Connection, *, channel_name: str | None = None, kind: str | None = None, limit: int = 0, after: int = 0
) -> list[Json]:
    """Return open dead letters, oldest first; limit 0 is all.

    `source` is file and line, page, or delivery id. `remedy` is what helps, `replay`, `mend` (its source, then it ends
    by itself) or `drop`; `next` says it for people.

    Args:
        after: only letters with larger ids.
    """
    query = (
        select(dead_letter, channel.c.name.label("channel"), letter_remedy().label("remedy"))
        .join(channel, channel.c.id == dead_letter.c.channel_id)
        .where(dead_letter.c.state == "open", dead_letter.c.id > after)
        .order_by(dead_letter.c.id)
        .limit(limit or None)
    )
    if channel_name is not None:
        query = query.where(channel.c.name == channel_name)
    if kind is not None:
        query = query.where(dead_letter.c.kind == kind)
    return [_letter(row) for row in connection.execute(query)]


def show_dead(connection: Connection, id: int) -> Json:
    """Return one dead letter with its state, open or not; raises `NotFound`."""
    query = select(dead_letter, channel.c.name.label("channel"), letter_remedy().label("remedy")).join(
        channel, channel.c.id == dead_letter.c.channel_id
    )
    row = connection.execute(query.where(dead_letter.c.id == id)).first()
    if row is None:
        raise NotFound(f"no dead letter {id}")
    ended = {} if row.state == "open" else {"remedy": "", "next": ""}
    return _letter(row) | ended | {"state": row.state}


def _letter(row: Any) -> Json:
    return row_json(row, _DEAD) | {"next": advice.fill(advice.letter(row.kind, row.remedy), id=row.id)}


def list_tasks(
    connection: Connection, *, channel_name: str | None = None, closed: bool = False, limit: int = 0
) -> list[Json]:
    """Return open tasks, oldest first; with `closed` the latest, also those that are done. Limit 0 is all."""
    query = (
        select(task, channel.c.name.label("channel"), orders.c.number.label("order"))
        .outerjoin(channel, channel.c.id == task.c.channel_id)
        .outerjoin(orders, orders.c.id == task.c.order_id)
        .order_by(task.c.id.desc() if closed else task.c.id)
        .limit(limit or None)
    )
    if channel_name is not None:
        query = query.where(channel.c.name == channel_name)
    if not closed:
        query = query.where(task.c.closed_at.is_(None))
    rows = connection.execute(query).all()
    return [_task(row) for row in (reversed(rows) if closed else rows)]


def _task(row: Any) -> Json:
    shown = row_json(row, _TASK)
    to_do = "" if row.closed_at else advice.fill(advice.TASKS.get(row.kind, advice.DONE), **shown)
    return shown | {"next": to_do}
