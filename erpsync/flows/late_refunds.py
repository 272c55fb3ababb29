"""Refunds that became known too late: a parcel was told, or a warehouse has the order, although one was asked for.

Why a task and nothing more: what went out cannot be taken back from here, and only people can talk to the buyer. A
return that is asked for afterwards is none of this.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from erpsync.core.instants import stamp
from erpsync.core.orders import KnownOrder
from erpsync.flows.fulfil import Change
from erpsync.sdk.types import Refund, RefundState
from erpsync.store.notes import Task, open_tasks
from erpsync.store.store import Tx
from erpsync.store.tables import RELEASES_OUT, release, shipment

TASK = "refund_late"


def ask_about_late(tx: Tx, changes: Sequence[Change], refunds: Mapping[str, Sequence[Refund]]) -> None:
    """Open a task for each order of which something went out while a refund was asked for that nobody here knew of."""
    since: dict[int, datetime] = {}
    orders: dict[int, KnownOrder] = {}
    for change in changes:
        asked_at = _asked_at(change.after, refunds.get(change.after.external_id, ()))
        if change.before is not None and asked_at is not None and _is_news(change.before, change.after):
            since[change.after.id], orders[change.after.id] = asked_at, change.after
    if not orders:
        return
    gone = [(row.order_id, row.sent_at, f"parcel {row.number}") for row in _parcels(tx, orders)]
    gone += [(row.order_id, row.told_at, f"release {row.number}") for row in _releases(tx, orders)]
    open_tasks(
        tx,
        [_task(orders[id], f"{what} went out at {stamp(at)}", since[id]) for id, at, what in gone if at >= since[id]],
    )


def ask_if_asked(tx: Tx, order: KnownOrder, what: str) -> None:
    """Open a task when a refund became known while the call about `what` was under way."""
    if "refund_open" in order.holds:
        open_tasks(tx, [_task(order, f"{what} went out", None)])


def _is_news(before: KnownOrder, after: KnownOrder) -> bool:
    returned = sum(line.refunded_qty for line in after.lines) > sum(line.refunded_qty for line in before.lines)
    return returned or ("refund_open" in after.holds and "refund_open" not in before.holds)


def _asked_at(order: KnownOrder, refunds: Sequence[Refund]) -> datetime | None:
    """Return since when a refund has stood there, as far as the channel says."""
    known = [each.version_at for each in refunds if each.state is not RefundState.CLOSED]
    viewed = [order.reading.version_at] if order.refund_asked else []
    return min((*known, *viewed), default=None)


def _parcels(tx: Tx, orders: Mapping[int, KnownOrder]) -> Sequence[Any]:
    query = select(shipment.c.order_id, shipment.c.number, shipment.c.sent_at)
    return tx.all(query.where(shipment.c.order_id.in_(sorted(orders)), shipment.c.sent_at.is_not(None)))


def _releases(tx: Tx, orders: Mapping[int, KnownOrder]) -> Sequence[Any]:
    query = select(release.c.order_id, release.c.number, release.c.told_at)
    out = release.c.state.in_(RELEASES_OUT)
    return tx.all(query.where(release.c.order_id.in_(sorted(orders)), out, release.c.told_at.is_not(None)))


def _task(order: KnownOrder, gone: str, asked_at: datetime | None) -> Task:
    when = f" at {stamp(asked_at)}" if asked_at else ""
    reason = f"{gone} although a refund of order {order.number} was asked for{when}, which became known only now"
    return Task(kind=TASK, key=order.number, reason=reason, channel_id=order.channel_id, order_id=order.id)
