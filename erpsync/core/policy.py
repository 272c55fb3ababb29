"""The policies decisions take: frozen values that `settings` makes from YAML.

Why here and not in `settings`: decisions must not know where a number came from, and tests build policies by hand.
"""

from dataclasses import dataclass, field
from typing import Literal

COMPLETE_DAYS = 15
"""So many days after its last parcel left an order that was made here is completed: what came back has come by then."""

MOST_CHANGED = 500
"""A reload of rules that would change the holds of more open orders than this is taken for a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousePolicy:
    """A place that holds stock. `safety_stock` units per SKU are never promised; not `sellable` feeds nobody.

    `channel` names the account of the system that runs it; without one nothing is released to it.
    """

    id: str
    priority: int = 1
    safety_stock: int = 0
    sellable: bool = True
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """How often a channel's streams are read and how much is read again."""

    orders_s: float = 30
    refunds_s: float = 60
    listings_s: float = 3600
    overlap_s: int = 300
    backfill_days: int = 7
    auth_retry_s: float = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPolicy:
    """How a channel's orders are numbered, reserved and checked.

    Args:
        ship_within_h: hours from payment within which the channel wants to be told that it left, where it does not say.
        ship_margin_h: so long before that a parcel whose order cannot be read is given to a person.
    """

    reserve: Literal["payment", "placement"] = "payment"
    reserve_minutes: int = 30
    require_address: Literal["auto", "always", "never"] = "auto"
    number: str = "S{yyyymmdd}{seq:06}"
    gate_s: float = 5
    ship_within_h: float = 48
    ship_margin_h: float = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakePolicy:
    """When a wave of unexplained zeros is held back: share of the listings told > 0, from so many listings on."""

    zero_share: float = 0.3
    min_listings: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPolicy:
    """What number a channel is told. `warehouses` None means all sellable ones; buffer in our units.

    Args:
        cap: the most that is shown, in the channel's units; None is no limit.
        late_call_s: how long a call that had no answer may still take effect; None goes by the client's time-out.
    """

    push: bool = True
    warehouses: tuple[str, ...] | None = None
    buffer: int = 0
    ratio: float = 1.0
    cap: int | None = None
    settle_s: float = 2
    urgent_below: int = 5
    late_call_s: float | None = None
    brake: BrakePolicy = field(default_factory=BrakePolicy)
    drift: Literal["repair", "report"] = "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPolicy:
    """How far a warehouse's count may be from what is known: a difference beyond both limits is for a person.

    Args:
        ask_share: times the smaller of the two numbers.
    """

    ask_units: int = 1000
    ask_share: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPolicy:
    """The channel's call budget: a token bucket of `burst` tokens refilled at `calls_per_s`."""

    calls_per_s: float = 20
    burst: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPolicy:
    """When a stretch of a channel's past counts as proven, see `core.seal`.

    Args:
        after_s: how long two scans that agree must lie apart.
        window_s: length of a window.
        lag_s: how old a window's end must be before it is first scanned; a longer `poll.overlap_s` counts instead.
    """

    after_s: float = 3600
    window_s: int = 3600
    lag_s: int = 300
