"""What a JD shop needs to be configured.

Why some words of the platform are settings: the notes on them disagree (protocol note jd.md marks them as uncertain),
so an operator must be able to put another value before the next release.
"""

from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr

from erpsync.sdk.roles import ConnectorSettings

PRODUCTION_GATEWAY = "https://api.jd.com/routerjson"
PRODUCTION_OAUTH = "https://open-oauth.jd.com/oauth2"


class JdSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: jd`. Platform times are always Beijing time (GMT+8)."""

    gateway: str = Field(
        default=PRODUCTION_GATEWAY, pattern=r"^https?://\S+$", description="address of the JOS gateway, with its path"
    )
    app_key: str = Field(pattern=r"^\S+$", description="app key")
    app_secret: SecretStr = Field(min_length=1, description="secret of the app, signs every call")
    access_token: SecretStr = Field(min_length=1, description="access token of the shop for this app")
    refresh_token: SecretStr | None = Field(
        default=None, description="buys the next access token in the last 24 hours of this one"
    )
    token_expires_at: AwareDatetime | None = Field(
        default=None, description="when the access token ends, with UTC offset; watched by status and check"
    )
    oauth: str = Field(
        default=PRODUCTION_OAUTH,
        pattern=r"^https?://\S+$",
        description="address that renews tokens, without the method",
    )
    sign_method: Literal["md5", "hmacmd5", "hmacsha256"] = Field(
        default="md5", description="signature algorithm: md5, hmacmd5 or hmacsha256"
    )
    transport: Literal["routerjson"] = Field(
        default="routerjson", description="protocol of the calls: routerjson, the only one so far"
    )
    orders: Literal["encrypted", "plain"] = Field(
        default="encrypted", description="receivers as cipher text, or plain (only inside the JD cloud)"
    )
    stock_method: Literal["batch", "single"] = Field(
        default="batch", description="ware.stock.sku.set with many SKUs in a call, or updateSkuStock with one"
    )
    stock_store_id: int = Field(
        default=0, ge=0, lt=2**63, description="stock of which JD store is set; 0 is the default one"
    )
    stock_update_model: str = Field(
        default="1", description="updateModel of ware.stock.sku.set that means a full number"
    )
    stock_model: str = Field(default="1", description="stockModel of ware.stock.sku.set that means sellable stock")
    carrier_ids: dict[str, str] = Field(
        default_factory=dict,
        description="JD's carrier id by our courier code, where the shop's list differs from our table",
    )
    limit_wait_s: float = Field(
        default=60, ge=1, le=86_400, description="how long to wait when the call limit is reached; JD does not say"
    )
    page_size: int = Field(default=100, ge=1, le=100, description="rows of one call to the order list, at most 100")
    refund_sweep_minutes: int = Field(
        default=30,
        ge=1,
        le=1440,
        description="how often refunds of the last 30 days are read again, to see those withdrawn",
    )
