"""The HTTP server in a thread of the daemon.

Why the socket is bound here and not by uvicorn: uvicorn ends the process when a port is taken, and only a bound socket
knows its number when any free port was asked for.
"""

import asyncio
import os
import socket
import threading
from dataclasses import replace

import anyio.to_thread
import uvicorn
from starlette.types import ASGIApp

from erpsync.settings import Config, Loaded, installed, load
from erpsync.settings.config import is_loopback
from erpsync.settings.folders import folders
from erpsync.web.app import create_app
from erpsync.web.protocol import CallerLimits, Hall, PromptProtocol
from erpsync.web.site import Face, Site

BACKLOG = 256
KEEP_ALIVE_S = 5
START_S = 60


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = threading.Event()
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # A thread for every connection there may be: a request that waits for the database keeps no other one waiting.
        anyio.to_thread.current_default_thread_limiter().total_tokens = self.config.limit_concurrency or 0
        self.lifespan.state["stopping"] = self._stopping  # every request is given it
        await super().startup(sockets)
        self.answering.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Answers without an end are told first: nobody waits for them.
        self._stopping.set()
        await super().shutdown(sockets)


class AppServer:
    """Serves an application until told to stop. `port` is the real one when 0 was asked for.

    Args:
        limits: what callers may take up.
    """

    def __init__(
        self, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, limits: CallerLimits | None = None
    ) -> None:
        self.host = host
        self.port = port
        self._app = app
        self._limits = limits or CallerLimits()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of the console, once started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    def start(self) -> None:
        """Bind, serve, and return once requests are answered. Raises `OSError` when the address cannot be had."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            bound = socket.create_server((self.host, self.port), family=family, backlog=BACKLOG)
        except OSError as error:
            reason = (error.strerror or "cannot be listened on").partition(" (while")[0]
            raise OSError(error.errno, reason, f"web.listen {self.host}:{self.port}") from None
        self.port = bound.getsockname()[1]
        self._server = _Server(_config(self._app, self._limits))
        serve = {"sockets": [bound]}
        self._thread = threading.Thread(target=self._server.run, kwargs=serve, name="web", daemon=True)
        self._thread.start()
        if not self._server.answering.wait(START_S):
            raise OSError(f"the web server did not start within {START_S} s")

    def stop(self, timeout_s: float = 5) -> bool:
        """Accept nothing more and let running requests finish for `timeout_s`, then cut them off; may be called twice.

        Returns whether the server has ended.
        """
        if self._server is None or self._thread is None:
            return True
        self._server.config.timeout_graceful_shutdown = max(1, round(timeout_s))
        self._server.should_exit = True
        self._thread.join(timeout_s + 1)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(1)
        return not self._thread.is_alive()


class WebServer(AppServer):
    """The web server of a daemon, at the address that its configuration names."""

    def __init__(self, face: Face, *, notice: str = "") -> None:
        config = face.config()
        self._store = store = face.ctx().store.at_border()
        site = Site(
            store=store,
            ctx=lambda: replace(face.ctx(), store=store),
            settings=lambda: face.config().written,
            config=face.config,
            reread=lambda: reread(face.config()),
            limits=lambda: face.config().status,
            places=lambda: folders(face.config()),
            hosts=lambda: (config.web_host.lower(), *face.config().web_hosts),
            needs_tls=lambda: not is_loopback(config.web_host) and not face.config().web_plain_http,
            meters=face.meters.samples,
            alive=face.alive,
            draining=face.draining,
            notice=notice,
        )
        self._papers = site.papers
        super().__init__(create_app(site), host=config.web_host, port=config.web_port)

    def stop(self, timeout_s: float = 5) -> bool:
        """As `AppServer.stop`; the connections of requests are closed as well."""
        ended = super().stop(timeout_s)
        self._papers.close()
        self._store.close()
        return ended


def reread(config: Config) -> Loaded:
    """Return what the files of a configuration say now, as a reload would read them."""
    place = config.written.file or config.folder
    return load(place, registry=installed(), environ=os.environ, secrets=True, folders=True)


def _config(app: ASGIApp, limits: CallerLimits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=type("Prompt", (PromptProtocol,), {"hall": Hall(limits)}),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections + 1,  # so many whole requests; who only waits makes room
        timeout_keep_alive=KEEP_ALIVE_S,
    )
