"""What an app on the platform needs to be configured, whatever it is used for."""

from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr

from erpsync.sdk.roles import ConnectorSettings

PRODUCTION_GATEWAY = "https://gw.api.taobao.com/router/rest"


class TopSettings(ConnectorSettings):
    """An app and the session of whoever it acts for. Platform times are always Beijing time (GMT+8)."""

    gateway: str = Field(
        default=PRODUCTION_GATEWAY, pattern=r"^https?://\S+$", description="address of the TOP gateway, with its path"
    )
    app_key: str = Field(pattern=r"^\S+$", description="app key, digits in quotes")
    app_secret: SecretStr = Field(min_length=1, description="secret of the app, signs every call")
    session: SecretStr = Field(min_length=1, description="access token (session key) of the shop for this app")
    sign_method: Literal["md5", "hmac", "hmac-sha256"] = Field(
        default="hmac-sha256", description="signature algorithm: md5, hmac (HMAC-MD5) or hmac-sha256"
    )
    session_expires_at: AwareDatetime | None = Field(
        default=None, description="when the session ends, with UTC offset; watched by status and check"
    )
