"""What a row of goods data says, cell by cell: numbers with their units, a barcode, money with its currency, words.

Why units may stand in the cell: people weigh in grams and in kilograms, and a number alone would be taken for either.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from unicodedata import category, normalize

from erpsync.sdk.money import CURRENCIES, decimals
from erpsync.sdk.sheets import amount_of, has_lost_digits

FIELDS = ("title", "barcode", "weight_g", "volume_cm3", "floor", "currency", "tags", "shelf")
UNSET = "-"
LONGEST = 1000
LONGEST_CODE = 64
MOST_TAGS = 50
MOST = 10**12

GRAMS = {"": 1, "g": 1, "克": 1, "kg": 1000, "千克": 1000, "公斤": 1000}
CUBIC_CM = {
    "": 1, "cm3": 1, "cm³": 1, "立方厘米": 1, "ml": 1, "毫升": 1,
    "l": 1000, "升": 1000, "m3": 10**6, "m³": 10**6, "立方米": 10**6,
}  # fmt: skip
_QUANTITY = re.compile(r"([0-9.,]+)\s*(\D.*)?", re.ASCII)
_SIDES = re.compile(r"([0-9.]+)\s*[x*×]\s*([0-9.]+)\s*[x*×]\s*([0-9.]+)\s*(?:cm|厘米)?")
_BARCODE = re.compile(r"[0-9A-Za-z._/+-]+")
_GTIN_DIGITS = (8, 12, 13, 14)
_BETWEEN_TAGS = re.compile(r"[,，;；、|]")

Value = int | str | tuple[str, ...] | None


class BadCell(Exception):
    """A cell that cannot be taken; the text says why."""


@dataclass(slots=True, kw_only=True)
class Said:
    """What a row says.

    Args:
        values: by column of `sku`, those that are to be set; None or an empty one unsets.
        shelf: where it lies in the row's warehouse; empty unsets, None says nothing.
        problems: what is wrong, cell by cell; such a row is not taken.
        notes: what looks wrong and is taken all the same.
    """

    values: dict[str, Value] = field(default_factory=dict)
    shelf: str | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_cells(cells: Mapping[str, str]) -> Said:
    """Return what the cells of a row say; an empty one says nothing and `-` unsets."""
    said = Said()
    for name in FIELDS:
        cell = cells.get(name, "").strip()
        if not cell or name == "currency":
            continue
        try:
            if name == "floor":
                said.values |= _floor(cell, cells.get("currency", "").strip())
            elif name == "shelf":
                said.shelf = "" if cell == UNSET else _words(cell, name)
            else:
                said.values[name] = _READERS[name](cell)
        except BadCell as problem:
            said.problems.append(str(problem))
    code = said.values.get("barcode")
    if isinstance(code, str) and is_gtin(code) and not has_right_check_digit(code):
        said.notes.append(f"the check digit of barcode {code} is wrong: a digit may be mistyped")
    return said


def is_gtin(code: str) -> bool:
    """Whether a code has as many digits as a GTIN (EAN-8, UPC-A, EAN-13, GTIN-14)."""
    return code.isascii() and code.isdecimal() and len(code) in _GTIN_DIGITS


def has_right_check_digit(code: str) -> bool:
    """Whether the last digit of a GTIN checks the others.

    Source: GS1 General Specifications, section 7.9.1: weights 3 and 1 from the right, up to the next ten.
    """
    digits = [int(digit) for digit in reversed(code)]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0


def as_barcode(text: str) -> str:
    """Return a barcode as it is compared: without width, spaces and dashes, as scanners and people write it."""
    return re.sub(r"[\s-]", "", normalize("NFKC", text))


def _barcode(cell: str) -> str:
    if cell == UNSET:
        return ""
    if has_lost_digits(cell):
        raise BadCell(f"barcode is {cell}: a spreadsheet shortened it, format the column as text")
    code = as_barcode(cell)
    if len(code) > LONGEST_CODE or not _BARCODE.fullmatch(code):
        raise BadCell(f"barcode must be up to {LONGEST_CODE} letters and digits, is {cell[:LONGEST_CODE]}")
    return code


def _title(cell: str) -> str:
    return "" if cell == UNSET else _words(cell, "title")


def _words(cell: str, name: str) -> str:
    if len(cell) > LONGEST:
        raise BadCell(f"{name} holds {len(cell)} characters, more than {LONGEST}")
    if any(category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in cell):
        raise BadCell(f"{name} holds a line end or control character")
    return cell


def _tags(cell: str) -> tuple[str, ...]:
    if cell == UNSET:
        return ()
    tags = {tag for part in _BETWEEN_TAGS.split(_words(cell, "tags")) if (tag := part.strip())}
    if len(tags) > MOST_TAGS:
        raise BadCell(f"tags are {len(tags)}, more than {MOST_TAGS}")
    return tuple(sorted(tags))


def _weight(cell: str) -> int | None:
    return None if cell == UNSET else _quantity(cell, "weight_g", GRAMS, "g or kg")


def _volume(cell: str) -> int | None:
    if cell == UNSET:
        return None
    sides = _SIDES.fullmatch(normalize("NFKC", cell).lower())
    if sides is None:
        return _quantity(cell, "volume_cm3", CUBIC_CM, "cm3, l or m3, or three sides in cm such as 30x20x5")
    lengths = [_amount(side, cell, "volume_cm3") for side in sides.groups()]
    return _whole(lengths[0] * lengths[1] * lengths[2], cell, "volume_cm3")


def _quantity(cell: str, name: str, units: Mapping[str, int], known: str) -> int:
    read = _QUANTITY.fullmatch(normalize("NFKC", cell).lower())
    if read is None:
        raise BadCell(f"{name} must be a number from 0, is {cell[:LONGEST_CODE]}")
    unit = (read[2] or "").strip()
    if unit not in units:
        raise BadCell(f"the unit of {name} must be {known}, is {unit[:LONGEST_CODE]}")
    return _whole(_amount(read[1], cell, name) * units[unit], cell, name)


def _amount(text: str, cell: str, name: str) -> Decimal:
    amount = amount_of(text)
    if amount is None:
        raise BadCell(f"{name} must be a number from 0, is {cell[:LONGEST_CODE]}")
    return amount


def _whole(amount: Decimal, cell: str, name: str) -> int:
    """Return a whole number that is not less: what is packed is never lighter or smaller than is said."""
    if not 0 <= amount < MOST:
        raise BadCell(f"{name} must be a number from 0, is {cell[:LONGEST_CODE]}")
    return int(amount.to_integral_value(ROUND_CEILING))


def _floor(cell: str, currency: str) -> dict[str, Value]:
    if cell == UNSET:
        return {"floor_minor": None, "floor_currency": ""}
    if currency in ("", UNSET):
        raise BadCell("the floor price needs a currency, for example CNY")
    code = currency.upper()
    if code not in CURRENCIES:
        raise BadCell(f"there is no currency {currency[:LONGEST_CODE]}")
    amount = amount_of(cell)
    if amount is None or not 0 <= amount < MOST:
        raise BadCell(f"floor must be an amount from 0, is {cell[:LONGEST_CODE]}")
    minor = amount.scaleb(decimals(code))
    if minor != minor.to_integral_value():
        raise BadCell(f"floor {cell[:LONGEST_CODE]} has more digits behind its point than {code} has")
    return {"floor_minor": int(minor), "floor_currency": code}


_READERS: Mapping[str, Callable[[str], Value]] = {
    "title": _title,
    "barcode": _barcode,
    "weight_g": _weight,
    "volume_cm3": _volume,
    "tags": _tags,
}


def contradiction(said: Said, first: dict[tuple[str, str], tuple[Value, str]], sku: str, source: str) -> Iterable[str]:
    """Yield where a row says something else of a SKU than an earlier one of the same import did.

    Args:
        first: what was said of each SKU, by (SKU, column), with its source; what this row says is added.
    """
    for name, value in said.values.items():
        known, place = first.setdefault((sku, name), (value, source))
        if known != value:
            yield f"{name} of {sku} is another one on {place}" if place else f"{name} of {sku} is given twice"
