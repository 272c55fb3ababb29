"""Waybills that nobody used: they are paid for, and the courier waits for their parcels.

Why one task for each account, and not for each number: whoever looks sees to all of them in one go, and a warehouse
that closes for a day would have hundreds.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import literal_column, select

from erpsync.flows.context import Context
from erpsync.store.db.store import Tx
from erpsync.store.tables import WAYBILL_IS_UNUSED, task, waybill
from erpsync.store.tasks import Task, close_tasks, open_tasks

NAMED = 10
"""So many numbers are named in a task."""


def tell_stale(ctx: Context) -> int:
    """Ask about numbers that were booked so long ago and are neither used nor void; return how many there are.

    A task that is open says what is so now, and ends when nothing is.
    """
    span = timedelta(hours=ctx.couriers.stale_h)
    return ctx.store.retrying(lambda tx: _tell(tx, ctx, span))


def _tell(tx: Tx, ctx: Context, span: timedelta) -> int:
    query = select(waybill.c.account_id, waybill.c.number).where(
        WAYBILL_IS_UNUSED, waybill.c.state == literal_column("'booked'"), waybill.c.booked_at < tx.now - span
    )
    stale: dict[int, list[str]] = {}
    for row in tx.all(query.order_by(waybill.c.id)):
        stale.setdefault(row.account_id, []).append(row.number)
    names = {id: ctx.channels[id].name for id in stale if id in ctx.channels}
    open_tasks(tx, [_task(id, name, stale[id], span) for id, name in sorted(names.items())])
    asked = select(task.c.key).where(task.c.kind == "waybill_stale", task.c.closed_at.is_(None))
    close_tasks(tx, "waybill_stale", set(tx.execute(asked).scalars()) - set(names.values()), by="erpsync")
    return sum(map(len, stale.values()))


def _task(account_id: int, name: str, numbers: Sequence[str], span: timedelta) -> Task:
    hours, some, more = round(span.total_seconds() / 3600), ", ".join(numbers[:NAMED]), len(numbers) - NAMED
    shown = f"{some} and {more} more" if more > 0 else some
    reason = f"booked with {name} more than {hours} hours ago and neither used nor void: {shown}; send or void them"
    if hours == 1:
        reason = f"booked with {name} more than an hour ago and neither used nor void: {shown}; send or void them"
    return Task(kind="waybill_stale", key=name, reason=reason, channel_id=account_id)
