"""A DingTalk custom robot under the conformance suite."""

from collections.abc import Sequence

from connectors.dingtalk_bot.connector import DingtalkBotConnector
from connectors.dingtalk_bot.sandbox import ACCESS_TOKEN, MOST_BYTES, SECRET, DingtalkRobot
from connectors.dingtalk_bot.settings import DingtalkBotSettings
from erpsync.sdk.testing import ConnectorSuite, Harness


class RobotHarness(Harness):
    """A group with a robot."""

    message_bytes = MOST_BYTES
    secrets = (ACCESS_TOKEN, SECRET)

    def __init__(self) -> None:
        super().__init__()
        self.robot = DingtalkRobot(clock=self.clock)
        self.sandbox = self.robot

    def connector(self) -> DingtalkBotConnector:
        values = {"gateway": "http://robot.invalid/robot/send", "access_token": ACCESS_TOKEN, "secret": SECRET}
        return DingtalkBotConnector(DingtalkBotSettings.model_validate(values), self.http(), self.clock)

    def state(self) -> object:
        return list(self.robot.texts)

    def messages(self) -> Sequence[str]:
        return self.robot.texts


class TestRobot(ConnectorSuite):
    """A robot that answers HTTP 200 to what it refuses."""

    def harness(self) -> RobotHarness:
        return RobotHarness()
