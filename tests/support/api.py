"""A program at the REST API: a town of shops behind a real server, and calls with a token."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import requests

from erpsync.flows.access.tokens import create_token
from erpsync.flows.intake import poll
from erpsync.flows.inventory import counts
from erpsync.web.server import AppServer
from tests.support.ruled import put_in_force
from tests.support.shop import Town, build_town
from tests.support.web_shop import serve


@dataclass
class Api:
    """Calls as a program makes them, by default with a token of scope admin named `erp`."""

    town: Town
    server: AppServer
    token: str
    _keys: Iterator[int] = field(default_factory=count)

    def get(self, path: str, *, token: str | None = None, **query: Any) -> requests.Response:
        return requests.get(self._url(path), params=query, headers=self._bearer(token), timeout=60)

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, token: str | None = None
    ) -> requests.Response:
        headers = self._bearer(token) | {"Idempotency-Key": key or f"key-{next(self._keys)}"}
        return requests.post(self._url(path), json=body, headers=headers, timeout=60)

    def send(self, method: str, path: str, *, data: bytes = b"", **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(method, self._url(path), data=data, headers=self._bearer(None) | named, timeout=60)

    def make_token(self, scope: str) -> str:
        return create_token(self.town.store, f"{scope}-only", scope=scope, actor="wang")

    def read(self) -> None:
        """Let every stream of the shop be read once."""
        for stream in ("backfill", "orders", "refunds", "listings"):
            poll.poll_stream(self.town.ctx, self.town.channel(), stream)

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/events", limit=500, **({"kind": kind} if kind else {})).json()["items"]
        return found

    def _url(self, path: str) -> str:
        return f"{self.server.url}api/v1{path}"

    def _bearer(self, token: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token if token is None else token}"}


@contextmanager
def api_of(url: str, *, rules: str = "") -> Iterator[Api]:
    """Yield the API over a shop with two orders: o1 allocated (2 of A), o2 backordered (9 of B), or held by rules."""
    town = build_town(url)
    if rules:
        put_in_force(town, rules)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="wang")
    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=1, actor="wang")
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("B", 9))
    token = create_token(town.store, "erp", scope="admin", actor="wang")
    server, _ = serve(town.store, town.ctx)
    api = Api(town, server, token)
    api.read()
    yield api
    server.stop(2)
    town.store.close()
