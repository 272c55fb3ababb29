"""Telling channels how many units they may sell.

    dirty SKU ─fan_out─▶ one pending row per listing ─push_stock─▶ fresh? known? braked? equal? ─▶ call ─▶ told

Why the number is computed when the row is claimed: whatever happened while it waited is in it, and a row that was
overtaken sends nothing stale. Why told becomes unsure first: should we die in the call, the next run pushes again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, or_, select, update

from erpsync.core.availability import Told
from erpsync.flows.health import mark_down, mark_up, may_call
from erpsync.flows.house import Channel, House
from erpsync.flows.numbers import Listed, brake_trips, end_brake, load_listed
from erpsync.flows.ours import while_ours
from erpsync.flows.telling import tell
from erpsync.flows.told import Send, finish, late_call_s, make_unsure
from erpsync.sdk.deadline import to_be_sent_within
from erpsync.sdk.doubt import watching
from erpsync.sdk.http import lane
from erpsync.sdk.roles import OrderSource, StockSink, playing
from erpsync.sdk.types import StockLevel
from erpsync.store.bulk import update_many
from erpsync.store.cursors import CursorRow, read_cursor, want_pass
from erpsync.store.dirty import Mark, mark_dirty, take_dirty
from erpsync.store.notes import Task, open_tasks
from erpsync.store.queue import (
    IS_PENDING,
    LANE_REST,
    LANE_URGENT,
    STOCK,
    Claimed,
    Effect,
    ack_many,
    claim,
    enqueue,
    wait_many,
)
from erpsync.store.store import Tx
from erpsync.store.tables import bundle, listing, outbox

MARKS_AT_ONCE = 500
LEASE_S = 300  # outlives a call that asks once for each of its 20 listings, should half the requests time out
CALL_S = 60  # longer than any single call
log = structlog.get_logger()


def fan_out(house: House) -> bool:
    """Turn dirty SKUs into one pending row per listing concerned; True when there is more to turn."""

    def work(tx: Tx) -> int:
        marks = take_dirty(tx, limit=MARKS_AT_ONCE)
        if marks:
            enqueue(tx, _effects(tx, house, {mark.sku_id: mark for mark in marks}))
        return len(marks)

    return house.store.retrying(work) == MARKS_AT_ONCE


def _effects(tx: Tx, house: House, marks: Mapping[int, Mark]) -> list[Effect]:
    holding: dict[int, list[int]] = {}
    for row in tx.all(select(bundle).where(bundle.c.sku_id.in_(sorted(marks)))):
        holding.setdefault(row.bundle_id, []).append(row.sku_id)
    listed = select(listing.c.id, listing.c.channel_id, listing.c.channel_sku, listing.c.item_ref, listing.c.sku_id)
    rows = tx.all(listed.where(listing.c.sku_id.in_(sorted({*marks, *holding}))))
    effects: list[Effect] = []
    untold: list[int] = []
    for row in rows:
        channel = house.channels.get(row.channel_id)
        if channel is None or not pushes(channel, row.item_ref):
            untold.append(row.id)
            continue
        causes = [marks[sku_id] for sku_id in (row.sku_id, *holding.get(row.sku_id, ())) if sku_id in marks]
        effects.append(_effect(tx, channel, row.id, causes))
    _doubt(tx, untold)
    return effects


def _doubt(tx: Tx, listing_ids: Sequence[int]) -> None:
    """Note that what these listings were told is outdated, so that it is told as soon as their channel is pushed to."""
    if listing_ids:
        same = listing.c.id.in_(listing_ids) & listing.c.told_sure
        tx.execute(update(listing).where(same).values(told_sure=False))


def pushes(channel: Channel, item_ref: str) -> bool:
    """Whether a listing of this channel is told numbers at all."""
    sink = playing(channel.connector, StockSink)
    return sink is not None and channel.enabled and channel.stock.push and bool(item_ref or not sink.needs_item_ref)


def _effect(tx: Tx, channel: Channel, listing_id: int, causes: Sequence[Mark]) -> Effect:
    first = min(mark.first_at for mark in causes)
    urgent = any(mark.urgent for mark in causes)
    own = [m.cause for m in causes if m.cause is not None and m.cause.channel_id == channel.id]
    fresh_after = min(c.pass_began_at for c in own) - timedelta(microseconds=1) if len(own) == len(causes) else first
    return Effect(
        destination_id=channel.id,
        kind=STOCK,
        key=str(listing_id),
        ref_id=listing_id,
        serial_key=f"listing:{listing_id}",
        lane=LANE_URGENT if urgent else LANE_REST,
        run_at=tx.now if urgent else first + timedelta(seconds=channel.stock.settle_s),
        marked_at=first,
        fresh_after_at=fresh_after,
    )


def push_stock(house: House, channel: Channel, *, urgent_only: bool = False) -> int:
    """Claim due rows of a channel and tell it their numbers in one call; return how many rows were handled."""
    sink = playing(channel.connector, StockSink)
    if sink is None or not channel.stock.push or not may_call(house, channel, probing=True):
        return 0

    def work(tx: Tx) -> tuple[int, list[Send]]:
        rows = claim(
            tx,
            house.store.owner,
            channel.id,
            STOCK,
            limit=sink.stock_batch,
            lease_s=LEASE_S,
            max_lane=LANE_URGENT if urgent_only else LANE_REST,
        )
        return len(rows), _decide(tx, house, channel, rows) if rows else []

    clock = house.store.clock
    ends_s = clock.monotonic() + LEASE_S
    with to_be_sent_within(clock, LEASE_S - CALL_S):
        handled, sends = house.store.retrying(work)
        if sends:
            _call(house, channel, sink, sends, lambda: clock.monotonic() < ends_s)
    return handled


def _decide(tx: Tx, house: House, channel: Channel, rows: Sequence[Claimed]) -> list[Send]:
    """Compute each row's number and what is to be done with it."""
    listed = load_listed(tx, house, channel, [row.ref_id for row in rows])
    fresh = _Freshness(tx, channel)
    late_until_at = tx.now + timedelta(seconds=late_call_s(channel))

    def send(row: Claimed, item: Listed, qty: int) -> Send:
        again_when_fresh = not fresh.covers(row)
        return Send(row=row, listed=item, qty=qty, again_when_fresh=again_when_fresh, late_until_at=late_until_at)

    sends, zeros = list[Send](), list[tuple[Claimed, Listed]]()
    unknown, equal = list[Claimed](), list[Claimed]()
    for row in rows:
        item = listed.get(row.ref_id)
        if item is None or item.qty is None:
            unknown.append(row)
        elif not item.told.needs(item.qty):
            equal.append(row)
        elif not fresh.covers(row) and not fresh.lets_down(item.told, item.qty):
            fresh.ask(row)
        elif item.unexplained_zero and not row.confirmed:
            zeros.append((row, item))
        else:
            sends.append(send(row, item, item.qty))
    ack_many(tx, unknown, note="stock unknown")
    ack_many(tx, equal, note="told already")
    sends += [send(row, item, 0) for row, item in _let_through(tx, channel, zeros)]
    fresh.flush()
    make_unsure(tx, sends)
    if not zeros:
        end_brake(tx, channel)
    return sends


