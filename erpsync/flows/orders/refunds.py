"""Money given back, as orders are decided: what was to pay is kept with it, and what nobody can place is a task.

Why a task and no guess: money alone may be for any of the goods. Cancelling too much gives a buyer's units to somebody
else, sending too much loses them; only who gave the money back knows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from erpsync.core.orders import KnownOrder
from erpsync.core.readings import Reading, Verdict, is_refund_further, judge
from erpsync.core.refunds import KnownRefund, is_unplaced, names_units, to_pay_when_granted
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Channel
from erpsync.flows.records.batch import RefundRecord
from erpsync.flows.records.same_version import Disputed
from erpsync.sdk.types import Refund, RefundState
from erpsync.store.db.store import Tx
from erpsync.store.orders import keep_to_pay, lock_refunds, refunds_of, write_refunds
from erpsync.store.payloads import keep_payloads
from erpsync.store.tasks import Task, close_tasks, open_tasks

TASK = "refund_unnamed"
Refunds = Mapping[int, Sequence[KnownRefund]]
"""Refunds by the id of the order they concern."""


def refunds_by_order(tx: Tx, orders: Collection[KnownOrder]) -> dict[int, list[KnownRefund]]:
    """Return the refunds of orders of any channels."""
    by_channel: dict[int, dict[str, int]] = {}
    for order in orders:
        by_channel.setdefault(order.channel_id, {})[order.external_id] = order.id
    return {
        ids[external_id]: refunds
        for channel_id, ids in by_channel.items()
        for external_id, refunds in refunds_of(tx, channel_id, ids).items()
    }


def priced_refunds(tx: Tx, orders: Collection[KnownOrder]) -> tuple[dict[int, list[KnownRefund]], set[int]]:
    """Return the refunds of the orders and the ids of those orders of which one was granted now.

    Each granted one has what was to pay then, which is kept with it when it is granted.
    """
    by_order = refunds_by_order(tx, orders)
    to_pay: dict[int, int] = {}
    news: set[int] = set()
    for order in orders:
        refunds = by_order.get(order.id, [])
        if amounts := to_pay_when_granted(order, refunds):
            to_pay |= {refund.id: amounts[refund.external_id] for refund in refunds if refund.external_id in amounts}
            by_order[order.id] = [
                replace(refund, to_pay_minor=to_pay.get(refund.id, refund.to_pay_minor)) for refund in refunds
            ]
            news.add(order.id)
    keep_to_pay(tx, to_pay)
    return by_order, news


def ask_what_for(
    tx: Tx, channel: Channel, changes: Sequence[Change], refunds: Refunds, *, news: Collection[int]
) -> None:
    """Open a task for each order for which money was given back now that names no units and does not cover it.

    It closes by itself once the units are named, as many are taken out as cost that much, or all has left.

    Args:
        news: ids of the orders for which a refund was granted now.
    """
    if channel.nets_refunds is None:
        return
    asked: list[Task] = []
    settled: list[str] = []
    for change in changes:
        order, given = change.after, refunds.get(change.after.id, ())
        if not given and not order.refunded_minor:
            continue
        if not is_unplaced(order, given):
            settled.append(order.number)
        elif order.id in news or _is_told_more(change):
            asked.append(_task(order, given))
    close_tasks(tx, TASK, settled, by="erpsync")
    open_tasks(tx, asked)


def close_placed(tx: Tx, changes: Sequence[Change], refunds: Refunds) -> None:
    """Close the tasks of orders of which a person or a parcel took out what money was given back for."""
    of = [(change.after, refunds.get(change.after.id, ())) for change in changes]
    told = [(order, given) for order, given in of if given or order.refunded_minor]
    placed = [order.number for order, given in told if not is_unplaced(order, given)]
    close_tasks(tx, TASK, placed, by="erpsync")


def _is_told_more(change: Change) -> bool:
    """Whether the order's own view tells of more money than before."""
    before = change.before.refunded_minor if change.before else None
    return (change.after.refunded_minor or 0) > (before or 0)


def _task(order: KnownOrder, refunds: Sequence[KnownRefund]) -> Task:
    given = [refund for refund in refunds if refund.state is RefundState.GRANTED and not names_units(order, refund)]
    names = f" (refund {', '.join(refund.external_id for refund in given)})" if given else ""
    number, left = order.number, order.open_qty
    reason = (
        f"money was given back for order {number}{names} that names no units and does not cover the order; "
        f"{left} units are still to leave: name the units on the channel or `erpsync orders cancel {number}`; "
        "was it for no units, `erpsync tasks done ID`"
    )
    if left == 1:
        reason = (
            f"money was given back for order {number}{names} that names no units and does not cover the order; "
            f"1 unit is still to leave: name it on the channel or `erpsync orders cancel {number}`; "
            "was it for no units, `erpsync tasks done ID`"
        )
    return Task(kind=TASK, key=order.number, reason=reason, channel_id=order.channel_id, order_id=order.id)


def store_refunds(tx: Tx, channel: Channel, incoming: Sequence[RefundRecord]) -> tuple[set[str], list[Disputed]]:
    """Store refunds that are new or newer; return the external ids of the orders they concern, and what is disputed."""
    if not incoming:
        return set(), []
    latest = {r.refund.external_id: r for r in sorted(incoming, key=lambda r: (r.refund.version_at, r.raw.read_from))}
    stored = lock_refunds(tx, channel.id, latest.keys())
    written: list[tuple[int | None, Refund, Reading]] = []
    disputed: list[Disputed] = []
    for external_id, record in sorted(latest.items()):
        row_id, reading, state = stored.get(external_id, (None, None, None))
        further = state is None or is_refund_further(record.refund.state, state)
        back = state is not None and is_refund_further(state, record.refund.state)
        verdict = judge(reading, record.reading, further=further, rereads=False, back=back)
        if verdict is Verdict.DISPUTED and reading is not None and state is not None:
            disputed.append(Disputed(record=record, stored=reading, state=state))
        elif verdict in (Verdict.NEW, Verdict.NEWER):
            written.append((row_id, record.refund, record.reading))
    write_refunds(tx, channel.id, written)
    changed = {item.external_id for _, item, _ in written}
    keep_payloads(tx, channel.id, "refund", [(i, latest[i].raw.payload) for i in sorted(changed)])
    return {item.order_external_id for _, item, _ in written}, disputed
