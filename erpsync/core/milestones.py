"""What an order has reached by one decision, for those who follow orders and not their every change.

Why beside the event of the decision itself: that one says everything that changed, whoever changed it; whoever wants to
hear of held, cancelled or refunded orders must not have to read all of them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from erpsync.core.orders import KnownOrder, phase


def milestones(
    before: KnownOrder | None, after: KnownOrder, *, lacks: Mapping[int, int], refunded: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (kind of event, its detail) of what an order has reached by a decision.

    An order that comes in cancelled, shipped or refunded has reached that elsewhere and before: nothing is said of it.

    Args:
        lacks: units by SKU that nothing covers now and that it did not lack before.
        refunded: whether a refund of it was granted now.
    """
    reasons = {} if before is None else before.holds
    held = {reason: why for reason, why in after.holds.items() if reason not in reasons}
    if held and after.open_qty:
        yield "order.held", {"held": held}
    if lacks:
        yield "order.backordered", {"short": [{"sku_id": sku_id, "qty": qty} for sku_id, qty in sorted(lacks.items())]}
    if before is None:
        return
    if after.shipped_qty > before.shipped_qty:
        yield "order.shipped", {"qty": after.shipped_qty - before.shipped_qty, "phase": phase(after)}
    units = _given_back(after) - _given_back(before)
    money = (after.refunded_minor or 0) > (before.refunded_minor or 0)
    if units > 0 or money or refunded:
        yield "order.refunded", {"qty": max(0, units), "refunded_minor": after.refunded_minor}
    if phase(after) == "cancelled" != phase(before):
        yield "order.cancelled", {"phase": "cancelled"}


def _given_back(order: KnownOrder) -> int:
    return sum(line.refunded_qty for line in order.lines)
