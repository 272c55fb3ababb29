"""What a warehouse says about stopping a release, at once or later, asked or not.

Why a cancel counts only with its answer: a unit that is freed while its parcel leaves is sold twice.
"""

from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import select

from erpsync.core.order_holds import HoldReason
from erpsync.core.orders import KnownOrder
from erpsync.flows.allocation.recall import set_released
from erpsync.flows.context import Context
from erpsync.flows.orders.decide import redecide
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import RELEASE, RELEASE_CANCEL, drop_open
from erpsync.store.releases import set_release_state
from erpsync.store.tables import RELEASES_OUT, release_line
from erpsync.store.tasks import Task, close_tasks, open_tasks

TASK = "recall"
log = structlog.get_logger()


def take_answer(tx: Tx, ctx: Context, head: Any, *, stopped: bool | None, reason: str) -> None:
    """Note an answer about a release (its row); one about a release that has ended changes nothing.

    Args:
        stopped: None when the warehouse answers later.
    """
    if head.state not in RELEASES_OUT:
        return
    if stopped is None:
        text = f"release {head.number} is to be stopped; the warehouse was asked and has not answered yet"
        open_tasks(tx, [Task(kind=TASK, key=head.number, reason=text, order_id=head.order_id)])
    elif stopped:
        _stop(tx, ctx, head, reason)
    elif head.state == "recalled":
        _keep(tx, head, reason)


def _stop(tx: Tx, ctx: Context, head: Any, reason: str) -> None:
    """Free what the release held. One that a warehouse gives back unasked waits for a person, not for the next try."""
    detail = {"release": head.number, "warehouse_id": head.warehouse_id, "why": reason}
    order = lock_order_ids(tx, [head.order_id])[head.order_id]
    after = order
    if head.state in ("told", "unsure"):
        text = f"the warehouse gave release {head.number} back{f': {reason}' if reason else ''}"
        after = replace(order, holds={HoldReason.OPERATOR.value: text, **order.holds})
    drop_open(tx, RELEASE_CANCEL, [head.id], note="stopped")
    close_tasks(tx, TASK, [head.number], by="erpsync")
    close_tasks(tx, "order_edited", [order.number], by="erpsync")
    end_release(tx, ctx, head, order, after, state="stopped", detail=detail)
    log.info("release.stopped", release=head.number, order=order.number)


def end_release(
    tx: Tx,
    ctx: Context,
    head: Any,
    order: KnownOrder,
    after: KnownOrder,
    *,
    state: str,
    detail: dict[str, Any],
    reason: str | None = None,
) -> None:
    """End a release: what is left of its units is the order's again, planned anew and not in any warehouse's hands."""
    set_release_state(tx, head.id, state, reason=reason)
    drop_open(tx, RELEASE, [head.id], note=state)
    close_tasks(tx, "unknown", [head.number], by="erpsync")
    skus = set_released(tx, order, head.warehouse_id, released=False)
    lines = select(release_line.c.sku_id).where(release_line.c.release_id == head.id)
    skus |= set(tx.execute(lines).scalars())
    redecide(tx, ctx, [(order, after)], event=f"release.{state}", detail=detail, also=skus)


def _keep(tx: Tx, head: Any, reason: str) -> None:
    said = f" ({reason})" if reason else ""
    text = f"the warehouse does not stop release {head.number}{said}; it leaves: get the parcel back"
    set_release_state(tx, head.id, "kept", reason=reason)
    open_tasks(tx, [Task(kind=TASK, key=head.number, reason=text, order_id=head.order_id)])
    detail = {"release": head.number, "warehouse_id": head.warehouse_id, "why": reason}
    write_events(tx, [Event(kind="release.kept", order_id=head.order_id, detail=detail)])
    log.warning("release.kept", release=head.number, why=reason)
