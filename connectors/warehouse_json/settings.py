"""What a warehouse system needs to be configured."""

import base64
from typing import Self

from pydantic import Field, SecretStr, model_validator

from erpsync.sdk.roles import ConnectorSettings

PREFIX = "whsec_"


def decode_key(secret: str) -> bytes:
    """Return the key in a Standard Webhooks secret; raises `ValueError`, without the secret, when there is none.

    Source: Standard Webhooks specification, "Symmetric signatures": base64, `whsec_` before it.
    """
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("secret must be base64, with or without whsec_ before it")
    return key


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
