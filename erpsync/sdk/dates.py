"""Dates of HTTP headers, and what they say of a platform's clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SLOW = timedelta(seconds=20)
_HALF = timedelta(seconds=0.5)


def http_date(value: str) -> datetime | None:
    """Return the instant of a header like `Date`, in UTC; None when it is none. Source: RFC 9110 section 5.6.7."""
    try:
        at = parsedate_to_datetime(value)
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def platform_lead(headers: Mapping[str, str], sent_at: datetime, received_at: datetime) -> timedelta | None:
    """Return by how much the clock of who answered leads ours, exact to half a second and half the call.

    None where nothing can be said: without a date, by an answer out of a cache (RFC 9111 section 5.1), after a slow
    call, or when our clock was set in the middle of it.

    Args:
        headers: of the answer, names in lower case; the seconds of its date are cut off.
    """
    at = http_date(headers.get("date", ""))
    if at is None or "age" in headers or not timedelta(0) <= received_at - sent_at <= SLOW:
        return None
    return at + _HALF - (sent_at + (received_at - sent_at) / 2)
