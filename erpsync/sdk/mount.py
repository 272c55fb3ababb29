"""The in-process way to a sandbox: a transport adapter for `requests`.

Why an adapter and not a second client: the very code that talks to the platform (bodies, time-outs, tries, errors) is
what the tests run.
"""

import io
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from erpsync.sdk.sandbox.base import ConnectionLost, SandboxRequest, SandboxResponse


class SandboxAdapter(BaseAdapter):
    """Gives every request to `handle` and returns its answer as if it had come from the network."""

    def __init__(self, handle: Callable[[SandboxRequest], SandboxResponse]) -> None:
        super().__init__()
        self._handle = handle
        self._builder = HTTPAdapter()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the sandbox's answer; a lost connection is a read time-out."""
        del stream, timeout, verify, cert, proxies
        try:
            answer = self._handle(_sandbox_request(request))
        except ConnectionLost as error:
            raise requests.exceptions.ReadTimeout(str(error), request=request) from error
        headers = {key.lower(): value for key, value in answer.headers.items()}
        headers.setdefault("content-length", str(len(answer.body)))
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(answer.body),
            headers=headers,
            status=answer.status,
            preload_content=False,
            request_method=request.method,
        )
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


def _sandbox_request(request: requests.PreparedRequest) -> SandboxRequest:
    parts = urlsplit(request.url or "")
    body = request.body or b""
    return SandboxRequest(
        method=(request.method or "GET").upper(),
        path=parts.path or "/",
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={key.lower(): str(value) for key, value in request.headers.items()},
        body=body.encode("utf-8") if isinstance(body, str) else bytes(body),
    )
