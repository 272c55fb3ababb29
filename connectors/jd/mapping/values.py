"""Single values as this platform writes them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from erpsync.sdk import read
from erpsync.sdk.errors import PayloadError

BEIJING = timezone(timedelta(hours=8))
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
NO_TIME = ("0001-01-01", "1970-01-01")
"""Days that mean "none". Source: protocol note jd.md section 3.2."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?")
_MILLISECONDS = re.compile(r"[0-9]{12,13}")
_WHOLE = re.compile(r"[0-9]{1,12}(\.0{1,4})?")


def format_time(at: datetime) -> str:
    """Return an instant as the platform writes it: Beijing time, whole seconds, rounded down."""
    return at.astimezone(BEIJING).strftime(TIME_FORMAT)


def parse_time(value: object, *, path: str) -> datetime:
    """Return the instant of a platform time in UTC, whole seconds. Raises `PayloadError`.

    Source: protocol note jd.md sections 3.2 and 6: Beijing time `yyyy-MM-dd HH:mm:ss`; some services write epoch
    milliseconds.
    """
    if isinstance(value, str) and _TIME.fullmatch(value):
        return read.local(value, BEIJING, path=path).replace(microsecond=0)
    if not isinstance(value, bool) and _MILLISECONDS.fullmatch(str(value)):
        return datetime.fromtimestamp(int(str(value)) // 1000, UTC)
    raise PayloadError("expected a time like 2026-03-02 08:00:00", path=path)


class Fields(read.Fields):
    """Reads the fields of one object. Nearly everything is text, money in yuan with 2 decimals. Source: jd.md 3.2."""

    __slots__ = ()

    def text_or_none(self, name: str) -> str | None:
        """Return a text, None when it is absent; a number counts as its text."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, bool | float) or not isinstance(value, str | int):
            raise self.error(name, f"expected text, found {read.kind(value)}")
        return str(value).strip() or None

    def fen(self, name: str) -> int:
        """Return an amount in yuan that must be there and is not negative, in fen."""
        return self.minor(name)

    def fen_or_none(self, name: str) -> int | None:
        """As `fen`, None when it is absent."""
        return self.minor_or_none(name)

    def fen_as_given(self, name: str) -> int:
        """Return an amount that the platform gives in fen."""
        value = self.raw(name)
        text = str(value)
        if isinstance(value, bool) or not _WHOLE.fullmatch(text):
            raise self.error(name, f"expected an amount in fen, found {read.kind(value)}")
        return int(Decimal(text))

    def read_instant(self, value: object, *, path: str) -> datetime:
        """Return an instant in Beijing time."""
        return parse_time(value, path=path)

    def at_or_none(self, name: str) -> datetime | None:
        """As `at`, None when it is absent or one of the days that mean "none"."""
        value = self.raw(name)
        if value is None or (isinstance(value, str) and value.startswith(NO_TIME)):
            return None
        return self.at(name)
