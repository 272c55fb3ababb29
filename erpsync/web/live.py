"""`/stream`: tells open pages that something has changed, so that they fetch what they show anew.

Why only "changed: orders" and not what: a page is made in its reader's language and for its reader's role where all
pages are made. Why one watcher for all who listen: a hundred open pages cost the database one look a second.
Why a stream is looked after for as long as it lasts: whoever was let in by a session that has ended hears nothing more.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from erpsync.flows.access.sessions import UNUSED
from erpsync.store.db.engine import StoreError
from erpsync.store.db.store import Store
from erpsync.store.feed import settled_id
from erpsync.store.views.changes import TOPICS, Marks, read_marks, sessions_that_last, topics_between
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.kit import Kit

AGAIN_S = 60
RETRY_MS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often is looked, and how many may listen.

    Args:
        look_s: seconds between two looks at the database.
        quiet_s: seconds after which a stream says something though nothing has changed: proxies end one that is silent.
        streams: streams at a time; half of the connections that a server takes, so that pages find room.
        per_user: streams of one user at a time.
    """

    look_s: float = 1.0
    quiet_s: float = 15.0
    streams: int = 128
    per_user: int = 8


@dataclass(eq=False, slots=True, kw_only=True)
class Listener:
    """An open page.

    Args:
        topics: what has changed and was not told yet.
        woken: there is something to tell.
        begun: every change from now on is told.
        over: the stream ends.
        ended: it ends because the session has.
    """

    session_id: int
    user_id: int
    topics: set[str] = field(default_factory=set)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    begun: bool = False
    over: bool = False
    ended: bool = False


class Live:
    """The address of the stream."""

    def __init__(self, kit: Kit, pace: Pace | None = None) -> None:
        self._kit = kit
        self.watch = Watch(kit.site.store, pace or Pace())

    def routes(self) -> list[Guarded]:
        """Return its address."""
        return [self._kit.door.part("/stream", self.stream, role="read")]

    def stream(self, visit: Visit) -> Response:
        """Answer what changes, for as long as the visitor's session lasts."""
        if visit.request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return _Stream(self.watch, session_id=visit.visitor.session_id, user_id=visit.visitor.user_id)


class Watch:
    """Looks at the database while anybody listens, and tells all of them. All but the looks runs on the event loop."""

    def __init__(self, store: Store, pace: Pace) -> None:
        self.pace = pace
        self._store = store
        self._listeners: set[Listener] = set()
        self._turning: asyncio.Task[None] | None = None

    def enter(self, listener: Listener, stopping: asyncio.Event) -> bool:
        """Take a listener in; whether there is room for one more."""
        users = Counter(other.user_id for other in self._listeners)
        full = len(self._listeners) >= self.pace.streams or users[listener.user_id] >= self.pace.per_user
        if full or stopping.is_set():
            return False
        self._listeners.add(listener)
        if self._turning is None or self._turning.done():
            self._turning = asyncio.create_task(self._turn(stopping))
        return True

    def leave(self, listener: Listener) -> None:
        """Let a listener go."""
        self._listeners.discard(listener)

    async def _turn(self, stopping: asyncio.Event) -> None:
        """Look until nobody listens, the server stops, or the database cannot be looked at: pages ask by themselves."""
        stop = asyncio.create_task(stopping.wait())
        before: Marks | None = None
        try:
            while self._listeners and not stop.done():
                before = await self._look_once(before, stop)
                await asyncio.wait({stop}, timeout=self.pace.look_s)
        except (SQLAlchemyError, StoreError):
            pass  # the next page that is asked for says and logs it
        finally:
            stop.cancel()
            for listener in self._listeners:
                _end(listener)

    async def _look_once(self, before: Marks | None, stop: "asyncio.Task[bool]") -> Marks | None:
        """Tell every listener what has changed, those whose session is over that it is; return the marks of now."""
        ids = {listener.session_id for listener in self._listeners}
        look = asyncio.create_task(anyio.to_thread.run_sync(self._look, before, ids, abandon_on_cancel=True))
        await asyncio.wait({look, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not look.done():
            look.cancel()
            return before
        marks, changed, lasting = look.result()
        for listener in self._listeners:
            if listener.session_id in ids - lasting:
                listener.ended = True
                _end(listener)
            elif changed or not listener.begun:
                listener.begun = True
                listener.topics |= changed
                listener.woken.set()
        return marks

    def _look(self, before: Marks | None, ids: set[int]) -> tuple[Marks, frozenset[str], frozenset[int]]:
        """Return the marks of now, the topics that have changed since `before`, and the sessions that last."""
        settled, now = settled_id(self._store), self._store.clock.now()
        with self._store.read() as connection:
            marks = read_marks(connection, settled)
            changed = frozenset[str]() if before is None else topics_between(connection, before, marks)
            lasting = sessions_that_last(connection, ids, now=now, unused_since=now - UNUSED)
        return marks, changed, lasting


class _Stream(Response):
    """An answer that goes on: a line for every change, for as long as there is room, a session and a server."""

    def __init__(self, watch: Watch, *, session_id: int, user_id: int) -> None:
        super().__init__()
        self._watch = watch
        self._session_id, self._user_id = session_id, user_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        listener = Listener(session_id=self._session_id, user_id=self._user_id)
        stopping: asyncio.Event = scope.get("state", {}).get("stopping") or asyncio.Event()
        if not self._watch.enter(listener, stopping):
            busy = PlainTextResponse("full\n", 503, headers={"Retry-After": str(AGAIN_S)})
            await busy(scope, receive, send)
            return
        try:
            headers = {"X-Accel-Buffering": "no"}  # nginx passes each line on as it comes
            lines = _lines(listener, self._watch.pace.quiet_s)
            await StreamingResponse(lines, headers=headers, media_type="text/event-stream")(scope, receive, send)
        finally:
            self._watch.leave(listener)


async def _lines(listener: Listener, quiet_s: float) -> AsyncIterator[bytes]:
    """Yield what a browser's `EventSource` reads. Source: WHATWG HTML, section 9.2.6."""
    yield b"retry: %d\n\n" % RETRY_MS
    begun = False
    while not listener.over:
        try:
            async with asyncio.timeout(quiet_s):
                await listener.woken.wait()
        except TimeoutError:
            yield b":\n\n"
            continue
        listener.woken.clear()
        if listener.begun and not begun:
            begun = True
            yield _event("begun", "now")
        topics = [topic for topic in TOPICS if topic in listener.topics]
        listener.topics.clear()
        if topics:
            yield _event("changed", " ".join(topics))
    if listener.ended:
        yield _event("ended", "session")


def _event(name: str, told: str) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), told.encode())


def _end(listener: Listener) -> None:
    listener.over = True
    listener.woken.set()
