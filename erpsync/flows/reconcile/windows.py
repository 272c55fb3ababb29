"""Proof that a channel's past was read whole: its lists are scanned again by when orders were placed, and compared.

    plan windows of the past ─▶ scan one, no transaction ─▶ read and apply what the store lacks ─▶ judge: sealed or open

Why a scan repairs at once: an order that was missed is an order not sent, so whoever finds it brings it in; that it was
found so late is an event, and the window stays open until scans find nothing more.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, select

from erpsync.core.readings import is_ahead
from erpsync.core.seal import Scan, Window, grid, hash_of, in_turn, judged, why_open
from erpsync.flows.channels.health import mark_down, may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.apply import apply
from erpsync.flows.orders.normalise import apply_bisected, may_be_poison, read_orders
from erpsync.sdk.errors import RateLimitedError
from erpsync.sdk.roles import OrderScan, OrderSource, playing
from erpsync.sdk.types import Head
from erpsync.store.cursors import CursorRow, read_cursor
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.leases import LeaseLostError
from erpsync.store.tables import orders
from erpsync.store.windows import (
    add_windows,
    lock_window,
    note_late,
    placed_within,
    reach,
    versions,
    watched,
    write_window,
)

WINDOWS_AT_ONCE = 6
DETAILS_AT_ONCE = 5
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealReport:
    """What one run did: windows scanned, those sealed by it, orders that had been missed, whether more are due."""

    scanned: int = 0
    sealed: int = 0
    missed: int = 0
    more: bool = False


@dataclass(slots=True, kw_only=True)
class _Finding:
    """One scan under way."""

    window: Window
    began_at: datetime
    read_until: datetime
    heads: dict[str, datetime] = field(default_factory=dict)
    missed: int = 0
    unheld: int = 0


def lag(ctx: Context, channel: Channel) -> timedelta:
    """Return how old a window's end must be before it is scanned: what comes later than that is late."""
    return timedelta(seconds=max(ctx.sealing.lag_s, channel.poll.overlap_s))


def seal_windows(
    ctx: Context, channel: Channel, *, most: int = WINDOWS_AT_ONCE, stopping: Callable[[], bool] = lambda: False
) -> SealReport:
    """Scan the windows whose turn it is, unsealed and oldest first; what was committed stays when it is broken off.

    None while the clock is unconfirmed: two scans prove something because time went by between them.
    """
    if not channel.plays(OrderScan) or ctx.store.clock.unconfirmed or not may_call(ctx, channel):
        return SealReport()
    _plan(ctx, channel)
    due = _due(ctx, channel)
    scanned = sealed = missed = 0
    for window in due[:most]:
        if stopping():
            break
        try:
            after, late = _scan(ctx, channel, window)
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001 one shop's trouble must not keep the others from being compared
            _failed(ctx, channel, window, error)
            return SealReport(scanned=scanned, sealed=sealed, missed=missed)
        scanned += 1
        missed += late
        sealed += after.sealed_at is not None and window.sealed_at is None
    if scanned:
        log.info("seal.done", channel=channel.name, windows=scanned, sealed=sealed, missed=missed)
    return SealReport(scanned=scanned, sealed=sealed, missed=missed, more=len(due) > scanned)


def _failed(ctx: Context, channel: Channel, window: Window, error: Exception) -> None:
    """Leave the window for the next run. Whether the channel is down is for its polls to say."""
    if isinstance(error, RateLimitedError):
        mark_down(ctx, channel, error)
    log.warning("seal.failed", channel=channel.name, window=window.start.isoformat(), error=repr(error))


def _cursors(ctx: Context, channel: Channel) -> tuple[CursorRow, CursorRow]:
    with ctx.store.read() as connection:
        return read_cursor(connection, channel.id, "backfill"), read_cursor(connection, channel.id, "orders")


def _plan(ctx: Context, channel: Channel) -> None:
    """Add the windows that have passed and were covered by the back-fill or a whole pass since."""
    backfill, changes = _cursors(ctx, channel)
    if backfill.complete_ended_at is None or backfill.since_at is None or changes.complete_began_at is None:
        return
    until = min(ctx.store.clock.now(), changes.complete_began_at) - lag(ctx, channel)
    width = timedelta(seconds=ctx.sealing.window_s)
    with ctx.store.read() as connection:
        covered = reach(connection, channel.id)
    spans = [(backfill.since_at, until)] if covered is None else [(backfill.since_at, covered[0]), (covered[1], until)]
    fresh = [window for start, end in spans for window in grid(start, end, width)]
    if fresh:
        with ctx.store.begin() as tx:
            add_windows(tx, channel.id, fresh)


def _due(ctx: Context, channel: Channel) -> list[Window]:
    now = ctx.store.clock.now()
    with ctx.store.read() as connection:
        windows = watched(connection, channel.id, now)
    return in_turn(windows, after=timedelta(seconds=ctx.sealing.after_s), now=now)


