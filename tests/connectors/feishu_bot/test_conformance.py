"""A Feishu custom bot under the conformance suite."""

from collections.abc import Sequence

from connectors.feishu_bot.connector import FeishuBotConnector
from connectors.feishu_bot.sandbox import MOST_BYTES, SECRET, TOKEN, FeishuBot
from connectors.feishu_bot.settings import FeishuBotSettings
from erpsync.sdk.testing import ConnectorSuite, Harness


class RobotHarness(Harness):
    """A group with a robot."""

    message_bytes = MOST_BYTES
    secrets = (TOKEN, SECRET)

    def __init__(self) -> None:
        super().__init__()
        self.robot = FeishuBot(clock=self.clock)
        self.sandbox = self.robot

    def connector(self) -> FeishuBotConnector:
        values = {"gateway": "http://robot.invalid/open-apis/bot/v2/hook", "token": TOKEN, "secret": SECRET}
        return FeishuBotConnector(FeishuBotSettings.model_validate(values), self.http(), self.clock)

    def state(self) -> object:
        return list(self.robot.texts)

    def messages(self) -> Sequence[str]:
        return self.robot.texts


class TestRobot(ConnectorSuite):
    """A robot that answers HTTP 200 to what it refuses."""

    def harness(self) -> RobotHarness:
        return RobotHarness()
