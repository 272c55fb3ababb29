"""What every endpoint is given: who asks and what they may, a look at the store, and a way to change things once.

Why the caller's key is demanded and not offered: whoever gets no answer must be able to ask again without doing it
twice, and finds out too late that a key would have been needed.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import structlog
from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection
from starlette.responses import Response

from erpsync.flows.access.tokens import Access, access_of
from erpsync.flows.api.idempotency import MAX_KEY_CHARS, Answer, Asker, Call, carry_out
from erpsync.flows.context import Context
from erpsync.flows.explain.steps import Settings
from erpsync.web.api.problems import TYPE, Problem, problem_body, status_of
from erpsync.web.site import Site

CALLS_PER_S = 50.0
BURST = 200.0
REFUSAL_PAUSE_S = 60.0

REPLAYED = {"Idempotent-Replayed": "true"}

log = structlog.get_logger(__name__)


class Deps:
    """The API's side of a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._lock = threading.Lock()
        self._budgets: dict[int, tuple[float, float]] = {}
        self._refused_at_s = float("-inf")

    @property
    def ctx(self) -> Context:
        """The context in force."""
        return self.site.ctx()

    @property
    def settings(self) -> Settings:
        """Where the settings of the context in force are written."""
        return self.site.settings()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database and cannot change it."""
        with self.site.store.read() as connection:
            yield connection

    def admit(self, token: str) -> Access:
        """Return what the caller may do; 401 for a token that is none, 429 beyond its share of calls."""
        access = access_of(self.site.store, token) if token else None
        if access is None:
            self._note_refusal()
            wanted = "a token that is valid" if token else "an Authorization header: Bearer TOKEN"
            raise Problem(401, f"this needs {wanted}", headers={"WWW-Authenticate": "Bearer"})
        wait_s = self._take(access.id)
        if wait_s > 0:
            raise Problem(429, "too many calls with this token", headers={"Retry-After": str(1 + int(wait_s))})
        return access

    def _take(self, token_id: int) -> float:
        """Take one call out of a token's budget; return 0, or in how many seconds there will be one."""
        now_s = self.site.store.clock.monotonic()
        with self._lock:
            left, since_s = self._budgets.get(token_id, (BURST, now_s))
            left = min(BURST, left + (now_s - since_s) * CALLS_PER_S)
            if left < 1:
                self._budgets[token_id] = (left, now_s)
                return (1 - left) / CALLS_PER_S
            self._budgets[token_id] = (left - 1, now_s)
            return 0.0

    def _note_refusal(self) -> None:
        """Let the log hear of refused callers at most once a minute, whoever keeps trying."""
        now_s = self.site.store.clock.monotonic()
        if now_s - self._refused_at_s >= REFUSAL_PAUSE_S:
            self._refused_at_s = now_s
            log.warning("api.refused")


_bearer = HTTPBearer(auto_error=False, description="A token made by `erpsync token create NAME --scope SCOPE`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def deps_of(request: Request) -> Deps:
    """Return the dependencies of the application that answers."""
    deps: Deps = request.app.state.deps
    return deps


TheDeps = Annotated[Deps, Depends(deps_of)]


def caller(deps: TheDeps, credentials: Credentials) -> Access:
    """Return who asks."""
    return deps.admit("" if credentials is None else credentials.credentials)


def _needs(scope: str) -> Callable[[Access], Access]:
    def admitted(access: Annotated[Access, Depends(caller)]) -> Access:
        if not access.allows(scope):
            raise Problem(403, f"this needs a token of scope {scope}; {access.name} has {access.scope}")
        return access

    return admitted


Reader = Annotated[Access, Depends(_needs("read"))]
Packer = Annotated[Access, Depends(_needs("pack"))]
Operator = Annotated[Access, Depends(_needs("operate"))]
Admin = Annotated[Access, Depends(_needs("admin"))]


class Once:
    """A request that changes something, carried out once for its token and key."""

    def __init__(self, deps: Deps, call: Call) -> None:
        self._deps = deps
        self._call = call

    @property
    def actor(self) -> str:
        """Who acts, for events."""
        return self._call.asker.actor

    @property
    def name(self) -> dict[str, str | int]:
        """What all repetitions of this request have in common, and no other request."""
        return {"token": self._call.asker.id, "key": self._call.key}

    def answer(
        self,
        act: Callable[[Context], Any],
        show: Callable[[Context, Any], Any],
        *,
        status: int = 200,
        again: bool = False,
    ) -> Response:
        """Act and answer what `show` makes of what `act` returned; a repetition gets the first answer.

        Args:
            act: the use case. When a process died after its first commit and before the answer, it is not done again,
                and `show` gets None.
            again: the use case takes several commits and may be done again from the start.
        """
        return _replayed(*self.carried(act, lambda ctx, done: _json(show(ctx, done)), status=status, again=again))

    def carried(
        self,
        act: Callable[[Context], Any],
        keep: Callable[[Context, Any], bytes],
        *,
        status: int = 200,
        again: bool = False,
    ) -> tuple[Answer, bool]:
        """Act, and return what is kept of it as the answer, and whether it was kept before; else as `answer`."""
        return carry_out(
            self._deps.ctx,
            self._call,
            act=act,
            show=lambda ctx, done: Answer(status=status, body=keep(ctx, done)),
            refuse=_refused,
            again=again,
        )


def _refused(error: Exception) -> Answer:
    status = status_of(error)
    return Answer(status=status, body=problem_body(status, str(error)))


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=MAX_KEY_CHARS,
        description="Any text of your own, new for each request; send the same again when no answer came.",
    ),
]


def once(request: Request, deps: TheDeps, access: Operator, key: Key = None) -> Once:
    """Return the request as one that is carried out once; 400 without a key."""
    return _once(request, deps, access, key)


def once_packer(request: Request, deps: TheDeps, access: Packer, key: Key = None) -> Once:
    """As `once`, for tokens of scope pack too."""
    return _once(request, deps, access, key)


def _once(request: Request, deps: Deps, access: Access, key: str | None) -> Once:
    if not key:
        raise Problem(400, "this needs a header Idempotency-Key: any text of your own, new for each request")
    body: bytes = request.scope.get("erpsync.body", b"")
    query = f"?{request.url.query}" if request.url.query else ""
    path = f"{request.url.path}{query}"
    asker = Asker(kind="token", id=access.id, actor=access.actor)
    return Once(deps, Call(asker=asker, key=key, method=request.method, path=path, body=body))


def once_admin(access: Admin, each: Annotated[Once, Depends(once)]) -> Once:
    """As `once`, for tokens of scope admin."""
    del access
    return each


Doing = Annotated[Once, Depends(once)]
PackDoing = Annotated[Once, Depends(once_packer)]
AdminDoing = Annotated[Once, Depends(once_admin)]


def answer(value: Any, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(_json(value), 200, headers=headers, media_type="application/json")


def page(items: list[Any], following: str | None) -> Response:
    """Return a page of a list: `items`, and as `next` what to send as `after` for the page behind it."""
    return answer({"items": items, "next": following})


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _replayed(answer: Answer, repeated: bool) -> Response:
    return _response(answer, REPLAYED if repeated else None)


def _response(answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    media_type = TYPE if answer.status >= 400 else "application/json"
    return Response(answer.body, answer.status, headers=headers, media_type=media_type)
