"""A person's no to what a rule asks, bound to the facts that were seen: the order is cancelled.

Why not by cancelling alone: that cannot be taken back, and what has changed since somebody looked may be a real order.
"""

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.actions import drop_order
from erpsync.flows.orders.find import find_order
from erpsync.flows.rules.judging import digest_of, is_judged, look_at
from erpsync.store.db.store import Tx


def give_up(ctx: Context, order: str, rule: str, *, actor: str, reason: str, seen: str) -> bool:
    """Cancel what has not left of an order. `Refused` where the rule does not ask a person about it any more.

    Returns whether there is a channel at which somebody has to cancel it, too.

    Args:
        seen: the digest of what the person was shown; an order that has changed since then is not cancelled.
    """

    def decide(tx: Tx) -> bool:
        stored = find_order(tx, order)
        judged = look_at(tx.connection, ctx, [stored], now=tx.trusted_now)[stored.id] if is_judged(stored) else None
        hold = next((each for each in judged.holds if each.asks and each.rule == rule), None) if judged else None
        if hold is None:
            raise Refused(f"rule {rule} asks nothing of order {stored.number}")
        if digest_of(ctx, hold) != seen:
            raise Refused(f"order {stored.number} has changed since you looked; look again at what rule {rule} asks")
        return drop_order(tx, ctx, stored, reason=reason, actor=actor)

    return ctx.store.retrying(decide)
