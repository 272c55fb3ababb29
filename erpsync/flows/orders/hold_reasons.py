"""What an order's own facts say about holding it, and what the end of a hold sets free."""

from collections.abc import Iterable

from sqlalchemy import select

from erpsync.core.orders import (
    KnownOrder,
)
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Channel
from erpsync.store.db.store import Tx
from erpsync.store.outbox.held import rule_anew
from erpsync.store.outbox.queue import SHIPMENT
from erpsync.store.tables import shipment
from erpsync.store.tasks import close_tasks, task_key


def asks_for_address(channel: Channel, order: KnownOrder) -> bool:
    """Whether the order must have a full recipient before it may leave.

    A process without connectors cannot know whether the channel carries recipients; it keeps what was decided.
    """
    rule = channel.orders.require_address
    if rule != "auto":
        return rule == "always"
    if channel.connector is None:
        return "incomplete_address" in order.holds
    return channel.carries_recipients


def frees(change: Change) -> bool:
    """Whether the gate has to rule anew: a hold has ended, or the order went on (a cancel drops what waits)."""
    before, after = change.before, change.after
    return before is not None and (before.state is not after.state or bool(before.holds.keys() - after.holds.keys()))


def free_shipments(tx: Tx, order_ids: Iterable[int]) -> None:
    """Have the gate rule anew on parcels of these orders, whose holds have ended or which went on."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return
    refs = list(tx.execute(select(shipment.c.id).where(shipment.c.order_id.in_(wanted))).scalars())
    close_tasks(tx, "gate", [task_key(SHIPMENT, ref) for ref in rule_anew(tx, refs)], by="erpsync")
