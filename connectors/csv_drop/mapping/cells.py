"""What a single cell says: identifiers, quantities, money and instants, exact or refused.

Why so strict: a cell that was damaged by a spreadsheet program looks almost right, and a guess would ship the wrong
goods. Messages quote a cell only when it is a short number, because shifted columns put names and phones anywhere.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from erpsync.sdk.currencies import require_currency
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.text import cut_to, quoted

MAX_QTY = 1_000_000_000
MAX_MINOR = 10**15
USUAL_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
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

_MARKS = "\ufeff\u200b\u3000\xa0 \t\r\n"
_CUT_BY_SPREADSHEET = re.compile(r"[-+]?\d(?:[.,]\d+)?[Ee]\+\d+")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?|[-+]?\.[0-9]+")
_THOUSANDS = re.compile(r"[-+]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_CURRENCY_SIGNS = re.compile(r"[¥$€£元]|RMB|CNY|USD|EUR|GBP|HKD", re.IGNORECASE)
_NOTHING = frozenset({"", "-", "--", "null", "none", "nan", "n/a", "\\n"})
_NO_INSTANT = frozenset({"0000-00-00", "0000-00-00 00:00:00"})
_EXPONENTS = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "ISK": 0,
    "PYG": 0,
    "BHD": 3,
    "JOD": 3,
    "KWD": 3,
    "OMR": 3,
    "TND": 3,
}
"""Minor digits that are not 2. Source: ISO 4217."""


def clean(text: str) -> str:
    """Return a cell without white space and without what spreadsheet programs put around text: ="1", '1, tabs."""
    text = text.strip(_MARKS)
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1].strip(_MARKS)
    return text.removeprefix("'").strip(_MARKS)


def is_cut(text: str) -> bool:
    """Return whether a spreadsheet program replaced digits by an exponent, as in 1.23E+17."""
    return _CUT_BY_SPREADSHEET.fullmatch(text) is not None


def identifier(text: str, field: str) -> str:
    """Return an id exactly as written. Raises `PayloadError` if digits are lost."""
    if is_cut(text):
        raise PayloadError(f"a spreadsheet program cut the digits of this number{cut_to(text)}", path=field)
    return text


def quantity(text: str, field: str) -> int:
    """Return a whole number of units, 1 or more; `2.00` and `1,000` count."""
    amount = _decimal(text)
    if amount is None or amount != amount.to_integral_value():
        raise PayloadError(f"is not a whole number{quoted(text)}", path=field)
    if not 0 < amount <= MAX_QTY:
        raise PayloadError(f"must be 1 or more, is {int(amount)}" if amount <= 0 else "is too large", path=field)
    return int(amount)


def minor_units(text: str, currency: str, field: str, *, signed: bool = False) -> int | None:
    """Return an amount such as `¥1,234.50` in minor units, exact; None if the cell is empty.

    Args:
        signed: whether a minus may stand before the amount; it is dropped (discounts are written either way).
    """
    if not text or text.casefold() in _NOTHING:
        return None
    amount = _decimal(text)
    if amount is None:
        amount = _decimal(_CURRENCY_SIGNS.sub("", unicodedata.normalize("NFKC", text)))
    if amount is None:
        raise PayloadError(f"expected an amount like 12.50{quoted(text)}", path=field)
    if amount < 0 and not signed:
        raise PayloadError(f"an amount cannot be negative{quoted(text)}", path=field)
    minor = abs(amount).scaleb(_EXPONENTS.get(currency, 2))
    if minor != minor.to_integral_value():
        raise PayloadError(f"has more decimals than {currency} has{quoted(text)}", path=field)
    if minor > MAX_MINOR:
        raise PayloadError("amount is too large", path=field)
    return int(minor)


def instant(text: str, formats: Iterable[str], zone: ZoneInfo, field: str) -> datetime | None:
    """Return an instant in UTC, read in `zone` unless it says its own offset; None if the cell is empty."""
    if not text or text.casefold() in _NOTHING or text in _NO_INSTANT:
        return None
    when = _first_reading(text, formats)
    if when is None or not 1990 <= when.year <= 2100:
        raise PayloadError("expected a date and time like 2026-03-02 16:00:00", path=field)
    return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)


def currency_code(text: str) -> str:
    """Return an ISO 4217 code in upper case."""
    code = text.upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise PayloadError("expected a currency code like CNY", path="currency")
    require_currency(code)
    return code


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


def _decimal(text: str) -> Decimal | None:
    """Return an exact number of at most 40 characters; full-width digits and commas between thousands are read."""
    if _NUMBER.fullmatch(text) is None:
        text = unicodedata.normalize("NFKC", text).replace(" ", "")
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
    return Decimal(text) if _NUMBER.fullmatch(text) and len(text) <= 40 else None
