"""What a warehouse says about stopping a release, at once or later, asked or not.

Why a cancel counts only with its answer: a unit that is freed while its parcel leaves is sold twice.
"""

from collections.abc import Sequence
from typing import Any

import structlog

from erpsync.core.orders import KnownOrder
from erpsync.flows.allocation.recall import set_released
from erpsync.flows.context import Context
from erpsync.flows.couriers.ends import release_waybills, use_waybills
from erpsync.flows.orders.decide import redecide
from erpsync.flows.warehouses.refusals import given_back
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.queue import RELEASE, RELEASE_CANCEL, drop_open
from erpsync.store.releases import ReleaseHead, lines_out, lock_orders_in, orders_in, pieces_in, set_release_state
from erpsync.store.tables import RELEASES_OUT
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.waves import settle_wave

TASK = "recall"
log = structlog.get_logger()


def take_answer(tx: Tx, ctx: Context, head: ReleaseHead, *, stopped: bool | None, reason: str, actor: str = "") -> None:
    """Note an answer about a release; one about a release that has ended changes nothing.

    Args:
        stopped: None when the warehouse answers later.
        actor: who answers, where that is a person at a desk.
    """
    if head.state not in RELEASES_OUT:
        return
    if stopped is None:
        text = f"release {head.number} is to be stopped; the warehouse was asked and has not answered yet"
        _ask(tx, head, text, orders_in(tx, [head.id])[head.id][0])
    elif stopped:
        _stop(tx, ctx, head, reason, actor)
    elif head.state == "recalled":
        _keep(tx, head, reason, actor)


def _ask(tx: Tx, head: ReleaseHead, text: str, order_id: int) -> None:
    open_tasks(tx, [Task(kind=TASK, key=head.number, reason=text, order_id=order_id)])


def _stop(tx: Tx, ctx: Context, head: ReleaseHead, reason: str, actor: str) -> None:
    """Free what the release held. One that a warehouse gives back unasked waits for a person, not for the next try."""
    detail = {"release": head.number, "warehouse_id": head.warehouse_id, "why": reason}
    orders = lock_orders_in(tx, head.id)
    text = ""
    if head.state in ("told", "unsure"):
        text = f"the warehouse gave release {head.number} back{f': {reason}' if reason else ''}"
    drop_open(tx, RELEASE_CANCEL, [head.id], note="stopped")
    close_tasks(tx, TASK, [head.number], by=actor or "erpsync")
    close_tasks(tx, "order_edited", [order.number for order in orders], by=actor or "erpsync")
    end_release(tx, ctx, head, orders, state="stopped", detail=detail, actor=actor, back=text)
    log.info("release.stopped", release=head.number, order=", ".join(order.number for order in orders))


def end_release(
    tx: Tx,
    ctx: Context,
    head: ReleaseHead,
    orders: Sequence[KnownOrder],
    *,
    state: str,
    detail: dict[str, Any],
    reason: str | None = None,
    back: str = "",
    actor: str = "",
) -> None:
    """End a release: what is left of its units is its orders' again, planned anew and not in any warehouse's hands.

    A wave of which nothing is left ends with it.

    Args:
        orders: all orders of the release, locked.
        back: what is said of a warehouse that gives it back unasked; then another one is asked, or a person.
    """
    wave_id = set_release_state(tx, head.id, state, reason=reason)
    if state == "shipped":
        use_waybills(tx, head.id)
    else:
        release_waybills(tx, ctx, head.id)
    drop_open(tx, RELEASE, [head.id], note=state)
    close_tasks(tx, "unknown", [head.number], by="erpsync")
    skus = set_not_released(tx, head)
    wanted = given_back(tx, ctx, head, orders, text=back, actor=actor) if back else orders
    decided = list(zip(orders, wanted, strict=True))
    redecide(tx, ctx, decided, event=f"release.{state}", actor=actor, detail=detail, also=skus)
    if wave_id is not None:
        settle_wave(tx, wave_id)


def set_not_released(tx: Tx, head: ReleaseHead) -> set[int]:
    """Take back the marks of what a release held, but for lines that leave in another one, too; return its SKUs."""
    pieces = pieces_in(tx, head.id)
    lines = {piece.line_id for piece in pieces}
    held = set_released(tx, lines - lines_out(tx, head, lines), head.warehouse_id, released=False)
    return held | {piece.sku_id for piece in pieces}


def _keep(tx: Tx, head: ReleaseHead, reason: str, actor: str) -> None:
    said = f" ({reason})" if reason else ""
    text = f"the warehouse does not stop release {head.number}{said}; it leaves: get the parcel back"
    set_release_state(tx, head.id, "kept", reason=reason)
    order_ids = orders_in(tx, [head.id])[head.id]
    _ask(tx, head, text, order_ids[0])
    detail = {"release": head.number, "warehouse_id": head.warehouse_id, "why": reason}
    write_events(tx, [Event(kind="release.kept", order_id=id, detail=detail, actor=actor) for id in order_ids])
    log.warning("release.kept", release=head.number, why=reason)
