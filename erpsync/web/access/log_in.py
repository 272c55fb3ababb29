"""`/login` and `/logout`: the only addresses of the console that answer somebody without a session."""

import math

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from erpsync.flows.access.log_in import Attempt, Begun, log_in
from erpsync.flows.access.passwords import BusyError
from erpsync.flows.access.sessions import log_out, visitor_of
from erpsync.web.access.cookies import give_session, known_mark, session_secret, take_session
from erpsync.web.access.door import Door
from erpsync.web.access.forms import Form
from erpsync.web.access.origins import caller_of, own_path
from erpsync.web.access.throttle import Throttle
from erpsync.web.access.visit import Visit
from erpsync.web.language import keep
from erpsync.web.pages import Pages
from erpsync.web.protocol import peer_of
from erpsync.web.site import Site

FORM_BYTES = 16 * 1024
REFUSAL_PAUSE_S = 60.0
WRONG = (
    "Name or password is wrong. After five wrong ones in a row each further one has to wait,"
    " a quarter of an hour at most."
)
BUSY = "Too many people log in at this moment. Try again."
SLOWER = "Too many wrong log-ins came from your address. Try again in {wait_s} s."

log = structlog.get_logger(__name__)


class LogIn:
    """The log-in page, what its form leads to, and the way out."""

    def __init__(self, site: Site, pages: Pages, door: Door) -> None:
        self._site = site
        self._pages = pages
        self._door = door
        monotonic = site.store.clock.monotonic
        self._addresses = Throttle(burst=20, every_s=30, monotonic=monotonic)
        self._browsers = Throttle(burst=10, every_s=60, monotonic=monotonic)
        self._refused_at_s = float("-inf")

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/login", self.page, methods=["GET"], name="login"),
            Route("/login", self.enter, methods=["POST"], name="enter"),
            self._door.act("/logout", self.leave, role="read"),
        ]

    def page(self, request: Request) -> Response:
        """Answer the form; whoever has a session is led on."""
        if (first := self._door.first()) is not None:
            return first
        wanted, secret = own_path(request.query_params.get("next", "")), session_secret(request)
        if secret and visitor_of(self._site.store, secret) is not None:
            return RedirectResponse(wanted, 303)
        return self._form(wanted, "", "")

    async def enter(self, request: Request) -> Response:
        """Answer a filled-in form: a new session, or the form again."""
        self._door.check_origin(request)
        form = await self._door.form(request, max_bytes=FORM_BYTES)
        return await run_in_threadpool(self._enter, request, form)

    def leave(self, visit: Visit) -> Response:
        """End the visitor's session."""
        log_out(self._site.store, visit.visitor, visit.caller)
        gone = RedirectResponse("/login", 303)
        take_session(visit.request, gone)
        return gone

    def _enter(self, request: Request, form: Form) -> Response:
        if (first := self._door.first()) is not None:
            return first
        name, wanted, caller = form.text("name").strip(), own_path(form.text("next")), caller_of(request)
        peer = peer_of(caller.address)
        if peer and (wait_s := self._addresses.wait_s(peer)) > 0:
            return self._again(wanted, name, SLOWER.format(wait_s=math.ceil(wait_s)), math.ceil(wait_s))
        attempt = Attempt(
            name=name,
            password=form.text("password"),
            caller=caller,
            mark=known_mark(request),
            replaces=session_secret(request),
        )
        try:
            begun = log_in(self._site.store, attempt, self._browsers.take)
        except BusyError:
            return self._again(wanted, name, BUSY, 1)
        if begun is None:
            self._note_refusal(peer)
            return self._form(wanted, name, WRONG, 403)
        return _led_on(request, wanted, begun)

    def _form(self, wanted: str, name: str, problem: str, status: int = 200) -> Response:
        return self._pages.answer("login.html", {"next": wanted, "name": name, "problem": problem}, None, status)

    def _again(self, wanted: str, name: str, problem: str, wait_s: int) -> Response:
        answer = self._form(wanted, name, problem, 429)
        answer.headers["Retry-After"] = str(wait_s)
        return answer

    def _note_refusal(self, peer: str) -> None:
        """Count it for the address; let the log hear of it at most once a minute, whoever keeps trying."""
        if peer:
            self._addresses.take(peer)
        now_s = self._site.store.clock.monotonic()
        if now_s - self._refused_at_s >= REFUSAL_PAUSE_S:
            self._refused_at_s = now_s
            log.warning("session.refused")


def _led_on(request: Request, wanted: str, begun: Begun) -> Response:
    answer = RedirectResponse(wanted, 303)
    give_session(request, answer, begun.secret, begun.mark)
    keep(request, answer, begun.language)
    return answer
