"""What all roles of a shop share."""

from connectors.taobao.settings import TaobaoSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector
from erpsync.sdk.top import Answer, TopClient


class TaobaoBase(Connector):
    """A connector with a client for its shop."""

    Settings = TaobaoSettings
    settings: TaobaoSettings

    def __init__(self, settings: TaobaoSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self.client = TopClient(settings, http, clock)

    def read(self, method: str, **params: str | int) -> Answer:
        """Return the answer of a call that only reads for this shop; empty parameters are left out."""
        return self.client.call(method, {name: str(value) for name, value in params.items()})
