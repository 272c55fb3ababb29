"""A sandbox shop and a connector on it, for this folder's tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from connectors.jd.connector import JdConnector
from connectors.jd.sandbox import JdSandbox
from connectors.jd.settings import JdSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import Cursor, Head, Order, Raw, Refund
from tests.support.records import bare_head

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
GATEWAY = "http://gateway.invalid/routerjson"
OAUTH = "http://gateway.invalid/oauth2"


def settings(**more: Any) -> JdSettings:
    values = {
        "app_key": "0A1B2C3D4E5F6071",
        "app_secret": "sandbox-secret",
        "access_token": "sandbox-access-token",
        "refresh_token": "sandbox-refresh-token",
    }
    return JdSettings.model_validate({"gateway": GATEWAY, "oauth": OAUTH, **values, **more})


class Shop:
    """One sandbox, one connector, one clock."""

    def __init__(self, **more: Any) -> None:
        self.clock = ManualClock(NOW)
        self.sandbox = JdSandbox(clock=self.clock)
        self.settings = settings(**more)
        self.connector = self.another()

    def another(self) -> JdConnector:
        http = HttpClient(clock=self.clock, mount=self.sandbox.handle, rng=Random(0))
        return JdConnector(self.settings, http, self.clock)

    def item(self, code: str = "A-1", qty: int = 100, **more: Any) -> str:
        return self.sandbox.add_item(code=code, qty=qty, **more)

    def order(self, order_id: str) -> Order:
        """Return the order as the connector reads it now."""
        (raw,) = self.connector.complete([head(order_id)])
        return self.connector.normalise(raw)

    def changed(self, cursor: Cursor | None = None) -> list[Order]:
        """Return the orders of one pass, each once, in the order they came."""
        pages = self.connector.pull_orders(cursor or Cursor())
        heads = {item.external_id: item for page in pages for item in page.heads}
        return [self.connector.normalise(raw) for raw in self.connector.complete(list(heads.values()))]

    def refunds(self, mark: str | None = None) -> tuple[dict[str, Refund], str]:
        """Return the refunds of one pass by id, and the mark after it."""
        found: dict[str, Refund] = {}
        for page in self.connector.pull_refunds(Cursor(mark=mark, since=NOW - timedelta(days=7))):
            raws = [Raw(head=item, payload=item.row, read_from=NOW, read_to=NOW) for item in page.heads]
            found |= {raw.head.external_id: self.connector.normalise_refund(raw) for raw in raws}
            mark = page.mark
        assert mark is not None
        return found, mark


def head(external_id: str, row: dict[str, Any] | None = None) -> Head:
    return bare_head(external_id, NOW, row)
