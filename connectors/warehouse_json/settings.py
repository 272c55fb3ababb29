"""What a warehouse system needs to be configured."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from erpsync.sdk.roles import ConnectorSettings
from erpsync.sdk.signing import decode_key


class WarehouseJsonSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: warehouse_json`."""

    url: str = Field(
        pattern=r"^https?://[^\s/?#]+\S*$", description="address of the warehouse system that takes our calls"
    )
    secret: SecretStr = Field(
        min_length=1, description="shared secret that signs our calls: base64, whsec_ before it or not"
    )
    page_size: int = Field(100, ge=1, le=1000, description="reports asked for in one call")

    @model_validator(mode="after")
    def _secret_can_sign(self) -> Self:
        decode_key(self.secret.get_secret_value())
        return self
