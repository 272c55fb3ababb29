"""What people do about themselves, whatever their role: the language they read, and their password.

Why the old password is asked for: a browser that was left open must not be enough to take somebody's account. A wrong
one counts as at the log-in, so it cannot be guessed here either.
"""

from functools import partial
from typing import Any

from sqlalchemy import select, update

from erpsync.flows.access.log_in import count_failure
from erpsync.flows.access.passwords import check_password, hash_of, is_right
from erpsync.flows.access.sessions import Caller, Visitor, end_sessions
from erpsync.flows.access.users import UNLOCKED
from erpsync.flows.errors import Refused
from erpsync.store.db.store import Store, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.tables import user_account

_KEPT = ("id", "name", "password_hash", "failed_count", "locked_until_at")


def set_language(store: Store, visitor: Visitor, language: str) -> None:
    """Keep in which language somebody reads; the next log-in, in any browser, begins in it."""
    mine = user_account.c.id == visitor.user_id
    store.retrying(lambda tx: tx.execute(update(user_account).where(mine).values(language=language)))


def change_password(store: Store, visitor: Visitor, caller: Caller, *, old: str, new: str) -> int:
    """Give somebody who knows their password another one; return how many other sessions of theirs ended by it.

    Raises:
        Refused: the old one is wrong, or may not be tried now; the new one is none.
        BusyError: too many passwords are being looked at; nothing was counted.
    """
    check_password(new, visitor.name)
    with store.read() as connection:
        tried = connection.execute(_mine(visitor)).one()
    if tried.locked_until_at is not None and store.clock.now() < tried.locked_until_at:
        raise Refused("too many wrong passwords were given; try again in a quarter of an hour")
    if not is_right(tried.password_hash, old):
        store.retrying(partial(_count, visitor=visitor, caller=caller))
        raise Refused("the old password is wrong")
    return store.retrying(partial(_write, visitor=visitor, tried=tried.password_hash, kept=hash_of(new)))


def _mine(visitor: Visitor) -> Any:
    return select(*(user_account.c[name] for name in _KEPT)).where(user_account.c.id == visitor.user_id)


def _count(tx: Tx, *, visitor: Visitor, caller: Caller) -> None:
    count_failure(tx, tx.execute(_mine(visitor).with_for_update()).one(), caller)


def _write(tx: Tx, *, visitor: Visitor, tried: str, kept: str) -> int:
    user = tx.execute(_mine(visitor).with_for_update()).one()
    if user.password_hash != tried:
        raise Refused("the password was changed in the meantime")
    values = {"password_hash": kept, "password_at": tx.now, **UNLOCKED}
    tx.execute(update(user_account).where(user_account.c.id == user.id).values(**values))
    ended = end_sessions(tx, user.id, but=visitor.session_id)
    detail = {"user": user.name, "sessions": ended}
    write_events(tx, [Event(kind="user.password", detail=detail, actor=visitor.actor)])
    return ended
