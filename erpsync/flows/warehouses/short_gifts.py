"""Gifts that nothing covers, of orders of which all that was sold could leave: waited for, replaced or dropped.

Why here: what is short is known only when the rest is ready, and a gift never keeps what somebody paid for.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import exists, select

from erpsync.core.facts import On
from erpsync.core.fulfilment import LINE
from erpsync.core.orders import KnownOrder, Origin
from erpsync.core.release import OPEN_PHASES, may_leave
from erpsync.core.rules import GiftEffect
from erpsync.flows.context import Context
from erpsync.flows.orders.decide import redecide
from erpsync.flows.rules.gifts import DROPPED, REPLACED
from erpsync.store.db.store import Tx
from erpsync.store.order_rules import gifts_of, write_gifts
from erpsync.store.orders import lock_order_ids
from erpsync.store.registry import sku_ids
from erpsync.store.tables import backorder, order_line, orders

MARGIN = timedelta(hours=4)
"""So long before the channel wants an order shipped nothing waits for a gift any more."""

AT_ONCE = 200


def settle_short_gifts(ctx: Context) -> int:
    """Replace or drop gifts that keep orders from leaving; return how many orders can go on."""
    short = backorder.alias("short")
    line = order_line.alias("line")
    sold_short = exists().where(
        short.c.order_id == orders.c.id, short.c.owner_id == line.c.id, line.c.origin != Origin.GIFT.value
    )
    # Scans orders, backorder: what is ready and waits for stock, no history.
    query = (
        select(orders.c.id)
        .join(backorder, backorder.c.order_id == orders.c.id)
        .join(order_line, (order_line.c.id == backorder.c.owner_id) & (backorder.c.owner_kind == LINE))
        .where(order_line.c.origin == Origin.GIFT.value, orders.c.phase.in_(OPEN_PHASES), ~sold_short)
        .distinct()
        .order_by(orders.c.id)
        .limit(AT_ONCE)
    )
    with ctx.store.read() as connection:
        ids = list(connection.execute(query).scalars())
    return ctx.store.retrying(partial(_settle, ctx=ctx, ids=ids)) if ids else 0


def _settle(tx: Tx, *, ctx: Context, ids: Sequence[int]) -> int:
    effects = {rule.id: rule.then.gift for rule in ctx.book.ledgers[On.ORDER].rules}
    ready = [order for order in lock_order_ids(tx, ids).values() if may_leave(order)]
    waiting = select(backorder.c.owner_id).where(backorder.c.order_id.in_([order.id for order in ready]))
    short = set(tx.execute(waiting.where(backorder.c.owner_kind == LINE)).scalars())
    states = gifts_of(tx.connection, [order.id for order in ready])
    known = sku_ids(tx.connection, {gift.short for gift in effects.values() if gift})
    settled: dict[tuple[int, str], str] = {}
    for order in ready:
        for line in order.lines:
            if line.id in short and line.rule:
                state = _fate(order, effects.get(line.rule), states.get((order.id, line.rule)), known, tx.trusted_now)
                settled |= {} if state is None else {(order.id, line.rule): state}
    write_gifts(tx, settled)
    concerned = [order for order in ready if any(id == order.id for id, _ in settled)]
    details = {
        order.id: {"gifts": {rule: state for (id, rule), state in settled.items() if id == order.id}}
        for order in concerned
    }
    redecide(tx, ctx, [(order, order) for order in concerned], event="order.changed", details=details)
    return len(concerned)


def _fate(
    order: KnownOrder, gift: GiftEffect | None, state: str | None, known: dict[str, int], now: datetime
) -> str | None:
    """Return what becomes of a gift that is short; None while it is waited for."""
    if gift is not None and gift.short == "wait":
        return None if order.ship_by_at is None or now < order.ship_by_at - MARGIN else DROPPED
    replaceable = gift is not None and gift.short != "drop" and gift.short in known and state != REPLACED
    return REPLACED if replaceable else DROPPED
