"""Reading what a platform sends, value by value, with the path of each field in the error.

Why here: every connector needs the same few readers, and each that wrote them again was strict in other places. No
error quotes a value, for it may be personal.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from erpsync.sdk.errors import PayloadError

State = TypeVar("State")
MAX_MINOR = 10**14
"""More than that is no amount, and a few more digits no database holds."""

_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_WHOLE = re.compile(r"[0-9]{1,15}")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")
_YEARS = range(1971, 2200)
_BETWEEN = re.compile("([;；])")
_NAMED = re.compile("[:：]")
FLAGS = range(100)
"""Numbers that may be a seller's flag; platforms have half a dozen and add some."""


def kind(value: object) -> str:
    """Return what a value is, without showing it: nothing, or other and its type."""
    return "nothing" if value is None else f"other {type(value).__name__}"


def text(value: object, *, path: str) -> str:
    """Return a text that is not empty. Raises `PayloadError`."""
    if isinstance(value, str) and value:
        return value
    raise PayloadError(f"expected text, found {'nothing' if value == '' else kind(value)}", path=path)


def whole(value: object, *, least: int = 0, most: int = 10**9, path: str) -> int:
    """Return a whole number between `least` and `most`, given as a number or as its digits. Raises `PayloadError`."""
    digits = str(value)
    if isinstance(value, bool | float) or not _WHOLE.fullmatch(digits) or not least <= int(digits) <= most:
        raise PayloadError(f"expected a number from {least}, found {kind(value)}", path=path)
    return int(digits)


def minor(value: object, *, decimals: int = 2, path: str) -> int:
    """Return the minor units of an amount in text (12.50 is 1250), exact, also below zero. Raises `PayloadError`.

    A number is refused: a binary fraction is no amount. So is a fraction of a minor unit.
    """
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        amount = Decimal(value).scaleb(decimals)
        if amount == int(amount) and abs(amount) <= MAX_MINOR:
            return int(amount)
    raise PayloadError(f"expected an amount like 12.50, found {kind(value)}", path=path)


def instant(value: object, *, path: str) -> datetime:
    """Return the instant, in UTC, of ISO 8601 with an offset. Raises `PayloadError`."""
    try:
        return iso(value)
    except ValueError as error:
        raise PayloadError(str(error), path=path) from None


