"""What is counted about the whole at one instant; `erpsync.store.status.figures` judges it.

A handful of set-based queries, never one per row, each over a partial index or a short table, so that looking does not
disturb the daemon.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Connection, Select, and_, exists, func, or_, select, text, type_coerce, union_all

from erpsync.core.arrivals import Quiet
from erpsync.core.fulfilment import LINE
from erpsync.core.policy import PollPolicy, StockPolicy
from erpsync.core.sourcing import Sourcing
from erpsync.store.alarms import list_alarms
from erpsync.store.arrivals import quiet_channels
from erpsync.store.cursors import CursorRow, read_cursors
from erpsync.store.nodes import Node, read_nodes
from erpsync.store.status.breaches import open_tasks_by_kind, taken_back_orders
from erpsync.store.status.latencies import Latencies, order_latencies, stock_latencies, webhook_latencies
from erpsync.store.tables import (
    UNMAPPED_LISTING,
    backorder,
    bundle,
    channel,
    dead_letter,
    drift,
    inbox,
    listing,
    micros,
    orders,
    outbox,
    seal_window,
    stock,
    subscription,
    unknown_message,
)

HOUR = timedelta(hours=1)
HOURS = 24
OPEN_STATES = ("pending", "leased", "waiting")


class ChannelLike(Protocol):
    """What the figures ask of a configured channel."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def poll(self) -> PollPolicy: ...
    @property
    def stock(self) -> StockPolicy: ...
    @property
    def renews_token(self) -> bool: ...
    def plays(self, role: type) -> bool: ...


class ContextLike(Protocol):
    """What the figures ask for."""

    @property
    def timezone(self) -> ZoneInfo: ...
    @property
    def channels(self) -> Mapping[int, ChannelLike]: ...
    @property
    def sourcing(self) -> Sourcing: ...


