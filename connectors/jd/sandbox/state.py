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
