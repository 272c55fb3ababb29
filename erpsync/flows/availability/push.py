"""Telling channels how many units they may sell.

    dirty SKU ─fan_out─▶ one pending row per listing ─push_stock─▶ fresh? known? braked? equal? ─▶ call ─▶ told

Why the number is computed when the row is claimed: whatever happened while it waited is in it, and a row that was
overtaken sends nothing stale. Why told becomes unsure first: should we die in the call, the next run pushes again.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import func, select

from erpsync.flows.availability.brake import brake_trips, end_brake, hold_zeros
from erpsync.flows.availability.freshness import Freshness
from erpsync.flows.availability.levels import Listed, load_listed
from erpsync.flows.availability.telling import tell
from erpsync.flows.availability.told import Send, finish, late_call_s, make_unsure
from erpsync.flows.availability.verdict import Verdict, verdict
from erpsync.flows.channels.claims import while_ours
from erpsync.flows.channels.health import mark_down, mark_up, may_call
from erpsync.flows.context import Channel, Context
from erpsync.sdk.deadline import to_be_sent_within
from erpsync.sdk.doubt import watching
from erpsync.sdk.http import lane
from erpsync.sdk.roles import StockSink, playing
from erpsync.sdk.types import StockLevel
from erpsync.store.db.bulk import update_many
from erpsync.store.db.store import Tx
from erpsync.store.outbox.queue import (
    IS_PENDING,
    LANE_REST,
    LANE_URGENT,
    STOCK,
    Claimed,
    ack_many,
    claim,
    park_many,
)
from erpsync.store.tables import listing, outbox

LEASE_S = 300  # outlives a call that asks once for each of its 20 listings, should half the requests time out
CALL_S = 60  # longer than any single call
log = structlog.get_logger()


def push_stock(ctx: Context, channel: Channel, *, urgent_only: bool = False) -> int:
    """Claim due rows of a channel and tell it their numbers in one call; return how many rows were handled."""
    sink = playing(channel.connector, StockSink)
    if sink is None or not channel.stock.push or not may_call(ctx, channel, probing=True):
        return 0

    def claim_numbers(tx: Tx) -> tuple[int, list[Send]]:
        rows = claim(
            tx,
            ctx.store.owner,
            channel.id,
            STOCK,
            limit=sink.stock_batch,
            lease_s=LEASE_S,
            max_lane=LANE_URGENT if urgent_only else LANE_REST,
        )
        return len(rows), _decide(tx, ctx, channel, rows) if rows else []

    clock = ctx.store.clock
    ends_s = clock.monotonic() + LEASE_S
    with to_be_sent_within(clock, LEASE_S - CALL_S):
        handled, sends = ctx.store.retrying(claim_numbers)
        if sends:
            _call(ctx, channel, sink, sends, lambda: clock.monotonic() < ends_s)
    return handled


def _decide(tx: Tx, ctx: Context, channel: Channel, rows: Sequence[Claimed]) -> list[Send]:
    """Compute each row's number and what is to be done with it."""
    listed = load_listed(tx, ctx, channel, [row.ref_id for row in rows])
    fresh = Freshness(tx, channel)
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
            continue
        match verdict(item, item.qty, row, fresh):
            case Verdict.TOLD:
                equal.append(row)
            case Verdict.NOT_FRESH:
                fresh.ask(row)
            case Verdict.ZERO:
                zeros.append((row, item))
            case Verdict.SEND:
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
    park_many(tx, [row for row, _ in zeros], waiting_for="brake", error=error)
    hold_zeros(tx, channel, len(zeros))
    return []


def _call(ctx: Context, channel: Channel, sink: StockSink, sends: Sequence[Send], leased: Callable[[], bool]) -> None:
    levels = [
        StockLevel(key=str(s.listed.id), channel_sku=s.listed.channel_sku, item_ref=s.listed.item_ref, qty=s.qty)
        for s in sends
    ]
    urgent = any(send.row.lane <= LANE_URGENT for send in sends)
    trouble: Exception | None = None
    try:
        leased_rows = while_ours(ctx, [send.row for send in sends])
        with lane("urgent" if urgent else "rest"), watching() as doubt, leased_rows:
            refusals = tell(sink, levels, leased=leased)
    except Exception as error:  # noqa: BLE001 the one place that runs every stock call; a state stays behind
        refusals = dict.fromkeys([level.key for level in levels], error)
        trouble = error
    taken = [send for send in sends if str(send.listed.id) not in refusals]
    failed = [(send, refusals[str(send.listed.id)]) for send in sends if str(send.listed.id) in refusals]
    ours = ctx.store.retrying(lambda tx: finish(tx, channel, taken, failed, lost=doubt.lost > 0))
    if trouble is None:
        mark_up(ctx, channel)
    elif ours:
        mark_down(ctx, channel, trouble)
    log.info("push.done", channel=channel.name, kind=STOCK, listings=len(taken), refused=len(failed))


def next_run_s(ctx: Context) -> float | None:
    """Return the seconds until the earliest pending effect is due; None when none is pending."""
    with ctx.store.read() as connection:
        earliest = connection.execute(select(func.min(outbox.c.run_at)).where(IS_PENDING)).scalar()
    return None if earliest is None else max(0.0, (earliest - ctx.store.clock.now()).total_seconds())
