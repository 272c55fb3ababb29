"""A mailbox under the conformance suite, on a mail server of this machine."""

import weakref
from collections.abc import Sequence

from connectors.mail.connector import MailConnector
from connectors.mail.settings import MailSettings
from erpsync.sdk.testing import ConnectorSuite, Harness
from tests.support.smtp import PASSWORD, MailServer


class MailHarness(Harness):
    """A mail server."""

    secrets = (PASSWORD,)

    def __init__(self) -> None:
        super().__init__()
        self.server = MailServer()
        weakref.finalize(self, self.server.close)

    def connector(self) -> MailConnector:
        return MailConnector(MailSettings.model_validate(self.server.settings()), self.http(), self.clock)

    def state(self) -> object:
        return len(self.server.mails)

    def messages(self) -> Sequence[str]:
        return [f"{mail['Subject']}\n{mail.get_content()}" for mail in self.server.mails]


class TestMailbox(ConnectorSuite):
    """Mail over SMTP with TLS."""

    def harness(self) -> MailHarness:
        return MailHarness()
