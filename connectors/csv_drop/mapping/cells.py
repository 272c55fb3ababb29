"""What a single cell says: identifiers, quantities, money and instants, exact or refused.

Why so strict: a cell that was damaged by a spreadsheet program looks almost right, and a guess would ship the wrong
goods. Messages quote a cell only when it is a short number, because shifted columns put names and phones anywhere.
"""

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.money import decimals, require_currency
from erpsync.sdk.sheets import amount_of, has_lost_digits
from erpsync.sdk.text import cut_to, quoted

MAX_QTY = 1_000_000_000
MAX_MINOR = 10**15
_CURRENCY_SIGNS = re.compile(r"[¥$€£元]|RMB|CNY|USD|EUR|GBP|HKD", re.IGNORECASE)


def identifier(text: str, field: str) -> str:
    """Return an id exactly as written. Raises `PayloadError` if digits are lost."""
    if has_lost_digits(text):
        raise PayloadError(f"a spreadsheet program cut the digits of this number{cut_to(text)}", path=field)
    return text


def quantity(text: str, field: str, *, least: int = 1) -> int:
    """Return a whole number of units, `least` or more; `2.00` and `1,000` count."""
    amount = amount_of(text)
    if amount is None or amount != amount.to_integral_value():
        raise PayloadError(f"is not a whole number{quoted(text)}", path=field)
    if not least <= amount <= MAX_QTY:
        small = f"must be {least} or more, is {int(amount)}"
        raise PayloadError(small if amount < least else "is too large", path=field)
    return int(amount)


def minor_units(text: str, currency: str, field: str, *, signed: bool = False) -> int | None:
    """Return an amount such as `¥1,234.50` in minor units, exact; None if the cell is empty.

    Args:
        signed: whether a minus may stand before the amount; it is dropped (discounts are written either way).
    """
    minor = exact_minor(text, currency, field) if text else None
    if minor is None:
        return None
    if minor < 0 and not signed:
        raise PayloadError(f"an amount cannot be negative{quoted(text)}", path=field)
    if minor != minor.to_integral_value():
        raise PayloadError(f"has more decimals than {currency} has{quoted(text)}", path=field)
    return int(abs(minor))


def exact_minor(text: str, currency: str, field: str) -> Decimal | None:
    """Return an amount in minor units and parts of them, with its sign; None if the cell is empty."""
    if not text:
        return None
    amount = amount_of(text)
    if amount is None:
        amount = amount_of(_CURRENCY_SIGNS.sub("", unicodedata.normalize("NFKC", text)))
    if amount is None:
        raise PayloadError(f"expected an amount like 12.50{quoted(text)}", path=field)
    minor = amount.scaleb(decimals(currency))
    if abs(minor) > MAX_MINOR:
        raise PayloadError("amount is too large", path=field)
    return minor


def whole_minor(amount: Decimal | int) -> int:
    """Return an amount rounded to whole minor units, halves away from zero."""
    return amount if isinstance(amount, int) else int(amount.quantize(Decimal(1), ROUND_HALF_UP))


@lru_cache(256)
def currency_code(text: str) -> str:
    """Return an ISO 4217 code in upper case."""
    code = text.upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise PayloadError("expected a currency code like CNY", path="currency")
    require_currency(code)
    return code
