"""What a warehouse says about stopping a release, at once or later, asked or not.

Why a cancel counts only with its answer: a unit that is freed while its parcel leaves is sold twice.
"""

from collections.abc import Sequence
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
from erpsync.store.outbox.queue import RELEASE, RELEASE_CANCEL, drop_open
from erpsync.store.releases import ReleaseHead, lock_orders_in, orders_in, set_release_state
from erpsync.store.tables import RELEASES_OUT, release_line
from erpsync.store.tasks import Task, close_tasks, open_tasks

TASK = "recall"
log = structlog.get_logger()


def take_answer(tx: Tx, ctx: Context, head: ReleaseHead, *, stopped: bool | None, reason: str) -> None:
    """Note an answer about a release; one about a release that has ended changes nothing.

    Args:
        stopped: None when the warehouse answers later.
    """
    if head.state not in RELEASES_OUT:
        return
    if stopped is None:
        text = f"release {head.number} is to be stopped; the warehouse was asked and has not answered yet"
        _ask(tx, head, text, orders_in(tx, [head.id])[head.id][0])
    elif stopped:
        _stop(tx, ctx, head, reason)
    elif head.state == "recalled":
        _keep(tx, head, reason)


def _ask(tx: Tx, head: ReleaseHead, text: str, order_id: int) -> None:
    open_tasks(tx, [Task(kind=TASK, key=head.number, reason=text, order_id=order_id)])


def _stop(tx: Tx, ctx: Context, head: ReleaseHead, reason: str) -> None:
    """Free what the release held. One that a warehouse gives back unasked waits for a person, not for the next try."""
    detail = {"release": head.number, "warehouse_id": head.warehouse_id, "why": reason}
    orders = lock_orders_in(tx, head.id)
    after = orders
    if head.state in ("told", "unsure"):
        text = f"the warehouse gave release {head.number} back{f': {reason}' if reason else ''}"
        after = [replace(order, holds={HoldReason.OPERATOR.value: text, **order.holds}) for order in orders]
    drop_open(tx, RELEASE_CANCEL, [head.id], note="stopped")
    close_tasks(tx, TASK, [head.number], by="erpsync")
    close_tasks(tx, "order_edited", [order.number for order in orders], by="erpsync")
    end_release(tx, ctx, head, list(zip(orders, after, strict=True)), state="stopped", detail=detail)
    log.info("release.stopped", release=head.number, order=", ".join(order.number for order in orders))


def end_release(
    tx: Tx,
    ctx: Context,
    head: ReleaseHead,
    decided: Sequence[tuple[KnownOrder, KnownOrder]],
    *,
    state: str,
    detail: dict[str, Any],
    reason: str | None = None,
) -> None:
    """End a release: what is left of its units is its orders' again, planned anew and not in any warehouse's hands.

    Args:
        decided: all orders of the release, locked, as they are and as they are to be.
    """
    set_release_state(tx, head.id, state, reason=reason)
    drop_open(tx, RELEASE, [head.id], note=state)
    close_tasks(tx, "unknown", [head.number], by="erpsync")
    skus = set_released(tx, [order for order, _ in decided], head.warehouse_id, released=False)
    lines = select(release_line.c.sku_id).where(release_line.c.release_id == head.id)
    skus |= set(tx.execute(lines).scalars())
    redecide(tx, ctx, decided, event=f"release.{state}", detail=detail, also=skus)


def _keep(tx: Tx, head: ReleaseHead, reason: str) -> None:
    said = f" ({reason})" if reason else ""
    text = f"the warehouse does not stop release {head.number}{said}; it leaves: get the parcel back"
    set_release_state(tx, head.id, "kept", reason=reason)
    order_ids = orders_in(tx, [head.id])[head.id]
    _ask(tx, head, text, order_ids[0])
    detail = {"release": head.number, "warehouse_id": head.warehouse_id, "why": reason}
    write_events(tx, [Event(kind="release.kept", order_id=id, detail=detail) for id in order_ids])
    log.warning("release.kept", release=head.number, why=reason)
