"""A person's answer to a task: whether what was sent without an answer is there, whether what is held may go.

Why two answers to an unknown outcome: only who has looked knows, and a wrong guess ships twice or never.
"""

from typing import Any

from sqlalchemy import update

from erpsync.flows.clocks import LEAP, confirm_leap
from erpsync.flows.clocks import TASK as CLOCK
from erpsync.flows.errors import Refused
from erpsync.flows.holding import task_subject
from erpsync.store.held import end_arrived, in_doubt, let_go, send_again
from erpsync.store.notes import Event, write_events
from erpsync.store.queue import RELEASE, SHIPMENT
from erpsync.store.store import Tx
from erpsync.store.tables import release, shipment


def answer(tx: Tx, task: Any, *, arrived: bool, actor: str) -> None:
    """Carry out what finishing a task means. Raises `Refused` where the answer fits no question."""
    if arrived and task.kind != "unknown":
        raise Refused(f"task {task.id} does not ask whether something arrived; it is about {task.kind}")
    if (task.kind, task.key) == (CLOCK, LEAP):
        confirm_leap(tx, by=actor)
    elif task.kind == "gate":
        let_go(tx, *task_subject(task.key))
    elif task.kind == "unknown":
        for row in in_doubt(tx, task.channel_id, task.key):
            (_is_there if arrived else _is_not_there)(tx, row, task.order_id, actor)


def _is_there(tx: Tx, row: Any, order_id: int | None, actor: str) -> None:
    end_arrived(tx, row.id, note=f"found there by {actor}")
    if row.kind == SHIPMENT:
        _set(tx, shipment, row, state="sent", sent_at=row.sent_at)
    elif row.kind == RELEASE:
        unsure = (release.c.id == row.ref_id) & (release.c.state == "unsure")
        tx.execute(update(release).where(unsure).values(state="told", told_at=row.sent_at))
    _note(tx, row, "told", order_id, actor)


def _is_not_there(tx: Tx, row: Any, order_id: int | None, actor: str) -> None:
    send_again(tx, row.id)
    if row.kind == SHIPMENT:
        _set(tx, shipment, row, state="pending")
    _note(tx, row, "again", order_id, actor)


def _note(tx: Tx, row: Any, what: str, order_id: int | None, actor: str) -> None:
    detail = {row.kind: row.key, "looked": actor}
    kind = f"{row.kind}.{what}"
    write_events(tx, [Event(kind=kind, order_id=order_id, channel_id=row.destination_id, detail=detail, actor=actor)])


def _set(tx: Tx, table: Any, row: Any, **values: Any) -> None:
    tx.execute(update(table).where(table.c.id == row.ref_id).values(**values))
