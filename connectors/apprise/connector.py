"""Hands messages to one of the many services that Apprise knows.

Why imported when a channel is made: the package is an extra, and whoever has no such channel does without it.
Why a failure is always tried again: Apprise says yes or no and never why; its own log may hold credentials and is off.
"""

import logging

from connectors.apprise.settings import AppriseSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import AuthError, OutcomeUnknownError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.messages import as_text, cut
from erpsync.sdk.roles import Connector, MessageSink
from erpsync.sdk.types import CheckReport, Message, MessageLevel

MOST_BYTES = 3500
MOST_TITLE_BYTES = 250
TYPES = {MessageLevel.INFO: "info", MessageLevel.WARN: "warning", MessageLevel.ALARM: "failure"}


class AppriseConnector(Connector, MessageSink):
    """One service."""

    Settings = AppriseSettings
    settings: AppriseSettings
    sdk = "1.1"

    def __init__(self, settings: AppriseSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        import apprise

        logging.getLogger("apprise").disabled = True
        self._services = apprise.Apprise()
        self._known = bool(self._services.add(settings.url.get_secret_value()))

    def check(self) -> CheckReport:
        """Prove that Apprise knows the service; that its credentials are right shows only a message."""
        self._refuse_unknown()
        return CheckReport(notes=("only a message can prove the credentials: `erpsync routes test` sends one",))

    def push_message(self, message: Message) -> None:
        """Hand one message over; returns once Apprise says that the service took it."""
        self._refuse_unknown()
        self.http.admit()
        text = as_text(message, most_bytes=MOST_BYTES, title=False)
        title = cut(message.title, MOST_TITLE_BYTES)
        if not self._services.notify(body=text, title=title, notify_type=TYPES[message.level]):
            raise OutcomeUnknownError("the service did not take the message, Apprise does not say why")

    def _refuse_unknown(self) -> None:
        if not self._known:
            raise AuthError("Apprise knows no service of this address")
