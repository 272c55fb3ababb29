"""Stock that comes, goes or is counted; every change plans the waiting orders anew before it commits."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Literal

from sqlalchemy import func, select

from erpsync.core.allocation import StockKey
from erpsync.core.movements import Movement, Reason
from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.imports import ROWS_PER_COMMIT, ImportResult
from erpsync.flows.inventory.unmapped import relook_unmapped
from erpsync.flows.inventory.waiting_counts import drop_waiting
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.registry import make_skus
from erpsync.store.tables import ledger, sku, stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What somebody counted. `as_of` None means now; `source` is file and line."""

    warehouse: str
    sku: str
    on_hand: int
    as_of: datetime | None = None
    source: str = ""


def add_stock(ctx: Context, *, warehouse: str, sku: str, qty: int, reason: str, actor: str) -> None:
    """Add units (or take them away) by hand; refused where it would leave less than nothing."""
    place_id = _warehouse(ctx, warehouse)
    if qty == 0:
        raise Refused("0 units change nothing; a count says that there are none")

    def write_adjustment(tx: Tx) -> None:
        place = StockKey(make_skus(tx, [sku])[sku], place_id)
        lock_skus_of(tx, [place])
        stored = on_hand_of(tx, [place]).get(place)
        if (stored[0] if stored else 0) + qty < 0:
            raise Refused(f"{sku} has {stored[0] if stored else 0} in {warehouse}, cannot take away {-qty}")
        counted_at = None if stored else tx.now
        movement = Movement(place=place, qty=qty, reason=Reason.ADJUST, words=reason, counted_at=counted_at)
        allocate(tx, ctx, [], movements=[movement], actor=actor)
        write_events(tx, [_event("adjusted", movement, stored[0] if stored else None, reason, actor)])

    ctx.store.retrying(write_adjustment)
    relook_unmapped(ctx, [sku])


def set_stock(ctx: Context, *, warehouse: str, sku: str, on_hand: int, actor: str, reason: str = "") -> None:
    """Set what is on hand now, as counted."""
    result = import_counts(ctx, [Count(warehouse=warehouse, sku=sku, on_hand=on_hand)], actor=actor, reason=reason)
    if result.refused:
        raise Refused(result.refused[0][1])


def import_counts(
    ctx: Context,
    rows: Iterable[Count],
    *,
    actor: str,
    reason: str = "",
    progress: Callable[[int], None] = lambda done: None,
) -> ImportResult:
    """Take counts in, a batch per commit; a row that cannot be taken is refused by its source and stops no other.

    Args:
        reason: why it was counted, for the event of each row that changes something.
    """
    result = ImportResult()
    pending = iter(rows)
    while batch := list(islice(pending, ROWS_PER_COMMIT)):
        taken, refused = ctx.store.retrying(partial(take_counts, ctx=ctx, rows=batch, actor=actor, reason=reason))
        relook_unmapped(ctx, [row.sku for row in batch])
        result.taken += taken
        result.refused += [(count.source, count.text) for count in refused]
        progress(len(batch))
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCount:
    """A count that was not taken, by its source: it is `bad` whatever is known, or it was counted `later`."""

    source: str
    reason: Literal["bad", "later"]
    text: str


