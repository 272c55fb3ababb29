"""A WeCom group for the demonstration: its robot over real HTTP."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.wecom_bot.sandbox import KEY, WecomRobot
from erpsync.sdk.sandbox.demo import DemoGroup


class WecomDemo(DemoGroup):
    """Reads what it is told."""

    connector = "wecom_bot"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.robot = WecomRobot(clock=self.clock, faults=self.faults)
        self.sandbox = self.robot

    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the settings that reach the robot."""
        return {"gateway": f"{url}/cgi-bin/webhook/send", "key": KEY}

    def told(self) -> Sequence[tuple[datetime, str]]:
        """Return what stands in the group."""
        return list(zip(list(self.robot.at), list(self.robot.texts), strict=False))
