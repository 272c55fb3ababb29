"""What all parts of the sandbox share: the shop's books."""

from datetime import datetime
from typing import Any

from connectors.jd.mapping.values import format_time
from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox import FaultPlan
from erpsync.sdk.sandbox.shop import Book, Record, ShopSandbox

FIRST_ORDER = 300_000_000_000


class ShopState(ShopSandbox):
    """The state of one shop."""

    def __init__(self, *, clock: Clock, faults: FaultPlan | None = None) -> None:
        super().__init__(clock=clock, faults=faults)
        self.orders = Book("orderId", ("modified", "orderStartTime"))
        self.refunds = Book("id", ("applyTime", "checkTime"))
        self.skus: dict[str, Record] = {}

    def time_text(self, at: datetime) -> str:
        """Return an instant as the platform writes it."""
        return format_time(at)

    def change_order(self, order: Record, **changes: Any) -> Record:
        """Keep an order with some fields changed, stamped now; return it."""
        changed = {**order, **changes, "modified": self.now_text()}
        self.save(self.orders, changed)
        return changed
