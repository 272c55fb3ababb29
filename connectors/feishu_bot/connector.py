"""Says messages through a Feishu or Lark custom bot.

Why a post and not a text: in a text Feishu reads tags that call people, in a post's pieces it reads none.
Source: protocol note notify.md section 3: 100 messages a minute, 5 a second, 20 KB; code with HTTP 200.
"""

from typing import Any
from urllib.parse import quote

from connectors.feishu_bot.settings import FeishuBotSettings
from connectors.feishu_bot.signing import sign
from erpsync.sdk.messages import Robot, as_text, cut, limited, refused
from erpsync.sdk.roles import Connector, MessageSink
from erpsync.sdk.types import CheckReport, Message, MessageLevel

MOST_BYTES = 15_000
"""Of the text; the body around it, and what JSON escapes in it, is to stay below 20 KB."""

MOST_TITLE_BYTES = 300
ROBOT = Robot(
    name="the Feishu bot",
    code=("code", "StatusCode"),
    text=("msg", "StatusMessage"),
    codes={11232: limited(60), 19001: refused, 19021: refused, 19022: refused, 19024: refused},
)


class FeishuBotConnector(Connector, MessageSink):
    """One bot of one group."""

    Settings = FeishuBotSettings
    settings: FeishuBotSettings
    sdk = "1.1"

    def check(self) -> CheckReport:
        """Prove address, token and signature by a message of no known type, which Feishu refuses for that alone."""
        ROBOT.probe(self.http, self._url(), {"msg_type": "none"} | self._signature(), params={})
        return CheckReport()

    def push_message(self, message: Message) -> None:
        """Say one message."""
        text = {"tag": "text", "text": as_text(message, most_bytes=MOST_BYTES, title=False)}
        called = self.settings.mention if message.level is MessageLevel.ALARM else ()
        people: list[dict[str, Any]] = [{"tag": "at", "user_id": id} for id in called]
        post = {"title": cut(message.title, MOST_TITLE_BYTES), "content": [[text, *people]]}
        body = {"msg_type": "post", "content": {"post": {"zh_cn": post}}}
        ROBOT.tell(self.http, self._url(), body | self._signature())

    def _url(self) -> str:
        return f"{self.settings.gateway.rstrip('/')}/{quote(self.settings.token.get_secret_value(), safe='')}"

    def _signature(self) -> dict[str, str]:
        if self.settings.secret is None:
            return {}
        timestamp = str(int(self.clock.now().timestamp()))
        return {"timestamp": timestamp, "sign": sign(self.settings.secret.get_secret_value(), timestamp)}
