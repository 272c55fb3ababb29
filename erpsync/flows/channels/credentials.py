"""Access tokens: the stored pair put into force, renewed in time by one node, and watched until it ends.

    last hours of a pair ─lease─▶ "asked" committed ─▶ call ─▶ both new tokens, "asked" cleared: one commit
                                        │                └─ refused ─▶ task: authorise again
                                        └─ no answer, or killed before that commit ─▶ the old pair stays

Why the old pair is tried once more after an unknown outcome: most platforms keep a refresh token valid until its
successor is used; where it is void, the platform says so and a person is asked, which is all that can be done then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import select

from erpsync.core.instants import stamp
from erpsync.core.tokens import alarm_days, is_news, pause_s
from erpsync.flows.context import Channel, Context
from erpsync.sdk.deadline import to_be_sent_within
from erpsync.sdk.errors import AuthError, OutcomeUnknownError, PayloadError, RejectedError
from erpsync.sdk.http import lane
from erpsync.sdk.roles import TokenHolder, playing
from erpsync.sdk.tokens import TokenPair
from erpsync.store import tables
from erpsync.store.db.store import Store, Tx, unguarded
from erpsync.store.events import Event, write_events
from erpsync.store.leases import end_leases, take_lease
from erpsync.store.registry import channels as channel_rows
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.tokens import (
    StoredToken,
    lock_token,
    note_expiry,
    origin_of,
    read_token,
    seal_pair,
    stored_pair,
    write_token,
)

LEASE_S = 180.0  # outlives the HTTP client's total deadline
CALL_S = 60.0
FRESH_S = 120.0
"""So long after a renewal a refused call may have been made with the old token."""

TASK = "token"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """A renewal that was announced: the pair it starts from, and what is known of earlier tries."""

    pair: TokenPair
    renewals: int
    tries: int
    doubtful: bool


def load_tokens(ctx: Context) -> None:
    """Put the stored pairs of all channels into force; to be done before the first call."""
    for channel in ctx.channels.values():
        adopt(ctx, channel)


def adopt(ctx: Context, channel: Channel) -> bool:
    """Put the stored pair into force, or the configured one if the operator changed it; whether that is another one."""
    return _adopt(ctx.store, channel.id, channel.connector)


def adopt_stored(store: Store, name: str, connector: object) -> bool:
    """As `adopt`, for a connector that is no part of a context: the channel goes by its name."""
    with store.read() as connection:
        row = channel_rows(connection).get(name)
    return row is not None and _adopt(store, row.id, connector)


def _adopt(store: Store, channel_id: int, connector: object) -> bool:
    """Never bring back a pair that was renewed while the store was looked at: so what is in use is looked at first."""
    holder, vault = playing(connector, TokenHolder), store.vault
    if holder is None or vault is None:
        return False
    in_use = holder.tokens.current()
    if holder.tokens.unsaved:
        return False
    with store.read() as connection:
        renewed = stored_pair(connection, vault, channel_id, holder.tokens.configured)
    pair = renewed or holder.tokens.configured
    return pair != in_use and holder.tokens.replace(pair, instead_of=in_use)


def watch_tokens(ctx: Context) -> int:
    """Renew tokens whose time has come and alarm people of those that end; return how many were renewed."""
    renewed = 0
    for channel in ctx.channels.values():
        if channel.enabled and channel.connector is not None:
            _save_late(ctx, channel)
            adopt(ctx, channel)
            renewed += renew(ctx, channel)
            _watch(ctx, channel)
    return renewed


def rescue(ctx: Context, channel: Channel) -> bool:
    """Whether a refused call is worth another try: another token is in force since, or could be had just now.

    At most one renewal is asked for, and none for a pair that the platform has refused to renew.
    """
    holder = playing(channel.connector, TokenHolder)
    if holder is None:
        return False
    with holder.tokens.renewing:
        if adopt(ctx, channel) or _is_fresh(ctx, channel, holder):
            return True
        return _renew_alone(ctx, channel, holder)


def renew(ctx: Context, channel: Channel) -> bool:
    """Renew the channel's token if the platform would, and nobody else is at it; whether it was renewed."""
    holder = playing(channel.connector, TokenHolder)
    if holder is None or not holder.may_renew(holder.tokens.current()):
        return False
    if not holder.tokens.renewing.acquire(blocking=False):
        return False
    try:
        return _renew_alone(ctx, channel, holder)
    finally:
        holder.tokens.renewing.release()


