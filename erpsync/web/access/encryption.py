"""Whether a request came by TLS, and the refusal of those that did not where they could be read on the way.

Why a header is believed that anybody can send: it is the proxy's in front, which writes it anew; whoever reaches the
port without one, and says so all the same, only gives up a protection of their own. A page from elsewhere cannot have
a browser send it.
"""

import re
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from erpsync.web.api.problems import problem
from erpsync.web.hosts import OPEN
from erpsync.web.spoken import spoken

REFUSED = (
    "console and API do not answer without TLS from other machines: let a proxy pass requests on and say "
    "X-Forwarded-Proto: https, or set web: {plain_http: true} and have passwords and tokens read on the way"
)
_FORWARDED = re.compile(r'(?:^|[;,\s])proto="?https"?(?:$|[;,\s])', re.IGNORECASE)
_PLAIN = (*OPEN, "/status.json")


def came_by_tls(scope: Scope) -> bool:
    """Whether the caller's own connection was encrypted, as this server or the proxy in front of it knows."""
    headers = Headers(scope=scope)
    first = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    said = first == "https" or _FORWARDED.search(headers.get("forwarded", "")) is not None
    return said or scope.get("scheme") == "https"


class EncryptedOnly:
    """Answers 403 to whoever asks console or API unencrypted, while `required`.

    Webhooks are signed, and probes, metrics and `/status.json` hold no secret: they go on.
    """

    def __init__(self, app: ASGIApp, required: Callable[[], bool]) -> None:
        self._app = app
        self._required = required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request through the application."""
        if scope["type"] != "http" or _is_plain(scope["path"]) or not self._required() or came_by_tls(scope):
            await self._app(scope, receive, send)
            return
        await _refusal(scope["path"])(scope, receive, send)


def _is_plain(path: str) -> bool:
    return path.startswith("/hooks/") or path in _PLAIN


def _refusal(path: str) -> Response:
    if path.startswith("/api/"):
        return problem(403, REFUSED)
    return Response(f"{spoken().say(REFUSED)}\n", 403, media_type="text/plain")
