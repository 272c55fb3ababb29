"""The door of the console: every address stands behind it and names the role that it takes.

Why a page without a session leads to the log-in and a part answers 401: a script that fetches parts would put a form
into the page it keeps up to date.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from erpsync.flows.access.sessions import form_token, is_form_token, visitor_of
from erpsync.flows.access.users import has_users
from erpsync.flows.errors import Refused
from erpsync.store.views import NotFound
from erpsync.web.access.cookies import session_secret
from erpsync.web.access.forms import Form, read_form
from erpsync.web.access.origins import caller_of, is_foreign, login_path, page_before, path_of
from erpsync.web.access.visit import Visit
from erpsync.web.pages import Pages
from erpsync.web.site import Site

Role = Literal["read", "pack", "operate", "admin"]
Show = Callable[[Visit], Response]
TurnAway = Callable[[Request], Response]

FOREIGN = "a page of another site sent this; nothing was done"
NOT_OURS = "this form is not of your session any more: go back, load the page anew, and send it again"
LOG_IN = "log in again"


class Guarded(Route):
    """An address of the console; nobody gets behind it without a session and the role that it names."""

    def __init__(
        self,
        path: str,
        answer: Callable[[Request], Response | Awaitable[Response]],
        *,
        name: str,
        method: str,
        role: Role,
    ) -> None:
        super().__init__(path, answer, methods=[method], name=name)
        self.role = role


class Door:
    """Makes the addresses of the console."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._pages = pages
        self._peopled = False

    def page(self, path: str, show: Show, *, role: Role) -> Guarded:
        """Return the address of a page."""
        return self._get(path, show, role, _to_login)

    def part(self, path: str, show: Show, *, role: Role) -> Guarded:
        """Return the address of what a script fetches, a piece of a page or a stream."""
        return self._get(path, show, role, _unknown)

    def act(self, path: str, act: Show, *, role: Role) -> Guarded:
        """Return the address that a form is sent to; what the form holds is in the visit."""

        async def answer(request: Request) -> Response:
            self.check_origin(request)
            met = await run_in_threadpool(self._meet, request, role, _back_to_login)
            if isinstance(met, Response):
                return met
            form = await self.form(request, max_bytes=self._site.max_body_bytes)
            if not is_form_token(session_secret(request), form.text("csrf")):
                raise HTTPException(403, NOT_OURS)
            return await run_in_threadpool(_answered, act, replace(met, form=form))

        return Guarded(path, answer, name=_name_of(act), method="POST", role=role)

    async def form(self, request: Request, *, max_bytes: int) -> Form:
        """Return the form that a request brings; raises `HTTPException` for one that is not taken."""
        return await read_form(request, max_bytes=max_bytes, within_s=self._site.body_s)

    def check_origin(self, request: Request) -> None:
        """Raise `HTTPException` for what a page of another site sent."""
        if is_foreign(request):
            raise HTTPException(403, FOREIGN)

    def first(self) -> Response | None:
        """Return the one page there is while nobody can log in; None from the first user on."""
        self._peopled = self._peopled or has_users(self._site.store)
        return None if self._peopled else self._pages.answer("first.html", {}, None)

    def _get(self, path: str, show: Show, role: Role, turn_away: TurnAway) -> Guarded:
        def answer(request: Request) -> Response:
            met = self._meet(request, role, turn_away)
            return met if isinstance(met, Response) else _answered(show, met)

        return Guarded(path, answer, name=_name_of(show), method="GET", role=role)

    def _meet(self, request: Request, role: Role, turn_away: TurnAway) -> Visit | Response:
        """Return the visit, or the answer for whoever does not get in; raises `HTTPException` for too small a role."""
        if (first := self.first()) is not None:
            return first
        secret = session_secret(request)
        visitor = visitor_of(self._site.store, secret) if secret else None
        if visitor is None:
            return turn_away(request)
        visit = Visit(request=request, visitor=visitor, csrf=form_token(secret), caller=caller_of(request))
        request.state.visit = visit
        if not visit.may(role):
            raise HTTPException(403, f"this needs the role {role}; {visit.name} has {visit.role}")
        return visit


def visit_of(request: Request) -> Visit | None:
    """Return the visit of a request that got in, None for all others."""
    visit: Visit | None = getattr(request.state, "visit", None)
    return visit


def _answered(show: Show, visit: Visit) -> Response:
    """Answer a visit; what a use case refuses is told as it says it."""
    try:
        return show(visit)
    except NotFound as error:
        raise HTTPException(404, str(error)) from error
    except Refused as error:
        raise HTTPException(409, str(error)) from error


def _to_login(request: Request) -> Response:
    return RedirectResponse(login_path(path_of(request)), 303)


def _back_to_login(request: Request) -> Response:
    return RedirectResponse(login_path(page_before(request)), 303)


def _unknown(request: Request) -> Response:
    del request
    return Response(f"{LOG_IN}\n", 401, headers={"WWW-Authenticate": "Cookie"}, media_type="text/plain")


def _name_of(show: Show) -> str:
    return str(getattr(show, "__name__", type(show).__name__))
