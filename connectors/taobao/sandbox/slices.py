"""One page of a list, cut as the platform cuts them: with a look ahead, or with a count of all there is."""

from collections.abc import Iterable
from dataclasses import dataclass

from erpsync.sdk.sandbox.shop import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One page: its rows, whether more follow, and how many there are in all if that was asked for."""

    rows: list[Record]
    has_next: bool
    total: int | None


def slice_of(records: Iterable[Record], *, number: int, size: int, count: bool) -> Slice:
    """Return page `number`; only where all are counted is everything looked at."""
    first = (number - 1) * size
    rows: list[Record] = []
    seen = 0
    for record in records:
        seen += 1
        if first < seen <= first + size:
            rows.append(record)
        elif seen > first + size and not count:
            break
    return Slice(rows=rows, has_next=seen > first + size, total=seen if count else None)
