"""Single values: money, times, ids and counts.

Why a reader object: each value is taken with the path of its field, so that an error names it without every caller
spelling the path.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from erpsync.sdk.errors import PayloadError

BEIJING = timezone(timedelta(hours=8))
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
NO_TIME = ("0001-01-01", "1970-01-01")
"""Days that mean "none". Source: protocol note jd.md section 3.2."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?")
_MILLISECONDS = re.compile(r"[0-9]{12,13}")
_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_COUNT = re.compile(r"[0-9]{1,9}")
_WHOLE = re.compile(r"[0-9]{1,12}(\.0{1,4})?")


def format_time(at: datetime) -> str:
    """Return an instant as the platform writes it: Beijing time, whole seconds, rounded down."""
    return at.astimezone(BEIJING).strftime(TIME_FORMAT)


def parse_time(value: object, *, path: str) -> datetime:
    """Return the instant of a platform time in UTC, whole seconds. Raises `PayloadError`.

    Source: protocol note jd.md sections 3.2 and 6: Beijing time `yyyy-MM-dd HH:mm:ss`; some services write epoch
    milliseconds.
    """
    try:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.fromisoformat(value).replace(tzinfo=BEIJING, microsecond=0).astimezone(UTC)
        if not isinstance(value, bool) and _MILLISECONDS.fullmatch(str(value)):
            return datetime.fromtimestamp(int(str(value)) // 1000, UTC)
    except (ValueError, OverflowError):
        pass
    raise PayloadError("expected a time like 2026-03-02 08:00:00", path=path)


def parse_amount(value: object, *, path: str) -> int:
    """Return fen for a text in yuan, exact; a fraction of a fen is refused. Raises `PayloadError`.

    Source: protocol note jd.md section 3.2: nearly everything is text, money in yuan with 2 decimals.
    """
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        fen = Decimal(value) * 100
        if fen == int(fen):
            return int(fen)
    raise PayloadError(f"expected an amount like 12.50, found {type(value).__name__}", path=path)


@dataclass(frozen=True, slots=True)
class Fields:
    """Reads the fields of one object. Null and empty text count as absent, as the platform writes both for nothing."""

    row: Mapping[str, Any]
    path: str

    def error(self, name: str, problem: str) -> PayloadError:
        """Return the error for one field."""
        return PayloadError(problem, path=f"{self.path}.{name}")

    def raw(self, name: str) -> Any:
        """Return the value as it is, None when it is absent."""
        value = self.row.get(name)
        return None if value == "" else value

    def text_or_none(self, name: str) -> str | None:
        """Return a text, None when it is absent; a number counts as its text."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, bool | float) or not isinstance(value, str | int):
            raise self.error(name, f"expected text, found {type(value).__name__}")
        return str(value).strip() or None

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.text_or_none(name)
        if value is None:
            raise self.error(name, "expected text, found nothing")
        return value

    def id_or_none(self, name: str) -> str | None:
        """Return an id as text, whether it came as a number or as text; None when it is absent or 0."""
        text = self.text_or_none(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()):
            raise self.error(name, "expected an id of digits")
        return text if int(text) else None

    def id(self, name: str) -> str:
        """Return an id that must be there."""
        value = self.id_or_none(name)
        if value is None:
            raise self.error(name, "expected an id of digits, found nothing")
        return value

    def count(self, name: str, *, least: int) -> int:
        """Return a whole number of at least `least`, given as a number or as text."""
        value = self.raw(name)
        text = str(value)
        if isinstance(value, bool | float) or not _COUNT.fullmatch(text) or int(text) < least:
            raise self.error(name, f"expected a number from {least}, found {type(value).__name__}")
        return int(text)

    def fen(self, name: str) -> int:
        """Return an amount in yuan that must be there and is not negative, in fen."""
        amount = parse_amount(self.raw(name), path=f"{self.path}.{name}")
        if amount < 0:
            raise self.error(name, "expected an amount from 0.00")
        return amount

    def fen_or_none(self, name: str) -> int | None:
        """As `fen`, None when it is absent."""
        return None if self.raw(name) is None else self.fen(name)

    def fen_as_given(self, name: str) -> int:
        """Return an amount that the platform gives in fen."""
        value = self.raw(name)
        text = str(value)
        if isinstance(value, bool) or not _WHOLE.fullmatch(text):
            raise self.error(name, f"expected an amount in fen, found {type(value).__name__}")
        return int(Decimal(text))

    def at(self, name: str) -> datetime:
        """Return an instant that must be there."""
        return parse_time(self.raw(name), path=f"{self.path}.{name}")

    def at_or_none(self, name: str) -> datetime | None:
        """As `at`, None when it is absent or one of the days that mean "none"."""
        value = self.raw(name)
        if value is None or (isinstance(value, str) and value.startswith(NO_TIME)):
            return None
        return self.at(name)

    def part(self, name: str) -> "Fields | None":
        """Return the reader of an object inside this one, None when it is absent."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(name, f"expected an object, found {type(value).__name__}")
        return Fields(value, f"{self.path}.{name}")

    def parts(self, name: str) -> list["Fields"]:
        """Return a reader per row of a list; absent is an empty one."""
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.error(name, "expected a list of objects")
        return [Fields(row, f"{self.path}.{name}[{index}]") for index, row in enumerate(value)]
