"""Records with time indexes, as a list call sees them.

Why two sets of records: on the platform a change is known to the detail call at once and to the lists a moment later,
still under its own change time. That is the late commit every poller must survive.
"""

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
BEHIND_ALL = "\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One page: its rows, whether more follow, and how many there are in all if that was asked for."""

    rows: list[Record]
    has_next: bool
    total: int | None


class Book:
    """Records by id, never changed in place. `times` names the fields by which lists are sorted.

    Times are the platform's texts, which sort as the instants do.
    """

    def __init__(self, id_field: str, times: Sequence[str]) -> None:
        self.id_field = id_field
        self.records: dict[str, Record] = {}
        self._listed: dict[str, Record] = {}
        self._index: dict[str, list[tuple[str, str]]] = {name: [] for name in times}
        self._numbers: dict[str, int] = {}
        self._late: list[tuple[str, int, Record]] = []
        self._count = 0

    def put(self, record: Record, *, listed_from: str = "") -> None:
        """Keep a record; lists show it from the time `listed_from` on (empty: at once)."""
        self._count += 1
        self.records[self.key(record)] = record
        if listed_from:
            heapq.heappush(self._late, (listed_from, self._count, record))
        else:
            self._list(record, self._count)

    def load(self, records: Iterable[Record]) -> None:
        """Keep many records that are all new, quickly."""
        fresh = {self.key(record): record for record in records}
        self.records |= fresh
        self._listed |= fresh
        for name, index in self._index.items():
            index.extend((str(record[name]), key) for key, record in fresh.items())
            index.sort()

    def settle(self, now: str) -> None:
        """Let lists show what is due."""
        while self._late and self._late[0][0] <= now:
            _, number, record = heapq.heappop(self._late)
            self._list(record, number)

    def key(self, record: Record) -> str:
        """Return the id of a record as text."""
        return str(record[self.id_field])

    def page(
        self,
        time_field: str,
        bounds: tuple[str, str],
        *,
        number: int,
        size: int,
        keep: Callable[[Record], bool],
        count: bool,
    ) -> Slice:
        """Return one page of the records within `bounds` (both inclusive), newest first."""
        first = (number - 1) * size
        rows: list[Record] = []
        seen = 0
        for record in self._falling(time_field, bounds):
            if not keep(record):
                continue
            seen += 1
            if first < seen <= first + size:
                rows.append(record)
            elif seen > first + size and not count:
                break
        return Slice(rows=rows, has_next=seen > first + size, total=seen if count else None)

    def _falling(self, time_field: str, bounds: tuple[str, str]) -> Iterator[Record]:
        index = self._index[time_field]
        low = bisect_left(index, (bounds[0], ""))
        high = bisect_right(index, (bounds[1], BEHIND_ALL))
        for position in range(high - 1, low - 1, -1):
            yield self._listed[index[position][1]]

    def _list(self, record: Record, number: int) -> None:
        """Show a record in lists, unless they show a later one already."""
        key = self.key(record)
        if self._numbers.get(key, 0) > number:
            return
        self._numbers[key] = number
        before = self._listed.get(key)
        for name, index in self._index.items():
            at = str(record[name])
            if before is not None:
                if str(before[name]) == at:
                    continue
                del index[bisect_left(index, (str(before[name]), key))]
            insort(index, (at, key))
        self._listed[key] = record
