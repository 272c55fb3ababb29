"""Telling channels how many units they may sell.

    dirty SKU ─fan_out─▶ one pending row per listing ─push_stock─▶ fresh? known? braked? equal? ─▶ call ─▶ told

Why the number is computed when the row is claimed: whatever happened while it waited is in it, and a row that was
overtaken sends nothing stale. Why told becomes unsure first: should we die in the call, the next run pushes again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, or_, select, update

from erpsync.core.availability import Told, pack_sent, unpack_sent
from erpsync.core.drift import remembered
from erpsync.flows.facts import said
from erpsync.flows.health import mark_down, mark_up, may_call
from erpsync.flows.house import Channel, House
from erpsync.flows.numbers import Listed, brake_trips, load_listed
from erpsync.flows.retry import backoff_s, gives_up
from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.http import lane
from erpsync.sdk.roles import OrderSource, StockSink, playing
from erpsync.sdk.types import StockLevel
from erpsync.store.bulk import update_many
from erpsync.store.cursors import CursorRow, read_cursor, want_pass
from erpsync.store.dirty import Mark, mark_dirty, take_dirty
from erpsync.store.notes import DeadLetter, Task, bury, end_letters, open_tasks
from erpsync.store.queue import (
    IS_OPEN,
    IS_PENDING,
    LANE_REST,
    LANE_URGENT,
    STOCK,
    Claimed,
    Effect,
    ack_many,
    again,
    claim,
    die,
    enqueue,
    wait_many,
)
from erpsync.store.store import Tx
from erpsync.store.tables import bundle, dirty_sku, listing, outbox

MARKS_AT_ONCE = 500
LEASE_S = 300  # outlives a call that asks once for each of its 20 listings, should half the requests time out
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Send:
    """One number on its way."""

    row: Claimed
    listed: Listed
    qty: int
    again_when_fresh: bool


def push_stock(house: House, channel: Channel, *, urgent_only: bool = False) -> int:
    """Claim due rows of a channel and tell it their numbers in one call; return how many rows were handled."""
    sink = playing(channel.connector, StockSink)
    if sink is None or not channel.stock.push or not may_call(house, channel, probing=True):
        return 0

    def work(tx: Tx) -> tuple[int, list[_Send]]:
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

    handled, sends = house.store.retrying(work)
    if sends:
        _call(house, channel, sink, sends)
    return handled


def _decide(tx: Tx, house: House, channel: Channel, rows: Sequence[Claimed]) -> list[_Send]:
    """Compute each row's number and what is to be done with it."""
    listed = load_listed(tx, house, channel, [row.ref_id for row in rows])
    fresh = _Freshness(tx, channel)
    sends, zeros = list[_Send](), list[tuple[Claimed, Listed]]()
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
            sends.append(_Send(row=row, listed=item, qty=item.qty, again_when_fresh=not fresh.covers(row)))
    ack_many(tx, unknown, note="stock unknown")
    ack_many(tx, equal, note="told already")
    sends += _let_through(tx, channel, zeros, fresh)
    fresh.flush()
    _make_unsure(tx, sends)
    return sends


def _let_through(tx: Tx, channel: Channel, zeros: Sequence[tuple[Claimed, Listed]], fresh: "_Freshness") -> list[_Send]:
    """Return the zeros that the brake lets go; the others wait for a person."""
    if not zeros:
        return []
    update_many(tx, listing, [{"id": item.id, "zeroed_at": tx.now} for _, item in zeros], keys=["id"])
    if not brake_trips(tx, channel):
        return [_Send(row=row, listed=item, qty=0, again_when_fresh=not fresh.covers(row)) for row, item in zeros]
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


def _make_unsure(tx: Tx, sends: Sequence[_Send]) -> None:
    rows = [
        {"id": s.listed.id, "told_sure": False, "sent_since": pack_sent(sorted({*s.listed.told.sent_since, s.qty}))}
        for s in sends
    ]
    update_many(tx, listing, rows, keys=["id"])


def _call(house: House, channel: Channel, sink: StockSink, sends: Sequence[_Send]) -> None:
    levels = [
        StockLevel(key=str(s.listed.id), channel_sku=s.listed.channel_sku, item_ref=s.listed.item_ref, qty=s.qty)
        for s in sends
    ]
    urgent = any(send.row.lane <= LANE_URGENT for send in sends)
    try:
        with lane("urgent" if urgent else "rest"):
            refusals = _told(sink, levels)
    except Exception as error:  # noqa: BLE001 the one place that runs every stock call; a state stays behind
        refusals = dict.fromkeys([level.key for level in levels], error)
        mark_down(house, channel, error)
    else:
        mark_up(house, channel)
    taken = [send for send in sends if str(send.listed.id) not in refusals]
    failed = [(send, refusals[str(send.listed.id)]) for send in sends if str(send.listed.id) in refusals]
    house.store.retrying(lambda tx: _finish(tx, channel, taken, failed))
    log.info("push.done", channel=channel.name, kind=STOCK, listings=len(taken), refused=len(failed))


