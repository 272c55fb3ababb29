"""Records with time indexes, as a list call sees them.

Why two sets of records: on the platform a change is known to the detail call at once and to the lists a moment later,
still under its own change time. That is the late commit every poller must survive.
"""

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
BEHIND_ALL = "\U0010ffff"


class Book:
    """Records by id, never changed in place. `times` names the fields by which lists are cut.

    Times are the platform's texts, which sort as the instants do; a record with an empty one is in no window.
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
        self.records[str(record[self.id_field])] = record
        if listed_from:
            heapq.heappush(self._late, (listed_from, self._count, record))
        else:
            self._list(record, self._count)

    def load(self, records: Iterable[Record]) -> None:
        """Keep many records that are all new, quickly."""
        fresh = {str(record[self.id_field]): record for record in records}
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

    def within(
        self, time_field: str, low: str, high: str, *, keep: Callable[[Record], bool], end_inside: bool
    ) -> list[Record]:
        """Return the records of a window by rising time; its left end belongs to it."""
        index = self._index[time_field]
        first = bisect_left(index, (low, ""))
        last = bisect_right(index, (high, BEHIND_ALL)) if end_inside else bisect_left(index, (high, ""))
        found = (self._listed[key] for _, key in index[first:last])
        return [record for record in found if keep(record)]

    def _list(self, record: Record, number: int) -> None:
        """Show a record in lists, unless they show a later one already."""
        key = str(record[self.id_field])
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
