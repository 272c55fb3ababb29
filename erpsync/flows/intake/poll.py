"""Reading a channel's streams: page by page, each page and its cursor in one commit.

`flows.intake.schedule` says which streams there are and when each is read.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import func, select

from erpsync.flows.channels.health import mark_down, mark_up
from erpsync.flows.context import Channel, Context
from erpsync.flows.couriers import numbers
from erpsync.flows.couriers.numbers import apply_waybills
from erpsync.flows.errors import error_repr, error_text
from erpsync.flows.inventory.catalogue import apply_listings
from erpsync.flows.orders.apply import apply
from erpsync.flows.orders.normalise import (
    apply_bisected,
    apply_safely,
    may_be_poison,
    read_details,
    read_orders,
    read_refunds,
    unseen,
)
from erpsync.flows.records.batch import LINES_AT_ONCE, Batch
from erpsync.flows.shipments.reported import apply_reports
from erpsync.flows.warehouses.reports import apply_warehouse, relook_counted, size_of
from erpsync.sdk.errors import ConnectorError, TimedOut
from erpsync.sdk.http import lane
from erpsync.sdk.roles import (
    ListingSource,
    OrderSource,
    RefundSource,
    ShipmentSource,
    WarehouseSource,
    WaybillSource,
    playing,
)
from erpsync.sdk.types import Cursor, Head, OrderPage, Raw
from erpsync.store.cursors import read_cursor, set_cursor, still_reaches
from erpsync.store.db.store import Stage, Tx
from erpsync.store.dead_letters import close_file_letters
from erpsync.store.leases import Lease, LeaseLostError, under
from erpsync.store.outbox.dirty import Cause
from erpsync.store.outbox.hurry import run_now
from erpsync.store.outbox.queue import SHIPMENT, free_waiting
from erpsync.store.tables import orders, refund

DETAILS_AT_ONCE = 5
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReport:
    """What one pass of a stream did."""

    stream: str
    pages: int = 0
    records: int = 0
    failed: bool = False
    error: str = ""
    timed_out: bool = False


@dataclass(slots=True)
class _Pass:
    """One pass under way."""

    ctx: Context
    channel: Channel
    stream: str
    began_at: datetime
    since: datetime | None = None
    pages: int = 0
    records: int = 0

    @property
    def cause(self) -> Cause | None:
        return Cause(channel_id=self.channel.id, pass_began_at=self.began_at) if self.stream == "orders" else None


def poll_stream(
    ctx: Context,
    channel: Channel,
    stream: str,
    *,
    lease: Lease | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> PassReport:
    """Read one stream to its end, or until told to stop; what was committed stays, what failed is read again."""
    with under(lease):
        try:
            return _pass(ctx, channel, stream, stopping)
        except LeaseLostError as error:  # nothing is said of the channel: another node reads it
            return PassReport(stream=stream, failed=True, error=error_text(error))


def _pass(ctx: Context, channel: Channel, stream: str, stopping: Callable[[], bool]) -> PassReport:
    run = _begin(ctx, channel, stream)
    began = ctx.store.clock.monotonic()
    try:
        with lane("cancel" if stream == "refunds" else "rest"):
            whole = _read(run, stopping)
    except LeaseLostError:
        raise
    except Exception as error:  # noqa: BLE001 the one place that runs every poll; a state stays behind
        _fail(run, error)
        return _report(run, error)
    if whole:
        _end(run)
    mark_up(ctx, channel)
    took_ms = round((ctx.store.clock.monotonic() - began) * 1000)
    log.info("poll.done", channel=channel.name, stream=stream, pages=run.pages, records=run.records, took_ms=took_ms)
    return _report(run, None)


def _report(run: _Pass, error: Exception | None) -> PassReport:
    return PassReport(
        stream=run.stream,
        pages=run.pages,
        records=run.records,
        failed=error is not None,
        error="" if error is None else error_text(error),
        timed_out=isinstance(error, TimedOut),
    )


def _begin(ctx: Context, channel: Channel, stream: str) -> _Pass:
    with ctx.store.begin() as tx:
        set_cursor(tx, channel.id, stream, began_at=tx.now)
        return _Pass(ctx=ctx, channel=channel, stream=stream, began_at=tx.now)


def _read(run: _Pass, stopping: Callable[[], bool]) -> bool:
    with closing(_PAGES[run.stream](run, _cursor(run))) as pages:
        for page in pages:
            _store(run, page)
            run.pages += 1
            if stopping():
                return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What one page wants written, and the mark that is valid with it; None leaves the cursor where it is."""

    mark: str | None
    batch: Batch = field(default_factory=Batch)
    write: Callable[[Tx], None] = lambda tx: None
    heads: Mapping[str, Head] = field(default_factory=dict)


