"""What an order's own facts say about holding it, and what the end of a hold sets free."""

from collections.abc import Collection, Iterable

from sqlalchemy import select

from erpsync.core.order_holds import HoldReason
from erpsync.core.orders import KnownOrder
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Channel
from erpsync.store.db.store import Tx
from erpsync.store.outbox.held import rule_anew
from erpsync.store.outbox.queue import SHIPMENT
from erpsync.store.tables import shipment
from erpsync.store.tasks import close_tasks, task_key


def asks_for_address(channel: Channel | None, order: KnownOrder) -> bool:
    """Whether the order must have a full recipient before it may leave.

    A process without connectors cannot know whether the channel carries recipients; it keeps what was decided, as is
    done for a channel that is configured no more (None).
    """
    rule = channel.orders.require_address if channel else "auto"
    if rule != "auto":
        return rule == "always"
    if channel is None or channel.connector is None:
        return HoldReason.INCOMPLETE_ADDRESS in order.holds
    return channel.carries_recipients


def frees(change: Change, refunded: Collection[str] = ()) -> bool:
    """Whether the gate has to rule anew: a hold has ended, may be about other lines, or the order went on.

    An order that went on may have been cancelled, which drops what waits.

    Args:
        refunded: external ids of the orders of which a refund is new: one that holds may be about other lines now.
    """
    before, after = change.before, change.after
    if before is None:
        return False
    if before.state is not after.state or before.holds.keys() - after.holds.keys():
        return True
    asks_otherwise = after.external_id in refunded or before.refund_asked != after.refund_asked
    return HoldReason.REFUND_OPEN in before.holds and asks_otherwise


def free_shipments(tx: Tx, order_ids: Iterable[int]) -> None:
    """Have the gate rule anew on parcels of these orders, whose holds have ended or which went on."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return
    refs = list(tx.execute(select(shipment.c.id).where(shipment.c.order_id.in_(wanted))).scalars())
    close_tasks(tx, "gate", [task_key(SHIPMENT, ref) for ref in rule_anew(tx, refs)], by="erpsync")
