"""Units held for owners: brought to what each wants, taken back where less is there than was promised."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from erpsync.core.allocation import Allocation, Held, HoldOwner, StockKey, Wanted, shrink
from erpsync.flows.allocation.owners import UNKNOWN, Given, OwnerKind, Turn
from erpsync.flows.context import Context
from erpsync.store.db.store import Tx
from erpsync.store.stock_book import Backorder, Book
from erpsync.store.tasks import Task


def adjust_holds(book: Book, ctx: Context, want: Wanted, kept: Iterable[int]) -> dict[int, int]:
    """Bring an owner's holds and backorders to what it wants; return what it wishes for without waiting, by SKU.

    Args:
        kept: SKUs it holds; they may be others than it wants, from before it went to a warehouse.
    """
    owner, wishes = want.owner, dict[int, int]()
    for sku_id in sorted({*want.units, *kept}):
        need, qty = (owner, sku_id), want.units.get(sku_id, 0)
        held = book.held_qty(need)
        if held > qty:
            _give_back(book, ctx, want, sku_id, held - qty)
        for hold in book.held_for(need).values():
            if hold.qty:  # what a warehouse may be sending does not run out: only its answer frees it
                hold.expires_at = None if hold.released else want.expires_at
        short = qty - held
        if short <= 0:
            book.waiting.pop(need, None)
        elif want.expires_at is not None:
            book.waiting.pop(need, None)
            wishes[sku_id] = short
        else:
            book.waiting[need] = Backorder(
                qty=short, group=want.group, channel_id=want.channel_id, due=want.due, waits=want.waits
            )
    return wishes


def _give_back(book: Book, ctx: Context, want: Wanted, sku_id: int, surplus: int) -> None:
    """Free what is held beyond the want, least preferred warehouse first; what a warehouse may be sending stays."""
    turns = [place for group in ctx.sourcing.together(want.warehouses) for place in group]
    rank = {place: turn for turn, place in enumerate(turns)}
    holds = book.held_for((want.owner, sku_id))
    for warehouse_id in sorted(holds, key=lambda w: rank.get(w, len(rank)), reverse=True):
        taken = min(surplus, holds[warehouse_id].qty)
        if taken and not holds[warehouse_id].released:
            book.unhold(want.owner, StockKey(sku_id, warehouse_id), taken)
            surplus -= taken


def take_back(book: Book, tx: Tx, ctx: Context, kinds: Mapping[str, OwnerKind]) -> tuple[list[Given], list[Task]]:
    """Where more is promised than there is, take promises back, latest due first, into backorders; return what to say.

    The tasks are about units that no promise can be taken back for.
    """
    lost: list[Given] = []
    tasks: list[Task] = []
    short = book.missing()
    holders = book.holders(short)
    turns = turns_of(tx, kinds, {owner for owner, _ in holders})
    by_place: dict[StockKey, list[Held]] = defaultdict(list)
    strange: set[StockKey] = set()
    for owner, place in holders:
        hold, turn = book.holds[owner, place], turns.get(owner)
        if turn is None:
            strange.add(place)
        else:
            by_place[place].append(Held(owner=owner, qty=hold.qty, due=turn.due, released=hold.released))
    plans = {place: shrink(by_place[place], qty) for place, qty in sorted(short.items())}
    book.load_owners(held.owner for taken in plans.values() for held, _ in taken)
    for place, taken in plans.items():
        tasks += _kept_short(ctx, place, short[place] - sum(qty for _, qty in taken), strange=place in strange)
        for held, qty in taken:
            book.unhold(held.owner, place, qty)
            waits_as = turns[held.owner].waits_as
            if waits_as is not None:
                book.wait(held.owner, place.sku_id, qty, like=waits_as)
                units = Allocation(owner=held.owner, sku_id=place.sku_id, warehouse_id=place.warehouse_id, qty=qty)
                lost.append(Given(units=units, group=waits_as.group))
    return lost, tasks


def turns_of(tx: Tx, kinds: Mapping[str, OwnerKind], owners: Iterable[HoldOwner]) -> dict[HoldOwner, Turn]:
    """Return whose turn it is when, of owners of all kinds that can tell."""
    turns: dict[HoldOwner, Turn] = {}
    for kind, ids in ids_by_kind(owners).items():
        turns |= {HoldOwner(kind, row_id): turn for row_id, turn in kinds.get(kind, UNKNOWN).turns(tx, ids).items()}
    return turns


def ids_by_kind(owners: Iterable[HoldOwner]) -> dict[str, list[int]]:
    """Return the ids of owners by their kind."""
    ids: dict[str, list[int]] = defaultdict(list)
    for owner in owners:
        ids[owner.kind].append(owner.id)
    return ids


def _kept_short(ctx: Context, place: StockKey, missing: int, *, strange: bool) -> list[Task]:
    """Return the task for units that the books do not have and that no promise is taken back for.

    Args:
        strange: whether some of them are kept for owners whose turn nobody knows.
    """
    if missing <= 0:
        return []
    policy = ctx.warehouses.get(place.warehouse_id)
    where = policy.id if policy else f"warehouse {place.warehouse_id}"
    reason = f"{where} was told to send {missing} units more than it has; count the stock and call parcels back"
    if missing == 1:
        reason = f"{where} was told to send 1 unit more than it has; count the stock and call parcels back"
    if strange:
        reason = f"{where} keeps {missing} units more than it has, some for what this version does not know; count them"
    if strange and missing == 1:
        reason = f"{where} keeps 1 unit more than it has, for what this version may not know; count them"
    return [Task(kind="stock_short", key=f"{where}:{place.sku_id}", reason=reason)]


def hold_taken(book: Book, takes: Iterable[Allocation], wants: Mapping[HoldOwner, Wanted]) -> None:
    """Hold what owners were given, and let them wait for so much less."""
    for take in takes:
        want, need = wants.get(take.owner), (take.owner, take.sku_id)
        place = StockKey(take.sku_id, take.warehouse_id)
        book.hold(take.owner, place, take.qty, expires_at=want.expires_at if want else None)
        waiting = book.waiting.get(need)
        if waiting is not None:
            if waiting.qty > take.qty:
                book.waiting[need] = replace(waiting, qty=waiting.qty - take.qty)
            else:
                del book.waiting[need]
