"""Money given back, as orders are decided: what was to pay is kept with it, and what nobody can place is a task.

Why a task and no guess: money alone may be for any of the goods. Cancelling too much gives a buyer's units to somebody
else, sending too much loses them; only who gave the money back knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from erpsync.core.orders import (
    KnownOrder,
)
from erpsync.core.readings import Reading, Verdict, is_refund_further, judge
from erpsync.core.refunds import KnownRefund, is_unplaced, names_units, to_pay_when_granted
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Channel
from erpsync.flows.records.batch import RefundRecord
from erpsync.flows.records.same_version import Disputed
from erpsync.sdk.types import Refund, RefundState
from erpsync.store.db.store import Tx
from erpsync.store.orders import (
    keep_to_pay,
    lock_refunds,
    write_refunds,
)
from erpsync.store.payloads import keep_payloads
from erpsync.store.tasks import Task, close_tasks, open_tasks

TASK = "refund_unnamed"
Refunds = Mapping[str, Sequence[KnownRefund]]
_Key = TypeVar("_Key")


def priced(order: KnownOrder, refunds: Sequence[KnownRefund]) -> list[KnownRefund]:
    """Return the refunds, each granted one with what was to pay for the order then."""
    now = to_pay_when_granted(order, refunds)
    return [replace(each, to_pay_minor=now.get(each.external_id, each.to_pay_minor)) for each in refunds]


def keep_prices(
    tx: Tx, before: Mapping[_Key, Sequence[KnownRefund]], now: Mapping[_Key, Sequence[KnownRefund]]
) -> set[_Key]:
    """Keep with granted refunds what was to pay, where that is new; return whose refunds they are."""
    kept = {each.id for refunds in before.values() for each in refunds if each.to_pay_minor is not None}
    fresh = {
        key: [each for each in refunds if each.to_pay_minor is not None and each.id not in kept]
        for key, refunds in now.items()
    }
    keep_to_pay(tx, {each.id: each.to_pay_minor or 0 for refunds in fresh.values() for each in refunds})
    return {key for key, refunds in fresh.items() if refunds}


def ask_what_for(tx: Tx, channel: Channel, changes: Sequence[Change], refunds: Refunds, *, news: set[str]) -> None:
    """Open a task for each order for which money was given back now that names no units and does not cover it.

    It closes by itself once the units are named, as many are taken out as cost that much, or all has left.

    Args:
        news: external ids of the orders for which a refund was granted now.
    """
    if channel.nets_refunds is None:
        return
    asked: list[Task] = []
    settled: list[str] = []
    for change in changes:
        order, given = change.after, refunds.get(change.after.external_id, ())
        if not given and not order.refunded_minor:
            continue
        if not is_unplaced(order, given):
            settled.append(order.number)
        elif order.external_id in news or _is_told_more(change):
            asked.append(_task(order, given))
    close_tasks(tx, TASK, settled, by="erpsync")
    open_tasks(tx, asked)


def close_placed(tx: Tx, changes: Sequence[Change], refunds: Mapping[tuple[int, str], Sequence[KnownRefund]]) -> None:
    """Close the tasks of orders of which a person or a parcel took out what money was given back for."""
    of = [(each.after, refunds.get((each.after.channel_id, each.after.external_id), ())) for each in changes]
    told = [(order, given) for order, given in of if given or order.refunded_minor]
    placed = [order.number for order, given in told if not is_unplaced(order, given)]
    close_tasks(tx, TASK, placed, by="erpsync")


def _is_told_more(change: Change) -> bool:
    """Whether the order's own view tells of more money than before."""
    before = change.before.refunded_minor if change.before else None
    return (change.after.refunded_minor or 0) > (before or 0)


def _task(order: KnownOrder, refunds: Sequence[KnownRefund]) -> Task:
    given = [each for each in refunds if each.state is RefundState.GRANTED and not names_units(order, each)]
    names = f" (refund {', '.join(each.external_id for each in given)})" if given else ""
    reason = (
        f"money was given back for order {order.number}{names} that names no units and does not cover the order; "
        f"{order.open_qty} units are still to leave: name the units on the channel or `erpsync orders cancel "
        f"{order.number}`; was it for no units, `erpsync tasks done ID`"
    )
    return Task(kind=TASK, key=order.number, reason=reason, channel_id=order.channel_id, order_id=order.id)


def store_refunds(tx: Tx, channel: Channel, incoming: Sequence[RefundRecord]) -> tuple[set[str], list[Disputed]]:
    """Store refunds that are new or newer; return the external ids of the orders they concern, and what is disputed."""
    if not incoming:
        return set(), []
    latest = {r.refund.external_id: r for r in sorted(incoming, key=lambda r: (r.refund.version_at, r.raw.read_from))}
    known = lock_refunds(tx, channel.id, latest.keys())
    written: list[tuple[int | None, Refund, Reading]] = []
    disputed: list[Disputed] = []
    for external_id, record in sorted(latest.items()):
        row_id, reading, state = known.get(external_id, (None, None, None))
        further = state is None or is_refund_further(record.refund.state, state)
        back = state is not None and is_refund_further(state, record.refund.state)
        verdict = judge(reading, record.reading, further=further, rereads=False, back=back)
        if verdict is Verdict.DISPUTED and reading is not None and state is not None:
            disputed.append(Disputed(record=record, known=reading, state=state))
        elif verdict in (Verdict.NEW, Verdict.NEWER):
            written.append((row_id, record.refund, record.reading))
    write_refunds(tx, channel.id, written)
    changed = {item.external_id for _, item, _ in written}
    keep_payloads(tx, channel.id, "refund", [(i, latest[i].raw.payload) for i in sorted(changed)])
    return {item.order_external_id for _, item, _ in written}, disputed
