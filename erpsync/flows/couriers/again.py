"""Choosing again who takes releases that nobody takes so far.

Why what is offered is compared, and nobody has to say that it changed: a card, a rule, an account or a setting that is
another makes another digest, whoever changed it and whatever died meanwhile. What hangs on something else (a place that
a courier goes to by now, a weight) is tried again after a while.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select

from erpsync.flows.context import Context
from erpsync.flows.couriers.accounts import ask_coverage, watch_balances
from erpsync.flows.couriers.choice import can_choose, choose_couriers, digest_of_offers
from erpsync.flows.couriers.wanted import want_waybills
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Stage, Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.releases import orders_in
from erpsync.store.tables import RELEASE_IS_UNCHOSEN, orders, release, release_order

EVERY = timedelta(minutes=15)
AT_ONCE = 50


def watch_accounts(ctx: Context) -> int:
    """Ask accounts how many waybills they have left, and choose again for whom nobody takes; return for how many."""
    watch_balances(ctx)
    return choose_again(ctx)


def choose_again(ctx: Context) -> int:
    """Choose who takes releases that have nobody, where that may end otherwise now; return for how many it did."""
    if not can_choose(ctx):
        return 0
    due = _due(ctx)
    return sum(_choose(ctx, due[at : at + AT_ONCE]) for at in range(0, len(due), AT_ONCE))


def _due(ctx: Context) -> list[int]:
    """Return the open releases without a courier that were not tried with what is offered now, or not for a while."""
    now = ctx.store.clock.now()
    ours = release.c.warehouse_id.in_(sorted(ctx.booked_for))
    query = select(release.c.id, release.c.choice).where(RELEASE_IS_UNCHOSEN, ours).order_by(release.c.id)
    with ctx.store.read() as connection:
        rows = connection.execute(query).all()
        offered = digest_of_offers(connection, ctx) if rows else ""
    return [row.id for row in rows if _is_due(row.choice, offered, now)]


def _is_due(choice: str | None, offered: str, now: datetime) -> bool:
    said = json.loads(choice) if choice else {}
    at = said.get("at")
    if said.get("offered") != offered or at is None:
        return True
    return abs(now - datetime.fromisoformat(at)) >= EVERY


def _choose(ctx: Context, release_ids: Sequence[int]) -> int:
    query = select(orders.c.province, orders.c.city, orders.c.district)
    query = query.join(release_order, release_order.c.order_id == orders.c.id).distinct()
    with ctx.store.read() as connection:
        rows = [
            row
            for part in in_parts(release_ids)
            for row in connection.execute(query.where(release_order.c.release_id.in_(part)))
        ]
    ask_coverage(ctx, {(row.province or "", row.city or "", row.district or "") for row in rows})
    return ctx.store.retrying(partial(_choose_locked, ctx=ctx, release_ids=release_ids))


def _choose_locked(tx: Tx, *, ctx: Context, release_ids: Sequence[int]) -> int:
    lock_order_ids(tx, [id for ids in orders_in(tx, release_ids).values() for id in ids])
    chosen = choose_couriers(tx, ctx, release_ids)
    if chosen:
        want_waybills(tx, ctx, chosen)
        tx.wake(Stage.PUSH)
    return len(chosen)
