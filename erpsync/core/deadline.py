"""Until when a channel wants to be told that an order left, and how long a parcel may wait for its order to be read.

Why a margin: shops are fined for what is told late, and a person needs time to look by hand.
"""

from datetime import datetime, timedelta

from erpsync.core.orders import KnownOrder
from erpsync.core.policy import OrderPolicy

FIRST_S = 5.0
CAP_S = 300.0


def ship_by(order: KnownOrder, policy: OrderPolicy) -> datetime:
    """Return by when the channel is to be told: as it says, else so many hours after the payment."""
    since = order.paid_at or order.ready_at or order.placed_at
    return order.ship_by_at or since + timedelta(hours=policy.ship_within_h)


def asks_at(order: KnownOrder, policy: OrderPolicy) -> datetime:
    """Return from when on a person decides on a parcel whose order cannot be read."""
    return ship_by(order, policy) - timedelta(hours=policy.ship_margin_h)


def look_again_at(*, since: datetime, asks: datetime, now: datetime, rest_s: float = 0.0) -> datetime:
    """Return when to try to read the order again: the longer it failed the later, but not past the margin.

    Args:
        since: when it first failed.
        rest_s: how long the channel asked to be left alone.
    """
    waited_s = (now - since).total_seconds()
    pause_s = max(rest_s, min(CAP_S, max(FIRST_S, waited_s / 2)))
    return min(now + timedelta(seconds=pause_s), max(asks, now + timedelta(seconds=FIRST_S)))
