"""Sandboxes over real sockets.

Why the standard library's threading server: it speaks keep-alive HTTP/1.1, lets a handler close a connection without
an answer (that is how time-outs are played) and adds no dependency.
"""

import contextlib
import socket
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from erpsync.sdk.sandbox.base import ConnectionLost, Sandbox, SandboxRequest, SandboxResponse

IDLE_S = 60
MAX_BODY_BYTES = 32 * 1024 * 1024


class SandboxServer:
    """A running server. `url(name)` is the address of one sandbox; `close` ends it and its open connections."""

    def __init__(self, server: "_Server", thread: threading.Thread) -> None:
        self._server = server
        self._thread = thread

    @property
    def port(self) -> int:
        """The TCP port that the server listens on."""
        return int(self._server.server_address[1])

    def url(self, name: str) -> str:
        """Return the base address of the sandbox `name`, without a slash at its end."""
        if name not in self._server.sandboxes:
            raise KeyError(name)
        return f"http://{self._server.server_address[0]!s}:{self.port}/{name}"

    def connections(self) -> list[socket.socket]:
        """Return the connections that are open now."""
        return self._server.open_connections()

    def close(self) -> None:
        """Stop listening and close every connection; may be called twice."""
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(sandboxes: Mapping[str, Sandbox], host: str = "127.0.0.1", port: int = 0) -> SandboxServer:
    """Return a server that answers `/NAME/...` by the sandbox NAME; port 0 takes a free one."""
    server = _Server((host, port), dict(sandboxes))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="sandbox")
    thread.start()
    return SandboxServer(server, thread)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandboxes: dict[str, Sandbox]) -> None:
        super().__init__(address, _Handler)
        self.sandboxes = sandboxes
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def open_connections(self) -> list[socket.socket]:
        with self._lock:
            return list(self._open)

    def drop_connections(self) -> None:
        for connection in self.open_connections():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that went away; a bug in a sandbox is shown on stderr."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(self) -> None:
        """Answer one request, or close the connection where the fault plan says so."""
        length = int(self.headers.get("content-length") or 0)
        if length > MAX_BODY_BYTES or "transfer-encoding" in self.headers:
            self.close_connection = True
            self._send(SandboxResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        name, _, rest = parts.path.lstrip("/").partition("/")
        sandbox = self.server.sandboxes.get(name)
        if sandbox is None:
            self._send(SandboxResponse(status=HTTPStatus.NOT_FOUND, body=b"no such sandbox"))
            return
        request = SandboxRequest(
            method=self.command,
            path="/" + rest,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={key.lower(): value for key, value in self.headers.items()},
            body=body,
        )
        try:
            self._send(sandbox.handle(request))
        except ConnectionLost:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = answer

    def _send(self, response: SandboxResponse) -> None:
        headers = {key.lower(): value for key, value in response.headers.items()}
        headers.setdefault("content-length", str(len(response.body)))
        if headers["content-length"] != str(len(response.body)):
            self.close_connection = True
        if "date" in headers:
            self.send_response_only(response.status)  # the platform's own clock, not this machine's
        else:
            self.send_response(response.status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: requests hold tokens and signatures."""
