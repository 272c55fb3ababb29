"""Says messages through a DingTalk custom robot.

Why plain text and no markdown: nothing has to be escaped in it, so no code of a SKU can call a person or be a link.
Source: protocol note notify.md section 2: 20 messages a minute, over it blocked for 10 minutes; 20,000 bytes are not
confirmed, so fewer are used; errcode with HTTP 200.
"""

from typing import Any

from connectors.dingtalk_bot.settings import DingtalkBotSettings
from connectors.dingtalk_bot.signing import sign
from erpsync.sdk.messages import Robot, as_text, busy, limited, refused
from erpsync.sdk.roles import Connector, MessageSink
from erpsync.sdk.types import CheckReport, Message, MessageLevel

MOST_BYTES = 15_000
BLOCKED_S = 600
ROBOT = Robot(
    name="the DingTalk robot",
    code=("errcode",),
    text=("errmsg",),
    codes={-1: busy, 130101: limited(BLOCKED_S), 310000: refused, 300001: refused, 300005: refused, 40035: refused},
)


class DingtalkBotConnector(Connector, MessageSink):
    """One robot of one group."""

    Settings = DingtalkBotSettings
    settings: DingtalkBotSettings
    sdk = "1.1"

    def check(self) -> CheckReport:
        """Prove address, token and signature by a message of no known type, which DingTalk refuses for that alone."""
        ROBOT.probe(self.http, self.settings.gateway, {"msgtype": "none"}, params=self._params())
        return CheckReport()

    def push_message(self, message: Message) -> None:
        """Say one message."""
        keyword = self.settings.keyword
        lacks = keyword and keyword not in f"{message.title}\n{message.text}"[: MOST_BYTES // 4]
        content = as_text(message, most_bytes=MOST_BYTES, end=keyword if lacks else "")
        body: dict[str, Any] = {"msgtype": "text", "text": {"content": content}}
        if message.level is MessageLevel.ALARM and self.settings.mention:
            people = [id for id in self.settings.mention if id != "all"]
            body["at"] = {"atUserIds": people, "isAtAll": len(people) < len(self.settings.mention)}
        ROBOT.tell(self.http, self.settings.gateway, body, params=self._params())

    def _params(self) -> dict[str, str]:
        params = {"access_token": self.settings.access_token.get_secret_value()}
        if self.settings.secret is None:
            return params
        timestamp_ms = str(int(self.clock.now().timestamp() * 1000))
        return params | {"timestamp": timestamp_ms, "sign": sign(self.settings.secret.get_secret_value(), timestamp_ms)}
