"""Who may use the REST API: tokens by name and scope.

Why a plain SHA-256 at rest: a token is 32 random bytes, nothing that could be guessed, so a slow hash would only cost
every request. It is looked up by that digest, so how long the look-up takes tells nothing about a token.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update

from erpsync.flows.access.roles import check_name, check_role, reaches
from erpsync.flows.errors import Refused
from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Store, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.tables import api_token
from erpsync.store.views.values import Json, row_json

PREFIX = "erps_"
USED_EVERY = timedelta(minutes=1)
_SHOWN = ("name", "scope", "created_at", "created_by", "last_used_at", "revoked_at", "revoked_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A token in use: its row id, name and scope."""

    id: int
    name: str
    scope: str

    @property
    def actor(self) -> str:
        """Who acts, for events."""
        return f"api:{self.name}"

    def allows(self, scope: str) -> bool:
        """Whether the token's scope is this one or reaches further."""
        return reaches(self.scope, scope)


def create_token(store: Store, name: str, *, scope: str, actor: str) -> str:
    """Make a token and return its text, which nobody can be told again."""
    check_role(scope, "scope")
    check_name(name, "a token's")
    text = PREFIX + secrets.token_urlsafe(32)

    def write_token(tx: Tx) -> None:
        stored = tx.execute(select(api_token.c.revoked_at).where(api_token.c.name == name)).first()
        if stored is not None:
            state = "was revoked, and its name stays with what it did" if stored.revoked_at else "exists"
            raise Refused(f"token {name} {state}; choose another name")
        row = {"name": name, "digest": digest_of(text), "scope": scope, "created_at": tx.now, "created_by": actor}
        insert_many(tx, api_token, [row])
        write_events(tx, [Event(kind="token.created", detail={"token": name, "scope": scope}, actor=actor)])

    store.retrying(write_token)
    return text


def revoke_token(store: Store, name: str, *, actor: str) -> None:
    """End a token; requests with it are refused from now on."""

    def end_token(tx: Tx) -> None:
        row = tx.execute(select(api_token.c.id, api_token.c.revoked_at).where(api_token.c.name == name)).first()
        if row is None:
            raise Refused(f"token {name} is not known")
        if row.revoked_at is not None:
            raise Refused(f"token {name} was revoked already")
        values = {"revoked_at": tx.now, "revoked_by": actor}
        tx.execute(update(api_token).where(api_token.c.id == row.id).values(**values))
        write_events(tx, [Event(kind="token.revoked", detail={"token": name}, actor=actor)])

    store.retrying(end_token)


def list_tokens(store: Store) -> list[Json]:
    """Return all tokens, by name, also revoked ones; never what they are."""
    with store.read() as connection:
        rows = connection.execute(select(api_token).order_by(api_token.c.name)).all()
    return [row_json(row, _SHOWN) for row in rows]


def access_of(store: Store, text: str) -> Access | None:
    """Return what a token may do, None when it is none of ours or was revoked; its use is noted once a minute."""
    with store.read() as connection:
        row: Any = connection.execute(select(api_token).where(api_token.c.digest == digest_of(text))).first()
    if row is None or row.revoked_at is not None:
        return None
    if row.last_used_at is None or store.clock.now() - row.last_used_at > USED_EVERY:
        _note_use(store, row.id)
    return Access(id=row.id, name=row.name, scope=row.scope)


def _note_use(store: Store, token_id: int) -> None:
    with store.begin() as tx:
        stale = or_(api_token.c.last_used_at.is_(None), api_token.c.last_used_at < tx.now - USED_EVERY)
        tx.execute(update(api_token).where(api_token.c.id == token_id, stale).values(last_used_at=tx.now))


def digest_of(text: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