def iso(value: object) -> datetime:
    """As `instant`, for a validator of pydantic: raises `ValueError`."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value if isinstance(value, str) else "")
        if at.tzinfo is not None and at.year in _YEARS:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("expected an instant like 2026-03-02T16:00:00+08:00")


def local(value: object, zone: tzinfo, *, path: str) -> datetime:
    """Return the instant, in UTC, of a time as the clocks in `zone` show it. Raises `PayloadError`."""
    if isinstance(value, str) and _LOCAL.fullmatch(value):
        try:
            return datetime.fromisoformat(value).replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise PayloadError("expected a time like 2026-03-02 08:00:00", path=path)


def choice(value: object, table: Mapping[str, State], *, path: str) -> State:
    """Return what a platform's word means. Raises `PayloadError` for one that the table does not have.

    A word is no person's data and is quoted, cut short: whoever adds it to the table must know it.
    """
    word = text(value, path=path)
    if word not in table:
        raise PayloadError(f"unknown {path.rpartition('.')[2]} {word[:40]!r}", path=path)
    return table[word]


def properties(text: str) -> tuple[tuple[str, str], ...]:
    """Return the (name, value) pairs of a text like `颜色:红色;尺码:M`.

    A part without a name goes on with the one before; a text that begins without one is the value of no name.
    """
    pairs: list[tuple[str, str]] = []
    pieces = _BETWEEN.split(text)
    for mark, part in zip(["", *pieces[1::2]], pieces[::2], strict=True):
        name, *value = _NAMED.split(part, maxsplit=1)
        if value:
            pairs.append((name.strip(), value[0].strip()))
        elif pairs and part.strip():
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}{mark}{part.strip()}")
        elif part.strip():
            pairs.append(("", part.strip()))
    return tuple(pairs)


def enumeration(value: object, kind_: type[StrEnum], *, path: str) -> Any:
    """Return the member of an enumeration that a text names. Raises `PayloadError`."""
    return choice(value, {member.value: member for member in kind_}, path=path)


def problem_of(
    error: ValidationError, *, path: str = "$", leave_out: Collection[str] = (), unknown_status: str = ""
) -> PayloadError:
    """Return what pydantic found, with the path of the first field, and how many more there are.

    Args:
        unknown_status: as of `PayloadError`.
        leave_out: names in pydantic's location that are no fields, such as the tags of a union.
    """
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    first = errors[0]
    parts = [part for part in first["loc"] if part not in leave_out]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    said = first["msg"].removeprefix("Value error, ")
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return PayloadError(f"{said[:1].lower()}{said[1:]}{more}", path=f"{path}{where}", unknown_status=unknown_status)


@dataclass(frozen=True, slots=True)
class Fields:
    """Reads the fields of one object, each with its path. Null and empty text count as absent.

    A platform that writes instants in its own way overrides `read_instant`.
    """

    row: Mapping[str, Any]
    path: str = "$"

    def error(self, name: str, problem: str) -> PayloadError:
        """Return the error for one field."""
        return PayloadError(problem, path=self.path_of(name))

    def path_of(self, name: str) -> str:
        """Return the path of a field."""
        return f"{self.path}.{name}"

    def raw(self, name: str) -> Any:
        """Return the value as it is, None when it is absent."""
        value = self.row.get(name)
        return None if value == "" else value

    def text_or_none(self, name: str) -> str | None:
        """Return a text, None when it is absent."""
        value = self.raw(name)
        return None if value is None else text(value, path=self.path_of(name))

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.text_or_none(name)
        if value is None:
            raise self.error(name, "expected text, found nothing")
        return value

    def id_or_none(self, name: str) -> str | None:
        """Return an id of digits as text, whether it came as a number or as text; None when it is absent or 0."""
        value = self.raw(name)
        if value is None:
            return None
        digits = str(value).strip()
        if isinstance(value, bool | float) or not (digits.isascii() and digits.isdigit()):
            raise self.error(name, f"expected an id of digits, found {kind(value)}")
        return digits if int(digits) else None

    def id(self, name: str) -> str:
        """Return an id that must be there."""
        value = self.id_or_none(name)
        if value is None:
            raise self.error(name, "expected an id of digits, found nothing")
        return value

    def count(self, name: str, *, least: int) -> int:
        """Return a whole number of at least `least`, given as a number or as text."""
        return whole(self.raw(name), least=least, path=self.path_of(name))

    def minor(self, name: str) -> int:
        """Return an amount that must be there and is not negative, in minor units."""
        amount = minor(self.raw(name), path=self.path_of(name))
        if amount < 0:
            raise self.error(name, "expected an amount from 0.00")
        return amount

    def minor_or_none(self, name: str) -> int | None:
        """As `minor`, None when it is absent."""
        return None if self.raw(name) is None else self.minor(name)

    def side_minor(self, name: str) -> int | None:
        """As `minor_or_none`, of an amount that decides nothing: one that makes no sense is left out."""
        try:
            return self.minor_or_none(name)
        except PayloadError:
            return None

    def side_text(self, name: str) -> str | None:
        """As `text_or_none`, of a text that decides nothing: what is no text is left out."""
        try:
            return self.text_or_none(name)
        except PayloadError:
            return None

    def note(self, name: str) -> str | None:
        """Return what a person wrote: empty where the view shows that it is nothing, None where it does not carry it.

        What is no text is left out, as of `side_text`.
        """
        value = self.row.get(name)
        return value if isinstance(value, str) else None

    def seller_flag(self, name: str) -> int | None:
        """Return the number of the seller's flag, None when it is absent or makes no sense."""
        try:
            return whole(self.raw(name), most=FLAGS[-1], path=self.path_of(name))
        except PayloadError:
            return None

    def properties(self, name: str) -> tuple[tuple[str, str], ...] | None:
        """As `properties`, of a field; None when it is absent or no text."""
        value = self.row.get(name)
        return properties(value) if isinstance(value, str) else None

    def read_instant(self, value: object, *, path: str) -> datetime:
        """Return an instant as this platform writes it; ISO 8601 with an offset unless overridden."""
        return instant(value, path=path)

    def at(self, name: str) -> datetime:
        """Return an instant that must be there."""
        return self.read_instant(self.raw(name), path=self.path_of(name))

    def at_or_none(self, name: str) -> datetime | None:
        """As `at`, None when it is absent."""
        return None if self.raw(name) is None else self.at(name)

    def choice(self, name: str, table: Mapping[str, State]) -> State:
        """Return what the platform's word in a field means."""
        return choice(self.raw(name), table, path=self.path_of(name))

    def part(self, name: str) -> Self | None:
        """Return the reader of an object inside this one, None when it is absent."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(name, f"expected an object, found {kind(value)}")
        return type(self)(value, self.path_of(name))

    def parts(self, name: str) -> list[Self]:
        """Return a reader per row of a list; absent is an empty one."""
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.error(name, "expected a list of objects")
        return [type(self)(row, f"{self.path_of(name)}[{index}]") for index, row in enumerate(value)]