def _scan(ctx: Context, channel: Channel, window: Window) -> tuple[Window, int]:
    """Scan one window and judge it; return it as it is now, and how many orders had been missed."""
    _, changes = _cursors(ctx, channel)
    now = ctx.store.clock.now()
    read_until = (changes.complete_began_at or window.start) - lag(ctx, channel)
    finding = _Finding(window=window, began_at=now, read_until=read_until)
    source = playing(channel.connector, OrderScan)
    if source is None:
        raise LookupError(f"channel {channel.name} cannot be scanned")
    for heads in source.scan_orders(window.start, window.end):
        fresh = {head.external_id: head for head in heads if head.external_id not in finding.heads}
        finding.heads.update({head.external_id: head.version_at for head in fresh.values()})
        _hold(ctx, channel, finding, list(fresh.values()))
    after = ctx.store.retrying(lambda tx: _judge(tx, ctx, channel, finding))
    if window.sealed_at is not None and after.sealed_at is None:
        tell = log.warning if finding.missed else log.info
        tell("window.reopened", channel=channel.name, window=window.start.isoformat(), missed=finding.missed)
    return after, finding.missed


def _hold(ctx: Context, channel: Channel, finding: _Finding, heads: Sequence[Head]) -> None:
    """Bring in what the store lacks of a page, and count what it should have had and what it still lacks."""
    with ctx.store.read() as connection:
        lacking, _ = _lacking(connection, channel, finding, heads)
    for first in range(0, len(lacking), DETAILS_AT_ONCE):
        finding.missed += _bring_in(ctx, channel, finding, lacking[first : first + DETAILS_AT_ONCE])
    with ctx.store.read() as connection:
        finding.unheld += len(_lacking(connection, channel, finding, lacking)[0])


def _lacking(
    connection: Connection, channel: Channel, finding: _Finding, heads: Sequence[Head]
) -> tuple[list[Head], set[str]]:
    """Return the heads that the store has not, or only older, and the ids of those that the streams have missed.

    What changed since the last whole pass began is not missed, only not read yet. A version that lies in the future is
    not kept as such, so an order that claims one is held as soon as it is known.
    """
    stored = versions(connection, channel.id, [head.external_id for head in heads])
    lacking = [
        head
        for head in heads
        if (at := stored.get(head.external_id)) is None
        or (at < head.version_at and not is_ahead(head.version_at, head.read_to))
    ]
    late = (head for head in lacking if head.external_id not in stored or head.version_at < finding.read_until)
    return lacking, {head.external_id for head in late}


def _bring_in(ctx: Context, channel: Channel, finding: _Finding, heads: Sequence[Head]) -> int:
    """Read these orders whole and apply them; what had been missed is noted in the same commit, and counted."""
    source = playing(channel.connector, OrderSource)
    if source is None:
        raise LookupError(f"channel {channel.name} has no orders")
    batch = read_orders(channel, source.complete(heads))
    missed: set[str] = set()

    def apply_heads(tx: Tx) -> list[str]:
        nonlocal missed
        _, missed = _lacking(tx.connection, channel, finding, heads)  # a pass may have brought them in by now
        apply(tx, ctx, channel, batch)
        return _note_missed(tx, channel, finding.window, missed)

    try:
        noted = ctx.store.retrying(apply_heads)
    except Exception as error:
        if not may_be_poison(error, batch):
            raise
        apply_bisected(ctx, channel, batch, error)
        noted = ctx.store.retrying(lambda tx: _note_missed(tx, channel, finding.window, missed))
    for external_id in noted:
        log.warning("order.found_late", channel=channel.name, order=external_id)
    return len(noted)


def _note_missed(tx: Tx, channel: Channel, window: Window, missed: Collection[str]) -> list[str]:
    """Leave an event for each missed order that is stored now; return their ids."""
    query = select(orders.c.id, orders.c.external_id)
    stored = tx.all(query.where(orders.c.channel_id == channel.id, orders.c.external_id.in_(sorted(missed))))
    external_ids = sorted(row.external_id for row in stored)
    if external_ids:
        note_late(tx, channel.id, window.start, external_ids)
    detail = {"window": window.start.isoformat(), "until": window.end.isoformat()}
    kind = "order.found_late"
    write_events(tx, [Event(kind=kind, order_id=row.id, channel_id=channel.id, detail=detail) for row in stored])
    return external_ids


def _judge(tx: Tx, ctx: Context, channel: Channel, finding: _Finding) -> Window:
    """Write what the scan says of the window, unless another node has scanned it since."""
    before = lock_window(tx, channel.id, finding.window.start)
    if before.scanned_at is not None and before.scanned_at >= finding.began_at:
        return before
    stored = placed_within(tx.connection, channel.id, before, before=finding.began_at)
    scan = Scan(
        at=min(finding.began_at, tx.now),
        count=len(finding.heads),
        hash=hash_of(finding.heads),
        missed=finding.missed,
        unheld=finding.unheld,
        gone=len(stored - finding.heads.keys()),
    )
    after = judged(before, scan, after=timedelta(seconds=ctx.sealing.after_s))
    write_window(tx, channel.id, after, why=why_open(after, scan))
    if before.sealed_at is not None and after.sealed_at is None:
        detail = {"window": after.start.isoformat(), "orders": after.count, "before": before.count}
        write_events(tx, [Event(kind="window.reopened", channel_id=channel.id, detail=detail)])
    return after
