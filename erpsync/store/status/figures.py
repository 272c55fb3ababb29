"""How everything stands: the figures behind `erpsync status`, `/status.json`, `/metrics` and the console.

Why limits are judged here and nowhere else: the command, the endpoint and the console must never disagree on whether
all is well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection

from erpsync.core.instants import stamp
from erpsync.sdk.roles import COURIERS, MessageSink, OrderSource, WebhookSource
from erpsync.store.cursors import CursorRow
from erpsync.store.db.clock import OFF
from erpsync.store.nodes import Node
from erpsync.store.status.breaches import answers, breach_facts, breaches, house_breaches, silence
from erpsync.store.status.counts import OPEN_STATES, ChannelLike, ContextLike, Figures, Queue, gather
from erpsync.store.status.spans import spell
from erpsync.store.status.storage import LOST_FOR, Storage

LAGGING_STREAMS = ("orders", "refunds")
RENEWED_BY_DAYS = 0.75
"""A token that renews itself is renewed in its last day; one that is nearer to its end was not."""


class Limits(Protocol):
    """Beyond which not all is well, per channel; None is no limit."""

    @property
    def freshness_s(self) -> float | None: ...
    @property
    def cursor_lag_s(self) -> float | None: ...
    @property
    def queue_age_s(self) -> float | None: ...
    @property
    def queue_depth(self) -> int | None: ...
    @property
    def dead_letters(self) -> int | None: ...
    @property
    def tasks(self) -> int | None: ...
    @property
    def unknown_stock(self) -> int | None: ...
    @property
    def token_expiry_days(self) -> float | None: ...
    @property
    def disk_free_mb(self) -> int | None: ...
    @property
    def oversold(self) -> int | None: ...
    @property
    def lasting_drift(self) -> int | None: ...
    @property
    def silence_s(self) -> float | None: ...


def status(
    connection: Connection, ctx: ContextLike, limits: Limits, now: datetime, storage: Storage | None = None
) -> dict[str, Any]:
    """Return how everything stands, ready for JSON: `ok`, `problems`, `channels`, `totals`, `storage`.

    `ok` is false as soon as anything of an enabled channel is beyond its limit, or of what all of them stand on;
    `problems` say what, for people. One that concerns no single channel has the channel null.
    """
    return judge(gather(connection, ctx, now), ctx, limits, storage)


def judge(figures: Figures, ctx: ContextLike, limits: Limits, storage: Storage | None = None) -> dict[str, Any]:
    """Return the figures as JSON, with what is beyond its limit. Pure."""
    storage = storage or Storage()
    shown: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = [
        {"channel": None, "check": check, "text": said} for check, said in storage.problems(limits.disk_free_mb)
    ]
    for channel in sorted(ctx.channels.values(), key=lambda c: c.name):
        if channel.id not in figures.rows:
            continue
        facts = _channel(figures, channel) | {"not_stored": _not_stored(figures, channel, storage)}
        facts["clock_ahead_s"] = figures.rows[channel.id].clock_ahead_s
        facts["silence"], hush = _silence(figures, channel, facts, limits)
        beyond = [] if not channel.enabled else [*_problems(facts, channel, limits), *_clock_problems(facts, figures)]
        beyond += hush
        facts["level"] = "bad" if beyond else _level(facts, channel, limits)
        facts["beyond"] = sorted({check for check, _ in beyond})
        shown.append(facts)
        problems += [
            {"channel": channel.name, "check": check, "text": f"{channel.name}: {said}"} for check, said in beyond
        ]
    problems += [{"channel": None, "check": "reload", "text": said} for said in _refusals(figures)]
    problems += [
        {"channel": None, "check": check, "text": said} for check, said in house_breaches(figures.task_kinds, limits)
    ]
    return {
        "ok": not problems,
        "at": stamp(figures.at),
        "problems": problems,
        "daemons": [_daemon(node, figures.at) for node in figures.nodes],
        "channels": shown,
        "totals": _totals(figures, shown),
        "storage": storage.shown(),
        "alarms": [shown_alarm(row) for row in figures.alarms],
    }


def shown_alarm(row: Any) -> dict[str, Any]:
    """Return an alarm as JSON; `ended_at` is null while it stands."""
    return {
        "check": row.rule,
        "channel": row.channel,
        "subject": row.subject,
        "level": row.level,
        "text": row.said,
        "since": stamp(row.seen_at),
        "raised_at": stamp(row.raised_at),
        "ended_at": _stamp(row.ended_at),
    }


def _silence(
    figures: Figures, channel: ChannelLike, facts: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any] | None, list[tuple[str, str]]]:
    """Return since when nothing came where its past tells when orders come, and the problem that it is, if it is one.

    Where orders cannot be read nothing is known of them: then their freshness is the problem.
    """
    quiet = figures.quiet.get(channel.id)
    if quiet is None or not channel.enabled or facts["state"] != "up":
        return None, []
    stale = freshness_limit(channel, limits)
    fresh = facts["freshness_s"]
    if fresh is not None:
        if stale is not None and fresh > stale:
            return None, []
        quiet = replace(quiet, until=max(quiet.since, quiet.until - timedelta(seconds=fresh)))
    quiet = replace(quiet, answers=answers(figures.rows[channel.id], channel, quiet))
    told = silence(quiet, limits)
    level, text = told or ("ok", "")
    shown = {
        "since": stamp(quiet.since),
        "expected": round(quiet.expected * quiet.pace, 1),
        "level": level,
        "text": text,
    }
    return shown, [("nothing_arrived", text)] if level == "bad" else []


def _refusals(figures: Figures) -> Iterator[str]:
    """Yield what living daemons did not take at their last reload; a restart would not take it either."""
    living = [node for node in figures.nodes if node.lives(figures.at)]
    for living_node in living:
        if living_node.refusal is not None:
            node = f" of {living_node.id.rpartition(':')[0]}" if len(living) > 1 else ""
            refused = f"the reload{node} at {stamp(living_node.refusal.at)} was refused"
            yield f"{refused}, the old configuration stays in force: {living_node.refusal.why}"


def _daemon(node: Node, now: datetime) -> dict[str, Any]:
    state = "alive" if node.lives(now) else "silent" if node.left_at is None else "stopped"
    return {
        "node": node.id,
        "version": node.version,
        "state": state,
        "started_at": stamp(node.started_at),
        "heard_at": stamp(node.since(now)),
        "reload_refused": node.refusal.why if node.refusal else None,
    }


def _channel(figures: Figures, channel: ChannelLike) -> dict[str, Any]:
    row = figures.rows[channel.id]
    queues = {kind: queue for (channel_id, kind), queue in sorted(figures.queues.items()) if channel_id == channel.id}
    streams = {
        name: cursor for (channel_id, name), cursor in sorted(figures.cursors.items()) if channel_id == channel.id
    }
    lags = [lag for name in LAGGING_STREAMS if (lag := _lag(streams.get(name), figures.at)) is not None]
    expires = row.token_expires_at
    return {
        "name": channel.name,
        "connector": channel.kind,
        "state": _state(channel, row, streams),
        "since": _stamp(row.auth_failed_at or row.down_since_at),
        "error": row.paused_reason if row.paused else row.down_error,
        "paused_by": row.paused_by,
        "freshness_s": _lag(streams.get("orders"), figures.at),
        "cursor_lag_s": max(lags, default=None),
        "streams": {name: _stream(cursor, figures.at) for name, cursor in streams.items()},
        "queue": _queue(queues, figures.at),
        "inbox": figures.inbox.get(channel.id, 0),
        "inbox_oldest_s": _since(figures.inbox_oldest_at.get(channel.id), figures.at),
        "dead_letters": figures.letters.get(channel.id, 0),
        "tasks": figures.tasks.get(channel.id, 0),
        "unknown_outcomes": sum(queue.unknown for queue in queues.values()),
        "braked": sum(queue.waiting_for["brake"] for queue in queues.values()),
        "latencies": {
            what: {
                quantile: round(took, 3)
                for (channel_id, quantile), took in percentiles.items()
                if channel_id == channel.id
            }
            for what, percentiles in figures.latencies.items()
        },
        "unknown_stock": figures.unknown_stock.get(channel.id, 0),
        "unmapped_listings": figures.unmapped.get(channel.id, 0),
        "held_orders": {
            reason: n for (channel_id, reason), n in sorted(figures.held.items()) if channel_id == channel.id
        },
        "backordered_orders": figures.backordered.get(channel.id, 0),
        "drifted_listings": figures.drifted.get(channel.id, 0),
        **breach_facts(figures.task_kinds, figures.taken_back.get(channel.id, 0), channel.id),
        "unknown_messages": dict(figures.unknown.get(channel.id, {})),
        "windows_unsealed": figures.unsealed.get(channel.id, 0),
        "orders_24h": sum(figures.hourly.get(channel.id, ())),
        "token_expires_at": _stamp(expires),
        "token_renews": channel.renews_token,
        "tells": channel.plays(MessageSink),
        "carries": any(map(channel.plays, COURIERS)),
        "balance": row.balance,
        "balance_at": _stamp(row.balance_at),
        "token_days": None if expires is None else round((expires - figures.at) / timedelta(days=1), 1),
    }


def _not_stored(figures: Figures, channel: ChannelLike, storage: Storage) -> int:
    """Return how many webhooks could not be stored, while the last of them is recent."""
    row, unsaved = figures.rows[channel.id], storage.lost.get(channel.id)
    at = unsaved.at if unsaved else row.not_stored_at
    if at is None or figures.at - at > LOST_FOR:
        return 0
    saved: int = row.not_stored if row.not_stored_at and at - row.not_stored_at <= LOST_FOR else 0
    return saved + (unsaved.count if unsaved else 0)


def _state(channel: ChannelLike, row: Any, streams: Mapping[str, CursorRow]) -> str:
    if not channel.enabled:
        return "disabled"
    if row.paused:
        return "paused"
    if row.auth_failed_at is not None:
        return "auth_failed"
    if row.down_since_at is not None:
        return "down"
    never_read = any(map(channel.plays, (WebhookSource, MessageSink, *COURIERS))) and not channel.plays(OrderSource)
    return "up" if never_read or any(cursor.complete_began_at for cursor in streams.values()) else "new"


def _queue(queues: Mapping[str, Queue], now: datetime) -> dict[str, Any]:
    oldest = min((queue.oldest_at for queue in queues.values() if queue.oldest_at is not None), default=None)
    kinds = {
        kind: {state: queue.states[state] for state in OPEN_STATES}
        | {"unknown": queue.unknown, "waiting_for": dict(queue.waiting_for)}
        for kind, queue in queues.items()
    }
    return {"due": sum(queue.due for queue in queues.values()), "oldest_due_s": _since(oldest, now), "kinds": kinds}


def _stream(cursor: CursorRow, now: datetime) -> dict[str, Any]:
    return {"lag_s": _lag(cursor, now), "complete": cursor.complete_began_at is not None, "error": cursor.error}


def _lag(cursor: CursorRow | None, now: datetime) -> float | None:
    """Return the seconds since which nothing is known to have been read: the last whole pass began then."""
    return None if cursor is None else _since(cursor.complete_began_at, now)


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _since(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, round((now - at).total_seconds(), 1))


def _problems(facts: Mapping[str, Any], channel: ChannelLike, limits: Limits) -> Iterator[tuple[str, str]]:
    if facts["state"] == "auth_failed":
        yield "auth", f"the channel refuses our credentials since {facts['since']}: {facts['error']}"
    if facts["state"] == "down":
        yield "down", f"cannot be reached since {facts['since']}: {facts['error']}"
    if facts["freshness_s"] is None and _reads_orders(channel, facts):
        yield "freshness", f"orders have never been read to the end{_paused(facts)}"
    if braked := facts["braked"]:
        noun = "number waits" if braked == 1 else "numbers wait"
        yield "brake", f"the brake has tripped: {braked} {noun} until you `erpsync stock confirm {channel.name}`"
    if unknown := facts["unknown_outcomes"]:
        noun = "effect was sent and has" if unknown == 1 else "effects were sent and have"
        yield "unknown_outcomes", f"{unknown} {noun} had no answer: `erpsync tasks list` says what to look for"
    if lost := facts["not_stored"]:
        noun = "webhook" if lost == 1 else "webhooks"
        yield "not_stored", f"{lost} {noun} could not be stored in the last {spell(LOST_FOR.total_seconds())}"
    for check, value, limit, said in _measures(facts, channel, limits):
        if value is not None and limit is not None and value > limit:
            yield check, said
    yield from breaches(facts, limits)
    expiry = _expiry_limit(channel, limits)
    if facts["token_days"] is not None and expiry is not None and facts["token_days"] < expiry:
        yield "token", token_said(facts["token_days"])


def token_said(days: float) -> str:
    """Say when credentials end that last so many days yet, or ended."""
    left = spell(abs(days) * 86_400)
    return f"the credentials end in {left}" if days >= 0 else f"the credentials ended {left} ago"


def _clock_problems(facts: Mapping[str, Any], figures: Figures) -> Iterator[tuple[str, str]]:
    if facts["clock_ahead_s"] is not None and abs(facts["clock_ahead_s"]) > OFF.total_seconds():
        yield "clock", clock_off(facts["clock_ahead_s"], facts["name"], database=figures.database)


def clock_off(platform_ahead_s: float, name: str, *, database: str) -> str:
    """Say whose clock is off, against which channel, and by how much: "this machine's clock is 15 min ahead of jd"."""
    ours = "this machine's" if database == "sqlite" else "the database's"
    off = spell(60 * round(abs(platform_ahead_s) / 60))
    return f"{ours} clock is {off} {'behind' if platform_ahead_s > 0 else 'ahead of'} {name}"


def _expiry_limit(channel: ChannelLike, limits: Limits) -> float | None:
    """Return how many days the credentials must still last; where they renew themselves, the last day decides."""
    limit = limits.token_expiry_days
    return limit if limit is None or not channel.renews_token else min(limit, RENEWED_BY_DAYS)


def _reads_orders(channel: ChannelLike, facts: Mapping[str, Any]) -> bool:
    return "orders" in facts["streams"] or channel.plays(OrderSource)


def _measures(
    facts: Mapping[str, Any], channel: ChannelLike, limits: Limits
) -> Iterator[tuple[str, float | None, float | None, str]]:
    """Yield (check, value, limit, what to say when the value is beyond the limit)."""
    fresh, lag, age = facts["freshness_s"], facts["cursor_lag_s"], facts["queue"]["oldest_due_s"]
    allowed = freshness_limit(channel, limits)
    read = f"orders were last read {spell(fresh)} ago (limit {spell(allowed)}){_paused(facts)}"
    yield "freshness", fresh, allowed, read
    yield (
        "cursor_lag",
        lag,
        limits.cursor_lag_s,
        f"a cursor is {spell(lag)} behind (limit {spell(limits.cursor_lag_s)})",
    )
    yield (
        "queue_age",
        age,
        limits.queue_age_s,
        f"the oldest effect waits {spell(age)} (limit {spell(limits.queue_age_s)})",
    )
    for check, value, limit, one, more in (
        ("queue_depth", facts["queue"]["due"], limits.queue_depth, "effect is due", "effects are due"),
        ("dead_letters", facts["dead_letters"], limits.dead_letters, "dead letter", "dead letters"),
        ("tasks", facts["tasks"], limits.tasks, "open task", "open tasks"),
        ("unknown_stock", facts["unknown_stock"], limits.unknown_stock, "listing has", "listings have"),
    ):
        noun = (one if value == 1 else more) + (" unknown stock" if check == "unknown_stock" else "")
        yield check, value, limit, f"{value} {noun} (limit {limit})"


def _paused(facts: Mapping[str, Any]) -> str:
    """Return that the channel is paused, by whom and why, as the end of a sentence; nothing when it is not."""
    if facts["state"] != "paused":
        return ""
    who = f" by {facts['paused_by']}" if facts["paused_by"] else ""
    return f", paused{who}" + (f": {facts['error']}" if facts["error"] else "")


def freshness_limit(channel: ChannelLike, limits: Limits) -> float | None:
    """Return after how many seconds a channel's orders are stale: the limit, or three poll intervals if longer."""
    return None if limits.freshness_s is None else max(limits.freshness_s, 3 * channel.poll.orders_s)


def _level(facts: Mapping[str, Any], channel: ChannelLike, limits: Limits) -> str:
    """Return `ok`, `warn` (half way to a limit, or something waits for a person) or `off`."""
    if facts["state"] == "disabled":
        return "off"
    asks = ("tasks", "unknown_outcomes", "unknown_stock", "dead_letters", "drifted_listings")
    if facts["state"] in ("paused", "new") or any(facts[name] for name in asks):
        return "warn"
    close = any(v is not None and m and v > m / 2 for _, v, m, _ in _measures(facts, channel, limits))
    return "warn" if close else "ok"


def _totals(figures: Figures, shown: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counted = ("inbox", "unknown_outcomes", "unknown_stock", "unmapped_listings", "backordered_orders", "orders_24h")
    return {name: sum(facts[name] for facts in shown) for name in counted} | {
        "queue_due": sum(facts["queue"]["due"] for facts in shown),
        "oldest_due_s": max((f["queue"]["oldest_due_s"] or 0 for f in shown), default=0),
        "dead_letters": sum(figures.letters.values()),
        "tasks": sum(figures.tasks.values()),
        "held_orders": sum(figures.held.values()),
        "nodes": sum(node.lives(figures.at) for node in figures.nodes),
    }
