"""A log-in: is it this user's password, may they try now, and what is noted of it.

Why a wait that grows and no lock: a lock would let a stranger shut anybody out. The wait ends by itself within a
quarter of an hour, and a browser in which this user has logged in before is not held up by it at all: it carries a
mark that only the password could have given it, and is counted for itself.
Why every refusal takes the same way, whether there is such a user or not, locked or not: one password is hashed, one
row is locked and written, one commit is made. What is told, and how long it takes, says nothing about who there is.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from erpsync.flows.access.passwords import hash_of, is_outdated, is_right
from erpsync.flows.access.sessions import Caller, actor_of, begin, end_replaced, new_secret
from erpsync.store.db.sequence import take_numbers
from erpsync.store.db.store import Store, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.tables import user_account

FREE_TRIES = 5
FIRST_WAIT_S = 5
LONGEST_WAIT_S = 900
REFUSED = "log-ins refused"
"""The counter of all refusals that are not counted at a user."""

_MARK = b"erpsync known browser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody typed, from where, and what their browser carries.

    Args:
        mark: what a browser in which somebody logged in before carries; "" if it carries none.
        replaces: the secret of the session that the browser had; "" if it had none. It ends with the log-in.
    """

    name: str
    password: str
    caller: Caller
    mark: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A session that has begun: the cookie's secret, and the mark that says that this browser is known.

    Args:
        language: in which language the user reads; None while they have not chosen.
    """

    secret: str
    mark: str
    language: str | None = None


def wait_s(failures: int) -> int:
    """Return the seconds to wait after so many wrong passwords in a row."""
    if failures < FREE_TRIES:
        return 0
    return int(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures - FREE_TRIES, 20)))


def log_in(store: Store, attempt: Attempt, may_hurry: Callable[[str], bool]) -> Begun | None:
    """Begin a session if the password is right and may be tried now; None if not, whatever the cause.

    Args:
        may_hurry: whether the browser of this mark, which is genuine, may try once more without waiting.

    Raises:
        BusyError: too many passwords are being looked at; nothing was counted.
    """
    with store.read() as connection:
        user = connection.execute(_user(attempt.name)).first()
    known = user is not None and _is_marked(user, attempt.mark)
    if known and _waits(user, store.clock.now()):
        known = may_hurry(attempt.mark)
    kept = user.password_hash if user is not None and _may_try(user, store.clock.now(), known=known) else None
    right = is_right(kept, attempt.password)
    renewed = hash_of(attempt.password) if right and kept is not None and is_outdated(kept) else kept
    judged = _Judged(known=known, tried=kept if right else None, renewed=renewed)
    return store.retrying(lambda tx: _decide(tx, attempt, judged))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What was found out before anything was locked.

    Args:
        known: whether the browser is a known one of this user.
        tried: the hash that the password fits, None if it fits none.
        renewed: what is to be kept in its place from now on.
    """

    known: bool
    tried: str | None
    renewed: str | None


def _user(name: str) -> Any:
    wanted = ("id", "name", "password_hash", "language", "disabled_at", "failed_count", "locked_until_at")
    return select(*(user_account.c[column] for column in wanted)).where(user_account.c.name == name)


def _waits(user: Any, now: datetime) -> bool:
    return user.locked_until_at is not None and now < user.locked_until_at


def _may_try(user: Any, now: datetime, *, known: bool) -> bool:
    return user.disabled_at is None and (known or not _waits(user, now))


def _decide(tx: Tx, attempt: Attempt, judged: _Judged) -> Begun | None:
    """Begin the session or note the refusal; all is looked at again, now that nobody else can change it."""
    user = tx.execute(_user(attempt.name).with_for_update()).first()
    if user is None or not _may_try(user, tx.now, known=judged.known):
        take_numbers(tx, REFUSED, 1)
        return None
    if judged.tried is not None and judged.tried == user.password_hash:
        return _begin(tx, user, attempt, judged.renewed or judged.tried)
    count_failure(tx, user, attempt.caller)
    return None


def _begin(tx: Tx, user: Any, attempt: Attempt, kept: str) -> Begun:
    secret = new_secret()
    if attempt.replaces:
        end_replaced(tx, attempt.replaces)
    begin(tx, user.id, secret, attempt.caller)
    values = {"failed_count": 0, "locked_until_at": None, "last_login_at": tx.now, "password_hash": kept}
    tx.execute(update(user_account).where(user_account.c.id == user.id).values(**values))
    _note(tx, "session.began", user.name, attempt.caller, failures=user.failed_count)
    return Begun(secret=secret, mark=_mark(user.name, kept), language=user.language)


def count_failure(tx: Tx, user: Any, caller: Caller) -> None:
    """Note a wrong password of a user, whose row is locked; from the fifth in a row on each has to wait."""
    failures = user.failed_count + 1
    until = tx.now + timedelta(seconds=wait_s(failures)) if wait_s(failures) else None
    values = {"failed_count": failures, "locked_until_at": until}
    tx.execute(update(user_account).where(user_account.c.id == user.id).values(**values))
    _note(tx, "session.refused", user.name, caller, failures=failures, wait_s=wait_s(failures))


def _note(tx: Tx, kind: str, name: str, caller: Caller, **more: Any) -> None:
    detail = {"user": name, "address": caller.address} | more
    write_events(tx, [Event(kind=kind, detail=detail, actor=actor_of(name))])


def _mark(name: str, kept: str) -> str:
    """Return the mark of a new known browser; another password makes all marks worthless."""
    nonce = secrets.token_urlsafe(12)
    return f"{name}:{nonce}:{_signature(kept, name, nonce)}"


def _is_marked(user: Any, mark: str) -> bool:
    name, _, rest = mark.partition(":")
    nonce, _, signature = rest.partition(":")
    right = _signature(user.password_hash, user.name, nonce)
    return name == user.name and hmac.compare_digest(right.encode(), signature.encode("utf-8", "surrogateescape"))


def _signature(kept: str, name: str, nonce: str) -> str:
    key = hashlib.sha256(_MARK + kept.encode()).digest()
    return hmac.new(key, f"{name}:{nonce}".encode(), hashlib.sha256).hexdigest()
