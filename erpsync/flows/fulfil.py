"""Turning decided orders and stock movements into holds, backorders, ledger rows and dirty marks.

Why one function for everything that touches stock: each path plans all open needs of the SKUs it touched, oldest
first, before it commits; so no commit leaves units lying beside an order that waits for them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from erpsync.core.allocation import Demand, Owner, Place, Take, plan, shrink
from erpsync.core.fulfilment import LINE, needs
from erpsync.core.orders import KnownLine, KnownOrder
from erpsync.flows.doubt import doubt
from erpsync.flows.free import free_units
from erpsync.flows.house import House
from erpsync.flows.recall import recall_changed
from erpsync.flows.whole_units import WholeUnits, in_turn
from erpsync.store.book import Book, Waiting
from erpsync.store.dirty import Cause, mark_dirty
from erpsync.store.notes import Event, Task, open_tasks, write_events
from erpsync.store.policies import kept_in
from erpsync.store.store import Tx

UNPAID_COUNTS_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where and when units left; a count of that warehouse at that instant or later has them off already."""

    warehouse_id: int
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An order as it was and as it was decided to be.

    Args:
        left: by line id, channel units that left without us (`shipped_elsewhere`).
        leaving: by line id, channel units that leave now in a parcel of ours.
        departure: where and when they left, if a warehouse reports it.
    """

    before: KnownOrder | None
    after: KnownOrder
    left: Mapping[int, int] = field(default_factory=dict)
    leaving: Mapping[int, int] = field(default_factory=dict)
    departure: Departure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A change of what is on hand. `count` also makes the stock row known and dated."""

    place: Place
    qty: int
    reason: str
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What planning did, for events: takes by order id, units still short by order id."""

    takes: Mapping[int, list[Take]]
    short: Mapping[int, int]
    tasks: tuple[Task, ...]


def settle(
    tx: Tx,
    house: House,
    changes: Sequence[Change],
    *,
    movements: Sequence[Movement] = (),
    also: Iterable[int] = (),
    cause: Cause | None = None,
    actor: str = "",
) -> Outcome:
    """Write what the changes mean for stock. The orders are locked and already written by the caller.

    Args:
        movements: stock that came, went or was counted.
        also: further SKUs to plan anew (a safety stock changed, a listing was told for the first time).
    """
    whole = WholeUnits(tx, house)
    parts = (
        {sku_id for change in changes for sku_id in _skus_of(change)} | {m.place.sku_id for m in movements} | set(also)
    )
    book = Book(tx, parts | whole.partners(parts), _owners_of(changes))
    tasks: list[Task] = []
    events: list[Event] = []
    for movement in movements:
        if movement.counted_at is not None:
            book.count(movement.place, movement.counted_at)
        book.move(movement.place, movement.qty, reason=movement.reason, actor=actor)
    for change in changes:
        tasks += _book_out_all(book, house, change)
    whole.mend_all(book, [change.after for change in changes])
    kept = book.held_skus()
    soft = [demand for change in changes for demand in _adjust(book, house, change, tx, kept)]
    events += _shrink_all(book, house, tasks)
    some = free_units(book, house, kept_in(tx, book.sku_ids))
    book.load_waiting(place.sku_id for place, qty in some.items() if qty > 0)
    whole.complete(book)
    keeps = kept_in(tx, book.sku_ids)
    free = free_units(book, house, keeps)
    takes = plan([*book.demands(house.feeding, [c.after.id for c in changes]), *soft], free, whole.lines)
    book.load_owners(take.owner for take in takes)
    waited = {need[0]: waiting.order_id for need, waiting in book.waiting_before().items()}
    _hold_all(book, takes, changes, house, tx.now)
    left_from = {c.after.id: c.departure.warehouse_id for c in changes if c.departure}
    recall_changed(tx, house, book, [change.after for change in changes], left_from=left_from)
    book.flush()
    in_doubt = doubt(tx, [(change.before, change.after) for change in changes])
    _mark(tx, house, book, changes, cause, {*also, *in_doubt}, free_units(book, house, keeps))
    open_tasks(tx, tasks)
    if any(policy.channel for policy in house.warehouses.values()):
        tx.wake("release")
    return _outcome(tx, changes, takes, book, waited, tasks, events)


def reserve_until(house: House, order: KnownOrder, now: datetime) -> datetime | None:
    """Return when the reservation of an order that is not ready ends; None when its channel reserves nothing.

    One placed in our future, by a platform whose clock is ahead of ours, counts from when it came in.
    """
    channel = house.channels.get(order.channel_id)
    if channel is None or channel.orders.reserve != "placement":
        return None
    return min(order.placed_at, order.imported_at or now) + timedelta(minutes=channel.orders.reserve_minutes)


def _skus_of(change: Change) -> set[int]:
    lines = [*change.after.lines, *(change.before.lines if change.before else ())]
    return {sku_id for line in lines for sku_id in line.parts}


def _owners_of(changes: Sequence[Change]) -> list[Owner]:
    return [Owner(LINE, line.id) for change in changes if change.before for line in change.before.lines]


def _book_out_all(book: Book, house: House, change: Change) -> list[Task]:
    tasks: list[Task] = []
    lines = {line.id: line for line in change.after.lines}
    for reason, units in (("shipped_elsewhere", change.left), ("shipped", change.leaving)):
        for line_id, qty in units.items():
            mapped = bool(lines[line_id].parts)
            short = _book_out(book, house, change, lines[line_id], qty, reason) if mapped else qty
            if short:
                tasks.append(
                    Task(
                        kind="stock_short",
                        key=f"{change.after.number}:{lines[line_id].external_id}",
                        reason=f"{short} units left ({reason}) that the books do not have; count the stock",
                        channel_id=change.after.channel_id,
                        order_id=change.after.id,
                    )
                )
    return tasks


def _book_out(book: Book, house: House, change: Change, line: KnownLine, qty: int, reason: str) -> int:
    """Take a line's departed units off the books: its own holds first, then free stock; return what is short.

    Of both, those of the warehouse they left from come first.
    """
    order, owner, short = change.after, Owner(LINE, line.id), 0
    departure = change.departure
    at = departure.left_at if departure else None

    def elsewhere(warehouse_id: int) -> bool:
        return departure is None or warehouse_id != departure.warehouse_id

    for sku_id, per_unit in line.parts.items():
        open_qty = qty * per_unit
        mine = book.held_for((owner, sku_id))
        for warehouse_id, held in sorted(mine.items(), key=lambda item: (elsewhere(item[0]), item[0])):
            taken = min(held.qty, open_qty)
            if taken:
                place = Place(sku_id, warehouse_id)
                book.unhold(owner, place, taken)
                counted = at is not None and not elsewhere(warehouse_id) and book.is_counted_since(place, at)
                gone = taken if counted else min(taken, book.on_hand(place))
                book.move(place, 0 if counted else -gone, reason=reason, ref=("order", order.id), at=at)
                open_qty -= gone
        for warehouse_id in sorted(house.feeding.get(order.channel_id, ()), key=elsewhere):
            place = Place(sku_id, warehouse_id)
            gone = min(open_qty, book.available(place, 0))
            if gone > 0:
                book.move(place, -gone, reason=reason, ref=("order", order.id), at=at)
                open_qty -= gone
        short += open_qty
    return short


def _adjust(book: Book, house: House, change: Change, tx: Tx, kept: Mapping[Owner, set[int]]) -> list[Demand]:
    """Bring holds and backorders to what the order needs; return what an unready order would like to have.

    Args:
        kept: SKUs held by owner; a line may hold one that it was made of before it went to a warehouse.
    """
    order = change.after
    until = reserve_until(house, order, tx.now)
    wanted = needs(order, reserve_until=until, now=tx.trusted_now)
    known = {
        (owner, sku_id)
        for line in _all_lines(change)
        for owner in [Owner(LINE, line.id)]
        for sku_id in line.parts.keys() | kept.get(owner, set())
    }
    expires = until if order.ready_at is None else None
    soft: list[Demand] = []
    for need in sorted(known | wanted.keys()):
        qty, held = wanted.get(need, 0), book.held_qty(need)
        _give_back(book, house, order, need, held - qty)
        for mine in book.held_for(need).values():
            if mine.qty:  # what a warehouse may be sending does not run out: only its answer frees it
                mine.expires_at = None if mine.released else expires
        short = max(0, qty - held)
        if order.ready_at is None:
            book.waiting.pop(need, None)
            if short:
                soft.append(_demand(house, order, need, short))
        elif short:
            book.waiting[need] = Waiting(
                qty=short, order_id=order.id, channel_id=order.channel_id, due=order.due, waits=not order.holds
            )
        else:
            book.waiting.pop(need, None)
    return soft


def _all_lines(change: Change) -> Iterable[KnownLine]:
    yield from change.after.lines
    yield from change.before.lines if change.before else ()


def _demand(house: House, order: KnownOrder, need: tuple[Owner, int], qty: int) -> Demand:
    return Demand(
        owner=need[0],
        sku_id=need[1],
        qty=qty,
        order_id=order.id,
        due=order.due,
        warehouses=house.feeding.get(order.channel_id, ()),
    )


def _give_back(book: Book, house: House, order: KnownOrder, need: tuple[Owner, int], surplus: int) -> None:
    """Free what is held beyond the need, least preferred warehouse first; what a warehouse may be sending stays."""
    if surplus <= 0:
        return
    rank = in_turn(house, order.channel_id)
    places = sorted(book.held_for(need), key=lambda w: rank.get(w, len(rank)), reverse=True)
    for warehouse_id in places:
        held = book.held_for(need)[warehouse_id]
        taken = min(surplus, held.qty)
        if taken and not held.released:
            book.unhold(need[0], Place(need[1], warehouse_id), taken)
            surplus -= taken


def _shrink_all(book: Book, house: House, tasks: list[Task]) -> list[Event]:
    """Where more is promised than there is, take promises back, latest due first, into backorders."""
    events: list[Event] = []
    short = book.missing()
    holders = book.holders(short)
    plans = {place: shrink([held for held, _ in holders[place].values()], qty) for place, qty in sorted(short.items())}
    book.load_owners(held.owner for taken in plans.values() for held, _ in taken)
    for place, taken in plans.items():
        tasks += _released_short(house, place, short[place] - sum(qty for _, qty in taken))
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
    return events


def _released_short(house: House, place: Place, missing: int) -> list[Task]:
    """Return the task for units that a warehouse was told to send and that the books do not have."""
    if missing <= 0:
        return []
    policy = house.warehouses.get(place.warehouse_id)
    where = policy.id if policy else f"warehouse {place.warehouse_id}"
    reason = f"{where} was told to send {missing} units more than it has; count the stock and call parcels back"
    return [Task(kind="stock_short", key=f"{where}:{place.sku_id}", reason=reason)]


def _hold_all(book: Book, takes: Iterable[Take], changes: Sequence[Change], house: House, now: datetime) -> None:
    expiry = {
        Owner(LINE, line.id): reserve_until(house, change.after, now)
        for change in changes
        if change.after.ready_at is None
        for line in change.after.lines
    }
    for take in takes:
        place = Place(take.sku_id, take.warehouse_id)
        book.hold(take.owner, place, take.qty, expires_at=expiry.get(take.owner))
        need = (take.owner, take.sku_id)
        waiting = book.waiting.get(need)
        if waiting is not None:
            if waiting.qty > take.qty:
                book.waiting[need] = replace(waiting, qty=waiting.qty - take.qty)
            else:
                del book.waiting[need]


def _mark(
    tx: Tx,
    house: House,
    book: Book,
    changes: Sequence[Change],
    cause: Cause | None,
    also: Iterable[int],
    free: Mapping[Place, int],
) -> None:
    dirty = {place.sku_id for place in book.changed_places()} | set(also)
    recent = tx.trusted_now - UNPAID_COUNTS_FOR
    for change in changes:
        if change.after.placed_at > recent and (_is_unpaid(change.after) or _is_unpaid(change.before)):
            dirty |= _skus_of(change)
    below = max((channel.stock.urgent_below for channel in house.channels.values()), default=0)
    left: dict[int, int] = defaultdict(int)
    for place, qty in free.items():
        left[place.sku_id] += qty
    mark_dirty(tx, dirty, urgent=[sku_id for sku_id in dirty if left[sku_id] < below], cause=cause)


def _is_unpaid(order: KnownOrder | None) -> bool:
    return order is not None and order.ready_at is None and order.open_qty > 0


def _outcome(
    tx: Tx,
    changes: Sequence[Change],
    takes: Iterable[Take],
    book: Book,
    waited: Mapping[Owner, int],
    tasks: Sequence[Task],
    events: list[Event],
) -> Outcome:
    """Return what planning did and write its events; `waited` are the orders of owners that waited before."""
    line_order = {line.id: change.after.id for change in changes for line in change.after.lines}
    by_order: dict[int, list[Take]] = defaultdict(list)
    filled: dict[int, dict[str, Any]] = {}
    for take in takes:
        order_id = line_order.get(take.owner.id)
        if order_id is None:
            order_id = waited[take.owner]
            filled.setdefault(order_id, {"takes": []})["takes"].append(take_detail(take))
        by_order[order_id].append(take)
    events += [Event(kind="order.filled", order_id=order_id, detail=detail) for order_id, detail in filled.items()]
    short: dict[int, int] = defaultdict(int)
    for waiting in book.waiting.values():
        short[waiting.order_id] += waiting.qty
    write_events(tx, events)
    return Outcome(takes=by_order, short=short, tasks=tuple(tasks))


def take_detail(take: Take) -> dict[str, int]:
    """Return a take as an event holds it."""
    return {"line_id": take.owner.id, "sku_id": take.sku_id, "warehouse_id": take.warehouse_id, "qty": take.qty}
