"""An operator's decisions on one order: hold, release, cancel."""

from dataclasses import replace

from erpsync.core.order_holds import HoldReason, until_ended
from erpsync.core.orders import KnownOrder, OrderKind, phase
from erpsync.flows.allocation.wishes import REFUSED
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.decide import redecide
from erpsync.flows.orders.find import find_order
from erpsync.store.db.store import Tx
from erpsync.store.order_rules import marks_of, write_marks


def hold_order(ctx: Context, order: str, *, reason: str, actor: str) -> None:
    """Hold an order until it is released; it keeps its units."""

    def decide(tx: Tx) -> None:
        stored = find_order(tx, order)
        if stored.open_qty == 0:
            raise Refused(f"order {stored.number} is {phase(stored)}; there is nothing to hold")
        held = replace(stored, holds={**stored.holds, HoldReason.OPERATOR.value: reason})
        redecide(tx, ctx, [(stored, held)], event="order.held", actor=actor, detail={"reason": reason})

    ctx.store.retrying(decide)


def end_hold(ctx: Context, order: str, *, actor: str) -> None:
    """End what only a person ends: a person's hold, a warehouse's no. Other reasons stay until they are gone."""

    def decide(tx: Tx) -> None:
        stored = find_order(tx, order)
        ended = until_ended(stored.holds)
        if not ended:
            why = f"; it is held by {', '.join(stored.holds)}" if stored.holds else ""
            raise Refused(f"order {stored.number} is not held by an operator{why}")
        others = {reason: text for reason, text in stored.holds.items() if reason not in ended}
        freed = replace(stored, holds=others)
        forgotten = [
            name for name in marks_of(tx.connection, [stored.id]).get(stored.id, {}) if name.startswith(REFUSED)
        ]
        write_marks(tx, {(stored.id, name): None for name in forgotten})
        redecide(tx, ctx, [(stored, freed)], event="order.freed", actor=actor)

    ctx.store.retrying(decide)


def cancel_order(ctx: Context, order: str, *, reason: str, actor: str) -> bool:
    """Give up everything of an order that has not left; its units are free at once. The channel is not told.

    Returns whether there is a channel at which somebody has to cancel it, too.
    """

    def decide(tx: Tx) -> bool:
        return drop_order(tx, ctx, find_order(tx, order), reason=reason, actor=actor)

    return ctx.store.retrying(decide)


def given_up(stored: KnownOrder) -> KnownOrder:
    """Return an order of which nothing is wanted but what has left; no warehouse is asked about it any more."""
    holds = {reason: text for reason, text in stored.holds.items() if reason != HoldReason.WAREHOUSE_REFUSED.value}
    return replace(stored, holds=holds, lines=tuple(replace(line, dropped_qty=line.qty) for line in stored.lines))


def drop_order(tx: Tx, ctx: Context, stored: KnownOrder, *, reason: str, actor: str) -> bool:
    """Give up everything of a locked order that has not left, as `cancel_order` does."""
    if stored.open_qty == 0:
        raise Refused(f"order {stored.number} is {phase(stored)}; there is nothing to cancel")
    redecide(tx, ctx, [(stored, given_up(stored))], event="order.cancelled", actor=actor, detail={"reason": reason})
    return stored.kind is OrderKind.CHANNEL
