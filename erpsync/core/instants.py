"""Instants in texts: written once in UTC, shown to people on their own clock.

Why texts hold ISO 8601 and not a wall-clock time: they are stored and answered as JSON, and only who shows them knows
the reader's zone. A page or sentence with two zones in it is read wrongly at night.
"""

import re
from datetime import UTC, datetime, tzinfo

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def stamp(at: datetime) -> str:
    """Return an instant as it stands in texts and JSON: ISO 8601 in UTC, to the second, ending in Z."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def local(at: datetime, zone: tzinfo | None) -> str:
    """Return an instant as wall-clock time of a zone, to the second."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def with_local(text: str, zone: tzinfo | None) -> str:
    """Return a text with the ISO instants in it as `local` shows them; what only looks like one stays as it is."""

    def shown(match: re.Match[str]) -> str:
        try:
            return local(datetime.fromisoformat(match[0]), zone)
        except (ValueError, OverflowError):  # no such day, or one beyond all calendars, in what somebody sent
            return match[0]

    return _INSTANT.sub(shown, text)
