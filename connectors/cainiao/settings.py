"""What an account with one courier at Cainiao needs to be configured.

Why one courier: what is left of its numbers, its template and its limits are its own, so each courier is a channel.
"""

from pydantic import Field

from erpsync.sdk.carriers import CarrierCode
from erpsync.sdk.top import TopSettings


class CainiaoSettings(TopSettings):
    """The `settings` block of a channel with `connector: cainiao`."""

    carrier: CarrierCode = Field(description="our code of the courier, as in `ship --carrier`")
    cp_code: str = Field(pattern=r"^[0-9A-Za-z_]{1,20}$", description="Cainiao's code of the courier (cp_code)")
    user_id: int = Field(ge=1, le=10**15, description="the seller's numeric id at the platform, who uses the account")
    template_url: str = Field(
        pattern=r"^https?://\S+$", description="address of the label's standard template in cloud print, per courier"
    )
    customer_code: str = Field(
        default="", max_length=64, description="our code with the courier, for couriers that bill by month"
    )
    product_code: str = Field(
        default="", max_length=64, description="the courier's product, where a booking names none and it has several"
    )
