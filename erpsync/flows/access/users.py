"""The people who may log in: made, given another password or role, shut out and let in again.

Why nobody is ever deleted: what somebody did stays under their name, and a name that could be had again would be
another person's. Why another role ends the sessions too: what a page offers must be what its user may do.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from erpsync.flows.access.passwords import check_password, hash_of
from erpsync.flows.access.roles import check_name, check_role
from erpsync.flows.access.sessions import end_sessions
from erpsync.flows.errors import Refused
from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Store, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.tables import login_session, user_account
from erpsync.store.views.values import Json, row_json

_SHOWN = (
    "name",
    "role",
    "created_at",
    "created_by",
    "password_at",
    "last_login_at",
    "disabled_at",
    "disabled_by",
    "locked_until_at",
)
UNLOCKED: dict[str, Any] = {"failed_count": 0, "locked_until_at": None}
"""The columns of a user whose wrong passwords are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user's row, locked: id, name, role, and whether and until when it is kept from logging in."""

    id: int
    name: str
    role: str
    disabled_at: datetime | None
    locked_until_at: datetime | None


def create_user(store: Store, name: str, *, role: str, password: str, actor: str) -> None:
    """Make a user who may log in from now on."""
    check_role(role, "role")
    check_name(name, "a user's")
    check_password(password, name)
    kept = hash_of(password)

    def write_user(tx: Tx) -> None:
        stored = tx.execute(select(user_account.c.disabled_at).where(user_account.c.name == name)).first()
        if stored is not None:
            state = "is disabled, and the name stays with what was done under it" if stored.disabled_at else "exists"
            raise Refused(f"user {name} {state}; choose another name")
        row = {"name": name, "role": role, "password_hash": kept, "created_at": tx.now, "created_by": actor}
        insert_many(tx, user_account, [row | {"password_at": tx.now}])
        _note(tx, "user.created", name, actor, role=role)

    store.retrying(write_user)


def set_password(store: Store, name: str, *, password: str, actor: str) -> int:
    """Give a user another password; return how many sessions ended by it."""
    check_password(password, name)
    kept = hash_of(password)

    def write_password(tx: Tx) -> int:
        user = _locked(tx, name)
        _write(tx, user, password_hash=kept, password_at=tx.now, **UNLOCKED)
        ended = end_sessions(tx, user.id)
        _note(tx, "user.password", name, actor, sessions=ended)
        return ended

    return store.retrying(write_password)


def set_role(store: Store, name: str, *, role: str, actor: str) -> int:
    """Give a user another role; return how many sessions ended by it."""
    check_role(role, "role")

    def write_role(tx: Tx) -> int:
        user = _locked(tx, name)
        if user.role == role:
            raise Refused(f"user {name} has the role {role} already")
        _write(tx, user, role=role)
        ended = end_sessions(tx, user.id)
        _note(tx, "user.role", name, actor, role=role, before=user.role, sessions=ended)
        return ended

    return store.retrying(write_role)


def disable_user(store: Store, name: str, *, actor: str) -> int:
    """Shut a user out; return how many sessions ended by it."""

    def disable(tx: Tx) -> int:
        user = _locked(tx, name)
        if user.disabled_at is not None:
            raise Refused(f"user {name} is disabled already")
        _write(tx, user, disabled_at=tx.now, disabled_by=actor)
        ended = end_sessions(tx, user.id)
        _note(tx, "user.disabled", name, actor, sessions=ended)
        return ended

    return store.retrying(disable)


def enable_user(store: Store, name: str, *, actor: str) -> None:
    """Let a user in again who was disabled, or who has to wait after wrong passwords."""

    def enable(tx: Tx) -> None:
        user = _locked(tx, name)
        if user.disabled_at is None and (user.locked_until_at is None or user.locked_until_at <= tx.now):
            raise Refused(f"user {name} is not disabled")
        _write(tx, user, disabled_at=None, disabled_by="", **UNLOCKED)
        _note(tx, "user.enabled", name, actor)

    store.retrying(enable)


def sign_out(store: Store, name: str, *, actor: str) -> int:
    """End all sessions of a user, who may log in again; return how many there were."""

    def end_all(tx: Tx) -> int:
        user = _locked(tx, name)
        ended = end_sessions(tx, user.id)
        write_events(tx, [Event(kind="session.ended", detail={"user": name, "sessions": ended}, actor=actor)])
        return ended

    return store.retrying(end_all)


def list_users(store: Store) -> list[Json]:
    """Return all users by name, also disabled ones, with how many sessions each has that have not ended."""
    now = store.clock.now()
    running = select(login_session.c.user_id, func.count().label("sessions"))
    running = running.where(login_session.c.ended_at.is_(None), login_session.c.expires_at > now)
    with store.read() as connection:
        rows = connection.execute(select(user_account).order_by(user_account.c.name)).all()
        counts = {row.user_id: row.sessions for row in connection.execute(running.group_by(login_session.c.user_id))}
    return [row_json(row, _SHOWN) | {"sessions": counts.get(row.id, 0)} for row in rows]


def has_users(store: Store) -> bool:
    """Whether anybody was ever made who may log in."""
    with store.read() as connection:
        return connection.execute(select(user_account.c.id).limit(1)).first() is not None


def _locked(tx: Tx, name: str) -> User:
    columns = (user_account.c[column] for column in ("id", "name", "role", "disabled_at", "locked_until_at"))
    row = tx.execute(select(*columns).where(user_account.c.name == name).with_for_update()).first()
    if row is None:
        raise Refused(f"user {name} is not known")
    return User(**row._mapping)


def _write(tx: Tx, user: User, **values: Any) -> None:
    tx.execute(update(user_account).where(user_account.c.id == user.id).values(**values))


def _note(tx: Tx, kind: str, name: str, actor: str, **more: Any) -> None:
    write_events(tx, [Event(kind=kind, detail={"user": name} | more, actor=actor)])
