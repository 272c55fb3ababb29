"""What a DingTalk custom robot needs to be configured."""

from pydantic import Field, SecretStr, field_validator

from erpsync.sdk.roles import ConnectorSettings


class DingtalkBotSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: dingtalk_bot`."""

    gateway: str = Field(
        default="https://oapi.dingtalk.com/robot/send",
        pattern=r"^https?://[^\s/?#]+\S*$",
        description="address of DingTalk's robots",
    )
    access_token: SecretStr = Field(description="what stands behind access_token= in the robot's address")
    secret: SecretStr | None = Field(
        default=None, min_length=1, description="secret of the robot's signature (SEC…), where that is switched on"
    )
    keyword: str = Field(
        default="",
        max_length=100,
        description="a word that the robot insists on; it is put at the end of what lacks it",
    )
    mention: tuple[str, ...] = Field(
        default=(), max_length=50, description="user ids who are called by name in an alarm, or all"
    )

    @field_validator("access_token")
    @classmethod
    def _only_the_token(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value()
        if not text or "://" in text or "access_token=" in text:
            raise ValueError("must be only what stands behind access_token= in the robot's address")
        return token
