"""What an own shop needs to be configured.

Why the signature is checked here already: a secret that cannot sign would refuse every delivery, and the shop would be
blamed for it.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from erpsync.sdk.roles import ConnectorSettings
from erpsync.sdk.signing import decode_key


class HeaderSignature(BaseModel):
    """A signature of the body alone in a header of the shop's choice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: str = Field(pattern=r"^[A-Za-z0-9-]{1,100}$", description="header that carries the signature")
    encoding: Literal["hex", "base64"] = Field(description="how the HMAC-SHA256 of the body is written")
    prefix: str = Field(default="", max_length=100, description="what stands before the signature, such as sha256=")


class WebhookJsonSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: webhook_json`."""

    secret: SecretStr = Field(
        min_length=1, description="shared secret that signs both ways; for standard: base64, whsec_ before it or not"
    )
    signature: Literal["standard"] | HeaderSignature = Field(
        default="standard",
        description="standard: the headers of Standard Webhooks; or a map of header, encoding and prefix",
    )
    tolerance_s: int = Field(
        default=300, ge=1, le=86_400, description="seconds that a standard delivery's time may be off our clock"
    )
    push_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+\S*$",
        description="where the shop takes stock and shipments; without it neither is sent",
    )

    @model_validator(mode="after")
    def _secret_can_sign(self) -> Self:
        if self.signature == "standard":
            decode_key(self.secret.get_secret_value())
        return self
