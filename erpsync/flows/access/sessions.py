"""Sessions of people at the console: begun by a log-in, looked at with every page, ended by whoever may.

Why the cookie's secret is kept as a plain SHA-256: it is 32 random bytes, nothing that could be guessed, and it is
looked up by that digest, so how long this takes tells nothing about a secret.
Why a session that nobody used for long is also marked as ended, which its instants tell already: they would tell
otherwise when the clock is set back, and what is over must not come back to life.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from erpsync.flows.access.roles import reaches
from erpsync.flows.errors import Refused
from erpsync.store.db.bulk import insert_many
from erpsync.store.db.engine import StoreError
from erpsync.store.db.store import Store, Tx
from erpsync.store.db.trouble import cause_of
from erpsync.store.events import Event, write_events
from erpsync.store.tables import login_session, user_account
from erpsync.store.views.values import Json, row_json

UNUSED = timedelta(hours=12)
LONGEST = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)
"""How long a session lasts without use, how long at all, and how often its use is noted."""

AGENT_CHARS = 200
ADDRESS_CHARS = 64
_FORM = b"erpsync form"
_SHOWN = ("id", "created_at", "last_seen_at", "expires_at", "address", "user_agent")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Where a request came from, as far as it can be told; for people only."""

    address: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A person with a session: who it is, what they may do, and in which language they read (None: not chosen)."""

    session_id: int
    user_id: int
    name: str
    role: str
    language: str | None

    @property
    def actor(self) -> str:
        """Who acts, for events."""
        return actor_of(self.name)

    def may(self, role: str) -> bool:
        """Whether the visitor's role is this one or reaches further."""
        return reaches(self.role, role)


def actor_of(name: str) -> str:
    """Return how a user stands in events."""
    return f"web:{name}"


def new_secret() -> str:
    """Return a new cookie's text."""
    return secrets.token_urlsafe(32)


def form_token(secret: str) -> str:
    """Return what each form of a session carries: known to its pages, to be told from nothing that is stored."""
    return urlsafe_b64encode(hmac.new(secret.encode(), _FORM, hashlib.sha256).digest()).decode().rstrip("=")


def is_form_token(secret: str, token: str) -> bool:
    """Whether a form came from a page of this session."""
    return hmac.compare_digest(form_token(secret).encode(), token.encode("utf-8", "surrogatepass"))


def begin(tx: Tx, user_id: int, secret: str, caller: Caller) -> None:
    """Begin a session of a user."""
    row = {
        "digest": digest_of(secret),
        "user_id": user_id,
        "created_at": tx.now,
        "last_seen_at": tx.now,
        "expires_at": tx.now + LONGEST,
        "address": caller.address[:ADDRESS_CHARS],
        "user_agent": caller.user_agent[:AGENT_CHARS],
    }
    insert_many(tx, login_session, [row])


def visitor_of(store: Store, secret: str) -> Visitor | None:
    """Return whose session a cookie's text is, None when it is none or has ended; its use is noted once a minute."""
    with store.read() as connection:
        row = connection.execute(_visit(secret)).first()
    now = store.clock.now()
    if row is None or row.ended_at is not None:
        return None
    if row.disabled_at is not None or _is_over(row, now):
        _try(store, lambda tx: _end(tx, login_session.c.id == row.id))
        return None
    if now - row.last_seen_at > SEEN_EVERY:
        _note_use(store, row.id)
    return Visitor(session_id=row.id, user_id=row.user_id, name=row.name, role=row.role, language=row.language)


def _visit(secret: str) -> Any:
    who = (user_account.c[column] for column in ("name", "role", "language", "disabled_at"))
    session = (login_session.c[column] for column in ("id", "user_id", "last_seen_at", "expires_at", "ended_at"))
    joined = login_session.join(user_account, user_account.c.id == login_session.c.user_id)
    return select(*session, *who).select_from(joined).where(login_session.c.digest == digest_of(secret))


def _is_over(row: Any, now: datetime) -> bool:
    return bool(now >= row.expires_at or now - row.last_seen_at >= UNUSED)


def _note_use(store: Store, session_id: int) -> None:
    def move_last_seen(tx: Tx) -> None:
        stale = login_session.c.last_seen_at < tx.now - SEEN_EVERY
        values = {"last_seen_at": tx.now}
        tx.execute(update(login_session).where(login_session.c.id == session_id, stale).values(**values))

    _try(store, move_last_seen)


def _try(store: Store, write: Callable[[Tx], object]) -> None:
    """Write what a page does not depend on: one that says why nothing can be written must be shown all the same."""
    try:
        store.retrying(write)
    except (SQLAlchemyError, StoreError) as error:
        log.warning("session.not_noted", error=cause_of(error))


def log_out(store: Store, visitor: Visitor, caller: Caller) -> None:
    """End a visitor's session."""

    def end_session(tx: Tx) -> None:
        if _end(tx, login_session.c.id == visitor.session_id):
            detail = {"user": visitor.name, "address": caller.address, "why": "logged out"}
            write_events(tx, [Event(kind="session.ended", detail=detail, actor=visitor.actor)])

    store.retrying(end_session)


def end_sessions(tx: Tx, user_id: int, *, but: int | None = None) -> int:
    """End all sessions of a user, but the one of this id if given; return how many there were."""
    of_user = login_session.c.user_id == user_id
    return _end(tx, of_user if but is None else and_(of_user, login_session.c.id != but))


def end_one(store: Store, visitor: Visitor, session_id: int, caller: Caller) -> None:
    """End one of a visitor's sessions; refuses one that is none of theirs, or has ended."""

    def end_session(tx: Tx) -> None:
        if not _end(tx, and_(login_session.c.id == session_id, login_session.c.user_id == visitor.user_id)):
            raise Refused("this session has ended already")
        detail = {"user": visitor.name, "address": caller.address, "why": "ended from another session"}
        write_events(tx, [Event(kind="session.ended", detail=detail, actor=visitor.actor)])

    store.retrying(end_session)


def list_sessions(store: Store, user: str) -> list[Json]:
    """Return the sessions of a user that have not ended, the one used last first."""
    now = store.clock.now()
    going = (login_session.c.ended_at.is_(None), login_session.c.expires_at > now)
    query = select(login_session).join(user_account, user_account.c.id == login_session.c.user_id)
    query = query.where(user_account.c.name == user, *going, login_session.c.last_seen_at > now - UNUSED)
    with store.read() as connection:
        rows = connection.execute(query.order_by(login_session.c.last_seen_at.desc(), login_session.c.id)).all()
    return [row_json(row, _SHOWN) for row in rows]


def end_unused(tx: Tx) -> int:
    """Mark the sessions that are over as ended; return how many there were."""
    over = or_(login_session.c.expires_at <= tx.now, login_session.c.last_seen_at <= tx.now - UNUSED)
    # No index: the table holds the log-ins of the last weeks, however long the history of the shops.
    return _end(tx, over)


def end_replaced(tx: Tx, secret: str) -> int:
    """End the session whose place a new one takes; return whether there was one."""
    return _end(tx, login_session.c.digest == digest_of(secret))


def _end(tx: Tx, which: Any) -> int:
    going = (which, login_session.c.ended_at.is_(None))
    return int(tx.execute(update(login_session).where(*going).values(ended_at=tx.now)).rowcount)


def digest_of(secret: str) -> bytes:
    """Return what is kept of a cookie's text."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
