"""Refunds that became known too late: a parcel was told, or a warehouse has the order, although one was asked for.

Why a task and nothing more: what went out cannot be taken back from here, and only people can talk to the buyer. A
return that is asked for afterwards is none of this.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from erpsync.core.instants import stamp
from erpsync.core.order_holds import HoldReason
from erpsync.core.orders import KnownOrder
from erpsync.core.refunds import keeps_here, lines_asked, names_units
from erpsync.flows.allocation.changes import Change
from erpsync.sdk.types import Refund, RefundState
from erpsync.store.db.store import Tx
from erpsync.store.orders import refunds_of
from erpsync.store.tables import RELEASES_OUT, release, release_order, shipment, shipment_line
from erpsync.store.tasks import Task, open_tasks

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
    lines = _lines_sent(tx, orders)
    gone = [
        (row.order_id, row.sent_at, f"parcel {row.number}")
        for row in _parcels(tx, orders)
        if _concerns(orders[row.order_id], refunds, lines.get(row.id, ()))
    ]
    gone += [(row.order_id, row.told_at, f"release {row.number}") for row in _releases(tx, orders)]
    open_tasks(
        tx,
        [_task(orders[id], f"{what} went out at {stamp(at)}", since[id]) for id, at, what in gone if at >= since[id]],
    )


def ask_if_asked(tx: Tx, order: KnownOrder, what: str, units: Collection[int] = ()) -> None:
    """Open a task when a refund became known while the call about `what` was under way.

    Args:
        units: ids of the lines that it is about; none when it is the whole order.
    """
    if HoldReason.REFUND_OPEN in order.holds and _keeps(order, _refunds(tx, order), units):
        open_tasks(tx, [_task(order, f"{what} went out", None)])


def _is_news(before: KnownOrder, after: KnownOrder) -> bool:
    returned = sum(line.refunded_qty for line in after.lines) > sum(line.refunded_qty for line in before.lines)
    return returned or (HoldReason.REFUND_OPEN in after.holds and HoldReason.REFUND_OPEN not in before.holds)


def _asked_at(order: KnownOrder, refunds: Sequence[Refund]) -> datetime | None:
    """Return since when a refund has stood there, as far as the channel says."""
    changed = [refund.version_at for refund in refunds if refund.state is not RefundState.CLOSED]
    viewed = [order.reading.version_at] if order.refund_asked else []
    return min((*changed, *viewed), default=None)


def _concerns(order: KnownOrder, refunds: Mapping[str, Sequence[Refund]], lines: Collection[int]) -> bool:
    """Whether a parcel with these lines (by id) may hold what any refund of the order is about."""
    of_order = refunds.get(order.external_id, ())
    if not all(refund.state is RefundState.CLOSED or names_units(order, refund) for refund in of_order):
        return True
    named = {
        line.line_external_id for refund in of_order if refund.state is RefundState.GRANTED for line in refund.lines
    }
    sent = {line.external_id for line in order.lines if line.id in lines}
    return not named.isdisjoint(sent) or (HoldReason.REFUND_OPEN in order.holds and _keeps(order, of_order, lines))


def _keeps(order: KnownOrder, refunds: Sequence[Refund], lines: Collection[int]) -> bool:
    return keeps_here(lines_asked(order, refunds), [line.external_id for line in order.lines if line.id in lines])


def _refunds(tx: Tx, order: KnownOrder) -> Sequence[Refund]:
    return refunds_of(tx, order.channel_id, [order.external_id]).get(order.external_id, ())


def _lines_sent(tx: Tx, orders: Mapping[int, KnownOrder]) -> dict[int, set[int]]:
    """Return the lines in each parcel of the orders."""
    query = select(shipment_line.c.shipment_id, shipment_line.c.line_id).join(shipment)
    lines: dict[int, set[int]] = {}
    for row in tx.all(query.where(shipment.c.order_id.in_(sorted(orders)))):
        lines.setdefault(row.shipment_id, set()).add(row.line_id)
    return lines


class _SentParcel(NamedTuple):
    id: int
    order_id: int
    number: str
    sent_at: datetime


def _parcels(tx: Tx, orders: Mapping[int, KnownOrder]) -> list[_SentParcel]:
    query = select(shipment.c.id, shipment.c.order_id, shipment.c.number, shipment.c.sent_at)
    sent = query.where(shipment.c.order_id.in_(sorted(orders)), shipment.c.sent_at.is_not(None))
    return [_SentParcel(*row) for row in tx.all(sent)]


class _ToldRelease(NamedTuple):
    order_id: int
    number: str
    told_at: datetime


def _releases(tx: Tx, orders: Mapping[int, KnownOrder]) -> list[_ToldRelease]:
    query = select(release_order.c.order_id, release.c.number, release.c.told_at).join(release_order)
    of_orders = release_order.c.order_id.in_(sorted(orders)) & release_order.c.ended_at.is_(None)
    told = query.where(of_orders, release.c.state.in_(RELEASES_OUT), release.c.told_at.is_not(None))
    return [_ToldRelease(*row) for row in tx.all(told)]


def _task(order: KnownOrder, gone: str, asked_at: datetime | None) -> Task:
    when = f" at {stamp(asked_at)}" if asked_at else ""
    reason = f"{gone} although a refund of order {order.number} was asked for{when}, which became known only now"
    return Task(kind=TASK, key=order.number, reason=reason, channel_id=order.channel_id, order_id=order.id)
