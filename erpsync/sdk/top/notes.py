"""What `check` says of an app and its session."""

from collections.abc import Iterator
from datetime import datetime, timedelta

CLOCK_NOTE_S = 5.0
EXPIRY_NOTE = timedelta(days=14)


def clock_notes(ahead_s: float) -> Iterator[str]:
    """Yield what is to be said of the platform's clock."""
    if abs(ahead_s) > CLOCK_NOTE_S:
        yield f"the platform's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"


def session_notes(expires_at: datetime | None, now: datetime) -> Iterator[str]:
    """Yield what is to be said of the session's end."""
    if expires_at is None:
        yield "session_expires_at is not set, so the end of the session is not watched"
    elif expires_at - now < EXPIRY_NOTE:
        yield f"the session ends on {expires_at:%Y-%m-%d}: authorise the app again before that"
