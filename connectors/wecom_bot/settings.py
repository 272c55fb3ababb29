"""What a WeCom group robot needs to be configured."""

from pydantic import Field, SecretStr, field_validator

from erpsync.sdk.roles import ConnectorSettings


class WecomBotSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: wecom_bot`."""

    gateway: str = Field(
        default="https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
        pattern=r"^https?://[^\s/?#]+\S*$",
        description="address of WeCom's robots",
    )
    key: SecretStr = Field(description="what stands behind key= in the robot's address; whoever has it can write there")
    mention: tuple[str, ...] = Field(
        default=(), max_length=50, description="user ids who are called by name in an alarm, or @all"
    )

    @field_validator("key")
    @classmethod
    def _only_the_key(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text or "://" in text or "key=" in text:
            raise ValueError("must be only what stands behind key= in the robot's address")
        return key
