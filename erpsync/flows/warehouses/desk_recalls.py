"""Releases at a desk that are to be stopped: at once as long as nothing was printed, by a person's word afterwards.

Why paper makes the difference: before it nobody can have packed anything; with it a parcel may be on its way. Why one
whose units were reported as sent is not stopped but has left: whoever said so by a command, a file or the API had it in
hand, and nobody is to look for its papers.
"""

from functools import partial

from sqlalchemy import exists, literal_column, select

from erpsync.flows.context import Context
from erpsync.flows.warehouses.stop_answers import TASK, end_release, take_answer
from erpsync.store.db.store import Tx
from erpsync.store.releases import has_left, lock_orders_in, read_head
from erpsync.store.tables import release, task
from erpsync.store.tasks import Task, open_tasks

AT_ONCE = 200
UNPRINTED = "nothing of it was printed"


def stop_at_desks(ctx: Context) -> int:
    """Stop what was recalled before it was printed, and ask for the paper of the rest; return how many there were."""
    desks = sorted(ctx.desks.values())
    if not desks:
        return 0
    asked = exists().where(task.c.kind == TASK, task.c.key == release.c.number, task.c.closed_at.is_(None))
    query = select(release.c.id).where(
        release.c.state == literal_column("'recalled'"), release.c.warehouse_id.in_(desks), ~asked
    )
    with ctx.store.read() as connection:
        recalled = list(connection.execute(query.order_by(release.c.id).limit(AT_ONCE)).scalars())
    for release_id in recalled:
        ctx.store.retrying(partial(_stop, ctx=ctx, release_id=release_id))
    return len(recalled)


def _stop(tx: Tx, *, ctx: Context, release_id: int) -> None:
    orders = lock_orders_in(tx, release_id)
    head = read_head(tx, release_id)
    if head.state != "recalled":
        return
    if has_left(tx, head):
        detail = {"release": head.number, "warehouse_id": head.warehouse_id}
        end_release(tx, ctx, head, orders, state="shipped", detail=detail, reason="it left without a scan")
        return
    if head.printed_at is None:
        take_answer(tx, ctx, head, stopped=True, reason=UNPRINTED)
        return
    text = f"release {head.number} is printed and must not leave; take its papers out and stop it"
    open_tasks(tx, [Task(kind="recall", key=head.number, reason=text, order_id=orders[0].id)])
