"""What an address that takes messages needs to be configured."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from erpsync.sdk.roles import ConnectorSettings
from erpsync.sdk.signing import decode_key


class WebhookMessageSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: webhook_message`."""

    url: str = Field(pattern=r"^https?://[^\s/?#]+\S*$", description="address that takes our messages")
    secret: SecretStr = Field(
        min_length=1, description="shared secret that signs them: base64, whsec_ before it or not"
    )

    @model_validator(mode="after")
    def _secret_can_sign(self) -> Self:
        decode_key(self.secret.get_secret_value())
        return self
