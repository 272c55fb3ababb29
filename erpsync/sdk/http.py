"""The HTTP client that connectors call platforms with.

One session per thread, no environment look-ups, time-outs and a deadline on every call, at most three tries within one
call that may be repeated. Everything longer than seconds belongs to the daemon's queue.

Why the caller must say `repeatable` each time: whether a lost answer means "try again" or "ask first" is known only to
the one who knows what the call does, and a default would be wrong for half of them.
"""

import random
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import requests
import structlog
import tenacity
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from erpsync.sdk.clock import Clock
from erpsync.sdk.dates import http_date
from erpsync.sdk.deadline import left_s, refuse_late
from erpsync.sdk.errors import ConnectorError, RateLimitedError, TransientError
from erpsync.sdk.mount import SandboxAdapter
from erpsync.sdk.sandbox.base import SandboxRequest, SandboxResponse
from erpsync.sdk.targets import Allowed, GuardedAdapter
from erpsync.sdk.text import read_json
from erpsync.sdk.wire import failed, lost

__all__ = ["HttpClient", "HttpResponse", "Limiter", "Unlimited", "current_lane", "lane", "lost"]

T = TypeVar("T")

MAX_TRIES = 3
FIRST_WAIT_S = 0.1
WAIT_CAP_S = 5.0
DEFAULT_RETRY_AFTER_S = 5.0
MAX_BODY_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
TRY_AGAIN = frozenset({408, 429, 502, 503, 504})
DEFINITE = frozenset({408, 503})
"""Statuses that say that nothing was done, so even a call that must not be repeated may be tried later."""

LANES = ("cancel", "urgent", "shipment", "rest")
current_lane: ContextVar[str] = ContextVar("current_lane", default="rest")

log = structlog.get_logger("erpsync.sdk.http")


@contextmanager
def lane(name: str) -> Iterator[None]:
    """Let all calls inside the `with` block use the lane `name` of the channel's call budget, one of `LANES`."""
    if name not in LANES:
        raise ValueError(f"no lane {name!r}; lanes are {', '.join(LANES)}")
    token = current_lane.set(name)
    try:
        yield
    finally:
        current_lane.reset(token)


class Limiter(Protocol):
    """Decides whether a call may go out now."""

    def acquire(self, lane: str) -> None:
        """Take one call out of the budget; raises `RateLimitedError` rather than wait more than about a second."""
        ...


