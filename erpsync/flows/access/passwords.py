"""Passwords: what is kept of one, and whether somebody knows it.

Why argon2id with the library's own parameters (the second choice of RFC 9106: 64 MiB, three passes): they follow what
is recommended, and a hash says by which it was made, so each log-in brings an old one up to date. Why only two at a
time: each takes that memory and tens of milliseconds, and whoever knocks often enough would take the whole machine.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from erpsync.flows.errors import Refused

SHORTEST, LONGEST = 10, 1024
"""Characters of a password. The upper limit keeps a form from being used to make work."""

AT_ONCE = 2
WAIT_S = 3.0

_hasher = PasswordHasher()
_slots = threading.BoundedSemaphore(AT_ONCE)
_decoy: list[str] = []


class BusyError(Exception):
    """So many log-ins are looked at that this one did not get its turn; it may be tried again."""


def check_password(password: str, name: str) -> None:
    """Refuse a password that is too short, too long, or the user's own name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused(f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(password)}")
    if password.casefold() == name.casefold():
        raise Refused("a password must not be the user's own name")


def hash_of(password: str) -> str:
    """Return what is kept of a password: algorithm, parameters, salt and hash as one text.

    Raises:
        BusyError: no turn came within `WAIT_S` seconds.
    """
    with _turn():
        return _hasher.hash(_bytes(password))


def is_right(kept: str | None, password: str) -> bool:
    """Whether this is the password of which `kept` was made; it takes as long where there is none.

    Raises:
        BusyError: no turn came within `WAIT_S` seconds.
    """
    with _turn():
        if not _decoy:
            _decoy.append(_hasher.hash("nobody's password"))
        try:
            _hasher.verify(kept or _decoy[0], _bytes(password[:LONGEST]))
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None and len(password) <= LONGEST


def is_outdated(kept: str) -> bool:
    """Whether it was made by other parameters than those of today."""
    return _hasher.check_needs_rehash(kept)


@contextmanager
def _turn() -> Iterator[None]:
    if not _slots.acquire(timeout=WAIT_S):
        raise BusyError("too many people log in at this moment; try again")
    try:
        yield
    finally:
        _slots.release()


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogateescape")
