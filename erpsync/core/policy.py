"""The policies decisions take: frozen values that `settings` makes from YAML.

Why here and not in `settings`: decisions must not know where a number came from, and tests build policies by hand.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from erpsync.sdk.types import Sender

COMPLETE_DAYS = 15
"""So many days after its last parcel left an order that was made here is completed: what came back has come by then."""

MOST_CHANGED = 500
"""A reload of rules that would change the holds of more open orders than this is taken for a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousePolicy:
    """A place that holds stock. `safety_stock` units per SKU are never promised; not `sellable` feeds nobody.

    `channel` names the account of the system that runs it; at a `desk` people pick and pack what is released to it.
    With neither nothing is released.

    Args:
        wave_min: so many releases at a desk make a wave by themselves; None leaves it to people.
        wave_size: the most in one wave.
        sender: where its parcels are fetched and go back to.
    """

    id: str
    priority: int = 1
    safety_stock: int = 0
    sellable: bool = True
    channel: str | None = None
    desk: bool = False
    wave_min: int | None = None
    wave_size: int = 60
    sender: Sender | None = None


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
class MergePolicy:
    """Which orders of one recipient leave in one parcel.

    Args:
        orders: so many at most; 1 merges none.
        weight_g: the most that such a parcel weighs; None is no limit.
        sibling: whether a parcel waits for an order of its recipient that cannot leave yet, or only says so.
    """

    orders: int = 10
    weight_g: int | None = None
    sibling: Literal["warn", "wait"] = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelPolicy:
    """The most in one parcel, in units of ours; None is no limit."""

    max_weight_g: int | None = None
    max_units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPolicy:
    """How a channel's orders are numbered, reserved, checked, packed and told.

    Args:
        ship_within_h: hours from payment within which the channel wants to be told that it left, where it does not say.
        ship_margin_h: so long before that a parcel whose order cannot be read is given to a person.
        partial: whether an order waits until all of it is held, or what is held leaves.
        partial_min: what that must be worth, in whole units of the order's currency.
        couriers: our codes of those that may carry its parcels; None is any.
        tell: whether the channel is told of a parcel when it left or when its courier first scanned it; a rule's mark
            counts more.
        latest_h: hours before its last instant at which it is told without a scan.
    """

    reserve: Literal["payment", "placement"] = "payment"
    reserve_minutes: int = 30
    require_address: Literal["auto", "always", "never"] = "auto"
    number: str = "S{yyyymmdd}{seq:06}"
    gate_s: float = 5
    ship_within_h: float = 48
    ship_margin_h: float = 6
    partial: Literal["whole", "ready"] = "whole"
    partial_min: Decimal = Decimal(0)
    merge: MergePolicy = field(default_factory=MergePolicy)
    parcel: ParcelPolicy = field(default_factory=ParcelPolicy)
    couriers: tuple[str, ...] | None = None
    tell: Literal["left", "scan"] = "left"
    latest_h: float = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPolicy:
    """How an account with a courier is chosen.

    Args:
        priority: 1 is preferred to 2.
        services: those that may be booked; empty is the one of the account's own settings.
        cod: whether the courier collects money for us.
        tracks: which parcels it is asked about. An account that books nothing has none of its own.
    """

    priority: int = 1
    services: tuple[str, ...] = ()
    cod: bool = False
    tracks: Literal["own", "all", "none"] = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierPolicy:
    """What is alarmed of couriers, and how long they are asked.

    Args:
        stale_h: hours after which a waybill that nobody used is told of.
        track_days: days for which a courier is asked about a parcel that is not delivered.
    """

    stale_h: float = 48
    track_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPolicy:
    """What follows when a warehouse gives a release back.

    Args:
        reroute: whether its orders are planned anew without that warehouse.
        tries: so many warehouses are tried for an order.
        ask_after_h: hours after which a person is asked about an order that none takes.
        drop_after_days: days after which one that was made here is cancelled; None is never.
    """

    reroute: bool = False
    tries: int = 2
    ask_after_h: float = 0
    drop_after_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePolicy:
    """How releases are made.

    Args:
        across: names of channels whose orders may share a parcel.
    """

    across: tuple[frozenset[str], ...] = ()
    refused: RefusedPolicy = field(default_factory=RefusedPolicy)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionPolicy:
    """What is made here, by codes of warehouses.

    Args:
        components: where what goes into work orders lies, preferred first.
        wip: where components are while they are worked on; nobody is sold what is there.
        out: where finished units go, where their item names no warehouse.
        wait_minutes: so long an order has been paid before work is begun for it.
        over_percent: of a work order's quantity, how much more may be made.
    """

    components: tuple[str, ...]
    wip: str
    out: str
    wait_minutes: int = 0
    over_percent: int = 0
