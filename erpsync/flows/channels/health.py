"""Whether a channel answers: said once when it stops and once when it is back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import select, update

from erpsync.core.personal import scrubbed
from erpsync.flows.blame import is_of_record
from erpsync.flows.channels.credentials import rescue
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import error_repr, error_text
from erpsync.sdk.errors import AuthError, ConnectorError, RateLimitedError, TimedOut, TooLateError
from erpsync.sdk.roles import ListingSource, OrderSource, RefundSource, ShipmentSource, WarehouseSource
from erpsync.store import tables
from erpsync.store.cursors import forget_failures
from erpsync.store.db.store import Stage, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.limits import OWN_BUDGET
from erpsync.store.outbox.held import free_held
from erpsync.store.outbox.hurry import run_now
from erpsync.store.tables import cursor
from erpsync.store.tasks import Task, close_tasks, open_tasks

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of whether a channel answers, and whether it may be called."""

    paused: bool
    blocked_until_at: datetime | None
    auth_failed_at: datetime | None
    down_since_at: datetime | None


def mark_down(ctx: Context, channel: Channel, error: Exception) -> None:
    """Note that a call to the channel failed. Refused credentials that cannot be renewed pause it and alarm once.

    Time-outs in a row are counted.

    A call that our own budget put off, or that came too late to be made, says nothing about the channel.
    """
    if isinstance(error, TooLateError) or (isinstance(error, RateLimitedError) and error.code == OWN_BUDGET):
        return
    if isinstance(error, AuthError) and rescue(ctx, channel):
        ctx.store.retrying(partial(_try_at_once, channel=channel))
        return
    with ctx.store.begin() as tx:
        row = tx.execute(
            select(tables.channel).where(tables.channel.c.id == channel.id).with_for_update(key_share=True)
        ).one()
        values = {"down_error": error_text(error), "timeouts": row.timeouts + 1 if isinstance(error, TimedOut) else 0}
        if isinstance(error, RateLimitedError):
            values = {"blocked_until_at": tx.now + timedelta(seconds=min(error.retry_after_s, 86_400))}
        elif row.down_since_at is None:
            values["down_since_at"] = tx.now
        if isinstance(error, AuthError):
            values["auth_failed_at"] = tx.now
            _alarm(tx, channel, error)
        tx.execute(update(tables.channel).where(tables.channel.c.id == channel.id).values(**values))
        if "down_since_at" in values:
            detail = {"error": scrubbed(error_text(error)), "since": tx.now.isoformat()}
            write_events(tx, [Event(kind="channel.down", channel_id=channel.id, detail=detail)])
    if "down_since_at" in values:
        log.error("channel.down", channel=channel.name, error=error_repr(error), action=_action(error))


def _try_at_once(tx: Tx, *, channel: Channel) -> None:
    """Let what the old token failed at be tried with the new one."""
    tx.execute(update(tables.channel).where(tables.channel.c.id == channel.id).values(auth_failed_at=None))
    forget_failures(tx, channel.id)
    run_now(tx, channel.id)
    tx.wake(Stage.PUSH)
    tx.wake(Stage.POLL)


def _action(error: Exception) -> str:
    if isinstance(error, AuthError):
        return "renew the credentials, then `erpsync channels resume`"
    passes = isinstance(error, ConnectorError) or not is_of_record(error)
    return "none, erpsync keeps trying" if passes else "report this defect"


def _alarm(tx: Tx, channel: Channel, error: AuthError) -> None:
    reason = f"the channel refuses our credentials: {error}; renew them, then `erpsync channels resume {channel.name}`"
    open_tasks(tx, [Task(kind="auth", key=channel.name, reason=reason, channel_id=channel.id)])


def mark_up(ctx: Context, channel: Channel) -> None:
    """Note that the channel answers; cheap when it did before.

    While one of its streams still fails the channel stays down: one call that works must not hide another that does
    not. Refused credentials are the exception, for they were every stream's trouble.
    """
    with ctx.store.read() as connection:
        query = select(tables.channel.c.down_since_at, tables.channel.c.auth_failed_at, tables.channel.c.timeouts)
        known = connection.execute(query.where(tables.channel.c.id == channel.id)).one()
    if known.down_since_at is None and known.auth_failed_at is None and not known.timeouts:
        return
    with ctx.store.begin() as tx:
        row = tx.execute(query.where(tables.channel.c.id == channel.id).with_for_update(key_share=True)).one()
        if row.auth_failed_at is None and _any_stream_fails(tx, channel):
            tx.execute(update(tables.channel).where(tables.channel.c.id == channel.id).values(timeouts=0))
            return
        values = {"down_since_at": None, "down_error": "", "auth_failed_at": None, "timeouts": 0}
        tx.execute(update(tables.channel).where(tables.channel.c.id == channel.id).values(**values))
        close_tasks(tx, "auth", [channel.name], by="erpsync")
        forget_failures(tx, channel.id)
        free_held(tx, channel.id)
        if row.auth_failed_at is not None or not _is_read(channel):  # else the end of a pass does it
            run_now(tx, channel.id)
        if row.down_since_at is not None:  # else another thread was quicker, or only the credentials were refused
            detail = {"down_since": str(row.down_since_at)}
            write_events(tx, [Event(kind="channel.up", channel_id=channel.id, detail=detail)])
        tx.wake(Stage.PUSH)
    if row.down_since_at is not None:
        log.info("channel.up", channel=channel.name, down_since=row.down_since_at.isoformat())


def _is_read(channel: Channel) -> bool:
    return any(map(channel.plays, (OrderSource, RefundSource, ListingSource, ShipmentSource, WarehouseSource)))


def _any_stream_fails(tx: Tx, channel: Channel) -> bool:
    failing = select(cursor.c.stream).where(cursor.c.channel_id == channel.id, cursor.c.failed_at.is_not(None))
    return tx.execute(failing.limit(1)).first() is not None


def may_call(ctx: Context, channel: Channel, *, probing: bool = False) -> bool:
    """Whether calls to the channel may be made now: enabled, not paused, not blocked, credentials not refused.

    Args:
        probing: whether this is a try that may find out that refused credentials work again.
    """
    if not channel.enabled:
        return False
    with ctx.store.read() as connection:
        row = connection.execute(select(tables.channel).where(tables.channel.c.id == channel.id)).one()
    return admits(channel, standing_of(row), ctx.store.clock.now(), probing=probing)


def standing_of(row: Any) -> Standing:
    """Return what a row of `channel` says of it."""
    return Standing(
        paused=row.paused,
        blocked_until_at=row.blocked_until_at,
        auth_failed_at=row.auth_failed_at,
        down_since_at=row.down_since_at,
    )


def admits(channel: Channel, standing: Standing, now: datetime, *, probing: bool) -> bool:
    """As `may_call`, for a channel whose standing is known."""
    blocked_until_at = standing.blocked_until_at
    if not channel.enabled or standing.paused or (blocked_until_at is not None and blocked_until_at > now):
        return False
    if standing.auth_failed_at is None:
        return True
    return probing and now >= standing.auth_failed_at + timedelta(seconds=channel.poll.auth_retry_s)