def _store(run: _Pass, page: _Page, *, last: bool = False) -> None:
    """Commit a page with its mark, in several transactions if it is very large, the mark in the last one."""
    *before, rest = page.batch.parts(LINES_AT_ONCE)
    for part in before:
        _store_part(run, replace(page, mark=None, batch=part, write=lambda tx: None), last=last)
    _store_part(run, replace(page, batch=rest), last=last)


def _store_part(run: _Pass, page: _Page, *, last: bool = False) -> None:
    """Commit once the orders whose readings overlap with known ones have been read again."""
    try:
        run.ctx.store.retrying(partial(_commit, run=run, page=page, last=last))
    except _OverlapError as overlap:
        _store_part(run, replace(page, batch=_read_again(run, page, overlap.external_ids)), last=True)
    except Exception as error:
        if not may_be_poison(error, page.batch):
            raise
        again = apply_bisected(run.ctx, run.channel, page.batch, error, cause=run.cause)
        if again:
            apply_safely(run.ctx, run.channel, _read_again(run, page, again), cause=run.cause)
        run.ctx.store.retrying(partial(_commit, run=run, page=replace(page, batch=Batch()), last=True))


class _OverlapError(Exception):
    """Rolls a page back: these orders have two readings that cannot be put in order."""

    def __init__(self, external_ids: Sequence[str]) -> None:
        super().__init__(*external_ids)
        self.external_ids = external_ids


def _commit(tx: Tx, *, run: _Pass, page: _Page, last: bool) -> None:
    applied = apply(tx, run.ctx, run.channel, page.batch, cause=run.cause)
    if applied.read_again and not last:
        raise _OverlapError(applied.read_again)
    page.write(tx)
    if page.mark is not None and still_reaches(tx, run.channel.id, run.stream, run.since):
        set_cursor(tx, run.channel.id, run.stream, mark=page.mark)


def _read_again(run: _Pass, page: _Page, external_ids: Sequence[str]) -> Batch:
    """Return the page's batch with single orders read once more; what began after both others ended is what counts."""
    heads = [page.heads[external_id] for external_id in external_ids if external_id in page.heads]
    again = read_orders(run.channel, _source(run, OrderSource).complete(heads))
    kept = tuple(r for r in page.batch.orders if r.order.external_id not in external_ids)
    return replace(page.batch, orders=kept + again.orders, letters=page.batch.letters + again.letters)


def _cursor(run: _Pass) -> Cursor:
    """Return where to read on; the reach of a back-fill is fixed when it begins."""
    with run.ctx.store.read() as connection:
        row = read_cursor(connection, run.channel.id, run.stream)
    since = row.since_at
    if since is None and run.stream in ("backfill", "refunds"):
        since = _since(run)
        with run.ctx.store.begin() as tx:
            set_cursor(tx, run.channel.id, run.stream, since_at=since)
    run.since = since
    return Cursor(mark=row.mark, overlap=timedelta(seconds=run.channel.poll.overlap_s), since=since)


def _since(run: _Pass) -> datetime:
    if run.stream == "backfill":
        return run.began_at - timedelta(days=run.channel.poll.backfill_days)
    with run.ctx.store.read() as connection:
        # Scans orders: the open ones of a channel, when its refunds are read for the first time.
        oldest = connection.execute(
            select(func.min(orders.c.placed_at)).where(
                orders.c.channel_id == run.channel.id,
                orders.c.phase.in_(("partially_shipped", "held", "unpaid", "ready")),
            )
        ).scalar()
    started = run.began_at - timedelta(seconds=run.channel.poll.overlap_s)
    return min(oldest, started) if oldest is not None else started


Role = TypeVar("Role")


def _source(run: _Pass, role: type[Role]) -> Role:
    source = playing(run.channel.connector, role)
    if source is None:
        raise LookupError(f"channel {run.channel.name} has no stream {run.stream}")
    return source


def _order_pages(run: _Pass, cursor: Cursor) -> Generator[_Page, None, None]:
    source = _source(run, OrderSource)
    reading = source.pull_orders(cursor) if run.stream == "orders" else source.backfill_orders(cursor)
    try:
        for page in reading:
            heads = unseen(run.ctx, run.channel, page.heads, orders)
            raws, letters, error = read_details(run.channel, source, heads, at_once=DETAILS_AT_ONCE)
            run.records += len(page.heads)
            if raws or letters or error is None:
                batch = read_orders(run.channel, raws) if raws else Batch()
                batch = replace(batch, letters=(*letters, *batch.letters))
                mark = page.mark if error is None else None
                by_id = {head.external_id: head for head in heads}
                yield _Page(mark=mark, batch=batch, write=partial(_end_earlier, run, page, batch), heads=by_id)
            if error is not None:
                raise error
    finally:
        _close(reading)


