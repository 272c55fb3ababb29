"""What stands in a cell once what programs put around it is gone.

Why a word for nothing is nothing everywhere: an export that writes `null` where no phone is would otherwise name a
recipient, a seller code or a courier of that name.
"""

import re
import unicodedata
from decimal import Decimal

_MARKS = "\ufeff\u200b\u3000\xa0 \t\r\n"
_SIGNS = frozenset("'`\u2019\u00b4")
"""What is put before digits so that a spreadsheet program leaves them alone, as typed on any keyboard."""
_WRAPS = _SIGNS | {"="}
_NOTHING = frozenset(
    {"-", "--", "---", "null", "(null)", "<null>", "none", "nil", "nan", "n/a", "#n/a", "\\n", "无", "—", "——"}
)
_LONGEST_NOTHING = 6
_LOST_DIGITS = re.compile(r"[-+]?\d(?:[.,]\d+)?[Ee]\+\d+")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?|[-+]?\.[0-9]+")
_THOUSANDS = re.compile(r"[-+]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_LONGEST_NUMBER = 40


def tidy(text: str) -> str:
    """Return a header or status text without the white space and marks that programs leave around it."""
    return text.strip().strip("\ufeff\u3000\u200b").strip()


def clean(text: str) -> str:
    """Return what a cell says: nothing for a word that stands for nothing.

    White space goes, and what keeps digits from becoming a number: ="1", '1, `1. Digits of full width become plain.
    """
    text = text.strip(_MARKS)
    if text[:1] in _WRAPS:
        if text[:2] == '="' and text[-1] == '"':
            text = text[2:-1].strip(_MARKS)
        if text[:1] in _SIGNS:
            text = text[1:].strip(_MARKS)
    if len(text) <= _LONGEST_NOTHING and text.casefold() in _NOTHING:
        return ""
    if text.isdecimal() and not text.isascii():
        return unicodedata.normalize("NFKC", text)
    return text


def has_lost_digits(text: str) -> bool:
    """Return whether a spreadsheet program replaced digits by an exponent, as in 1.23E+17."""
    return _LOST_DIGITS.fullmatch(text) is not None


def amount_of(text: str) -> Decimal | None:
    """Return an exact number of at most 40 characters; full-width digits and commas between thousands are read."""
    if _NUMBER.fullmatch(text) is None:
        text = unicodedata.normalize("NFKC", text).replace(" ", "")
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
    return Decimal(text) if _NUMBER.fullmatch(text) and len(text) <= _LONGEST_NUMBER else None
