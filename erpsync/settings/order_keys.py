"""The keys of a channel, and of `defaults`, about its orders: numbers, reserving, checks, parcels, telling."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from erpsync.core.policy import OrderPolicy
from erpsync.sdk.carriers import CarrierCode
from erpsync.settings.keys import Keys

_ORDERS = OrderPolicy()
_PLACEHOLDER = re.compile(r"\{(yyyymmdd|yyyy|mm|dd|channel|seq(:0([1-9]|1[0-8]))?)\}")
# Beyond these nobody means what is written, and no date or database column holds it.
_DAY_S, _YEAR_H, _MOST = 86_400, 8_760, 1_000_000_000


def _number_pattern(pattern: str) -> str:
    literal = _PLACEHOLDER.sub("", pattern)
    if not re.search(r"\{seq[:}]", pattern):
        raise ValueError("must hold {seq} or {seq:06}, else two orders get one number")
    if "{" in literal or "}" in literal:
        raise ValueError("knows only {yyyymmdd}, {yyyy}, {mm}, {dd}, {channel}, {seq} and {seq:06}")
    if not re.fullmatch(r"[A-Za-z0-9._-]*", literal):
        raise ValueError("may hold letters, digits, dots, hyphens and underscores beside its {placeholders}")
    return pattern


class Merge(Keys):
    """Which orders of one recipient leave in one parcel."""

    orders: int = Field(
        _ORDERS.merge.orders, ge=1, le=1000, description="So many at most; 1 lets each order leave by itself."
    )
    weight_g: int | None = Field(
        None, ge=1, le=_MOST, description="The most that a parcel of several orders weighs, in grams."
    )
    sibling: Literal["warn", "wait"] = Field(
        _ORDERS.merge.sibling,
        description="Whether a parcel waits for an order of its recipient that cannot leave yet, or only says so.",
    )


class ParcelLimits(Keys):
    """The most in one parcel; an empty value is no limit."""

    max_weight_g: int | None = Field(None, ge=1, le=_MOST, description="Grams in one parcel at most.")
    max_units: int | None = Field(None, ge=1, le=_MOST, description="Units of ours in one parcel at most.")


class Orders(Keys):
    """How a channel's orders are numbered, reserved, checked, packed and told."""

    reserve: Literal["payment", "placement"] = Field(
        _ORDERS.reserve, description="When an order first holds stock: once it is ready, or already when it is placed."
    )
    reserve_minutes: int = Field(
        _ORDERS.reserve_minutes,
        ge=1,
        le=129_600,
        description="Minutes that a hold of an unpaid order lasts (reserve: placement).",
    )
    require_address: Literal["auto", "always", "never"] = Field(
        _ORDERS.require_address, description="Whether an order without full address is held; auto: where there are any."
    )
    number: Annotated[str, AfterValidator(_number_pattern)] = Field(
        _ORDERS.number,
        max_length=64,
        description="Pattern of our order numbers: {yyyymmdd} {yyyy} {mm} {dd} {channel} and {seq} or {seq:06}.",
    )
    gate_s: float = Field(
        _ORDERS.gate_s,
        ge=0,
        le=_DAY_S,
        description="Seconds after which an order is read again before its shipment is sent.",
    )
    ship_within_h: float = Field(
        _ORDERS.ship_within_h, gt=0, le=_YEAR_H, description="Hours from payment within which an order must be shipped."
    )
    ship_margin_h: float = Field(
        _ORDERS.ship_margin_h,
        ge=0,
        le=_YEAR_H,
        description="Hours before that limit at which a person decides on a parcel whose order cannot be read.",
    )
    partial: Literal["whole", "ready"] = Field(
        _ORDERS.partial, description="Whether an order waits until all of it is there, or what is there leaves."
    )
    partial_min: float = Field(
        0,
        ge=0,
        le=1e12,
        description="What must be there for that, in whole units of the order's currency (partial: ready).",
    )
    merge: Merge = Field(default_factory=Merge, description="Which orders of one recipient leave in one parcel.")
    parcel: ParcelLimits = Field(default_factory=ParcelLimits, description="The most in one parcel.")
    couriers: Annotated[list[CarrierCode], Field(min_length=1)] | None = Field(
        None, description="Our codes of the couriers that may carry its parcels; without it all."
    )
    tell: Literal["left", "scan"] = Field(
        _ORDERS.tell,
        description="When the channel is told of a parcel: once it left, or at its courier's first scan.",
    )
    latest_h: float = Field(
        _ORDERS.latest_h,
        ge=0,
        le=_YEAR_H,
        description="Hours before the time to ship ends at which it is told without a scan (tell: scan).",
    )
