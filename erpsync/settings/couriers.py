"""The keys about accounts with couriers: which is chosen, and when they need somebody."""

from typing import Annotated, Literal

from pydantic import Field

from erpsync.core.policy import AccountPolicy, CourierPolicy
from erpsync.settings.keys import Keys
from erpsync.settings.warehouses import WarehouseId

_ACCOUNT, _COURIERS = AccountPolicy(), CourierPolicy()
_MOST = 1_000_000_000


class Account(Keys):
    """How an account with a courier is chosen."""

    priority: int = Field(
        _ACCOUNT.priority, ge=-_MOST, le=_MOST, description="Lower numbers are preferred where no rate card decides."
    )
    services: Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=50)] = Field(
        default_factory=list,
        description="The courier's own words for the products that may be booked; without it that of `settings`.",
    )
    cod: bool = Field(_ACCOUNT.cod, description="Whether the courier collects money for us.")
    tracks: Literal["own", "all", "none"] = Field(
        _ACCOUNT.tracks,
        description="Which parcels it is asked about: those booked with it (or all, if it books nothing), all, none.",
    )
    warehouses: Annotated[list[WarehouseId], Field(max_length=1_000)] = Field(
        default_factory=list, description="Warehouses where it fetches parcels; without it all of them."
    )


class Couriers(Keys):
    """When accounts with couriers need somebody."""

    stale_h: float = Field(
        _COURIERS.stale_h, gt=0, le=8_760, description="Hours after which a waybill that nobody used is told of."
    )
    track_days: int = Field(
        _COURIERS.track_days,
        ge=1,
        le=365,
        description="Days for which a courier is asked about a parcel that is under way.",
    )
    low_balance: int = Field(
        _COURIERS.low_balance,
        ge=0,
        le=_MOST,
        description="Below so many waybills left an account is told of; one that has none always is.",
    )
