"""The keys of erpsync.yaml about releases: what may share a parcel, what follows when a warehouse refuses one."""

from typing import Annotated

from pydantic import Field

from erpsync.core.policy import RefusedPolicy, ReleasePolicy
from erpsync.settings.keys import Keys

_REFUSED = RefusedPolicy()
_Group = Annotated[list[str], Field(min_length=2)]


class Refused(Keys):
    """What follows when a warehouse gives a release back."""

    reroute: bool = Field(
        _REFUSED.reroute, description="Whether its orders are planned anew without the warehouse that refused."
    )
    tries: int = Field(_REFUSED.tries, ge=1, le=100, description="Warehouses that are tried for an order.")
    ask_after_h: float = Field(
        _REFUSED.ask_after_h,
        ge=0,
        le=8_760,
        description="Hours until a person is asked where none takes an order.",
    )
    drop_after_days: int | None = Field(
        None, ge=1, le=3650, description="Days until one that was made here is cancelled; without it never."
    )


class Releases(Keys):
    """How orders become parcels of one warehouse."""

    across: list[_Group] = Field(
        default_factory=list,
        description="Lists of channels whose orders may share a parcel; without it each channel's only with its own.",
    )
    refused: Refused = Field(default_factory=Refused, description="What follows when a warehouse gives a release back.")


def release_policy(releases: Releases) -> ReleasePolicy:
    """Return how releases are made."""
    refused = releases.refused
    return ReleasePolicy(
        across=tuple(map(frozenset, releases.across)),
        refused=RefusedPolicy(
            reroute=refused.reroute,
            tries=refused.tries,
            ask_after_h=refused.ask_after_h,
            drop_after_days=refused.drop_after_days,
        ),
    )
