"""Every address that answers a GET, as requested over HTTP: console, probes, metrics, the REST API.

Why the application's own routes are walked: a page that comes later is measured too. The application is called
without a network between; figures are counted anew for each request.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Message

from erpsync.store.views import STATUSES
from erpsync.store.views.listing_page import STATES
from erpsync.store.views.shelves import ONLY
from erpsync.web.app import create_app
from erpsync.web.site import Site
from tests.growth.ground import Ground
from tests.growth.timing import Measure, time_of
from tests.support.visitor import COOKIE

LEFT_OUT = {"limit", "recipient"}
Asked = Mapping[str, Sequence[str] | None]

AS_KNOWN = None
CONSOLE: Mapping[str, Asked] = {
    "/orders": dict.fromkeys(
        ("q", "channel", "status", "reason", "rule", "tag", "warehouse", "sku", "from", "to", "after"), AS_KNOWN
    ),
    "/audit": {"rule": AS_KNOWN},
    "/rules": {"order": AS_KNOWN, "matched": ("1",)},
    "/stock": {"text": AS_KNOWN, "warehouse": AS_KNOWN, "only": tuple(ONLY), "after": ("SKU-00100",)},
    "/listings": {"text": AS_KNOWN, "channel": AS_KNOWN, "state": STATES, "after": ("100",)},
    "/bundles": {"text": AS_KNOWN, "after": ("SKU-00100",)},
    "/tasks": {"channel": AS_KNOWN, "kind": ("unknown", "refund_late"), "closed": ("1",)},
    "/dead-letters": {"channel": AS_KNOWN, "group": ("none",)},
    "/trail": dict.fromkeys(("actor", "kind", "order", "sku", "channel"), AS_KNOWN)
    | {"since": ("2026-11-22",), "until": ("2026-09-01",), "after": ("400",)},
    "/reconciliation": {"days": ("14",), "proof": ("14",)},
    "/configuration": {"compare": ("1",)},
}
"""What pages without a description of their parameters may be asked for, with which values if not those of the name."""
UNMEASURED = frozenset({"/orders/export", "/stream"})
"""Files, which are as long as what is asked for, and what has no end."""


class Visitor:
    """Calls an application as a browser or a program would, over and over in one event loop."""

    def __init__(self, ground: Ground) -> None:
        self._app, self._runner, self._clock = create_app(site_of(ground)), asyncio.Runner(), ground.clock
        self._headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {ground.token}".encode())]
        self._headers.append((b"cookie", f"{COOKIE}={ground.session}".encode()))

    def get(self, address: str) -> bytes:
        """Request a page and return it; one that is not answered well is an error."""
        status, body = self.call("GET", address)
        if status >= 400:
            raise RuntimeError(f"answered {status}: {body[:200].decode(errors='replace')}")
        return body

    def call(
        self, method: str, address: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Return status and body of the answer to any request."""
        self._clock.advance(seconds=0.02)  # a token may call fifty times a second
        path, _, query = address.partition("?")
        more = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": quote(path).encode(),
            "root_path": "",
            "query_string": quote(query, safe="=&").encode(),
            "headers": [*self._headers, *more],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        return self._runner.run(self._answer(scope, body))

    async def _answer(self, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        status, parts = 0, list[bytes]()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return status, b"".join(parts)

    def close(self) -> None:
        """End the loop."""
        self._runner.close()


def site_of(ground: Ground) -> Site:
    """Return the site whose figures are counted anew for every page: the clock goes on between two by more."""
    return Site(store=ground.store, ctx=lambda: ground.ctx, limits=lambda: ground.config.status, keep_s=0.01)


def measures(ground: Ground, visitor: Visitor) -> Iterator[Measure]:
    """Yield how to measure each page."""
    for address in addresses(ground, visitor, create_app(site_of(ground)).routes):
        yield time_of(f"GET {ground.names.plain(address)}", lambda address=address: visitor.get(address))


def addresses(ground: Ground, visitor: Visitor, routes: Sequence[BaseRoute]) -> Iterator[str]:
    """Yield the addresses of all pages, those with filters also with each of them."""
    for route in routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            for path, said in route.app.openapi()["paths"].items():
                if "get" in said:
                    asked = {p["name"]: p["required"] for p in said["get"].get("parameters", ()) if p["in"] == "query"}
                    yield from _with_filters(ground, visitor, route.path + path, asked)
        elif isinstance(route, Route) and "GET" in (route.methods or ()) and route.path not in UNMEASURED:
            own = CONSOLE.get(route.path, {})
            yield from _with_filters(ground, visitor, route.path, dict.fromkeys(own, False), own)


def _with_filters(
    ground: Ground, visitor: Visitor, path: str, asked: Mapping[str, bool], own: Asked | None = None
) -> Iterator[str]:
    """Yield a page's address, then with each filter; only with those where one has to be given."""
    names = ground.names
    plain = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: names.values(found[1])[0], path)
    if not any(asked.values()):
        yield plain
    for name in (each for each in asked if each not in LEFT_OUT):
        values = (own or {}).get(name) or _choices(ground, visitor, plain, name)
        yield from (f"{plain}?{name}={value}" for value in values)
    if {"channel", "status"} <= asked.keys():
        yield from (f"{plain}?channel={each}&status={status}" for each, status in product([names.channel], STATUSES))


def _choices(ground: Ground, visitor: Visitor, path: str, name: str) -> Sequence[str]:
    """Return the values of a filter; a page that goes on after another is the one that this one names."""
    if name == "unmapped":
        return ("true",)
    if name != "after" or path.endswith("/orders"):
        return ground.names.choices(name.replace("_", "-"))
    following = json.loads(visitor.get(path))["next"]
    return () if following is None else (following,)
