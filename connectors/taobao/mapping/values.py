"""Single values as this platform writes them."""

from datetime import datetime

from erpsync.sdk import read
from erpsync.sdk.top import BEIJING, format_time, parse_time

__all__ = ["BEIJING", "Fields", "format_time", "parse_time"]


class Fields(read.Fields):
    """Reads the fields of one object. Money is text in yuan with 2 decimals. Source: protocol note taobao.md 3.6."""

    __slots__ = ()

    def id(self, name: str) -> str:
        """Return an id that must be there; `NAME_str` is read where `NAME` is absent."""
        value = self.id_or_none(name) or self.id_or_none(f"{name}_str")
        if value is None:
            raise self.error(name, "expected an id of digits, found nothing")
        return value

    def flag(self, name: str) -> bool:
        """Return whether a mark is set; the platform writes marks as 0/1, as booleans or as their text."""
        return str(self.row.get(name)).lower() in ("1", "true")

    def fen(self, name: str) -> int:
        """Return an amount that must be there and is not negative, in fen."""
        return self.minor(name)

    def fen_or_none(self, name: str) -> int | None:
        """As `fen`, None when it is absent."""
        return self.minor_or_none(name)

    def read_instant(self, value: object, *, path: str) -> datetime:
        """Return an instant in Beijing time."""
        return parse_time(value, path=path)
