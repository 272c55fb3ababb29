"""Apprise under the conformance suite: the service is a program on this machine that takes JSON."""

import json
import weakref
from collections.abc import Sequence

from connectors.apprise.connector import AppriseConnector
from connectors.apprise.settings import AppriseSettings
from erpsync.sdk.sandbox import Sandbox, SandboxRequest, SandboxResponse, serve
from erpsync.sdk.testing import ConnectorSuite, Harness

SECRET = "s3cretOfTheService"


class JsonService(Sandbox):
    """What Apprise calls json://."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.told: list[dict[str, str]] = []

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        if self.status == 200:
            self.told.append(json.loads(request.body))
        return SandboxResponse(status=self.status)


class AppriseHarness(Harness):
    """A service that Apprise speaks to over a real socket."""

    message_bytes = 8000
    secrets = (SECRET,)

    def __init__(self) -> None:
        super().__init__()
        self.service = JsonService()
        self.server = serve({"service": self.service})
        weakref.finalize(self, self.server.close)

    def connector(self) -> AppriseConnector:
        url = f"json://user:{SECRET}@127.0.0.1:{self.server.port}/service"
        return AppriseConnector(AppriseSettings.model_validate({"url": url}), self.http(), self.clock)

    def state(self) -> object:
        return len(self.service.told)

    def messages(self) -> Sequence[str]:
        return [f"{told['title']}\n{told['message']}" for told in self.service.told]


class TestApprise(ConnectorSuite):
    """One service behind Apprise."""

    def harness(self) -> AppriseHarness:
        return AppriseHarness()
