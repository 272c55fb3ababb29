"""What has to be done from time to time: reservations that end, leases that ran out, old rows, sums that must agree."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import delete, func, select, update

from erpsync.core.fulfilment import LINE
from erpsync.flows.aging import age_unpaid
from erpsync.flows.clocks import ask_about_leap
from erpsync.flows.decide import redecide
from erpsync.flows.holding import ask_overdue
from erpsync.flows.house import House
from erpsync.flows.idempotency import KEPT
from erpsync.flows.relook import relook_unmapped, relook_unread, unmapped_codes
from erpsync.flows.remap import remap_wanted
from erpsync.store.cursors import read_cursors
from erpsync.store.dirty import mark_dirty
from erpsync.store.orders import lock_order_ids
from erpsync.store.places import channels
from erpsync.store.queue import STOCK, free_waiting, reclaim
from erpsync.store.store import Tx
from erpsync.store.tables import (
    api_request,
    dead_letter,
    event,
    hold,
    inbox,
    ledger,
    listing,
    order_line,
    orders,
    outbox,
    payload,
    stock,
)

AT_ONCE = 200
PRUNE_AT_ONCE = 1000
DONE_KEPT = timedelta(days=7)
KEPT_DAYS = 180
log = structlog.get_logger()


def expire_reservations(house: House) -> int:
    """End reservations whose time is over, and the days unpaid orders count; return how many orders gave units back."""
    ask_about_leap(house)
    age_unpaid(house)
    if house.store.clock.unsettled:
        house.store.retrying(partial(_bound_reservations, house=house))
    done = last = 0
    while ids := _run_out(house, last):
        done += house.store.retrying(partial(_end_reservations, house=house, ids=ids))
        last = ids[-1]
    if done:
        log.info("reservations.ended", orders=done)
    return done


def _bound_reservations(tx: Tx, *, house: House) -> None:
    """Let no reservation run longer from now than any may: the clock was set back since it was made."""
    longest = max((channel.orders.reserve_minutes for channel in house.channels.values()), default=0)
    until = tx.now + timedelta(minutes=longest)
    tx.execute(update(hold).where(hold.c.expires_at > until).values(expires_at=until))


def _run_out(house: House, last: int) -> list[int]:
    """Return the next orders, by id, with a reservation whose time is over."""
    query = (
        select(order_line.c.order_id)
        .join(hold, (hold.c.owner_kind == LINE) & (hold.c.owner_id == order_line.c.id))
        .where(hold.c.expires_at <= house.store.trusted_now(), order_line.c.order_id > last)
        .distinct()
        .order_by(order_line.c.order_id)
        .limit(AT_ONCE)
    )
    with house.store.read() as connection:
        return list(connection.execute(query).scalars())


def _end_reservations(tx: Tx, *, house: House, ids: Sequence[int]) -> int:
    """End what still runs out of it by now: an order that was paid in between keeps its units for good."""
    known = [order for order in lock_order_ids(tx, ids).values() if order.ready_at is None]
    if known:
        redecide(tx, house, [(order, order) for order in known], event="order.reservation_ended")
    return len(known)


def reclaim_leases(house: House, *, owner_gone: bool = False) -> int:
    """Take back what lost workers had leased; a stock number that may have been sent is marked dirty again."""

    def work(tx: Tx) -> int:
        rows = reclaim(tx, owner_gone=owner_gone)
        refs = [ref_id for _, kind, ref_id, _ in rows if kind == STOCK]
        if refs:
            skus = select(listing.c.sku_id).where(listing.c.id.in_(refs), listing.c.sku_id.is_not(None))
            mark_dirty(tx, set(tx.execute(skus).scalars()))
        return len(rows)

    done = house.store.retrying(work)
    if done:
        log.warning("leases.reclaimed", rows=done)
    return done


def free_fresh(house: House) -> int:
    """Let rows go on that wait for a pass which has ended meanwhile (their waker may have died).

    Parcels that wait for one that does not end are given to a person near their last instant.
    """
    with house.store.read() as connection:
        rows = read_cursors(connection)
    freed = 0
    for channel in house.channels.values():
        row = rows.get((channel.id, "orders"))
        if row is not None and not row.wanted and row.complete_ended_at is not None:
            freed += house.store.retrying(partial(free_waiting, waiting_for="fresh", destination_id=channel.id))
        if channel.enabled:
            ask_overdue(house, channel)
    return freed


def relook(house: House) -> int:
    """Map what can be mapped by now, or otherwise than before, and hold what an open letter speaks of.

    It is the safety net of what died half-way.
    """
    return relook_unmapped(house, unmapped_codes(house)) + remap_wanted(house) + relook_unread(house)


def prune(house: House, retention_days: int | Mapping[str, int]) -> int:
    """Delete what is kept long enough, in small batches; recipients of ended orders are erased, totals stay.

    Args:
        retention_days: by channel; under an empty name for channels that are not configured any more.
    """
    days = retention_days if isinstance(retention_days, Mapping) else {"": retention_days}
    with house.store.read() as connection:
        known = channels(connection)
    configured = {channel.name for channel in house.channels.values()}
    done = 0
    for name, row in known.items():
        done += _prune_channel(house, row.id, days.get(name if name in configured else "", days.get("", KEPT_DAYS)))
    return done + _prune_done(house)


def _prune_channel(house: House, channel_id: int, days: int) -> int:
    oldest = house.store.trusted_now() - timedelta(days=days)
    old = select(payload.c.id).where(payload.c.channel_id == channel_id, payload.c.at < oldest).order_by(payload.c.at)
    done = _delete(house, payload, old)
    applied = select(inbox.c.id).where(inbox.c.channel_id == channel_id, inbox.c.received_at < oldest)
    done += _delete(house, inbox, applied.where(inbox.c.state != "pending").order_by(inbox.c.received_at))
    # Named by what has not ended: by a list of phases SQLite would walk those that were erased long ago.
    ended = orders.c.phase.not_in(("partially_shipped", "held", "unpaid", "ready"))
    known = select(orders.c.id).where(
        orders.c.channel_id == channel_id, orders.c.placed_at < oldest, orders.c.recipient.is_not(None)
    )
    while True:
        erased = {"recipient": None, "phone_index": None, "recipient_index": None}
        with house.store.begin() as tx:
            ids = list(tx.execute(known.where(ended).order_by(orders.c.placed_at).limit(PRUNE_AT_ONCE)).scalars())
            tx.execute(update(orders).where(orders.c.id.in_(ids)).values(**erased))
        done += len(ids)
        if len(ids) < PRUNE_AT_ONCE:
            return done


def _prune_done(house: House) -> int:
    now = house.store.trusted_now()
    oldest = now - DONE_KEPT
    carried_out = select(outbox.c.id).where(outbox.c.state == "done", outbox.c.done_at < oldest)
    done = _delete(house, outbox, carried_out.order_by(outbox.c.done_at))
    ended = select(dead_letter.c.id).where(dead_letter.c.state != "open", dead_letter.c.at < oldest)
    done += _delete(house, dead_letter, ended)
    answered = select(api_request.c.id).where(api_request.c.at < now - KEPT)
    done += _delete(house, api_request, answered)
    # The newest event stays, or SQLite would give its id to another one and cursors would pass that by.
    newest = select(func.max(event.c.id)).scalar_subquery()
    loose = select(event.c.id).where(event.c.order_id.is_(None), event.c.at < oldest - timedelta(days=90))
    return done + _delete(house, event, loose.where(event.c.id < newest).order_by(event.c.at))


def _delete(house: House, table: object, old: object) -> int:
    done = 0
    while True:
        with house.store.begin() as tx:
            ids = list(tx.execute(old.limit(PRUNE_AT_ONCE)).scalars())  # type: ignore[attr-defined]
            if ids:
                tx.execute(delete(table).where(table.c.id.in_(ids)))  # type: ignore[attr-defined, arg-type]
        done += len(ids)
        if len(ids) < PRUNE_AT_ONCE:
            return done


def verify_counters(house: House) -> list[str]:
    """Return where a counter differs from the sum of its holds or ledger rows; empty when all agree."""
    held = select(hold.c.sku_id, hold.c.warehouse_id, func.sum(hold.c.qty).label("qty")).group_by(
        hold.c.sku_id, hold.c.warehouse_id
    )
    booked = select(ledger.c.sku_id, ledger.c.warehouse_id, func.sum(ledger.c.qty).label("qty")).group_by(
        ledger.c.sku_id, ledger.c.warehouse_id
    )
    # Scans hold, ledger: the proof that the counters are right is that all of it was added up.
    with house.store.read() as connection:
        counted = {(r.sku_id, r.warehouse_id): (r.on_hand, r.reserved) for r in connection.execute(select(stock))}
        holds = {(r.sku_id, r.warehouse_id): int(r.qty) for r in connection.execute(held)}
        sums = {(r.sku_id, r.warehouse_id): int(r.qty) for r in connection.execute(booked)}
    wrong = []
    for place in sorted(counted.keys() | holds.keys() | sums.keys()):
        on_hand, reserved = counted.get(place, (0, 0))
        if on_hand != sums.get(place, 0):
            wrong.append(f"sku {place[0]} in warehouse {place[1]}: on hand {on_hand}, ledger {sums.get(place, 0)}")
        if reserved != holds.get(place, 0):
            wrong.append(f"sku {place[0]} in warehouse {place[1]}: reserved {reserved}, holds {holds.get(place, 0)}")
    for line in wrong:
        log.error("counters.differ", difference=line, action="report this defect; stock keeps its guard")
    return wrong
