"""A shop kept in memory: records with time indexes, as a list call sees them, and what buyers find on sale.

Why two sets of records: on the platform a change is known to the detail call at once and to the lists a moment later,
still under its own change time. That is the late commit every poller must survive.
"""

import heapq
import threading
from abc import abstractmethod
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox.base import Sandbox
from erpsync.sdk.sandbox.faults import Fault, FaultPlan

Record = Mapping[str, Any]
BEHIND_ALL = "\U0010ffff"


class SoldOut(Exception):
    """The shop shows fewer units than the buyer wants."""


class Book:
    """Records by id, never changed in place. `times` names the fields by which lists are cut and sorted.

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
        self.records[self._key(record)] = record
        if listed_from:
            heapq.heappush(self._late, (listed_from, self._count, record))
        else:
            self._list(record, self._count)

    def load(self, records: Iterable[Record]) -> None:
        """Keep many records that are all new, quickly."""
        fresh = {self._key(record): record for record in records}
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
        self, time_field: str, low: str, high: str, *, end_inside: bool = True, newest_first: bool = False
    ) -> Iterator[Record]:
        """Yield the records of a window by time; its left end belongs to it."""
        index = self._index[time_field]
        first = bisect_left(index, (low, ""))
        last = bisect_right(index, (high, BEHIND_ALL)) if end_inside else bisect_left(index, (high, ""))
        positions = range(last - 1, first - 1, -1) if newest_first else range(first, last)
        return (self._listed[index[position][1]] for position in positions)

    def _key(self, record: Record) -> str:
        return str(record[self.id_field])

    def _list(self, record: Record, number: int) -> None:
        """Show a record in lists, unless they show a later one already."""
        key = self._key(record)
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


class ShopSandbox(Sandbox):
    """The state of one shop. Guarded by one lock; records are replaced, never changed.

    Attributes:
        ahead: by how much the platform's clock is ahead of the given one.
        late_s: how many seconds lists are behind where the fault plan says so.
    """

    def __init__(self, *, clock: Clock, faults: FaultPlan | None = None) -> None:
        super().__init__(faults=faults)
        self.clock = clock
        self.ahead = timedelta(0)
        self.late_s = 2.0
        self.lock = threading.RLock()
        self._last = 0
        self._hidden: dict[str, int] = {}

    @abstractmethod
    def time_text(self, at: datetime) -> str:
        """Return an instant as the platform writes it."""

    @abstractmethod
    def stock(self) -> Mapping[str, int]:
        """Return the units shown, by the platform's reference."""

    def hide(self, external_id: str, times: int = 1) -> None:
        """Leave an order out of the next `times` list answers that would show it; 0 shows it again."""
        with self.lock:
            self._hidden[external_id] = times

    def left_out(self, external_id: str) -> bool:
        """Whether an order is to be left out of the list answer being made; it counts as one of the times."""
        left = self._hidden.get(external_id, 0)
        self._hidden[external_id] = max(0, left - 1)
        return left > 0

    def now(self) -> datetime:
        """Return the platform's clock: the given one, plus `ahead`."""
        return self.clock.now() + self.ahead

    def now_text(self, *, plus_s: float = 0.0) -> str:
        """Return the platform's clock as it writes times."""
        return self.time_text(self.now() + timedelta(seconds=plus_s))

    def next_number(self) -> int:
        """Return a number never given before."""
        with self.lock:
            self._last += 1
            return self._last

    def save(self, book: Book, record: Record) -> None:
        """Keep a changed record; the fault plan may let lists see it late."""
        late = self.faults.strikes(Fault.LATE)
        book.put(record, listed_from=self.now_text(plus_s=self.late_s) if late else "")

    def demand_shown(self, refs: Sequence[tuple[str, int]]) -> dict[str, int]:
        """Return the units wanted by reference. Raises `SoldOut` when the shop shows fewer of any."""
        wanted: dict[str, int] = {}
        for ref, units in refs:
            wanted[ref] = wanted.get(ref, 0) + units
        shown = self.stock()
        for ref, units in wanted.items():
            if shown.get(ref, 0) < units:
                raise SoldOut(f"{ref} shows {shown.get(ref, 0)} units")
        return wanted