def _end_earlier(run: _Pass, page: OrderPage, batch: Batch, tx: Tx) -> None:
    """Let what was said about an earlier file of that name end; what is wrong with this one is in the batch."""
    close_file_letters(tx, run.channel.id, page.begins, kept=[letter.key for letter in batch.letters])


def _refund_pages(run: _Pass, cursor: Cursor) -> Generator[_Page, None, None]:
    source = _source(run, RefundSource)
    reading = source.pull_refunds(cursor)
    try:
        for page in reading:
            heads = unseen(run.ctx, run.channel, page.heads, refund)
            raws = [Raw(head=h, payload=h.row, read_from=h.read_from, read_to=h.read_to) for h in heads]
            run.records += len(page.heads)
            yield _Page(mark=page.mark, batch=read_refunds(run.channel, raws))
    finally:
        _close(reading)


def _listing_pages(run: _Pass, cursor: Cursor) -> Generator[_Page, None, None]:
    reading = _source(run, ListingSource).pull_listings(cursor)
    return _as_they_are(run, reading, apply_listings, lambda page: len(page.rows))


def _report_pages(run: _Pass, cursor: Cursor) -> Generator[_Page, None, None]:
    reading = _source(run, ShipmentSource).pull_shipments(cursor)
    return _as_they_are(run, reading, apply_reports, lambda page: len(page.reports))


def _warehouse_pages(run: _Pass, cursor: Cursor) -> Generator[_Page, None, None]:
    reading = _source(run, WarehouseSource).pull_warehouse(cursor)
    return _as_they_are(run, reading, apply_warehouse, size_of, partial(relook_counted, run.ctx))


def _as_they_are(
    run: _Pass,
    reading: Iterator[Any],
    apply_page: Callable[..., None],
    count: Callable[[Any], int],
    after: Callable[[Any], object] = lambda page: None,
) -> Generator[_Page, None, None]:
    try:
        for page in reading:
            run.records += count(page)
            yield _Page(mark=page.mark, write=partial(apply_page, ctx=run.ctx, channel=run.channel, page=page))
            after(page)
    finally:
        _close(reading)


def _waybill_pages(run: _Pass, cursor: Cursor) -> Generator[_Page, None, None]:
    reading = _source(run, WaybillSource).pull_waybills(cursor)
    return _as_they_are(run, reading, apply_waybills, numbers.size_of)


_PAGES: dict[str, Callable[[_Pass, Cursor], Generator[_Page, None, None]]] = {
    "orders": _order_pages,
    "backfill": _order_pages,
    "refunds": _refund_pages,
    "listings": _listing_pages,
    "shipments": _report_pages,
    "warehouse": _warehouse_pages,
    "waybills": _waybill_pages,
}


def _close(reading: Iterator[Any]) -> None:
    """Close a connector's generator, so that code behind its last `yield` never runs for a page not committed."""
    close = getattr(reading, "close", None)
    if close is not None:
        close()


def _end(run: _Pass) -> None:
    """Note a whole pass and wake what waited for it.

    It began when the row says, if that is earlier: a clock that was set back meanwhile has moved that instant.
    """
    with run.ctx.store.begin() as tx:
        if not still_reaches(tx, run.channel.id, run.stream, run.since):
            return
        before = read_cursor(tx.connection, run.channel.id, run.stream)
        began_at = min(run.began_at, before.began_at or run.began_at)
        values: dict[str, Any] = {"complete_began_at": began_at, "complete_ended_at": tx.now, "failed_at": None}
        if run.stream == "listings":
            values["mark"] = None
        set_cursor(tx, run.channel.id, run.stream, error="", **values)
        if before.unreadable:
            run_now(tx, run.channel.id)
        if run.stream in ("orders", "backfill"):
            free_waiting(tx, "fresh", destination_id=run.channel.id)
            if run.stream == "backfill":
                tx.wake(Stage.POLL)
        if run.stream == "refunds":
            free_waiting(tx, "refunds", destination_id=run.channel.id, kind=SHIPMENT)


def _fail(run: _Pass, error: Exception) -> None:
    with run.ctx.store.begin() as tx:
        set_cursor(tx, run.channel.id, run.stream, failed_at=tx.now, error=error_text(error))
        if run.stream == "orders":
            free_waiting(tx, "fresh", destination_id=run.channel.id)
    mark_down(run.ctx, run.channel, error)
    level = log.warning if isinstance(error, ConnectorError) else log.error
    level("poll.failed", channel=run.channel.name, stream=run.stream, pages=run.pages, error=error_repr(error))
