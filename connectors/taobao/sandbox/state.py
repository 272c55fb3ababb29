"""What all parts of the sandbox share: the shop's books and the message queue's entrance."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.taobao.mapping.values import format_time
from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox import FaultPlan
from erpsync.sdk.sandbox.shop import Book, Record, ShopSandbox

KEPT_MESSAGES = 10_000
FIRST_TID = 3_870_012_345_600_000_000


class ShopState(ShopSandbox):
    """The state of one shop."""

    def __init__(self, *, clock: Clock, faults: FaultPlan | None = None) -> None:
        super().__init__(clock=clock, faults=faults)
        self.trades = Book("tid", ("modified", "created"))
        self.refunds = Book("refund_id", ("modified",))
        self.items = Book("num_iid", ("modified",))
        self.messages: dict[int, dict[str, Any]] = {}

    def time_text(self, at: datetime) -> str:
        """Return an instant as the platform writes it."""
        return format_time(at)

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