def _told(sink: StockSink, levels: Sequence[StockLevel]) -> dict[str, Exception]:
    """Tell the levels and return what was not accepted; a call that is refused whole is halved until one is at fault.

    Only errors that another call may not share are narrowed down; the numbers are absolute, so telling some twice is
    harmless.
    """
    try:
        return dict(sink.push_stock(levels))
    except (TransientError, RateLimitedError, OutcomeUnknownError, AuthError):
        raise
    except Exception as error:  # noqa: BLE001 narrowed down to the level at fault, which becomes a dead letter
        if len(levels) == 1:
            return {levels[0].key: error}
        half = len(levels) // 2
        return _told(sink, levels[:half]) | _told(sink, levels[half:])


def _finish(tx: Tx, channel: Channel, taken: Sequence[_Send], failed: Sequence[tuple[_Send, Exception]]) -> None:
    """Note what became of the numbers.

    Locks are taken in the fan-out's order, marks before open rows and those by key, so that the two never wait for each
    other.
    """
    held = ack_many(tx, [send.row for send in taken])
    accepted = [send for send in taken if send.row.id in held]
    late = [send for send in taken if send.row.id not in held]
    late += [send for send, error in failed if isinstance(error, OutcomeUnknownError)]
    _lock_listings(tx, [*taken, *(send for send, _ in failed)])
    overtaken = _overtaken(tx, channel, accepted)
    anew = [*late, *(send for send in accepted if send.again_when_fresh)]
    mark_dirty(tx, [sku_id for send in anew for sku_id in send.listed.skus])
    update_many(
        tx,
        listing,
        [
            {
                "id": send.listed.id,
                "told_qty": send.qty,
                "told_sure": not send.again_when_fresh and send.listed.id not in overtaken,
                "told_at": tx.now,
                "sent_since": "[]",
                "earlier": pack_sent(remembered(send.listed.told.earlier, send.listed.told.accepted, send.qty)),
                "refused": "",
            }
            for send in accepted
        ],
        keys=["id"],
    )
    _doubt_late(tx, late)
    end_letters(tx, channel.id, STOCK, [send.row.key for send in accepted], state="superseded")
    for send, error in sorted(failed, key=lambda each: each[0].row.key):
        _fail(tx, channel, send, error)


def _doubt_late(tx: Tx, late: Sequence[_Send]) -> None:
    """Note numbers that may have landed behind a newer one: whoever took over is not sure of its own any more."""
    numbers = {send.listed.id: send.qty for send in late}
    known = tx.all(select(listing.c.id, listing.c.sent_since).where(listing.c.id.in_(numbers)))
    rows = [
        {
            "id": row.id,
            "told_sure": False,
            "sent_since": pack_sent(sorted({*unpack_sent(row.sent_since), numbers[row.id]})),
        }
        for row in known
    ]
    update_many(tx, listing, rows, keys=["id"])


def _lock_listings(tx: Tx, sends: Sequence[_Send]) -> None:
    ids = sorted(send.listed.id for send in sends)
    tx.all(select(listing.c.id).where(listing.c.id.in_(ids)).order_by(listing.c.id).with_for_update(key_share=True))


def _overtaken(tx: Tx, channel: Channel, sends: Sequence[_Send]) -> set[int]:
    """Return the (locked) listings that became dirty during the call: their next row is to tell its number in any case.

    A sale that the channel made while we spoke may have been taken off the number before ours or after.
    """
    keys = [send.row.key for send in sends]
    skus = {sku_id for send in sends for sku_id in send.listed.skus}
    dirty = set(tx.execute(select(dirty_sku.c.sku_id).where(dirty_sku.c.sku_id.in_(sorted(skus)))).scalars())
    mine = (outbox.c.destination_id == channel.id, outbox.c.kind == STOCK, outbox.c.key.in_(keys))
    waiting = select(outbox.c.ref_id).where(*mine, IS_OPEN)  # by key: a best seller was told its number many times
    return set(tx.execute(waiting).scalars()) | {s.listed.id for s in sends if dirty.intersection(s.listed.skus)}


def _fail(tx: Tx, channel: Channel, send: _Send, error: Exception) -> None:
    """Leave a state behind for a number that was not accepted."""
    row = send.row
    if isinstance(error, RateLimitedError):
        again(tx, row, run_at=tx.now + timedelta(seconds=error.retry_after_s), error=str(error), counts=False)
    elif isinstance(error, AuthError):
        again(tx, row, run_at=tx.now + timedelta(seconds=channel.poll.auth_retry_s), error=str(error), counts=False)
    elif isinstance(error, RejectedError) or gives_up(row.attempts) or not isinstance(error, ConnectorError):
        die(tx, row, error=said(error))
        update_many(tx, listing, [{"id": send.listed.id, "refused": said(error)}], keys=["id"])
        name = f"{send.listed.channel_sku} {send.listed.item_ref}".strip()
        letter = DeadLetter(
            channel_id=channel.id, kind=STOCK, key=row.key, error=said(error), source=name, outbox_id=row.id
        )
        bury(tx, [letter])
        log.error("push.buried", channel=channel.name, kind=STOCK, key=name, error=said(error))
    else:
        run_at = tx.now + timedelta(seconds=backoff_s(row.attempts, row.id))
        again(tx, row, run_at=run_at, error=said(error))
        log.warning("push.retried", channel=channel.name, kind=STOCK, key=row.key, attempt=row.attempts + 1)


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
