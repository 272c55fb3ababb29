"""Says messages through a WeCom group robot.

Why plain text and no markdown: nothing has to be escaped in it, so no code of a SKU can call a person or be a link, and
it is shown in WeChat as well.
Source: protocol note notify.md section 1: 2048 bytes, 20 messages a minute, errcode with HTTP 200.
"""

from typing import Any

from connectors.wecom_bot.settings import WecomBotSettings
from erpsync.sdk.messages import Robot, as_text, busy, limited, refused
from erpsync.sdk.roles import Connector, MessageSink
from erpsync.sdk.types import CheckReport, Message, MessageLevel

MOST_BYTES = 2048
ROBOT = Robot(
    name="the WeCom robot",
    code=("errcode",),
    text=("errmsg",),
    codes={-1: busy, 45009: limited(60), 93000: refused, 93017: refused},
)


class WecomBotConnector(Connector, MessageSink):
    """One robot of one group."""

    Settings = WecomBotSettings
    settings: WecomBotSettings
    sdk = "1.1"

    def check(self) -> CheckReport:
        """Prove the address and the key by a message without content, which WeCom refuses for that alone."""
        ROBOT.probe(self.http, self.settings.gateway, text_of(""), params=self._params())
        return CheckReport()

    def push_message(self, message: Message) -> None:
        """Say one message."""
        body = text_of(as_text(message, most_bytes=MOST_BYTES))
        if message.level is MessageLevel.ALARM and self.settings.mention:
            body["text"]["mentioned_list"] = list(self.settings.mention)
        ROBOT.tell(self.http, self.settings.gateway, body, params=self._params())

    def _params(self) -> dict[str, str]:
        return {"key": self.settings.key.get_secret_value()}


def text_of(content: str) -> dict[str, Any]:
    """Return the body of a text message."""
    return {"msgtype": "text", "text": {"content": content}}
