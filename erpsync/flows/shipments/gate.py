"""The gate before anything leaves for good: the order is read again when what we know of it is old, then ruled on.

Why it reads and does not trust: the last poll may be minutes old, and a refund asked for in between must stop the
parcel. Why a channel that has no call for one order is ruled on what is known: there is nothing fresher.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from erpsync.core.order_holds import standing
from erpsync.core.orders import KnownLine, KnownOrder
from erpsync.core.refunds import keeps_here, lines_asked
from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.apply import apply
from erpsync.flows.orders.normalise import read_orders
from erpsync.sdk.errors import ConnectorError, PayloadError, RateLimitedError, RejectedError
from erpsync.sdk.roles import OrderSource, RefundSource, playing
from erpsync.sdk.types import Head, OrderState
from erpsync.store.cursors import read_cursor
from erpsync.store.db.store import Tx
from erpsync.store.limits import OWN_BUDGET
from erpsync.store.orders import refunds_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the gate says.

    Args:
        waits_for: the condition that frees the parcel; empty when it passes or is dropped.
        task: what a person should do; empty when nothing.
    """

    passes: bool = False
    waits_for: str = ""
    reason: str = ""
    task: str = ""


class UnreadError(Exception):
    """The order could not be read again on `shop`: nothing was sent, and nobody knows whether it may be."""

    def __init__(self, shop: Channel, cause: Exception) -> None:
        super().__init__(str(cause) if isinstance(cause, ConnectorError) else repr(cause))
        self.shop, self.cause = shop, cause

    @property
    def tells_of_channel(self) -> bool:
        """Whether the channel as a whole is in trouble, not this order alone."""
        return isinstance(self.cause, ConnectorError) and not isinstance(self.cause, RejectedError | PayloadError)


def reread(ctx: Context, channel: Channel, order: KnownOrder) -> bool:
    """Read the order again when its data is older than `gate_s` and the channel can be asked; whether it was asked.

    Raises `UnreadError` when the reading fails or may not be tried, whatever the reason: the parcel is held then.
    """
    source = playing(channel.connector, OrderSource)
    age = ctx.store.clock.now() - order.reading.read_to
    recent = timedelta(0) <= age <= timedelta(seconds=channel.orders.gate_s)
    if source is None or not source.rereads or recent:
        return False
    if not may_call(ctx, channel, probing=True):
        held_back = RateLimitedError(f"{channel.name} may not be called now", retry_after_s=0, code=OWN_BUDGET)
        raise UnreadError(channel, held_back)
    head = Head(
        external_id=order.external_id,
        version_at=order.reading.version_at,
        digest="",
        read_from=order.reading.read_from,
        read_to=order.reading.read_to,
    )
    try:
        batch = read_orders(channel, source.complete([head]))
        ctx.store.retrying(lambda tx: apply(tx, ctx, channel, batch))
    except Exception as error:
        raise UnreadError(channel, error) from error
    if not batch.orders:
        why = batch.letters[0].error if batch.letters else "the channel did not show it"
        raise UnreadError(channel, RejectedError(why))
    return True


def rule(
    tx: Tx,
    channel: Channel,
    order: KnownOrder,
    units: Mapping[int, int],
    *,
    forced: bool,
    confirmed: bool = False,
    unread_ok: bool = False,
) -> Ruling:
    """Return whether a parcel with these units (by line id) may be told to the channel.

    Args:
        forced: a person decided to ship in spite of what was known; a cancel still stops it.
        confirmed: a person has seen to units that were refunded after they left.
        unread_ok: a person has looked on the channel, which cannot be read.
    """
    told = [line for line in order.of_channel if line.id in units]
    gone = [line for line in told if _taken_out(line)]
    if order.state is OrderState.CANCELLED or (gone and len(gone) == len(told)):
        reason = "the order was cancelled or refunded on the channel"
        return Ruling(reason=reason, task=f"{reason}; get the parcel back")
    if forced:
        return Ruling(passes=True)
    if gone and not confirmed:
        reason = f"refunded or cancelled on the channel: line {', '.join(line.external_id for line in gone)}"
        return Ruling(waits_for="person", reason=reason, task=f"{reason}; get these units back, then finish this task")
    for reason, hold in standing(order.holds):
        if hold.gate_waits and not (hold.by_lines and _may_leave(tx, order, units)):
            text = f"{reason}: {order.holds[reason]}"
            return Ruling(waits_for="gate", reason=text, task=f"the parcel has left but must not be told yet: {text}")
    if channel.plays(RefundSource) and not unread_ok:
        refunds = read_cursor(tx.connection, channel.id, "refunds")
        if refunds.complete_ended_at is None:
            return Ruling(waits_for="refunds", reason="the refunds of this channel were not read to the end yet")
    return Ruling(passes=True)


def _may_leave(tx: Tx, order: KnownOrder, units: Mapping[int, int]) -> bool:
    """Whether the refunds that are asked for name other lines than those of the parcel; without units it is all."""
    refunds = refunds_of(tx, order.channel_id, [order.external_id]).get(order.external_id, ())
    lines = [line.external_id for line in order.lines if line.id in units]
    return not keeps_here(lines_asked(order, refunds), lines)


def _taken_out(line: KnownLine) -> bool:
    """Whether units of the line that we sent off were closed or refunded on the channel."""
    return max(line.closed_qty, line.refunded_qty) > line.qty - line.shipped_qty
