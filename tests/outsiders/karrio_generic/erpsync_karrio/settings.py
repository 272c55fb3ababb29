"""What a channel on Karrio needs to be configured."""

from pydantic import Field, SecretStr

from erpsync.sdk.carriers import CarrierCode
from erpsync.sdk.roles import ConnectorSettings


class KarrioSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: karrio`."""

    url: str = Field(pattern=r"^https?://[^\s/?#]+\S*$", description="address of the Karrio server")
    token: SecretStr = Field(min_length=1, description="API key of the account there")
    carrier: CarrierCode = Field(description="our code of the courier that is behind it")
    service: str = Field(min_length=1, description="the courier's product, where a booking names none")
