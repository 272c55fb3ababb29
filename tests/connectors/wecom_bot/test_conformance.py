"""A WeCom group robot under the conformance suite."""

from collections.abc import Sequence

from connectors.wecom_bot.connector import WecomBotConnector
from connectors.wecom_bot.sandbox import KEY, MOST_BYTES, WecomRobot
from connectors.wecom_bot.settings import WecomBotSettings
from erpsync.sdk.testing import ConnectorSuite, Harness


class RobotHarness(Harness):
    """A group with a robot."""

    message_bytes = MOST_BYTES
    secrets = (KEY,)

    def __init__(self) -> None:
        super().__init__()
        self.robot = WecomRobot(clock=self.clock)
        self.sandbox = self.robot

    def connector(self) -> WecomBotConnector:
        values = {"gateway": "http://robot.invalid/cgi-bin/webhook/send", "key": KEY}
        return WecomBotConnector(WecomBotSettings.model_validate(values), self.http(), self.clock)

    def state(self) -> object:
        return list(self.robot.texts)

    def messages(self) -> Sequence[str]:
        return self.robot.texts


class TestRobot(ConnectorSuite):
    """A robot that answers HTTP 200 to what it refuses."""

    def harness(self) -> RobotHarness:
        return RobotHarness()
