"""Tasks: what a person has to do, open once for each thing it is about."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text, update

from erpsync.core.personal import scrubbed
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.queue import RELEASE, SHIPMENT, WAYBILL
from erpsync.store.tables import task


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTask:
    """A task as it stands in the database, open or just closed."""

    id: int
    kind: str
    key: str
    channel_id: int | None
    order_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something a person should do, with a reason. One open task per (kind, key)."""

    kind: str
    key: str
    reason: str
    channel_id: int | None = None
    order_id: int | None = None


def open_tasks(tx: Tx, tasks: Iterable[Task], *, first_id: int | None = None) -> list[Task]:
    """Open tasks, with an event each, and return them; one that is open already gets the newer reason instead.

    Args:
        first_id: the id of the first one that is opened; the database gives it where none is said.
    """
    opened: list[tuple[int, Task]] = []
    for item in sorted(tasks, key=lambda t: (t.kind, t.key)):
        task_id = _open(tx, item, None if opened else first_id)
        if task_id is not None:
            opened.append((task_id, item))
    write_events(tx, [_opened(task_id, item) for task_id, item in opened])
    return [item for _, item in opened]


def _open(tx: Tx, item: Task, task_id: int | None) -> int | None:
    """Open a task and return its id, or give the one that is open the newer reason.

    Once more where that one was closed by somebody just in between.
    """
    values = {"reason": item.reason, "channel_id": item.channel_id, "order_id": item.order_id, "opened_at": tx.now}
    values |= {} if task_id is None else {"id": task_id}
    row = tx.insert(task).values(kind=item.kind, key=item.key, **values)
    fresh = row.on_conflict_do_nothing(index_elements=["kind", "key"], index_where=text("closed_at IS NULL"))
    same = update(task).where(task.c.kind == item.kind, task.c.key == item.key, text("task.closed_at IS NULL"))
    while True:
        opened_id = tx.execute(fresh.returning(task.c.id)).scalar()
        if opened_id is not None or tx.execute(same.values(reason=item.reason)).rowcount:
            return opened_id


def _opened(task_id: int, item: Task) -> Event:
    detail = {"id": task_id, "task": item.kind, "key": item.key, "reason": scrubbed(item.reason)}
    return Event(kind="task.opened", order_id=item.order_id, channel_id=item.channel_id, detail=detail)


def close_tasks(tx: Tx, kind: str, keys: Iterable[str], *, by: str) -> int:
    """Close the open tasks of a kind with these keys, with an event each; return how many there were."""
    wanted = sorted(set(keys))
    if not wanted:
        return 0
    statement = update(task).where(task.c.kind == kind, task.c.key.in_(wanted), task.c.closed_at.is_(None))
    told = (task.c.id, task.c.kind, task.c.key, task.c.order_id, task.c.channel_id)
    rows = [task_of(row) for row in tx.all(statement.values(closed_at=tx.now, closed_by=by).returning(*told))]
    write_events(tx, [closed(row, by=by) for row in sorted(rows, key=lambda row: row.id)])
    return len(rows)


def open_keys(connection: Connection, kind: str) -> set[str]:
    """Return what the open tasks of a kind are about."""
    query = select(task.c.key).where(task.c.kind == kind, text("task.closed_at IS NULL"))
    return set(connection.execute(query).scalars())


def task_of(row: Any) -> StoredTask:
    """Return a row of `task` with a type."""
    return StoredTask(id=row.id, kind=row.kind, key=row.key, channel_id=row.channel_id, order_id=row.order_id)


def closed(row: StoredTask, *, by: str) -> Event:
    """Return the event of a task that is closed."""
    detail = {"id": row.id, "task": row.kind, "key": row.key}
    return Event(kind="task.done", order_id=row.order_id, channel_id=row.channel_id, detail=detail, actor=by)


def task_key(kind: str, ref_id: int) -> str:
    """Return the key of the task that asks a person about a parcel, a release, or the booking of one."""
    return f"{kind}:{ref_id}" if kind in (RELEASE, WAYBILL) else str(ref_id)


def task_subject(key: str) -> tuple[str, int]:
    """Return kind and row id of what a task is about."""
    head, _, number = key.rpartition(":")
    return (head if head in (RELEASE, WAYBILL) else SHIPMENT), int(number)
