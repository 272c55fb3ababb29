"""The application: which address answers what, and what every answer carries.

Why plain `def` endpoints: the store is synchronous, so they run in the thread pool. Asynchronous are the reading of a
webhook's body, because its size is checked while it comes in, and the two probes, which need no thread to answer.
"""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from erpsync.store.db.engine import StoreError, sqlite_path
from erpsync.store.db.trouble import cause_of
from erpsync.web.access.door import Door
from erpsync.web.access.encryption import EncryptedOnly
from erpsync.web.access.log_in import LogIn
from erpsync.web.acts import Acts
from erpsync.web.api import create_api
from erpsync.web.console.kit import Kit
from erpsync.web.console.routes import answer_error
from erpsync.web.console.routes import routes as console_routes
from erpsync.web.hooks import Hooks
from erpsync.web.hosts import KnownHosts
from erpsync.web.language import InLanguage, choose, wanted_by
from erpsync.web.meters import WebMeters
from erpsync.web.metrics import registry_of
from erpsync.web.pages import Pages
from erpsync.web.plain import PlainAddresses
from erpsync.web.site import Site
from erpsync.web.spoken import spoken

STATIC = Path(__file__).parent / "static"
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # without it browsers say that our own forms come from nowhere
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)

log = structlog.get_logger(__name__)


def create_app(site: Site) -> Starlette:
    """Return the application for a site: webhooks, probes, metrics, the REST API and the console."""
    registry = registry_of(site)
    pages = Pages(site, version=asset_version())
    door = Door(site, pages)
    hooks = Hooks(site, WebMeters(registry))
    kit = Kit(site=site, pages=pages, door=door, acts=Acts(site))
    routes = [
        Route("/hooks/{channel}", hooks.take, methods=["POST"]),
        Route("/hooks/{channel}/{path:path}", hooks.take, methods=["POST"]),
        Route("/livez", partial(livez, site)),
        Route("/readyz", partial(readyz, site)),
        Route("/metrics", partial(metrics, registry)),
        Route("/status.json", partial(status_json, site)),
        Mount("/api/v1", create_api(site)),
        Route("/language", choose),
        *LogIn(site, pages, door).routes(),
        *console_routes(kit),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    busy = partial(_unusable, site)
    handlers: dict[Any, Any] = {
        HTTPException: partial(answer_error, kit),
        SQLAlchemyError: busy,
        StoreError: busy,
        Exception: _failed,
    }
    layers = [
        Middleware(SafeHeaders),
        Middleware(InLanguage),
        Middleware(KnownHosts, allowed=site.hosts),
        Middleware(EncryptedOnly, required=site.needs_tls),
        Middleware(PlainAddresses),
    ]
    return Starlette(routes=routes, middleware=layers, exception_handlers=handlers)


async def livez(site: Site, request: Request) -> Response:
    """Answer whether the daemon's loop still turns; a troubled channel or database does not matter here."""
    del request
    alive = site.alive()
    return JSONResponse({"alive": alive}, 200 if alive else 503)


async def readyz(site: Site, request: Request) -> Response:
    """Answer whether webhooks can be stored now. A channel that is down never makes the daemon unready."""
    del request
    problem = "stopping" if site.draining() else await site.write.answer_soon()
    return JSONResponse({"ready": not problem, "problem": problem}, 503 if problem else 200)


def metrics(registry: CollectorRegistry, request: Request) -> Response:
    """Answer all metrics in Prometheus' text format."""
    del request
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def status_json(site: Site, request: Request) -> Response:
    """Answer what `erpsync status --json` prints; always 200, `ok` says whether anything is beyond its limit."""
    del request
    return JSONResponse(site.look().status)


def _unusable(site: Site, request: Request, error: Exception) -> Response:
    """Answer while the database is away, full or locked; whoever asks again gets an answer."""
    cause = cause_of(error, sqlite_path(site.store.engine))
    log.error("page.failed", path=request.url.path, error=cause)
    headers = {"Retry-After": "5"}
    text = spoken().say(f"The database cannot be used now: {cause}.\n")
    return Response(text, 503, headers=headers, media_type="text/plain")


def _failed(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw; the server logs the error. A webhook that was not stored must be sent again.

    This answer is made outside of all layers: it brings their headers and its language itself.
    """
    del error
    safe = {name.decode(): value.decode() for name, value in HEADERS} | {"cache-control": "no-store"}
    if request.url.path.startswith("/hooks/"):
        return JSONResponse({"error": "not stored, send it again"}, 503, headers=safe | {"Retry-After": "5"})
    text = wanted_by(request.scope).say("Something went wrong here; the log has it.\n")
    return Response(text, 500, headers=safe, media_type="text/plain")


def asset_version() -> str:
    """Return a short digest of the static files, so that a browser fetches them once per version."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class SafeHeaders:
    """Adds to every answer what keeps browsers from being turned against it, and how long it may be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request through the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        versioned = scope["path"].startswith("/static/") and b"v=" in scope["query_string"]
        keep = b"public, max-age=31536000, immutable" if versioned else b"no-store"

        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"cache-control"]
                message["headers"] = [*headers, *HEADERS, (b"cache-control", keep)]
            await send(message)

        await self._app(scope, receive, send_safe)