def take_counts(
    tx: Tx, ctx: Context, rows: Sequence[Count], actor: str, reason: str = ""
) -> tuple[int, list[RefusedCount]]:
    """Take counts in and plan the SKUs anew; return how many rows were taken, and those refused.

    Each that changes what is known leaves an event.
    """
    refused: list[RefusedCount] = []
    wanted: dict[tuple[str, str], Count] = {}
    for row in rows:
        problem = is_bad(ctx, row, tx.now)
        if problem:
            refused.append(RefusedCount(source=row.source, reason="bad", text=problem))
            continue
        twin = wanted.get((row.warehouse, row.sku))
        if twin is None or (row.as_of or tx.now) >= (twin.as_of or tx.now):
            wanted[(row.warehouse, row.sku)] = row
    ids = make_skus(tx, [row.sku for row in wanted.values()])
    places = {StockKey(ids[row.sku], ctx.warehouse_id(row.warehouse)): row for row in wanted.values()}
    lock_skus_of(tx, places)
    stored = on_hand_of(tx, places)
    left = moved_since(tx, {place: row.as_of for place, row in places.items() if row.as_of is not None})
    movements = []
    for place, row in places.items():
        on_hand, counted_at = stored.get(place, (0, None))
        at = row.as_of or tx.now
        if counted_at is not None and at < counted_at:
            text = f"{row.sku} in {row.warehouse} was counted later, at {counted_at:%F %T}Z"
            refused.append(RefusedCount(source=row.source, reason="later", text=text))
            continue
        target = max(0, row.on_hand + left.get(place, 0))
        movements.append(Movement(place=place, qty=target - on_hand, reason=Reason.COUNT, counted_at=at))
    allocate(tx, ctx, [], movements=movements, actor=actor)
    before = {move.place: stored[move.place][0] if move.place in stored else None for move in movements}
    changed = [move for move in movements if move.qty or before[move.place] is None]
    write_events(tx, [_event("counted", move, before[move.place], reason, actor) for move in changed])
    taken = {(move.place.warehouse_id, places[move.place].sku): move.counted_at or tx.now for move in movements}
    drop_waiting(tx, taken, by=actor)
    return len(movements), refused


def _event(what: str, move: Movement, before: int | None, reason: str, actor: str) -> Event:
    """Return the event of a change of what is on hand; `before` None is unknown."""
    detail = {"warehouse_id": move.place.warehouse_id, "from": before, "to": (before or 0) + move.qty}
    said = {"reason": reason} if reason else {}
    return Event(kind=f"stock.{what}", sku_id=move.place.sku_id, detail=detail | said, actor=actor)


def is_bad(ctx: Context, row: Count, now: datetime) -> str:
    """Return why a count cannot be taken whatever is known; nothing when it can."""
    if row.on_hand < 0:
        return f"on_hand must be 0 or more, is {row.on_hand}"
    if not row.sku.strip():
        return "sku is empty"
    if row.as_of is not None and row.as_of > now:
        return f"as_of {row.as_of.astimezone(UTC):%F %T}Z lies in the future"
    return "" if row.warehouse in ctx.codes() else f"warehouse {row.warehouse} is not configured"


def _warehouse(ctx: Context, code: str) -> int:
    try:
        return ctx.warehouse_id(code)
    except LookupError as error:
        raise Refused(str(error)) from error


def lock_skus_of(tx: Tx, places: Iterable[StockKey]) -> None:
    """Lock the SKUs before their numbers are looked at; `settle` locks them again, which costs nothing."""
    ids = sorted({place.sku_id for place in places})
    rows = select(sku.c.id).where(sku.c.id.in_(ids)).order_by(sku.c.id)
    tx.all(rows.with_for_update(key_share=True))


def on_hand_of(tx: Tx, places: Iterable[StockKey]) -> dict[StockKey, tuple[int, datetime | None]]:
    """Return what is on hand and when it was counted last, where there is a row."""
    ids = sorted({place.sku_id for place in places})
    query = select(stock.c.sku_id, stock.c.warehouse_id, stock.c.on_hand, stock.c.counted_at)
    rows = tx.all(query.where(stock.c.sku_id.in_(ids)))
    return {StockKey(row.sku_id, row.warehouse_id): (row.on_hand, row.counted_at) for row in rows}


def moved_since(tx: Tx, since: dict[StockKey, datetime]) -> dict[StockKey, int]:
    """Return what moved after each place's instant, other counts aside."""
    if not since:
        return {}
    query = select(ledger.c.sku_id, ledger.c.warehouse_id, ledger.c.at, func.sum(ledger.c.qty).label("qty")).where(
        ledger.c.sku_id.in_(sorted({place.sku_id for place in since})),
        ledger.c.at > min(since.values()),
        ledger.c.reason != Reason.COUNT.value,
    )
    moved: dict[StockKey, int] = {}
    for row in tx.all(query.group_by(ledger.c.sku_id, ledger.c.warehouse_id, ledger.c.at)):
        place = StockKey(row.sku_id, row.warehouse_id)
        if place in since and row.at > since[place]:
            moved[place] = moved.get(place, 0) + int(row.qty)
    return moved