def _let_through(tx: Tx, channel: Channel, zeros: Sequence[tuple[Claimed, Listed]]) -> Sequence[tuple[Claimed, Listed]]:
    """Return the zeros that the brake lets go; the others wait for a person."""
    if not zeros:
        return []
    update_many(tx, listing, [{"id": item.id, "zeroed_at": tx.now} for _, item in zeros], keys=["id"])
    if not brake_trips(tx, channel):
        return zeros
    error = "many listings would go to zero without a sale"
    wait_many(tx, [row for row, _ in zeros], waiting_for="brake", error=error)
    reason = (
        f"{len(zeros)} or more listings would be set to 0 without a sale; look at the stock, "
        f"then `erpsync stock confirm {channel.name}` lets them go"
    )
    open_tasks(tx, [Task(kind="brake", key=channel.name, reason=reason, channel_id=channel.id)])
    log.error("brake.tripped", channel=channel.name, listings=len(zeros), action="look, then erpsync stock confirm")
    return []


class _Freshness:
    """Whether the channel's orders were read since a row's first mark."""

    def __init__(self, tx: Tx, channel: Channel) -> None:
        self._tx, self._channel = tx, channel
        self._polled = channel.plays(OrderSource)
        self._orders = read_cursor(tx.connection, channel.id, "orders") if self._polled else CursorRow()
        self._backfill = read_cursor(tx.connection, channel.id, "backfill") if self._polled else CursorRow()
        self._asked = False
        self._parked: list[Claimed] = []

    def lets_down(self, told: Told, qty: int) -> bool:
        """Whether a number may go all the same: the orders cannot be read now, and it only lowers what is shown.

        Until the back-fill is done nothing is told for the first time, not even 0.
        """
        if self._backfill.complete_ended_at is None:
            return told.lowest is not None and told.lowers(qty)
        return self._orders.unreadable and told.lowers(qty)

    def covers(self, row: Claimed) -> bool:
        """Whether a whole pass began after the row's first mark, and the back-fill is done."""
        if not self._polled:
            return True
        return self._backfill.complete_ended_at is not None and self._is_after(row, self._orders.complete_began_at)

    def _is_after(self, row: Claimed, began_at: datetime | None) -> bool:
        """Whether a pass began after the mark, on any clock: a beginning that is still to come proves nothing."""
        return began_at is not None and (row.fresh_after_at or row.marked_at) < began_at <= self._tx.now

    def ask(self, row: Claimed) -> None:
        """Park the row, by `flush`, until the next pass has ended."""
        self._parked.append(row)
        self._asked |= not (self._is_after(row, self._orders.began_at) or self._orders.wanted)

    def flush(self) -> None:
        """Park what waits, and ask for a pass unless the stream is failing and is tried again in its own time."""
        wait_many(self._tx, self._parked, waiting_for="fresh")
        if self._asked and not self._orders.unreadable:
            want_pass(self._tx, self._channel.id, ["orders"])


