"""Tasks: what a person has to do, open once for each thing it is about."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text, update

from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.queue import RELEASE, SHIPMENT
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


def open_tasks(tx: Tx, tasks: Iterable[Task]) -> None:
    """Open tasks; one that is open already gets the newer reason."""
    for item in sorted(tasks, key=lambda t: (t.kind, t.key)):
        row = tx.insert(task).values(
            kind=item.kind,
            key=item.key,
            reason=item.reason,
            channel_id=item.channel_id,
            order_id=item.order_id,
            opened_at=tx.now,
        )
        tx.execute(
            row.on_conflict_do_update(
                index_elements=["kind", "key"],
                index_where=text("closed_at IS NULL"),
                set_={"reason": row.excluded.reason},
            )
        )


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


def task_of(row: Any) -> StoredTask:
    """Return a row of `task` with a type."""
    return StoredTask(id=row.id, kind=row.kind, key=row.key, channel_id=row.channel_id, order_id=row.order_id)


def closed(row: StoredTask, *, by: str) -> Event:
    """Return the event of a task that is closed."""
    detail = {"id": row.id, "task": row.kind, "key": row.key}
    return Event(kind="task.done", order_id=row.order_id, channel_id=row.channel_id, detail=detail, actor=by)


def task_key(kind: str, ref_id: int) -> str:
    """Return the key of the task that asks a person about a parcel or a release."""
    return f"release:{ref_id}" if kind == RELEASE else str(ref_id)


def task_subject(key: str) -> tuple[str, int]:
    """Return kind and row id of what a task is about."""
    head, _, number = key.rpartition(":")
    return (RELEASE if head == "release" else SHIPMENT), int(number)
