"""When a failed effect is tried again, and when a person has to look."""

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


def gives_up(attempts: int) -> bool:
    """Whether this failure is the last one that the daemon deals with by itself."""
    return attempts + 1 >= GIVES_UP_AFTER


def ends(error: Exception, attempts: int) -> bool:
    """Whether no other try is made: it was refused, a defect shows, or the channel had tries enough.

    An answer that cannot be read says nothing about the effect; a database that was away is never held against it.
    """
    if isinstance(error, PayloadError):
        return gives_up(attempts)
    return is_of_record(error) or (not is_of_database(error) and gives_up(attempts))


def rest_s(error: Exception, *, auth_retry_s: float) -> float | None:
    """Return after how many seconds to try again what costs no attempt; None for an error that does."""
    if isinstance(error, RateLimitedError):
        return error.retry_after_s
    if isinstance(error, AuthError):
        return auth_retry_s
    return 0.0 if isinstance(error, TooLateError) else None
