"""How values look in a table for people: instants in the operator's time zone, money in whole units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Literal

from erpsync.core import instants
from erpsync.languages import ENGLISH, Language
from erpsync.sdk.money import major

Kind = Literal["text", "long", "number", "instant", "status", "word", "free"]
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: which key of a row, under which head, shown how.

    `text` is a name and shown as it is, `free` text is somebody's words and may wrap. `long` text is ours, may wrap and
    is said in the reader's language; `word` and `status` are codes, shown in words.
    """

    key: str
    head: str
    kind: Kind = "text"
    zone: tzinfo | None = None

    @property
    def is_number(self) -> bool:
        """Whether the column is set to the right."""
        return self.kind == "number"

    @property
    def wraps(self) -> bool:
        """Whether the column may take more than one line."""
        return self.kind in ("long", "free")


def cell(row: Mapping[str, Any], column: Column, speech: Language = ENGLISH) -> str:
    """Return the text of a row in a column; what is not known is a dash."""
    value = row.get(column.key)
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return speech.say(YES_NO[not value])
    if column.kind == "instant" and column.zone is not None:
        return local(str(value), column.zone)
    return str(value)


def local(instant: str | None, zone: tzinfo | None) -> str:
    """Return an instant of a view (ISO 8601) as wall-clock time of a zone, to the second."""
    if not instant:
        return "-"
    return instants.local(datetime.fromisoformat(instant), zone)


def money(minor: int | None, currency: str, speech: Language = ENGLISH) -> str:
    """Return an amount as people write it, with its currency; in English by the currency's code."""
    if minor is None:
        return "-"
    amount = major(minor, currency)
    return f"{amount:f} {currency}" if speech is ENGLISH else speech.money(amount, currency)
