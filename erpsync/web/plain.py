"""What no database can hold is refused before anything looks at it.

Why here and for all addresses: PostgreSQL takes no U+0000 in a text, SQLite does, and a caller who needs no token could
fill the log with it.
"""

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from erpsync.web.api.problems import problem
from erpsync.web.spoken import spoken

IN_PATH = "there is nothing at this address"
IN_QUERY = "the query holds U+0000, which no text may hold"


class PlainAddresses:
    """Answers 404 to a path with U+0000, and 422 to such a query."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request through the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif "\0" in scope["path"]:
            await _answer(scope["path"], 404, IN_PATH)(scope, receive, send)
        elif b"%00" in scope["query_string"]:
            await _answer(scope["path"], 422, IN_QUERY)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _answer(path: str, status: int, said: str) -> Response:
    if path.startswith("/api/"):
        return problem(status, said)
    return Response(f"{spoken().say(said)}\n", status, media_type="text/plain")
