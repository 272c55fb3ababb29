"""A program that takes messages under the conformance suite."""

from collections.abc import Sequence

from connectors.webhook_message.connector import WebhookMessageConnector
from connectors.webhook_message.sandbox import SECRET, MessageTaker
from connectors.webhook_message.settings import WebhookMessageSettings
from erpsync.sdk.testing import ConnectorSuite, Harness


class TakerHarness(Harness):
    """A program."""

    message_bytes = 64 * 1024
    secrets = (SECRET,)

    def __init__(self) -> None:
        super().__init__()
        self.taker = MessageTaker(clock=self.clock)
        self.sandbox = self.taker

    def connector(self) -> WebhookMessageConnector:
        values = {"url": "http://program.invalid/messages", "secret": SECRET}
        return WebhookMessageConnector(WebhookMessageSettings.model_validate(values), self.http(), self.clock)

    def state(self) -> object:
        return list(self.taker.bodies)

    def messages(self) -> Sequence[str]:
        return [body.decode() for body in self.taker.bodies.values()]


class TestTaker(ConnectorSuite):
    """A signed webhook."""

    def harness(self) -> TakerHarness:
        return TakerHarness()
