"""The keys of erpsync.yaml about orders that were made here."""

from pydantic import Field

from erpsync.core.policy import COMPLETE_DAYS
from erpsync.settings.keys import Keys

OWN = "internal"
"""The channel of these orders, and its connector; in no configuration."""


class OwnOrders(Keys):
    """Orders that were made here, not on a channel."""

    complete_days: int = Field(
        COMPLETE_DAYS, ge=0, le=3650, description="Days after its last parcel left until an own order is completed."
    )
