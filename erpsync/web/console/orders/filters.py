"""What the list of orders is filtered by: kept in its address, so that it can be linked, kept and gone back to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException

from erpsync.store.views import OrderFilter

NAMES = ("status", "reason", "rule", "tag", "channel", "warehouse", "sku", "from", "to")
"""The parameters of the address; the two dates are days of the operator's zone, both included."""

MOST_CHARS = 200
_EARLIEST, _LATEST = date(1970, 1, 2), date(9998, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The filters that are set, by their names in the address."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Return what a filter is set to, "" where it is not."""
        return self.values.get(name, "")

    @property
    def query(self) -> str:
        """What stands behind the question mark; "" without filters."""
        return urlencode(self.values)

    @property
    def counted(self) -> bool:
        """Whether the counts beside statuses and reasons are those of what is listed, or of its channel."""
        return not any(self[name] for name in ("rule", "tag", "warehouse", "sku", "from", "to"))

    def address(self, path: str = "/orders", **changes: str) -> str:
        """Return the address of a page with these filters, some of them set otherwise."""
        others = {name: value for name, value in self.values.items() if name not in changes}
        query = urlencode({**others, **{name: value for name, value in changes.items() if value}})
        return f"{path}?{query}" if query else path

    def chips(self) -> Iterator[tuple[str, str, str]]:
        """Yield what is set: the filter's name, its value, and the address of the list without it."""
        return ((name, value, self.address(**{name: ""})) for name, value in self.values.items())

    def filter(self, zone: ZoneInfo) -> OrderFilter:
        """Return what the store is asked for; raises `HTTPException` for a day that is none."""
        return OrderFilter(
            channel=self["channel"] or None,
            status=self["status"] or None,
            hold_reason=self["reason"] or None,
            rule=self["rule"] or None,
            tag=self["tag"] or None,
            warehouse=self["warehouse"] or None,
            sku=self["sku"] or None,
            since=_begin(self["from"], zone, days=0),
            until=_begin(self["to"], zone, days=1),
        )


def wanted_of(asked: Mapping[str, str]) -> Wanted:
    """Return the filters that an address sets."""
    values = {name: asked.get(name, "").strip()[:MOST_CHARS] for name in NAMES}
    return Wanted(values={name: value for name, value in values.items() if value})


def _begin(text: str, zone: ZoneInfo, *, days: int) -> datetime | None:
    """Return the first instant of a day, or of one some days later."""
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError:
        day = _LATEST
    if not _EARLIEST <= day < _LATEST:
        raise HTTPException(400, f"“{text}” is no day: write it like 2026-03-31")
    return datetime.combine(day + timedelta(days=days), time(), zone).astimezone(UTC)
