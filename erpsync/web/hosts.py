"""Which names of this server a browser may ask for.

Why: a page from elsewhere can let its own name point to this machine (DNS rebinding) and would read orders through the
browser of whoever may reach the console. The name it asks for gives it away.
"""

import ipaddress
import json
from collections.abc import Callable, Collection

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from erpsync.web.spoken import spoken

OPEN = ("/hooks/", "/livez", "/readyz", "/metrics")
"""What may be asked for under any name: webhooks are signed, the others say nothing about orders."""

REFUSED = "this server is not known under that name; list it under web.allowed_hosts"


def host_name(host: str) -> str:
    """Return the name in a Host header, in lower case, without port and final dot; empty when it is none."""
    name, colon, port = host.strip().lower().rpartition(":")
    if not colon or not port.isdecimal():
        name = host.strip().lower()
    return name.removesuffix(".")


def is_literal(name: str) -> bool:
    """Return whether this is an address in numbers, which nobody can let point elsewhere."""
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]") if name.startswith("[") else name)
    except ValueError:
        return False
    return True


class KnownHosts:
    """Answers 421 to whoever asks for a name that is not ours; `allowed` are those of the configuration in force."""

    def __init__(self, app: ASGIApp, allowed: Callable[[], Collection[str]]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request through the application."""
        if scope["type"] != "http" or _is_open(scope["path"]) or self._knows(Headers(scope=scope).getlist("host")):
            await self._app(scope, receive, send)
            return
        await _refusal(scope["path"])(scope, receive, send)

    def _knows(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:  # none, or two of which a proxy may have looked at the other one
            return False
        name = host_name(hosts[0])
        return name == "localhost" or is_literal(name) or name in self._allowed()


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith("/hooks/")


def _refusal(path: str) -> Response:
    if path.startswith("/api/"):
        said = {"title": "Misdirected Request", "status": 421, "detail": REFUSED}
        return Response(json.dumps(said), 421, media_type="application/problem+json")
    return Response(f"{spoken().say(REFUSED)}\n", 421, media_type="text/plain")