class Unlimited:
    """A limiter that lets every call through."""

    def acquire(self, lane: str) -> None:
        """Return at once."""
        del lane


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """An answer that came in whole. Header names are lower case; the instants are those of our clock.

    `repeatable` is what the caller said of the call; it decides how a body that cannot be read is judged.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent_at: datetime
    received_at: datetime
    repeatable: bool = True

    @property
    def text(self) -> str:
        """The body as UTF-8, wrong bytes replaced."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """Return the body read as JSON; integers of any size are exact, text can be stored (`sdk.text`).

        A body that is not JSON is no usable answer: `TransientError` for a repeatable call, else
        `OutcomeUnknownError`. The error never quotes the body, it may hold personal data.
        """
        try:
            return read_json(self.body)
        except (ValueError, RecursionError):
            problem = f"answer with status {self.status} and {len(self.body)} bytes is not JSON"
        raise lost(problem, repeatable=self.repeatable)


class _TryAgain(Exception):
    """One failed try that another one may mend: what to raise if none does, and how long the platform says to wait."""

    def __init__(self, error: ConnectorError, *, wait_s: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    url: str
    params: Mapping[str, str] | None
    data: bytes | str | Mapping[str, str] | None
    headers: Mapping[str, str] | None
    repeatable: bool
    secret_path: bool
    deadline: float


class HttpClient:
    """Calls platforms. May be shared by threads; each has its own connections.

    Args:
        clock: measures the deadline, stamps answers and waits between tries.
        limiter: asked before every try, see `lane`.
        mount: plays all addresses in-process instead of the network, see `erpsync.sdk.sandbox`.
        connect_s, read_s: longest wait for a connection, and for each piece of an answer.
        deadline_s: longest time for one `request` with all its tries. A server that trickles its header lines can
            stretch the last try, each line at most by `read_s`.
        rng: chance for the waits between tries.
        heard: called with every answer, whatever its status.
        local: if given, addresses of this machine and link-local ones are called only where it says so.

    Proxies, CA bundles and passwords from environment variables and ~/.netrc are not used, cookies are not kept, and
    redirects are returned, not followed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        limiter: Limiter | None = None,
        mount: Callable[[SandboxRequest], SandboxResponse] | None = None,
        connect_s: float = 5,
        read_s: float = 20,
        deadline_s: float = 30,
        rng: random.Random | None = None,
        heard: Callable[["HttpResponse"], None] = lambda answer: None,
        local: Allowed | None = None,
    ) -> None:
        self.clock = clock
        self.connect_s = connect_s
        self.read_s = read_s
        self.deadline_s = deadline_s
        self._limiter = limiter or Unlimited()
        self._mount = mount
        self._heard = heard
        self._local_targets = local
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not secrets
        self._local = threading.local()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | str | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool,
        secret_path: bool = False,
    ) -> HttpResponse:
        """Return the platform's answer, whatever its status, except for those below.

        Args:
            repeatable: doing the call twice is the same as doing it once.
            secret_path: the path of `url` holds a credential; logs and errors name the host alone.

        Raises:
            RateLimitedError: 429, or any "try again" status whose Retry-After is beyond a few seconds.
            TooLateError: not sent, because the time was up, see `sdk.deadline`.
            TransientError: not sent; or answered 408 or 503; or, if repeatable, no usable answer or any other 5xx.
            OutcomeUnknownError: not repeatable, sent, and no usable answer or any other 5xx.
            RejectedError: the address cannot be called.

        What timed out is a `TimedOut` besides.
        """
        return self.read(
            method,
            url,
            params=params,
            data=data,
            headers=headers,
            repeatable=repeatable,
            secret_path=secret_path,
            into=lambda answer: answer,
        )

    def read(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | str | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool,
        secret_path: bool = False,
        into: Callable[[HttpResponse], T],
    ) -> T:
        """Return what `into` makes of the answer; else as `request`.

        A `TransientError` of `into` is a failed try like a broken connection: some platforms say 200 to a page of HTML.
        """
        deadline = self.clock.monotonic() + self.deadline_s
        call = _Call(method, url, params, data, headers, repeatable, secret_path, deadline)
        retrying = tenacity.Retrying(
            stop=lambda state: state.attempt_number >= MAX_TRIES or self._too_late(state, deadline),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(_TryAgain),
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            made: T = retrying(self._try, call, into)
            return made
        except _TryAgain as last:
            error = last.error
        raise error

    def admit(self) -> None:
        """Take a call that goes another way than HTTP out of the budget; raises as `request` does before it sends."""
        self._limiter.acquire(current_lane.get())
        refuse_late()

    def close(self) -> None:
        """Close all connections; may be called twice, a later request opens new ones."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def _try(self, call: "_Call", into: Callable[[HttpResponse], T]) -> T:
        self._limiter.acquire(current_lane.get())
        sent_at, started = self.clock.now(), self.clock.monotonic()
        refuse_late(call.deadline - started)
        host, path = _address(call)
        answer, failure = None, None
        try:
            answer = self._send(call, call.deadline - started)
            body = self._read(answer, call.deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failure = failed(error, f"{host}{path}", repeatable=call.repeatable)
        finally:
            took_ms = round((self.clock.monotonic() - started) * 1000)
            status = 0 if answer is None else answer.status_code
            log.debug("http.called", host=host, path=path, status=status, took_ms=took_ms)
            if answer is not None:
                answer.close()
        if failure is not None or answer is None:
            if call.repeatable and isinstance(failure, TransientError):
                raise _TryAgain(failure)
            raise failure or RuntimeError("no answer and no failure")
        response = HttpResponse(
            status=status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=body,
            sent_at=sent_at,
            received_at=self.clock.now(),
            repeatable=call.repeatable,
        )
        self._heard(response)
        self._judge(response, f"{host}{path}")
        try:
            return into(response)
        except TransientError as error:
            if not call.repeatable:
                raise
            raise _TryAgain(error) from error

    def _send(self, call: "_Call", budget_s: float) -> requests.Response:
        return self._session().request(
            call.method,
            call.url,
            params=call.params,
            data=call.data,
            headers={"User-Agent": "erpsync", **(call.headers or {})},
            timeout=(min(self.connect_s, budget_s), min(self.read_s, budget_s)),
            stream=True,
            allow_redirects=False,
        )

    def _read(self, answer: requests.Response, deadline: float) -> bytes:
        """Return the whole body; each piece is checked against the deadline and the size limit."""
        pieces: list[bytes] = []
        size = 0
        while piece := answer.raw.read1(CHUNK_BYTES, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise urllib3.exceptions.ResponseError("body too large")
            if self.clock.monotonic() > deadline:
                raise urllib3.exceptions.TimeoutError("deadline passed")
        return b"".join(pieces)

    def _judge(self, response: HttpResponse, where: str) -> None:
        """Raise for the statuses that mean the same on every platform."""
        status, repeatable = response.status, response.repeatable
        if status < 500 and status not in TRY_AGAIN:
            return
        problem = f"{where} answered {status}"
        wait_s = _retry_after_s(response)
        error = _status_error(problem, status, wait_s, repeatable)
        if repeatable and status in TRY_AGAIN and (wait_s or 0.0) <= WAIT_CAP_S:
            raise _TryAgain(error, wait_s=wait_s or 0.0)
        raise error

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._new_session()
            self._local.session = session
            with self._lock:
                self._sessions.add(session)
        return session

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter: BaseAdapter = HTTPAdapter(max_retries=0) if self._mount is None else SandboxAdapter(self._mount)
        if self._mount is None and self._local_targets is not None:
            adapter = GuardedAdapter(self._local_targets)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    def _too_late(self, state: tenacity.RetryCallState, deadline: float) -> bool:
        return state.upcoming_sleep >= min(deadline - self.clock.monotonic(), left_s())

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Return the longer of what the platform asks for and a random wait that doubles from a tenth of a second."""
        failure = state.outcome.exception() if state.outcome else None
        asked_s = failure.wait_s if isinstance(failure, _TryAgain) else 0.0
        return min(WAIT_CAP_S, max(asked_s, self._rng.uniform(0.0, FIRST_WAIT_S * 2**state.attempt_number)))


def _status_error(problem: str, status: int, wait_s: float | None, repeatable: bool) -> ConnectorError:
    asked_to_wait = status in DEFINITE and wait_s is not None and wait_s > WAIT_CAP_S
    if status == 429 or asked_to_wait:
        return RateLimitedError(
            problem, retry_after_s=DEFAULT_RETRY_AFTER_S if wait_s is None else wait_s, code=str(status)
        )
    if status in DEFINITE:
        return TransientError(problem, code=str(status))
    return lost(problem, repeatable=repeatable, code=str(status))


def _retry_after_s(response: HttpResponse) -> float | None:
    """Return the Retry-After header in seconds, whether it is a number or a date; None when it says nothing.

    Source: RFC 9110 section 10.2.3.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    at = http_date(value)
    return None if at is None else max(0.0, (at - response.received_at).total_seconds())


def _address(call: "_Call") -> tuple[str, str]:
    """Return host and path of a call's URL, the only parts of it that logs and errors may show."""
    try:
        parts = urlsplit(call.url)
        return parts.hostname or "", "" if call.secret_path else parts.path
    except ValueError:
        return "", ""