def _is_fresh(ctx: Context, channel: Channel, holder: TokenHolder) -> bool:
    with ctx.store.read() as connection:
        row = read_token(connection, channel.id)
    if row is None or row.renewed_at is None or row.origin != origin_of(holder.tokens.configured):
        return False
    return ctx.store.clock.now() - row.renewed_at < timedelta(seconds=FRESH_S)


def _renew_alone(ctx: Context, channel: Channel, holder: TokenHolder) -> bool:
    """Renew under a lease, so that of all nodes one asks; this thread is the only one of this process."""
    if ctx.store.vault is None or not holder.may_renew(holder.tokens.current()):
        return False
    with unguarded():  # a pair that was had is kept whoever reads the channel meanwhile: the old one may be void
        return _renew_under_lease(ctx, channel, holder)


def _renew_under_lease(ctx: Context, channel: Channel, holder: TokenHolder) -> bool:
    held = take_lease(ctx.store, f"token:{channel.name}", ttl_s=LEASE_S)
    if held is None:
        return False
    try:
        if adopt(ctx, channel):
            return True  # another node was quicker
        with to_be_sent_within(ctx.store.clock, LEASE_S - CALL_S):
            return _ask(ctx, channel, holder)
    finally:
        end_leases(ctx.store, key=held.key)


def _ask(ctx: Context, channel: Channel, holder: TokenHolder) -> bool:
    """Announce, ask, and keep the answer: what happens in between leaves "asked" behind."""
    announced = ctx.store.retrying(partial(_announce, channel=channel, holder=holder))
    if announced is None:
        return False
    try:
        with lane("cancel"):
            pair = holder.renew(announced.pair)
    except Exception as error:  # noqa: BLE001 a renewal must stop nothing else; a state stays behind
        ctx.store.retrying(partial(_failed, channel=channel, holder=holder, error=error, announced=announced))
        return False
    # Used at once and before it is stored: the old pair may be void, and this process may outlive a full disk.
    holder.tokens.unsaved = True
    holder.tokens.replace(pair)
    ctx.store.retrying(partial(_keep, channel=channel, holder=holder, pair=pair, renewals=announced.renewals))
    holder.tokens.unsaved = False
    log.info("token.renewed", channel=channel.name, expires_at=str(pair.expires_at or ""))
    adopt(ctx, channel)
    return True


def _save_late(ctx: Context, channel: Channel) -> None:
    """Store a pair that could not be stored when it came."""
    holder = playing(channel.connector, TokenHolder)
    if holder is None or not holder.tokens.unsaved:
        return
    with ctx.store.read() as connection:
        row = read_token(connection, channel.id)
    pair, renewals = holder.tokens.current(), row.renewals if row else 0
    ctx.store.retrying(partial(_keep, channel=channel, holder=holder, pair=pair, renewals=renewals))
    holder.tokens.unsaved = False


def _announce(tx: Tx, *, channel: Channel, holder: TokenHolder) -> _Try | None:
    """Note that a renewal is about to be asked for; None when it is not its time."""
    origin, row = origin_of(holder.tokens.configured), lock_token(tx, channel.id)
    stored = row if row is not None and row.origin == origin else None
    if stored is not None and (stored.refused_at is not None or (stored.try_at is not None and stored.try_at > tx.now)):
        return None
    tries = stored.tries if stored else 0
    attempt = _Try(
        pair=holder.tokens.current(),
        renewals=row.renewals if row else 0,
        tries=tries,
        doubtful=stored is not None and stored.asked_at is not None,
    )
    values = {"origin": origin, "asked_at": tx.now, "try_at": tx.now + timedelta(seconds=pause_s(tries))}
    fresh = {} if stored else {"pair": None, "refused_at": None, "renewed_at": None, "tries": 0, "error": ""}
    write_token(tx, channel.id, **values, **fresh)
    return attempt


