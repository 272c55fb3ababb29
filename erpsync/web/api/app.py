"""The API as an application of its own, mounted beside the console.

Why no pages of documentation: they load scripts from elsewhere, which this server's headers forbid;
`openapi.json` holds the same.
"""

import asyncio
from typing import Any

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from erpsync import __version__
from erpsync.web.api import channels, desk, events, find, orders, papers, rules, stock, waybills
from erpsync.web.api.deps import Deps
from erpsync.web.api.problems import HANDLERS, TYPE, problem
from erpsync.web.hooks import BodyError, read_body
from erpsync.web.site import Site

ABOUT = """Orders, stock and channels for programs: the same use cases and shapes as the command line.

Every POST that changes something needs an `Idempotency-Key`: a repetition with the same key gets the first answer (for
30 days), the same key with another request is refused. Errors are problem documents (RFC 9457). Lists are pages: send
`next` as `after`.
Amounts are integers in minor units, instants ISO 8601 in UTC."""

_PROBLEMS = {
    400: "the Idempotency-Key is missing or too long, or the body is none",
    401: "the token is missing, unknown or revoked",
    403: "the token's scope does not reach this far",
    404: "there is nothing of this name",
    409: "this cannot be done as things stand, or another call with the same key is being carried out",
    422: "the request is not what this address takes",
    429: "too many calls with this token; Retry-After says when to go on",
    503: "the database cannot be used now; Retry-After says when to try again",
}


def create_api(site: Site) -> FastAPI:
    """Return the API for a site."""
    app = FastAPI(
        title="erpsync",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        exception_handlers=HANDLERS,
        responses={status: _documented(said) for status, said in _PROBLEMS.items()},
        redirect_slashes=False,
    )
    app.state.deps = Deps(site)
    for room in (find, orders, rules, desk, papers, waybills, stock, channels, events):
        app.include_router(room.router)
    app.add_middleware(WholeBody, site=site)
    return app


def _documented(said: str) -> dict[str, Any]:
    return {"description": said, "content": {TYPE: {"schema": {"type": "object"}}}}


class WholeBody:
    """Takes a request's body in, within limits of size and time, before anything is done with it."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request through the application."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._site.body_s):
                body = await read_body(Request(scope, receive), self._site.max_body_bytes)
        except BodyError as error:
            await problem(error.status, error.problem, headers={"Connection": "close"})(scope, receive, send)
            return
        except TimeoutError:
            await problem(408, "the body took too long", headers={"Connection": "close"})(scope, receive, send)
            return
        except ClientDisconnect:
            return
        scope["erpsync.body"] = body
        await self._app(scope, _replay(body, receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receive function that gives the body once, then what comes after it."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return rest.pop() if rest else await receive()

    return again