@dataclass(slots=True, kw_only=True)
class Queue:
    """Effects of one kind for one channel. `due` ones are to be sent now, or are being tried again and again."""

    states: Counter[str] = field(default_factory=Counter)
    due: int = 0
    oldest_at: datetime | None = None
    unknown: int = 0
    waiting_for: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything counted at one instant, by channel row id; `None` as an id stands for no channel."""

    at: datetime
    rows: Mapping[int, Any]
    cursors: Mapping[tuple[int, str], CursorRow]
    queues: Mapping[tuple[int, str], Queue]
    inbox: Mapping[int, int]
    inbox_oldest_at: Mapping[int, datetime]
    letters: Mapping[int, int]
    tasks: Mapping[int | None, int]
    unknown_stock: Mapping[int, int]
    unmapped: Mapping[int, int]
    held: Mapping[tuple[int, str], int]
    backordered: Mapping[int, int]
    hourly: Mapping[int, tuple[int, ...]]
    hours: tuple[datetime, ...]
    nodes: Sequence[Node]
    database: str = "sqlite"
    subscriptions: Mapping[str, int] = field(default_factory=dict)
    drifted: Mapping[int, int] = field(default_factory=dict)
    task_kinds: Mapping[tuple[int | None, str], int] = field(default_factory=dict)
    taken_back: Mapping[int, int] = field(default_factory=dict)
    quiet: Mapping[int, Quiet] = field(default_factory=dict)
    alarms: Sequence[Any] = ()
    unsealed: Mapping[int, int] = field(default_factory=dict)
    unknown: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    order_latencies: Latencies = field(default_factory=dict)
    stock_latencies: Latencies = field(default_factory=dict)
    webhook_latencies: Latencies = field(default_factory=dict)

    @property
    def latencies(self) -> Mapping[str, Latencies]:
        """How long orders, numbers and webhooks of the last hour took, by what they are."""
        return {"order": self.order_latencies, "stock": self.stock_latencies, "webhook": self.webhook_latencies}


def gather(connection: Connection, ctx: ContextLike, now: datetime) -> Figures:
    """Return all figures as of `now`, from one snapshot of the database."""
    hours = hours_until(now, ctx.timezone)
    inboxes = _inbox(connection)
    open_windows = select(seal_window.c.channel_id, func.count()).where(text("seal_window.sealed_at IS NULL"))
    task_kinds = open_tasks_by_kind(connection)
    open_letters = select(dead_letter.c.channel_id, func.count()).where(text("dead_letter.state = 'open'"))
    return Figures(
        at=now,
        rows={row.id: row for row in connection.execute(select(channel))},
        cursors=read_cursors(connection),
        queues=_queues(connection, now),
        inbox={channel_id: count for channel_id, (count, _) in inboxes.items()},
        inbox_oldest_at={channel_id: oldest for channel_id, (_, oldest) in inboxes.items()},
        letters=_by(connection, open_letters),
        tasks=_over_kinds(task_kinds),
        unknown_stock=_unknown_stock(connection, ctx),
        unmapped=_by(connection, select(listing.c.channel_id, func.count()).where(UNMAPPED_LISTING)),
        held=_held(connection),
        backordered=_backordered(connection),
        hourly=_hourly(connection, hours),
        hours=hours,
        nodes=read_nodes(connection),
        database=connection.dialect.name,
        subscriptions=_by(connection, select(subscription.c.state, func.count())),
        drifted=_drifted(connection),
        task_kinds=task_kinds,
        taken_back=taken_back_orders(connection),
        quiet=quiet_channels(connection, [channel.id for channel in ctx.channels.values() if channel.enabled], now),
        alarms=list_alarms(connection, over=False, limit=0),
        unsealed=_by(connection, open_windows),
        unknown=_unknown(connection),
        order_latencies=order_latencies(connection, now),
        stock_latencies=stock_latencies(connection, now),
        webhook_latencies=webhook_latencies(connection, now),
    )


def _by(connection: Connection, query: Select[Any]) -> dict[Any, Any]:
    """Run a (key, number) query grouped by its first column."""
    pairs: Sequence[Any] = connection.execute(query.group_by(query.selected_columns[0])).all()
    return dict(pairs)


def _over_kinds(kinds: Mapping[tuple[int | None, str], int]) -> dict[int | None, int]:
    """Return how many tasks are open by channel, of whatever kind."""
    totals: dict[int | None, int] = defaultdict(int)
    for (channel_id, _), count in kinds.items():
        totals[channel_id] += count
    return dict(totals)


def _queues(connection: Connection, now: datetime) -> dict[tuple[int, str], Queue]:
    # One query per state, with the state as text: only so does SQLite see that the partial indexes fit.
    due = or_(outbox.c.run_at <= now, outbox.c.attempts > 0)
    parts = []
    for state in OPEN_STATES:
        is_due = {"pending": due, "leased": outbox.c.id > 0, "waiting": outbox.c.id < 0}[state]
        parts.append(
            select(
                outbox.c.destination_id,
                outbox.c.kind,
                outbox.c.state,
                outbox.c.waiting_for,
                func.count().label("total"),
                func.count().filter(is_due).label("due"),
                func.min(outbox.c.marked_at).filter(is_due).label("oldest_at"),
                func.count().filter(outbox.c.sent_at.is_not(None)).label("sent"),
            )
            .where(text(f"outbox.state = '{state}'"))
            .group_by(outbox.c.destination_id, outbox.c.kind, outbox.c.state, outbox.c.waiting_for)
        )
    queues: dict[tuple[int, str], Queue] = defaultdict(Queue)
    for row in connection.execute(union_all(*parts)):
        _count(queues[row.destination_id, row.kind], row)
    return dict(queues)


def _count(queue: Queue, row: Any) -> None:
    queue.states[row.state] += row.total
    queue.due += row.due
    if row.oldest_at is not None and (queue.oldest_at is None or row.oldest_at < queue.oldest_at):
        queue.oldest_at = row.oldest_at
    if row.state != "leased":  # a leased row with `sent_at` is simply being sent
        queue.unknown += row.sent
    if row.waiting_for:
        queue.waiting_for[row.waiting_for] += row.total


def _unknown_stock(connection: Connection, ctx: ContextLike) -> dict[int, int]:
    """Return listings with a mapped SKU, or a part of its bundle, that has no stock row in any feeding warehouse."""
    by_feeding: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for shop in ctx.channels.values():
        if shop.enabled and shop.stock.push:
            by_feeding[ctx.sourcing.of(shop.id)].append(shop.id)
    unknown: dict[int, int] = {}
    for warehouses, ids in by_feeding.items():
        in_feeding = stock.c.warehouse_id.in_(warehouses)
        own = exists().where(stock.c.sku_id == listing.c.sku_id, in_feeding)
        part = exists().where(stock.c.sku_id == bundle.c.sku_id, in_feeding)
        is_bundle = exists().where(bundle.c.bundle_id == listing.c.sku_id)
        lacks_part = exists().where(and_(bundle.c.bundle_id == listing.c.sku_id, ~part))
        query = select(listing.c.channel_id, func.count()).where(
            listing.c.channel_id.in_(ids), listing.c.sku_id.is_not(None), or_(and_(~is_bundle, ~own), lacks_part)
        )
        unknown |= _by(connection, query)
    return unknown


def _backordered(connection: Connection) -> dict[int, int]:
    """Return orders with units that nothing covers, by channel; others than orders may wait as well."""
    query = select(backorder.c.channel_id, func.count(backorder.c.order_id.distinct()))
    return _by(connection, query.where(backorder.c.owner_kind == LINE))


def _drifted(connection: Connection) -> dict[int, int]:
    """Return listings that show another number than they were told, by channel; sales explain themselves."""
    query = select(listing.c.channel_id, func.count()).join(drift, drift.c.listing_id == listing.c.id)
    return _by(connection, query.where(drift.c.ended_at.is_(None), drift.c.kind != "sale"))


def _unknown(connection: Connection) -> dict[int, dict[str, int]]:
    """Return how many messages of which unknown types came, by channel."""
    table = unknown_message.c
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    query = select(table.channel_id, table.type, table["count"]).order_by(table.channel_id, table.type)
    for channel_id, type, count in connection.execute(query):
        counts[channel_id][type] = count
    return dict(counts)


def _held(connection: Connection) -> dict[tuple[int, str], int]:
    # Scans orders: those that are held now. Counted here: asked to group, SQLite reads all orders by channel.
    query = select(orders.c.channel_id, orders.c.hold_reason).where(text("orders.phase = 'held'"))
    return Counter((channel_id, reason) for channel_id, reason in connection.execute(query))


def _inbox(connection: Connection) -> dict[int, tuple[int, datetime]]:
    """Return how many webhooks are not applied, and since when the oldest is due, by channel."""
    waiting: dict[int, tuple[int, datetime]] = {}
    query = select(inbox.c.channel_id, inbox.c.run_at).where(text("inbox.state = 'pending'"))
    for channel_id, run_at in connection.execute(query):
        count, oldest = waiting.get(channel_id, (0, run_at))
        waiting[channel_id] = (count + 1, min(oldest, run_at))
    return waiting


def hours_until(now: datetime, timezone: ZoneInfo) -> tuple[datetime, ...]:
    """Return the starts, in UTC, of the last 24 hours on the operator's clock; the last one is still running."""
    local = now.astimezone(timezone)
    begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    current = now.astimezone(UTC) - begun
    return tuple(current - HOUR * back for back in range(HOURS - 1, -1, -1))


def _hourly(connection: Connection, hours: Sequence[datetime]) -> dict[int, tuple[int, ...]]:
    """Return orders by the hour in which they came, by channel; a back-fill of old ones counts when it came."""
    first = micros(hours[0])
    came = type_coerce(orders.c.imported_at, BigInteger)
    bucket = ((came - first) // micros_of(HOUR)).label("bucket")
    query = select(orders.c.channel_id, bucket, func.count()).where(
        orders.c.imported_at >= hours[0], orders.c.imported_at < hours[-1] + HOUR
    )
    hourly: dict[int, list[int]] = defaultdict(lambda: [0] * HOURS)
    for channel_id, at, count in connection.execute(query.group_by(orders.c.channel_id, text("bucket"))):
        hourly[channel_id][at] = count
    return {channel_id: tuple(counts) for channel_id, counts in hourly.items()}


def micros_of(span: timedelta) -> int:
    """Return a span in microseconds."""
    return span // timedelta(microseconds=1)
