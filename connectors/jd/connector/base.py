"""What all roles of a shop share."""

from typing import Any

from connectors.jd.client import Answer, JdClient, configured_tokens
from connectors.jd.settings import JdSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector
from erpsync.sdk.tokens import TokenBox


class JdBase(Connector):
    """A connector with a client for its shop.

    Args:
        tokens: where the access token comes from; the settings if not given.
    """

    Settings = JdSettings
    settings: JdSettings

    def __init__(self, settings: JdSettings, http: HttpClient, clock: Clock, *, tokens: TokenBox | None = None) -> None:
        super().__init__(settings, http, clock)
        self.tokens = tokens or configured_tokens(settings)
        self.client = JdClient(settings, http, clock, self.tokens)

    def read(self, method: str, **params: Any) -> Answer:
        """Return the answer of a call that only reads."""
        return self.client.call(method, params)
