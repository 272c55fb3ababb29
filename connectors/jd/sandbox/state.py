"""What all parts of the sandbox share: the clock, the books and the late lists."""

import threading
from datetime import datetime, timedelta
from typing import Any

from connectors.jd.mapping.values import format_time
from connectors.jd.sandbox.book import Book, Record
from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox

FIRST_ORDER = 300_000_000_000


class ShopState(Sandbox):
    """The state of one shop. Guarded by one lock; records are replaced, never changed."""

    def __init__(self, *, clock: Clock, faults: FaultPlan | None = None) -> None:
        super().__init__(faults=faults)
        self.clock = clock
        self.ahead = timedelta(0)
        self.late_s = 2.0
        self.lock = threading.RLock()
        self.orders = Book("orderId", ("modified", "orderStartTime"))
        self.refunds = Book("id", ("applyTime", "checkTime"))
        self.skus: dict[str, Record] = {}
        self._last = 0
        self._hidden: dict[str, int] = {}

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
        return format_time(self.now() + timedelta(seconds=plus_s))

    def next_number(self) -> int:
        """Return a number never given before."""
        with self.lock:
            self._last += 1
            return self._last

    def save(self, book: Book, record: Record) -> None:
        """Keep a changed record; the fault plan may let lists see it late."""
        late = self.faults.strikes(Fault.LATE)
        book.put(record, listed_from=self.now_text(plus_s=self.late_s) if late else "")

    def change_order(self, order: Record, **changes: Any) -> Record:
        """Keep an order with some fields changed, stamped now; return it."""
        changed = {**order, **changes, "modified": self.now_text()}
        self.save(self.orders, changed)
        return changed
