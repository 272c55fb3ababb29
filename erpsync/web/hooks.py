"""`POST /hooks/{channel}` and, where a secret stands behind it, `/hooks/{channel}/{path}`: take a webhook in, store it.

Nothing is worked on here: what is stored and answered 200 is applied later, and what could not be stored is answered
503, so that the channel sends it again. Who guesses channel names or signatures learns nothing: the same answer, after
the same kind of work.
"""

import asyncio
import hashlib
import hmac
import secrets
import zlib

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from erpsync.flows.context import Channel, Context
from erpsync.sdk.errors import AuthError, ConnectorError
from erpsync.sdk.roles import WebhookSource
from erpsync.sdk.text import holds_nul
from erpsync.sdk.types import WebhookRequest
from erpsync.store.db.engine import StoreError, sqlite_path
from erpsync.store.db.trouble import cause_of
from erpsync.web.meters import WebMeters
from erpsync.web.site import Site

TOLD_PAUSE_S = 60
UNKNOWN = "unknown"
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_CHUNK_BYTES = 64 * 1024

log = structlog.get_logger(__name__)


class BodyError(Exception):
    """A body that is not taken; `status` is the HTTP status that says why."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem


class Hooks:
    """The endpoint and what it counts."""

    def __init__(self, site: Site, meters: WebMeters) -> None:
        self._site = site
        self._meters = meters
        self._decoy = secrets.token_bytes(32)
        self._told_at: dict[tuple[str, str], float] = {}

    async def take(self, request: Request) -> Response:
        """Answer one delivery."""
        name = request.path_params["channel"]
        try:
            async with asyncio.timeout(self._site.body_s):
                body = await read_body(request, self._site.max_body_bytes)
        except BodyError as error:
            return self._not_taken(name, error)
        except ClientDisconnect:
            return self._not_taken(name, BodyError(400, "the body ended early"))
        except TimeoutError:
            return self._not_taken(name, BodyError(408, "the body took too long"))
        return await run_in_threadpool(self._store, name, request, body)

    def _store(self, name: str, request: Request, body: bytes) -> Response:
        ctx = self._site.ctx()
        channel = receiver(ctx, name)
        if channel is None:
            hmac.new(self._decoy, body, hashlib.sha256).digest()  # as long as a signature takes
            return self._refused(UNKNOWN, "no such channel")
        delivery = WebhookRequest(
            headers=dict(request.headers),
            query=dict(request.query_params),
            body=body,
            received_at=self._site.store.clock.now(),
            path=request.path_params.get("path", ""),
        )
        try:
            receipt = self._site.receive(ctx, channel, delivery)
        except AuthError as error:
            return self._refused(channel.name, error.problem)
        except (SQLAlchemyError, StoreError, ConnectorError, OSError) as error:
            return self._not_stored(channel, error)
        self._meters.count(channel.name, "stored")
        if self._site.losses.unsaved():
            self._site.write.asked()  # it can be told again what was lost before
        return Response(receipt.reply.body, 200, media_type=receipt.reply.content_type)

    def _not_stored(self, channel: Channel, error: Exception) -> Response:
        """Answer 503, so that it is sent again; the log hears of a cause at most once a minute and channel."""
        self._meters.count(channel.name, "not_stored")
        self._site.losses.note(channel.id, self._site.store.clock.now())
        cause = cause_of(error, sqlite_path(self._site.store.engine))
        if self._is_news(channel.name, cause):
            log.error("webhook.not_stored", channel=channel.name, error=cause)
        return JSONResponse({"error": "not stored, send it again"}, 503, headers={"Retry-After": "5"})

    def _refused(self, channel: str, reason: str) -> Response:
        """Answer 401; the log hears of it at most once a minute and channel, whoever keeps trying."""
        self._meters.count(channel, "refused")
        if self._is_news(channel, "refused"):
            log.warning("webhook.refused", channel=channel, error=reason)
        return JSONResponse({"error": "not accepted"}, 401)

    def _is_news(self, channel: str, what: str) -> bool:
        now_s = self._site.store.clock.monotonic()
        if now_s - self._told_at.get((channel, what), float("-inf")) < TOLD_PAUSE_S:
            return False
        self._told_at[channel, what] = now_s
        return True

    def _not_taken(self, name: str, error: BodyError) -> Response:
        receives = receiver(self._site.ctx(), name) is not None
        self._meters.count(name if receives else UNKNOWN, "not_taken")
        return JSONResponse({"error": error.problem}, error.status, headers={"Connection": "close"})


def receiver(ctx: Context, name: str) -> Channel | None:
    """Return the channel that takes webhooks under this name; a disabled one does not."""
    for channel in ctx.channels.values():
        if channel.name == name and channel.enabled and channel.plays(WebhookSource):
            return channel
    return None


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body, unpacked; raises `BodyError` (413, 415, 422, 400) without ever holding more than `max_bytes`."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in (*_WINDOW_BITS, "identity", ""):
        raise BodyError(415, "the content encoding must be gzip, deflate or none")
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > max_bytes:
        raise BodyError(413, f"a body may have {max_bytes} bytes")
    unpack = _Unpacker(coding, max_bytes)
    async for chunk in request.stream():
        for start in range(0, len(chunk), _CHUNK_BYTES):
            unpack.feed(chunk[start : start + _CHUNK_BYTES])
    body = unpack.finish()
    if holds_nul(body):
        raise BodyError(422, "the body holds U+0000, which no text may hold")
    return body


class _Unpacker:
    """Gathers a body, unpacked as it comes, so that a small bomb cannot fill the memory."""

    def __init__(self, coding: str, max_bytes: int) -> None:
        self._coding = coding
        self._max_bytes = max_bytes
        self._body = bytearray()
        self._received = 0
        self._packed = coding in _WINDOW_BITS
        self._zlib = zlib.decompressobj(_WINDOW_BITS.get(coding, zlib.MAX_WBITS))
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        self._received += len(chunk)
        if self._received <= self._max_bytes:  # packed bytes that unpack to nothing, or stand behind the end, count too
            self._body += self._inflate(chunk) if self._packed else chunk
        if max(self._received, len(self._body)) > self._max_bytes:
            raise BodyError(413, f"a body may have {self._max_bytes} bytes, also when unpacked")

    def _inflate(self, chunk: bytes) -> bytes:
        room = self._max_bytes - len(self._body) + 1
        try:
            return self._zlib.decompress(chunk, room)
        except zlib.error:
            if self._coding != "deflate" or self._begun:
                raise BodyError(400, "the body is not what its content encoding says") from None
        finally:
            self._begun = True
        # "deflate" without the zlib header that RFC 9110 section 8.4.1.2 asks for: many senders leave it out.
        self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        return self._inflate(chunk)

    def finish(self) -> bytes:
        if self._packed and not self._zlib.eof:
            raise BodyError(400, "the compressed body ends early")
        return bytes(self._body)
