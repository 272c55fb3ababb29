"""A person's answer to a task: whether what was sent without an answer is there, whether what is held may go.

Why two answers to an unknown outcome: only who has looked knows, and a wrong guess ships twice or never.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import select, update

from erpsync.flows.channels.clocks import LEAP, confirm_leap
from erpsync.flows.channels.clocks import TASK as CLOCK
from erpsync.flows.context import Context
from erpsync.flows.couriers.acts import answer_doubt, answer_void
from erpsync.flows.couriers.landing import VOID_TASK
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.believed_counts import asks_about_counts, look_again, take_asked, take_last
from erpsync.flows.warehouses.doubt import TASK as RESTORED
from erpsync.flows.warehouses.doubt import let_releases_go
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.held import InDoubt, end_arrived, in_doubt, send_again, unpark
from erpsync.store.outbox.queue import RELEASE, SHIPMENT, WAYBILL
from erpsync.store.releases import note_release_found, orders_in
from erpsync.store.tables import shipment, task
from erpsync.store.tasks import StoredTask, closed, task_of, task_subject


def answer(tx: Tx, ctx: Context, task: StoredTask, *, arrived: bool, actor: str) -> None:
    """Carry out what finishing a task means. Raises `Refused` where the answer fits no question."""
    if arrived and task.kind != "unknown":
        raise Refused(f"task {task.id} does not ask whether something arrived; it is about {task.kind}")
    if (task.kind, task.key) == (CLOCK, LEAP):
        confirm_leap(tx, by=actor)
    elif task.kind == RESTORED:
        let_releases_go(tx, task)
    elif task.kind == "gate":
        unpark(tx, *task_subject(task.key))
    elif task.kind == VOID_TASK:
        answer_void(tx, ctx, task, actor=actor)
    elif task.kind == "unknown":
        for row in in_doubt(tx, task.channel_id, task.key):
            if row.kind == WAYBILL:
                answer_doubt(tx, ctx, row, arrived=arrived, actor=actor)
                continue
            order_ids = orders_in(tx, [row.ref_id])[row.ref_id] if row.kind == RELEASE else [task.order_id]
            (_is_there if arrived else _is_not_there)(tx, row, order_ids, actor)


def _is_there(tx: Tx, row: InDoubt, order_ids: Sequence[int | None], actor: str) -> None:
    end_arrived(tx, row.id, note=f"found there by {actor}")
    if row.kind == SHIPMENT:
        _set_parcel(tx, row.ref_id, state="sent", sent_at=row.sent_at)
    elif row.kind == RELEASE:
        note_release_found(tx, row.ref_id, sent_at=row.sent_at)
    _note(tx, row, "told", order_ids, actor)


def _is_not_there(tx: Tx, row: InDoubt, order_ids: Sequence[int | None], actor: str) -> None:
    send_again(tx, row.id)
    if row.kind == SHIPMENT:
        _set_parcel(tx, row.ref_id, state="pending")
    _note(tx, row, "again", order_ids, actor)


def _note(tx: Tx, row: InDoubt, what: str, order_ids: Sequence[int | None], actor: str) -> None:
    detail = {row.kind: row.key, "looked": actor}
    told = partial(Event, kind=f"{row.kind}.{what}", channel_id=row.destination_id, detail=detail, actor=actor)
    write_events(tx, [told(order_id=order_id) for order_id in order_ids])


def _set_parcel(tx: Tx, shipment_id: int, **values: Any) -> None:
    tx.execute(update(shipment).where(shipment.c.id == shipment_id).values(**values))


def finish_task(ctx: Context, task_id: int, *, actor: str, arrived: bool = False) -> None:
    """Close a task; what waited for the person goes on.

    Args:
        arrived: of something that was sent without an answer: it is there, and not to be sent again.
    """
    with ctx.store.read() as connection:
        asked = connection.execute(
            select(task.c.kind, task.c.key, task.c.closed_at).where(task.c.id == task_id)
        ).first()
    skus: list[str] = []
    if asked is not None and asked.closed_at is None and asks_about_counts(asked.kind):
        skus = take_asked(ctx, asked.kind, asked.key, actor=actor)

    def close_task(tx: Tx) -> None:
        row = tx.execute(select(task).where(task.c.id == task_id).with_for_update(key_share=True)).first()
        if row is None:
            raise Refused(f"task {task_id} is not known")
        if row.closed_at is not None:
            raise Refused(f"task {task_id} was closed by {row.closed_by}")
        tx.execute(update(task).where(task.c.id == task_id).values(closed_at=tx.now, closed_by=actor))
        stored = task_of(row)
        answer(tx, ctx, stored, arrived=arrived, actor=actor)
        if asks_about_counts(stored.kind):
            skus.extend(take_last(tx, ctx, stored.kind, stored.key, actor=actor))
        write_events(tx, [closed(stored, by=actor)])

    ctx.store.retrying(close_task)
    look_again(ctx, skus)
