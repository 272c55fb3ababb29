"""A DingTalk group for the demonstration: its robot over real HTTP."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.dingtalk_bot.sandbox import ACCESS_TOKEN, SECRET, DingtalkRobot
from erpsync.sdk.sandbox.demo import DemoGroup


class DingtalkDemo(DemoGroup):
    """Reads what it is told."""

    connector = "dingtalk_bot"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.robot = DingtalkRobot(clock=self.clock, faults=self.faults)
        self.sandbox = self.robot

    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the settings that reach the robot."""
        return {"gateway": f"{url}/robot/send", "access_token": ACCESS_TOKEN, "secret": SECRET}

    def told(self) -> Sequence[tuple[datetime, str]]:
        """Return what stands in the group."""
        return list(zip(list(self.robot.at), list(self.robot.texts), strict=False))
