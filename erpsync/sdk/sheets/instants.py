"""Instants as they stand in cells.

Why day and month never change places without being told: 03/04 is in April for one program and in March for another.
"""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from erpsync.sdk.errors import PayloadError

USUAL_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
    "%Y%m%d%H%M%S",
)
"""Tried after ISO 8601; day and month never change places without a format of the operator's own."""

_NO_INSTANT = frozenset({"0000-00-00", "0000-00-00 00:00:00"})


def instant(text: str, formats: Iterable[str], zone: ZoneInfo, field: str) -> datetime | None:
    """Return an instant, read in `zone` unless it says its own offset; None if the cell is empty."""
    if not text or text in _NO_INSTANT:
        return None
    when = _first_reading(text, formats)
    if when is None or not 1990 <= when.year <= 2100:
        raise PayloadError("expected a date and time like 2026-03-02 16:00:00", path=field)
    return when if when.tzinfo else when.replace(tzinfo=zone)


def _first_reading(text: str, formats: Iterable[str]) -> datetime | None:
    for form in formats:
        if (when := _strptime(text, form)) is not None:
            return when
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return next((when for form in USUAL_FORMATS if (when := _strptime(text, form))), None)


def _strptime(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - the caller gives it its zone
    except ValueError:
        return None
