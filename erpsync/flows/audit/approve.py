"""A person's yes to what rules ask, bound to the facts that were seen."""

from collections.abc import Collection, Mapping
from typing import Any

from erpsync.core.orders import KnownOrder
from erpsync.core.rules import Hold
from erpsync.flows.audit.said import asked_in_words
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.decide import redecide
from erpsync.flows.orders.find import find_order
from erpsync.flows.rules.judging import Seen, digest_of, is_judged, look_at
from erpsync.store.db.store import Tx
from erpsync.store.order_rules import write_approvals


def approve(
    ctx: Context,
    order: str,
    rules: Collection[str] = (),
    *,
    actor: str,
    reason: str = "",
    seen: Mapping[str, str] | None = None,
    named: bool = False,
) -> tuple[str, ...]:
    """Say yes to what rules ask of an order; return their ids. `Refused` where one of them asks nothing.

    Args:
        rules: all that ask if none is named.
        seen: by rule, the digest of what the person was shown; what has changed since then is not approved.
        named: where none is named and more than one asks, that is refused with what each of them asks.
    """

    def decide(tx: Tx) -> tuple[str, ...]:
        stored = find_order(tx, order)
        judged = _judged(ctx, tx, stored)
        asking = _asking(judged)
        if named and judged and not rules and len(asking) > 1:
            count, number, asked = len(asking), stored.number, asked_in_words(ctx, judged)
            raise Refused(
                f"{count} rules ask something of order {number}; name those that you approve, or all: {asked}"
            )
        chosen = _chosen(stored, asking, rules)
        digests = {rule: digest_of(ctx, asking[rule]) for rule in chosen}
        for rule, digest in (seen or {}).items():
            if digests.get(rule, digest) != digest:
                raise Refused(
                    f"order {stored.number} has changed since you looked; look again at what rule {rule} asks"
                )
        write_approvals(tx, stored.id, digests, actor=actor, reason=reason)
        detail: dict[str, Any] = {"rules": list(chosen)} | ({"reason": reason} if reason else {})
        redecide(tx, ctx, [(stored, stored)], event="order.approved", actor=actor, detail=detail)
        return tuple(chosen)

    return ctx.store.retrying(decide)


def _judged(ctx: Context, tx: Tx, order: KnownOrder) -> Seen | None:
    """Return what the rules say of an order now; None where they are not asked any more."""
    return look_at(tx.connection, ctx, [order], now=tx.trusted_now)[order.id] if is_judged(order) else None


def _asking(judged: Seen | None) -> dict[str, Hold]:
    """Return the holds that a person may end now, by rule."""
    return {hold.rule: hold for hold in judged.holds if hold.asks} if judged else {}


def _chosen(order: KnownOrder, asking: Mapping[str, Hold], rules: Collection[str]) -> list[str]:
    unasked = [rule for rule in rules if rule not in asking]
    if unasked:
        raise Refused(f"rule {unasked[0]} asks nothing of order {order.number}{_who_asks(asking)}")
    if not asking:
        raise Refused(f"no rule asks anything of order {order.number}")
    return sorted(rules or asking)


def _who_asks(asking: Collection[str]) -> str:
    return f"; {', '.join(sorted(asking))} does" if asking else ""
