"""What a Feishu or Lark custom bot needs to be configured."""

from pydantic import Field, SecretStr, field_validator

from erpsync.sdk.roles import ConnectorSettings


class FeishuBotSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: feishu_bot`."""

    gateway: str = Field(
        default="https://open.feishu.cn/open-apis/bot/v2/hook",
        pattern=r"^https?://[^\s/?#]+\S*$",
        description="address of Feishu's bots; of Lark's: https://open.larksuite.com/open-apis/bot/v2/hook",
    )
    token: SecretStr = Field(description="what stands behind hook/ in the bot's address")
    secret: SecretStr | None = Field(
        default=None, min_length=1, description="secret of the bot's signature, where that is switched on"
    )
    mention: tuple[str, ...] = Field(
        default=(), max_length=50, description="open ids of those who are called by name in an alarm, or all"
    )

    @field_validator("token")
    @classmethod
    def _only_the_token(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value()
        if not text or "://" in text or "hook/" in text:
            raise ValueError("must be only what stands behind hook/ in the bot's address")
        return token
