"""When a failed effect is tried again, and when a person has to look.

Why one table: an error class says who acts next, and every queue has to hear the same of it.
"""

from dataclasses import dataclass
from typing import TypeAlias

from erpsync.flows.blame import is_of_database, is_of_record
from erpsync.sdk.errors import AuthError, PayloadError, RateLimitedError, TooLateError

FIRST_S = 1.0
CAP_S = 300.0
GIVES_UP_AFTER = 60  # attempts: about four hours at the cap


def backoff_s(attempts: int, row_id: int) -> float:
    """Return the seconds to wait after `attempts` failures: doubling, capped, spread by the row's id.

    The spread is a function of the row, not of chance, so that a simulation repeats exactly.
    """
    full = min(CAP_S, FIRST_S * float(1 << min(attempts, 20)))
    spread = ((row_id * 2654435761 + attempts * 40503) % 1000) / 1000
    return full * (0.5 + spread / 2)


@dataclass(frozen=True, slots=True)
class Rest:
    """It is tried again after `wait_s` seconds, and this was no attempt: the channel was not asked, or asks for it."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class Again:
    """It is tried again after `wait_s` seconds; whether this counts as one of the tries that it has."""

    wait_s: float
    counts: bool


@dataclass(frozen=True, slots=True)
class Dead:
    """It is not tried again by itself: it was refused, a defect shows, or there were tries enough."""


Next: TypeAlias = Rest | Again | Dead


def after(error: Exception, *, attempts: int, row_id: int, auth_retry_s: float) -> Next:
    """Return what follows a failed call of an effect, by who acts next.

    An answer that cannot be read says nothing about the effect; a database that was away is never held against it.
    """
    if isinstance(error, RateLimitedError | AuthError | TooLateError):
        return Rest(asked_s(error, auth_retry_s=auth_retry_s))
    if is_of_record(error) and not isinstance(error, PayloadError):
        return Dead()
    return _again(error, attempts=attempts, row_id=row_id)


def after_delivery(error: Exception, *, attempts: int, row_id: int) -> Again | Dead:
    """Return what follows a stored webhook that was not applied: its text does not change, anything else may pass."""
    return Dead() if isinstance(error, PayloadError) else _again(error, attempts=attempts, row_id=row_id)


def _again(error: Exception, *, attempts: int, row_id: int) -> Again | Dead:
    """Return when to try again after what may pass; a database that was away takes none of the tries."""
    counts = not is_of_database(error)
    if counts and attempts + 1 >= GIVES_UP_AFTER:
        return Dead()
    return Again(backoff_s(attempts, row_id), counts)


def asked_s(error: Exception, *, auth_retry_s: float = 0.0) -> float:
    """Return for how many seconds the other side is to be left alone, as it asked or as refused credentials want."""
    if isinstance(error, RateLimitedError):
        return error.retry_after_s
    return auth_retry_s if isinstance(error, AuthError) else 0.0
