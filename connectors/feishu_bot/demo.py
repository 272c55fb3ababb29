"""A Feishu group for the demonstration: its robot over real HTTP."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.feishu_bot.sandbox import SECRET, TOKEN, FeishuBot
from erpsync.sdk.sandbox.demo import DemoGroup


class FeishuDemo(DemoGroup):
    """Reads what it is told."""

    connector = "feishu_bot"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.robot = FeishuBot(clock=self.clock, faults=self.faults)
        self.sandbox = self.robot

    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the settings that reach the robot."""
        return {"gateway": f"{url}/open-apis/bot/v2/hook", "token": TOKEN, "secret": SECRET}

    def told(self) -> Sequence[tuple[datetime, str]]:
        """Return what stands in the group."""
        return list(zip(list(self.robot.at), list(self.robot.texts), strict=False))
