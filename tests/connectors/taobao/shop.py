"""A sandbox shop and a connector on it, for this folder's tests."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from connectors.taobao.connector import TaobaoConnector
from connectors.taobao.sandbox import TaobaoSandbox
from connectors.taobao.settings import TaobaoSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import Cursor, Head, Order, Raw
from tests.support.records import bare_head

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
GATEWAY = "http://gateway.invalid/router/rest"


def settings(**more: Any) -> TaobaoSettings:
    values = {"app_key": "12345678", "app_secret": "sandbox-secret", "session": "6100000sandbox-session"}
    return TaobaoSettings.model_validate({"gateway": GATEWAY, **values, **more})


class Shop:
    """One sandbox, one connector, one clock."""

    def __init__(self, **more: Any) -> None:
        self.clock = ManualClock(NOW)
        self.sandbox = TaobaoSandbox(clock=self.clock)
        self.settings = settings(**more)
        self.connector = self.another()

    def another(self) -> TaobaoConnector:
        http = HttpClient(clock=self.clock, mount=self.sandbox.handle, rng=Random(0))
        return TaobaoConnector(self.settings, http, self.clock)

    def item(self, qty: int = 100, code: str = "A-1", **more: Any) -> str:
        return self.sandbox.add_item(qty=qty, outer_id=code, **more)

    def order(self, tid: str) -> Order:
        """Return the order as the connector reads it now."""
        (raw,) = self.connector.complete([head(tid)])
        return self.connector.normalise(raw)

    def changed_ids(self, cursor: Cursor) -> list[str]:
        return [head.external_id for page in self.connector.pull_orders(cursor) for head in page.heads]


def head(external_id: str, row: dict[str, Any] | None = None) -> Head:
    return bare_head(external_id, NOW, row)


def raw(payload: dict[str, Any]) -> Raw:
    return Raw(head=head("1"), payload=payload, read_from=NOW, read_to=NOW)
