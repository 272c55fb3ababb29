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
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_COUNT = re.compile(r"[0-9]{1,9}")


def format_time(at: datetime) -> str:
    """Return an instant as the platform writes it: Beijing time, whole seconds, rounded down."""
    return at.astimezone(BEIJING).strftime(TIME_FORMAT)


def parse_time(value: object, *, path: str) -> datetime:
    """Return the instant of a platform time in UTC. Raises `PayloadError`.

    Source: protocol note taobao.md section 3.6: Beijing time `yyyy-MM-dd HH:mm:ss`.
    """
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value).replace(tzinfo=BEIJING).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise PayloadError("expected a time like 2026-03-02 08:00:00", path=path)


def parse_amount(value: object, *, path: str) -> int:
    """Return fen for a text in yuan, exact; a fraction of a fen is refused. Raises `PayloadError`.

    Source: protocol note taobao.md section 3.6: money is text, yuan, 2 decimals.
    """
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        fen = Decimal(value) * 100
        if fen == int(fen):
            return int(fen)
    raise PayloadError(f"expected an amount like 12.50, found {_kind(value)}", path=path)


@dataclass(frozen=True, slots=True)
class Fields:
    """Reads the fields of one object. Null and empty text count as absent, as the platform leaves both out."""

    row: Mapping[str, Any]
    path: str

    def raw(self, name: str) -> Any:
        """Return the value as it is, None when it is absent."""
        value = self.row.get(name)
        return None if value == "" else value

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.text_or_none(name)
        if value is None:
            raise self.error(name, "expected text, found nothing")
        return value

    def text_or_none(self, name: str) -> str | None:
        """Return a text, None when it is absent."""
        value = self.raw(name)
        if value is not None and not isinstance(value, str):
            raise self.error(name, f"expected text, found {_kind(value)}")
        return value

    def id_or_none(self, name: str) -> str | None:
        """Return an id as text, whether it came as a number or as text; None when it is absent or 0."""
        value = self.raw(name)
        if value is None:
            return None
        text = str(value)
        if isinstance(value, bool | float) or not (text.isascii() and text.isdigit()):
            raise self.error(name, f"expected an id of digits, found {_kind(value)}")
        return text if int(text) else None

    def id(self, name: str) -> str:
        """Return an id that must be there; `NAME_str` is read where `NAME` is absent."""
        value = self.id_or_none(name) or self.id_or_none(f"{name}_str")
        if value is None:
            raise self.error(name, "expected an id of digits, found nothing")
        return value

    def count(self, name: str, *, least: int) -> int:
        """Return a whole number of at least `least`, given as a number or as text."""
        value = self.raw(name)
        text = str(value)
        if isinstance(value, bool | float) or not _COUNT.fullmatch(text) or int(text) < least:
            raise self.error(name, f"expected a number from {least}, found {_kind(value)}")
        return int(text)

    def flag(self, name: str) -> bool:
        """Return whether a mark is set; the platform writes marks as 0/1, as booleans or as their text."""
        return str(self.row.get(name)).lower() in ("1", "true")

    def fen(self, name: str) -> int:
        """Return an amount that must be there and is not negative, in fen."""
        amount = parse_amount(self.raw(name), path=f"{self.path}.{name}")
        if amount < 0:
            raise self.error(name, "expected an amount from 0.00")
        return amount

    def fen_or_none(self, name: str) -> int | None:
        """As `fen`, None when it is absent."""
        return None if self.raw(name) is None else self.fen(name)

    def at(self, name: str) -> datetime:
        """Return an instant that must be there."""
        return parse_time(self.raw(name), path=f"{self.path}.{name}")

    def at_or_none(self, name: str) -> datetime | None:
        """As `at`, None when it is absent."""
        return None if self.raw(name) is None else self.at(name)

    def error(self, name: str, problem: str) -> PayloadError:
        """Return the error for the field `name`."""
        return PayloadError(problem, path=f"{self.path}.{name}")


def _kind(value: object) -> str:
    """Return what a value is, without showing it: it may be personal."""
    return "nothing" if value is None else f"other {type(value).__name__}"
