"""Times as the platform writes them."""

import re
from datetime import datetime, timedelta, timezone

from erpsync.sdk import read
from erpsync.sdk.errors import PayloadError

BEIJING = timezone(timedelta(hours=8))
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def format_time(at: datetime) -> str:
    """Return an instant as the platform writes it: Beijing time, whole seconds, rounded down."""
    return at.astimezone(BEIJING).strftime(TIME_FORMAT)


def parse_time(value: object, *, path: str) -> datetime:
    """Return the instant of a platform time in UTC. Raises `PayloadError`.

    Source: protocol note taobao.md section 3.6: Beijing time `yyyy-MM-dd HH:mm:ss`.
    """
    if isinstance(value, str) and not _TIME.fullmatch(value):
        raise PayloadError("expected a time like 2026-03-02 08:00:00", path=path)
    return read.local(value, BEIJING, path=path)