def _keep(tx: Tx, *, channel: Channel, holder: TokenHolder, pair: TokenPair, renewals: int) -> bool:
    """Store both tokens in one commit; False when another node has stored a later pair meanwhile."""
    row = lock_token(tx, channel.id)
    if row is None or row.renewals != renewals or row.origin != origin_of(holder.tokens.configured):
        return False
    write_token(
        tx,
        channel.id,
        pair=seal_pair(tx.vault, channel.id, pair),
        renewals=renewals + 1,
        renewed_at=tx.now,
        tries=0,
        asked_at=None,
        refused_at=None,
        try_at=None,
        error="",
    )
    note_expiry(tx, channel.id, pair.expires_at)
    close_tasks(tx, TASK, [channel.name], by="erpsync")
    detail = {"expires_at": pair.expires_at.isoformat() if pair.expires_at else None}
    write_events(tx, [Event(kind="token.renewed", channel_id=channel.id, detail=detail)])
    return True


def _failed(tx: Tx, *, channel: Channel, holder: TokenHolder, error: Exception, announced: _Try) -> None:
    """Leave the old pair in force; a refusal is final for it, anything else is tried again later."""
    row = lock_token(tx, channel.id)
    if row is None or row.renewals != announced.renewals or row.origin != origin_of(holder.tokens.configured):
        return
    if isinstance(error, AuthError | RejectedError | PayloadError):
        write_token(tx, channel.id, refused_at=tx.now, asked_at=None, try_at=None, error=str(error))
        used_up = "; an earlier renewal got no answer and may have used the refresh token up"
        doubt = used_up if announced.doubtful else ""
        reason = (
            f"the channel does not renew its access token: {error}{doubt}; authorise the app again and put the new "
            f"tokens into the configuration, the old one ends {_when(announced.pair.expires_at)}"
        )
        open_tasks(tx, [Task(kind=TASK, key=channel.name, reason=reason, channel_id=channel.id)])
        log.error("token.refused", channel=channel.name, error=str(error), action="authorise the app again")
        return
    open_question = announced.doubtful or isinstance(error, OutcomeUnknownError)
    asked = {} if open_question else {"asked_at": None}
    write_token(tx, channel.id, tries=announced.tries + 1, error=str(error) or repr(error), **asked)
    log.warning("token.retried", channel=channel.name, attempt=announced.tries + 1, error=repr(error))


def _when(at: datetime | None) -> str:
    return "at an unknown instant" if at is None else f"on {stamp(at)}"


def _watch(ctx: Context, channel: Channel) -> None:
    expires_at = channel.connector.token_expires_at() if channel.connector else None
    with ctx.store.read() as connection:
        row = read_token(connection, channel.id)
        stored_expiry = connection.execute(
            select(tables.channel.c.token_expires_at).where(tables.channel.c.id == channel.id)
        ).scalar()
    alarm = None if expires_at is None else alarm_days(expires_at, ctx.store.clock.now())
    warned = row.warned_days if row is not None and row.warned_for_at == expires_at else 0
    news = alarm is not None and is_news(alarm, warned=warned)
    if not news and stored_expiry == expires_at:
        return
    ctx.store.retrying(partial(_note, channel=channel, expires_at=expires_at, row=row, alarm=alarm if news else None))


def _note(tx: Tx, *, channel: Channel, expires_at: datetime | None, row: StoredToken | None, alarm: int | None) -> None:
    """Keep the end for `status`, and say once per alarm that it is near; a new end takes the task back."""
    note_expiry(tx, channel.id, expires_at)
    if alarm is None:
        if row is not None and row.warned_for_at is not None and row.warned_for_at != expires_at:
            close_tasks(tx, TASK, [channel.name], by="erpsync")
            write_token(tx, channel.id, warned_for_at=None, warned_days=0)
        return
    write_token(tx, channel.id, warned_for_at=expires_at, warned_days=alarm)
    renews = renews_itself(channel) and (row is None or row.refused_at is None)
    action = "none, erpsync renews it" if renews else "authorise the app again, put its token into the configuration"
    log.warning("token.expiring", channel=channel.name, days=alarm, expires_at=str(expires_at), action=action)
    detail = {"days": alarm, "expires_at": None if expires_at is None else expires_at.isoformat()}
    write_events(tx, [Event(kind="token.expiring", channel_id=channel.id, detail=detail)])
    if not renews or alarm <= 1:
        reason = f"the credentials of {channel.name} end {_when(expires_at)}; authorise the app again before that"
        open_tasks(tx, [Task(kind=TASK, key=channel.name, reason=reason, channel_id=channel.id)])


def renews_itself(channel: Channel) -> bool:
    """Whether the channel's token is renewed without a person."""
    holder = playing(channel.connector, TokenHolder)
    return holder is not None and holder.tokens.current().refresh_token is not None
