"""Looking again at orders: when time changes an answer, when something beside them has changed, when the rules have.

Why looks are rows: whoever changes something beside an order writes one and locks nothing; the order is judged in a
transaction of its own, and what dies in between is simply looked at later.
"""

import zlib
from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import select

from erpsync.core.facts import On
from erpsync.core.order_holds import HoldReason
from erpsync.flows.context import Context
from erpsync.flows.orders.decide import redecide
from erpsync.flows.rules.facts import GOODS, TO_LEAVE
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.sequence import read_mark, set_mark
from erpsync.store.db.store import Tx
from erpsync.store.goods import GOODS_CHANGED
from erpsync.store.order_rules import Look, due_looks, look_beside, looked, next_look
from erpsync.store.orders import lock_order_ids
from erpsync.store.tables import order_hold, orders

AT_ONCE = 200
MARKED_AT_ONCE = 500
IN_FORCE, SPECS = "rules", "specs"
log = structlog.get_logger()


def judge_due(ctx: Context) -> int:
    """Judge the orders whose look is due, a batch per commit; return how many.

    After the rules, or the goods that they ask about, have changed all open orders are due; after those by which specs
    are read, the orders that are held for one.
    """
    _mark_all_if_changed(ctx)
    _mark_held_if_specs_changed(ctx)
    done = 0
    while True:
        with ctx.store.read() as connection:
            due = due_looks(connection, ctx.store.trusted_now(), limit=AT_ONCE)
        if due:
            ctx.store.retrying(partial(_judge, ctx=ctx, looks=due))
            done += len({order_id for order_id, _, _ in due})
        if len(due) < AT_ONCE:
            return done


def next_look_s(ctx: Context) -> float | None:
    """Return in how many seconds the next look is due; None when none is."""
    with ctx.store.read() as connection:
        at = next_look(connection)
    return None if at is None else max(0.0, (at - ctx.store.trusted_now()).total_seconds())


def _judge(tx: Tx, *, ctx: Context, looks: Sequence[Look]) -> None:
    """Judge orders again; the looks end before anything is read, so that one asked for meanwhile is not lost."""
    stored = lock_order_ids(tx, {order_id for order_id, _, _ in looks}).values()
    looked(tx, looks)
    redecide(tx, ctx, [(order, order) for order in stored], event="order.changed", for_rules=True)


def _mark_all_if_changed(ctx: Context) -> None:
    """Have all open orders judged again if they were judged by other rules, or by what SKUs were before."""
    with ctx.store.read() as connection:
        of_goods = 0 if GOODS.isdisjoint(ctx.book.needs[On.ORDER]) else read_mark(connection, GOODS_CHANGED)
        digest = zlib.crc32(repr((ctx.book.digest, of_goods)).encode())
        before = read_mark(connection, IN_FORCE)
        if before == digest or (before is None and not ctx.book.effects):
            return
        # Scans orders: those that are open, once after the rules or what they ask about have changed.
        ids = list(connection.execute(select(orders.c.id).where(orders.c.phase.in_(TO_LEAVE))).scalars())
    for part in in_parts(ids, MARKED_AT_ONCE):
        ctx.store.retrying(partial(look_beside, order_ids=part))
    ctx.store.retrying(partial(set_mark, name=IN_FORCE, value=digest))
    log.info("rules.in_force", digest=ctx.book.digest, orders=len(ids))


def _mark_held_if_specs_changed(ctx: Context) -> None:
    """Have orders read again that were held by what specs might be before; who has a SKU of its own keeps it."""
    if not ctx.specs:
        return  # whoever is held stays held: without the rules nobody can say how it is to be made
    digest = zlib.crc32(repr(sorted(ctx.specs.items())).encode())
    with ctx.store.read() as connection:
        before = read_mark(connection, SPECS)
        if before == digest:
            return
        # Scans order_hold: what holds orders now, once after the rules of specs have changed.
        held = select(order_hold.c.order_id).where(order_hold.c.reason == HoldReason.BAD_SPEC.value)
        ids = list(connection.execute(held).scalars())
    for part in in_parts(ids, MARKED_AT_ONCE):
        ctx.store.retrying(partial(look_beside, order_ids=part))
    ctx.store.retrying(partial(set_mark, name=SPECS, value=digest))
    log.info("specs.in_force", rules=len(ctx.specs), orders=len(ids))
