"""What a service behind Apprise needs to be configured."""

from importlib.util import find_spec

from pydantic import Field, SecretStr, field_validator

from erpsync.sdk.roles import ConnectorSettings

MISSING = "needs the package apprise, which erpsync[notify] brings: pip install 'erpsync[notify]'"
OWN = {
    "wecombot": "wecom_bot",
    "dingtalk": "dingtalk_bot",
    "feishu": "feishu_bot",
    "lark": "feishu_bot",
    "mailto": "mail",
    "mailtos": "mail",
}
"""Schemes that have a connector here. Apprise takes any answer of the first four for a success, and so tells what
nobody read. Source: protocol note notify.md section 4, each tried."""


class AppriseSettings(ConnectorSettings):
    """The `settings` block of a channel with `connector: apprise`."""

    url: SecretStr = Field(description="one service as Apprise writes it, with its credentials: slack://…, tgram://…")

    @field_validator("url")
    @classmethod
    def _one_service(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        scheme, there, _ = text.partition("://")
        if not there or any(char.isspace() for char in text):
            raise ValueError("must be one address such as slack://…, one channel for each service")
        if scheme.lower() in OWN:
            raise ValueError(f"must not be {scheme.lower()}://, use `connector: {OWN[scheme.lower()]}`")
        if find_spec("apprise") is None:
            raise ValueError(MISSING)
        return url
