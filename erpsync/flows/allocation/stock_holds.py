"""Units held for orders: brought to what each needs, taken back where less is there than was promised."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from erpsync.core.allocation import Allocation, HoldOwner, Need, StockKey, shrink
from erpsync.core.fulfilment import LINE, needs
from erpsync.core.orders import KnownLine, KnownOrder
from erpsync.flows.allocation.changes import Change
from erpsync.flows.allocation.whole_units import in_turn
from erpsync.flows.context import Context
from erpsync.store.db.store import Tx
from erpsync.store.events import Event
from erpsync.store.stock_book import Backorder, Book
from erpsync.store.tasks import Task


def reserve_until(ctx: Context, order: KnownOrder, now: datetime) -> datetime | None:
    """Return when the reservation of an order that is not ready ends; None when its channel reserves nothing.

    One placed in our future, by a platform whose clock is ahead of ours, counts from when it came in.
    """
    channel = ctx.channels.get(order.channel_id)
    if channel is None or channel.orders.reserve != "placement":
        return None
    return min(order.placed_at, order.imported_at or now) + timedelta(minutes=channel.orders.reserve_minutes)


def adjust_holds(book: Book, ctx: Context, change: Change, tx: Tx, kept: Mapping[HoldOwner, set[int]]) -> list[Need]:
    """Bring holds and backorders to what the order needs; return what an unready order would like to have.

    Args:
        kept: SKUs held by owner; a line may hold one that it was made of before it went to a warehouse.
    """
    order = change.after
    until = reserve_until(ctx, order, tx.now)
    wanted = needs(order, reserve_until=until, now=tx.trusted_now)
    known = {
        (owner, sku_id)
        for line in _all_lines(change)
        for owner in [HoldOwner(LINE, line.id)]
        for sku_id in line.parts.keys() | kept.get(owner, set())
    }
    expires = until if order.ready_at is None else None
    soft: list[Need] = []
    for need in sorted(known | wanted.keys()):
        qty, held = wanted.get(need, 0), book.held_qty(need)
        _give_back(book, ctx, order, need, held - qty)
        for mine in book.held_for(need).values():
            if mine.qty:  # what a warehouse may be sending does not run out: only its answer frees it
                mine.expires_at = None if mine.released else expires
        short = max(0, qty - held)
        if order.ready_at is None:
            book.waiting.pop(need, None)
            if short:
                soft.append(_need_of(ctx, order, need, short))
        elif short:
            book.waiting[need] = Backorder(
                qty=short, order_id=order.id, channel_id=order.channel_id, due=order.due, waits=not order.holds
            )
        else:
            book.waiting.pop(need, None)
    return soft


def _all_lines(change: Change) -> Iterable[KnownLine]:
    yield from change.after.lines
    yield from change.before.lines if change.before else ()


def _need_of(ctx: Context, order: KnownOrder, need: tuple[HoldOwner, int], qty: int) -> Need:
    return Need(
        owner=need[0],
        sku_id=need[1],
        qty=qty,
        order_id=order.id,
        due=order.due,
        warehouses=ctx.sourcing.get(order.channel_id, ()),
    )


def _give_back(book: Book, ctx: Context, order: KnownOrder, need: tuple[HoldOwner, int], surplus: int) -> None:
    """Free what is held beyond the need, least preferred warehouse first; what a warehouse may be sending stays."""
    if surplus <= 0:
        return
    rank = in_turn(ctx, order.channel_id)
    places = sorted(book.held_for(need), key=lambda w: rank.get(w, len(rank)), reverse=True)
    for warehouse_id in places:
        held = book.held_for(need)[warehouse_id]
        taken = min(surplus, held.qty)
        if taken and not held.released:
            book.unhold(need[0], StockKey(need[1], warehouse_id), taken)
            surplus -= taken


def take_back(book: Book, ctx: Context) -> tuple[list[Event], list[Task]]:
    """Where more is promised than there is, take promises back, latest due first, into backorders; return what to say.

    The tasks are about units that no promise can be taken back for.
    """
    events: list[Event] = []
    tasks: list[Task] = []
    short = book.missing()
    holders = book.holders(short)
    plans = {place: shrink([held for held, _ in holders[place].values()], qty) for place, qty in sorted(short.items())}
    book.load_owners(held.owner for taken in plans.values() for held, _ in taken)
    for place, taken in plans.items():
        tasks += _released_short(ctx, place, short[place] - sum(qty for _, qty in taken))
        for held, qty in taken:
            becomes = holders[place][(held.owner, place)][1]
            book.unhold(held.owner, place, qty)
            if becomes is None:
                continue
            need = (held.owner, place.sku_id)
            before = book.waiting.get(need, becomes)
            book.waiting[need] = replace(before, qty=before.qty + qty)
            events.append(
                Event(
                    kind="order.taken_back",
                    order_id=becomes.order_id,
                    sku_id=place.sku_id,
                    detail={"qty": qty, "warehouse_id": place.warehouse_id, "why": "less stock than promised"},
                )
            )
    return events, tasks


def _released_short(ctx: Context, place: StockKey, missing: int) -> list[Task]:
    """Return the task for units that a warehouse was told to send and that the books do not have."""
    if missing <= 0:
        return []
    policy = ctx.warehouses.get(place.warehouse_id)
    where = policy.id if policy else f"warehouse {place.warehouse_id}"
    reason = f"{where} was told to send {missing} units more than it has; count the stock and call parcels back"
    return [Task(kind="stock_short", key=f"{where}:{place.sku_id}", reason=reason)]


def hold_taken(book: Book, takes: Iterable[Allocation], changes: Sequence[Change], ctx: Context, now: datetime) -> None:
    expiry = {
        HoldOwner(LINE, line.id): reserve_until(ctx, change.after, now)
        for change in changes
        if change.after.ready_at is None
        for line in change.after.lines
    }
    for take in takes:
        place = StockKey(take.sku_id, take.warehouse_id)
        book.hold(take.owner, place, take.qty, expires_at=expiry.get(take.owner))
        need = (take.owner, take.sku_id)
        waiting = book.waiting.get(need)
        if waiting is not None:
            if waiting.qty > take.qty:
                book.waiting[need] = replace(waiting, qty=waiting.qty - take.qty)
            else:
                del book.waiting[need]
