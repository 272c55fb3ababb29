"""What the cells of an exported file look like.

Why the signs in front of some cells: a spreadsheet runs what begins like a formula, and rounds the last digits of a
long number away. Why more of them than `erpsync.sdk.formulas` sets: those files go to programs, which read a signed
number as one; these are opened by people, and nothing in them but quantities and amounts is meant as a number.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from erpsync.core.instants import local
from erpsync.languages import Language

BOM = "\ufeff"
"""By it Excel knows that a file is UTF-8, and does not show Chinese as other signs."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")  # the last, because readers take one apostrophe off
_LONG_NUMBER = re.compile(r"\d{16,}", re.ASCII)
_TURNED = re.compile(
    r"0\d+|\d{12,}|[\d.,]*[.,][\d.,]*|\d+e\d+|\d+[-/:]\d+([-/:]\d+)?|true|false"
    r"|(\d{1,2}[- ]?)?(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?"
    r"|sep(tember)?|oct(ober)?|nov(ember)?|dec(ember)?)[- ]?(\d{1,4})?",
    re.ASCII | re.IGNORECASE,
)
"""What a spreadsheet takes for a number, a day or a time, and writes otherwise when it saves: 00123, 1E5, 3-4, MAR1."""


def cell(text: str) -> str:
    """Return a text as a spreadsheet shows it and does not run or round it."""
    return f"'{text}" if text.startswith(_FORMULA) or _LONG_NUMBER.fullmatch(text) else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a file, UTF-8: how many rows are in it, and how many there may be in all, None where nobody knows."""

    content: bytes
    rows: int = 0
    of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """For whom a file is written.

    Args:
        speech: the reader's language, for heads and states.
        zone: the reader's, for instants.
        plain: for a program: codes for words, instants in UTC, cells as they are, and no byte-order mark.
    """

    speech: Language
    zone: tzinfo
    plain: bool = False

    def head(self, codes: Sequence[str], words: Sequence[str]) -> Piece:
        """Return the head of a file; `words` are what people read above the columns that programs know by `codes`."""
        names = codes if self.plain else [cell(self.speech.say(word)) for word in words]
        return Piece(content=("" if self.plain else BOM).encode() + lines([names]))

    def text(self, text: str | None) -> str:
        """Return the cell of somebody's text."""
        return (text or "") if self.plain else cell(text or "")

    def identity(self, text: str) -> str:
        """Return the cell of a code that has to come back as it is from whatever program saves the file."""
        return f"'{text}" if not self.plain and _TURNED.fullmatch(text) else self.text(text)

    def code(self, code: str | None) -> str:
        """Return the cell of a code of ours, in words for people."""
        return (code or "") if self.plain else self.speech.phrase(code or "")

    def word(self, code: str, words: Mapping[str, str]) -> str:
        """Return the cell of a code that people read in words of its own, which `words` holds."""
        return code if self.plain else cell(self.speech.say(words[code]))

    def at(self, instant: str | None) -> str:
        """Return the cell of an instant that a view has written."""
        if instant is None or self.plain:
            return instant or ""
        return local(datetime.fromisoformat(instant), self.zone)


def lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as lines of a CSV file."""
    page = io.StringIO()
    csv.writer(page, lineterminator="\r\n").writerows(rows)
    return page.getvalue().encode("utf-8", "replace")
