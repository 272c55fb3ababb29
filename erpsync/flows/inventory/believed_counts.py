"""Which of a warehouse's counts are believed, and what waits until a person says so.

Why a rise waits and a fall does not: units that are not there are sold; units that are there and not believed only
wait. Why a person's own counts never wait: `stock set` and `stock import` are the answer, not the question.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from erpsync.core.allocation import StockKey
from erpsync.core.counting import is_far
from erpsync.flows.context import Channel, Context
from erpsync.flows.inventory.counts import Count, is_bad, lock_skus_of, moved_since, on_hand_of, take_counts
from erpsync.flows.inventory.unmapped import relook_unmapped
from erpsync.flows.inventory.waiting_counts import (
    ROSE,
    UNKNOWN,
    Asked,
    Waiting,
    asked_of,
    key_of,
    let_wait,
    tell_unknown,
    waiting_for,
)
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.registry import sku_ids
from erpsync.store.tasks import Task, open_tasks

FELL = "count_fell"
AT_ONCE = 500


def believed(tx: Tx, ctx: Context, channel: Channel, rows: Sequence[Count]) -> list[Count]:
    """Return the counts that may be taken; the others wait, with a task. What cannot be read is left to the taker."""
    good = [row for row in rows if is_bad(ctx, row, tx.now)]
    last = _last_words(tx, [row for row in rows if not is_bad(ctx, row, tx.now)])
    ids = sku_ids(tx.connection, [row.sku for row in last])
    places = {StockKey(ids[row.sku], ctx.warehouse_id(row.warehouse)): row for row in last if row.sku in ids}
    lock_skus_of(tx, places)
    stored = on_hand_of(tx, places)
    moved = moved_since(tx, {place: row.as_of for place, row in places.items() if row.as_of is not None})
    asked, told = list[Waiting](), list[tuple[Count, int, str]]()
    for row in last:
        if row.sku not in ids:
            asked.append(_waiting(tx, ctx, channel, row, unknown=True))
    for place, row in places.items():
        before, counted_at = stored.get(place, (None, None))
        after = max(0, row.on_hand + moved.get(place, 0))
        late = counted_at is not None and (row.as_of or tx.now) < counted_at
        if before is None or late or not is_far(before, after, ctx.counting):
            good.append(row)
        elif after < before:
            good.append(row)
            told.append((row, before, FELL))
        else:
            asked.append(_waiting(tx, ctx, channel, row, unknown=False))
            told.append((row, before, ROSE))
    _tell(tx, ctx, channel, told, ids, _hold(tx, asked))
    return good


def _last_words(tx: Tx, rows: Iterable[Count]) -> list[Count]:
    """Return the newest count of each SKU in each warehouse."""
    last: dict[tuple[str, str], Count] = {}
    for row in rows:
        twin = last.get((row.warehouse, row.sku))
        if twin is None or (row.as_of or tx.now) >= (twin.as_of or tx.now):
            last[row.warehouse, row.sku] = row
    return list(last.values())


def _waiting(tx: Tx, ctx: Context, channel: Channel, row: Count, *, unknown: bool) -> Waiting:
    return Waiting(
        warehouse_id=ctx.warehouse_id(row.warehouse),
        sku=row.sku,
        channel_id=channel.id,
        on_hand=row.on_hand,
        counted_at=row.as_of or tx.now,
        unknown=unknown,
    )


def _hold(tx: Tx, asked: Sequence[Waiting]) -> set[tuple[int, str]]:
    """Keep what waits; return where that is news. An older count than the one that waits changes nothing."""
    there = waiting_for(tx, (count.warehouse_id for count in asked), (count.sku for count in asked))
    newer = [
        count
        for count in asked
        if (was := there.get((count.warehouse_id, count.sku))) is None or was.counted_at <= count.counted_at
    ]
    let_wait(tx, newer)
    fresh = {
        (count.warehouse_id, count.sku)
        for count in newer
        if (was := there.get((count.warehouse_id, count.sku))) is None or was.on_hand != count.on_hand
    }
    for place in sorted({count.warehouse_id for count in newer if count.unknown}):
        tell_unknown(tx, place)
    return fresh


def _tell(
    tx: Tx,
    ctx: Context,
    channel: Channel,
    told: Sequence[tuple[Count, int, str]],
    ids: dict[str, int],
    fresh: set[tuple[int, str]],
) -> None:
    """Open the tasks about known SKUs, and leave an event of what is new."""
    tasks, events = list[Task](), list[Event]()
    for row, before, kind in told:
        if kind == ROSE and (ctx.warehouse_id(row.warehouse), row.sku) not in fresh:
            continue
        said = f"{row.warehouse} counts {row.on_hand} of {row.sku}, {before} were known"
        key = key_of(row.warehouse, row.sku)
        if kind == FELL:
            tasks.append(Task(kind="count_fell", key=key, reason=f"{said}; it is believed", channel_id=channel.id))
        else:
            reason = f"{said}; it is not believed until you say so"
            tasks.append(Task(kind="count_rose", key=key, reason=reason, channel_id=channel.id))
        detail = {"warehouse": row.warehouse, "sku": row.sku, "on_hand": row.on_hand, "known": before}
        events.append(Event(kind=f"stock.{kind}", sku_id=ids[row.sku], channel_id=channel.id, detail=detail))
    open_tasks(tx, tasks)
    write_events(tx, events)


def take_asked(ctx: Context, kind: str, key: str, *, actor: str) -> list[str]:
    """Take all but the last counts that a task asks about, a batch per commit; return the SKUs taken."""
    skus: list[str] = []
    while batch := ctx.store.retrying(partial(_take_more, ctx=ctx, kind=kind, key=key, actor=actor)):
        skus += batch
    return skus


def _take_more(tx: Tx, *, ctx: Context, kind: str, key: str, actor: str) -> list[str]:
    rows = asked_of(tx, kind, key, limit=AT_ONCE + 1)
    return _take(tx, ctx, rows[:AT_ONCE], actor) if len(rows) > AT_ONCE else []


def take_last(tx: Tx, ctx: Context, kind: str, key: str, *, actor: str) -> list[str]:
    """Take the counts that are left, in the transaction that ends the task; return the SKUs taken."""
    return _take(tx, ctx, asked_of(tx, kind, key, limit=AT_ONCE), actor)


def _take(tx: Tx, ctx: Context, asked: Sequence[Asked], actor: str) -> list[str]:
    counts = [
        Count(warehouse=count.warehouse, sku=count.sku, on_hand=count.on_hand, as_of=min(count.counted_at, tx.now))
        for count in asked
    ]
    take_counts(tx, ctx, counts, actor)
    return [count.sku for count in counts]


def asks_about_counts(kind: str) -> bool:
    """Whether finishing a task of this kind means that the counts it names are right."""
    return kind in (ROSE, UNKNOWN)


def look_again(ctx: Context, skus: Sequence[str]) -> None:
    """Look again at what was held because these SKUs were not known; for when they are."""
    if skus:
        relook_unmapped(ctx, skus)
