"""What all parts of the sandbox share: the clock, the books, the late lists and the message queue's entrance."""

import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.taobao.mapping.values import format_time
from connectors.taobao.sandbox.book import Book, Record
from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox import Fault, FaultPlan, Sandbox

KEPT_MESSAGES = 10_000
FIRST_TID = 3_870_012_345_600_000_000


class ShopState(Sandbox):
    """The state of one shop. Guarded by one lock; records are replaced, never changed."""

    def __init__(self, *, clock: Clock, faults: FaultPlan | None = None) -> None:
        super().__init__(faults=faults)
        self.clock = clock
        self.ahead = timedelta(0)
        self.late_s = 2.0
        self.lock = threading.RLock()
        self.trades = Book("tid", ("modified", "created"))
        self.refunds = Book("refund_id", ("modified",))
        self.items = Book("num_iid", ("modified",))
        self.messages: dict[int, dict[str, Any]] = {}
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
        self._last += 1
        return self._last

    def save(self, book: Book, record: Record) -> None:
        """Keep a changed record; the fault plan may let lists see it late."""
        late = self.faults.strikes(Fault.LATE)
        book.put(record, listed_from=self.now_text(plus_s=self.late_s) if late else "")

    def change_trade(self, trade: Record, **changes: Any) -> Record:
        """Keep a trade with some fields changed, stamped now; return it."""
        changed = {**trade, **changes, "modified": self.now_text()}
        self.save(self.trades, changed)
        return changed

    def notify(self, topic: str, content: Mapping[str, Any]) -> None:
        """Put a message into the queue; the oldest one falls out of a queue that nobody reads."""
        if len(self.messages) >= KEPT_MESSAGES:
            del self.messages[next(iter(self.messages))]
        number = 1_100_000_000_000_000_000 + self.next_number()
        self.messages[number] = {
            "id": number,
            "topic": topic,
            "user_nick": "sandbox_shop",
            "pub_time": self.now_text(),
            "content": json.dumps(content, ensure_ascii=False),
            "delivered_at": None,
            "published_at": self.now(),
        }

    def notify_trade(self, event: str, trade: Record) -> None:
        """Put a message about a trade into the queue."""
        content = {name: trade[name] for name in ("tid", "status", "type", "payment", "seller_nick")}
        self.notify(f"taobao_trade_{event}", {**content, "oid": trade["tid"]})
