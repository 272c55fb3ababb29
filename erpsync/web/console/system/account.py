"""My account: the language I read, my password, and where I am logged in."""

from functools import partial

from starlette.responses import RedirectResponse, Response

from erpsync.flows.access.own import change_password, set_language
from erpsync.flows.access.passwords import BusyError
from erpsync.flows.access.sessions import end_one, list_sessions
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.languages import LANGUAGES
from erpsync.web.access.door import Guarded
from erpsync.web.access.origins import page_before
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.kit import Kit
from erpsync.web.console.system.browsers import with_browsers
from erpsync.web.console.system.users import PASSWORD_RULES, ended, password_in
from erpsync.web.language import keep


class Account:
    """The page `/me`, which everybody has."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/me", self.me, role="read"),
            door.act("/me/language", self.my_language, role="read"),
            door.act("/me/password", self.my_password, role="read"),
            door.act("/me/end-session", self.end_my_session, role="read"),
        ]

    def me(self, visit: Visit) -> Response:
        """Answer the page."""
        sessions = with_browsers(list_sessions(self._kit.site.store, visit.name))
        page = {"sessions": sessions, "rules": PASSWORD_RULES}
        return self._kit.pages.answer("system/account.html", page, visit)

    def my_language(self, visit: Visit) -> Response:
        """Keep a language, and answer by going back to the page that was open.

        Why nothing is said, and doing it twice is harmless: the page itself speaks the language.
        """
        code = visit.form.text("language")
        if code not in LANGUAGES:
            raise Refused(f"there is no language {code!r}")
        set_language(self._kit.site.store, visit.visitor, code)
        answer = RedirectResponse(page_before(visit.request), 303)
        keep(visit.request, answer, code)
        return answer

    def my_password(self, visit: Visit) -> Response:
        """Give oneself another password."""
        return self._kit.acts.carry_out(visit, partial(_change_password, visit))

    def end_my_session(self, visit: Visit) -> Response:
        """End one of one's sessions."""
        return self._kit.acts.carry_out(visit, partial(_end_session, visit))


def _change_password(visit: Visit, ctx: Context) -> Said:
    new, old = password_in(visit), visit.form.text("old")
    try:
        sessions = change_password(ctx.store, visit.visitor, visit.caller, old=old, new=new)
    except BusyError as error:
        raise Refused(str(error)) from error
    return Said(text=f"your password is another one now; elsewhere {ended(sessions)}")


def _end_session(visit: Visit, ctx: Context) -> Said:
    session = visit.form.text("session")
    if not session.isascii() or not session.isdigit() or len(session) > 18:
        raise Refused("which session is to end has to be said")
    end_one(ctx.store, visit.visitor, int(session), visit.caller)
    return Said(text="the session has ended: whoever used that browser has to log in again")