def _call(house: House, channel: Channel, sink: StockSink, sends: Sequence[Send], leased: Callable[[], bool]) -> None:
    levels = [
        StockLevel(key=str(s.listed.id), channel_sku=s.listed.channel_sku, item_ref=s.listed.item_ref, qty=s.qty)
        for s in sends
    ]
    urgent = any(send.row.lane <= LANE_URGENT for send in sends)
    trouble: Exception | None = None
    try:
        mine = while_ours(house, [send.row for send in sends])
        with lane("urgent" if urgent else "rest"), watching() as doubt, mine:
            refusals = tell(sink, levels, leased=leased)
    except Exception as error:  # noqa: BLE001 the one place that runs every stock call; a state stays behind
        refusals = dict.fromkeys([level.key for level in levels], error)
        trouble = error
    taken = [send for send in sends if str(send.listed.id) not in refusals]
    failed = [(send, refusals[str(send.listed.id)]) for send in sends if str(send.listed.id) in refusals]
    ours = house.store.retrying(lambda tx: finish(tx, channel, taken, failed, lost=doubt.lost > 0))
    if trouble is None:
        mark_up(house, channel)
    elif ours:
        mark_down(house, channel, trouble)
    log.info("push.done", channel=channel.name, kind=STOCK, listings=len(taken), refused=len(failed))


def next_run_s(house: House) -> float | None:
    """Return the seconds until the earliest pending effect is due; None when none is pending."""
    with house.store.read() as connection:
        earliest = connection.execute(select(func.min(outbox.c.run_at)).where(IS_PENDING)).scalar()
    return None if earliest is None else max(0.0, (earliest - house.store.clock.now()).total_seconds())


def mark_untold(house: House) -> None:
    """Mark every listing that was never told or not surely, so that a start pushes what a reload or a crash left."""

    def work(tx: Tx) -> None:
        query = select(listing.c.sku_id).where(
            listing.c.sku_id.is_not(None), or_(listing.c.told_sure.is_(False), listing.c.told_qty.is_(None))
        )
        mark_dirty(tx, set(tx.execute(query.distinct()).scalars()))

    house.store.retrying(work)
