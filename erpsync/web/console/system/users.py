"""The people who may log in: the list, and one of them with their sessions and what an admin decides about them.

Why nobody can shut themselves out here: the last admin who did could only be helped on the machine itself.
"""

from collections.abc import Callable
from functools import partial

from starlette.responses import Response

from erpsync.flows.access import users
from erpsync.flows.access.passwords import LONGEST, SHORTEST, BusyError
from erpsync.flows.access.roles import ROLES
from erpsync.flows.access.sessions import list_sessions
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.store.views import NotFound
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.kit import Kit
from erpsync.web.console.system.browsers import with_browsers
from erpsync.web.words import moment

PASSWORD_RULES = {"shortest": SHORTEST, "longest": LONGEST}

Do = Callable[[Visit, str, Context], Said]


class Users:
    """The pages `/users` and `/users/NAME`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return their addresses."""
        door = self._kit.door
        one = "/users/{user}"
        return [
            door.page("/users", self.users, role="admin"),
            door.act("/users", self.create_user, role="admin"),
            door.page(one, self.user, role="admin"),
            door.act(f"{one}/role", self.change_role, role="admin"),
            door.act(f"{one}/password", self.new_password, role="admin"),
            door.act(f"{one}/disable", self.disable, role="admin"),
            door.act(f"{one}/enable", self.enable, role="admin"),
            door.act(f"{one}/sign-out", self.sign_out, role="admin"),
        ]

    def users(self, visit: Visit) -> Response:
        """Answer the list."""
        page = {"users": self._rows(), "roles": ROLES, "rules": PASSWORD_RULES}
        return self._kit.pages.answer("system/users.html", page, visit)

    def user(self, visit: Visit) -> Response:
        """Answer one user."""
        name = visit.request.path_params["user"]
        row = next((row for row in self._rows() if row["name"] == name), None)
        if row is None:
            raise NotFound(f"user {name} is not known")
        sessions = with_browsers(list_sessions(self._kit.site.store, name))
        page = {"user": row, "sessions": sessions, "roles": ROLES, "rules": PASSWORD_RULES}
        return self._kit.pages.answer("system/user.html", page, visit)

    def create_user(self, visit: Visit) -> Response:
        """Make a user."""
        return self._kit.acts.carry_out(visit, partial(_create, visit))

    def change_role(self, visit: Visit) -> Response:
        """Give a user another role."""
        return self._do(visit, _change_role)

    def new_password(self, visit: Visit) -> Response:
        """Give a user another password."""
        return self._do(visit, _new_password)

    def disable(self, visit: Visit) -> Response:
        """Shut a user out."""
        return self._do(visit, _disable)

    def enable(self, visit: Visit) -> Response:
        """Let a user in again."""
        return self._do(visit, _enable)

    def sign_out(self, visit: Visit) -> Response:
        """End all sessions of a user."""
        return self._do(visit, _sign_out)

    def _rows(self) -> list[Json]:
        """Return all users, each with whether they have to wait after wrong passwords."""
        now = self._kit.site.store.clock.now()
        rows = users.list_users(self._kit.site.store)
        return [row | {"waits": (until := moment(row["locked_until_at"])) is not None and until > now} for row in rows]

    def _do(self, visit: Visit, act: Do) -> Response:
        return self._kit.acts.carry_out(visit, partial(act, visit, visit.request.path_params["user"]))


def password_in(visit: Visit) -> str:
    """Return the password that was typed twice; refuses two that differ."""
    typed = visit.form.text("password")
    if typed != visit.form.text("again"):
        raise Refused("the two passwords differ; nothing was changed")
    return typed


def ended(sessions: int) -> str:
    """Say how many sessions ended."""
    return "1 session ended" if sessions == 1 else f"{sessions} sessions ended"


def _create(visit: Visit, ctx: Context) -> Said:
    name, role = visit.form.text("name").strip(), visit.form.text("role")
    try:
        users.create_user(ctx.store, name, role=role, password=password_in(visit), actor=visit.actor)
    except BusyError as error:
        raise Refused(str(error)) from error
    return Said(text=f"user {name} may log in, with the role {role}")


def _change_role(visit: Visit, name: str, ctx: Context) -> Said:
    _refuse_self(visit, name)
    role = visit.form.text("role")
    sessions = users.set_role(ctx.store, name, role=role, actor=visit.actor)
    return Said(text=f"user {name} has the role {role} now; {ended(sessions)}")


def _new_password(visit: Visit, name: str, ctx: Context) -> Said:
    if name == visit.name:
        raise Refused("your own password is changed on the page of your account, by giving the old one")
    try:
        sessions = users.set_password(ctx.store, name, password=password_in(visit), actor=visit.actor)
    except BusyError as error:
        raise Refused(str(error)) from error
    return Said(text=f"user {name} has another password; {ended(sessions)}")


def _disable(visit: Visit, name: str, ctx: Context) -> Said:
    _refuse_self(visit, name)
    sessions = users.disable_user(ctx.store, name, actor=visit.actor)
    return Said(text=f"user {name} is disabled; {ended(sessions)}")


def _enable(visit: Visit, name: str, ctx: Context) -> Said:
    users.enable_user(ctx.store, name, actor=visit.actor)
    return Said(text=f"user {name} may log in again")


def _sign_out(visit: Visit, name: str, ctx: Context) -> Said:
    sessions = users.sign_out(ctx.store, name, actor=visit.actor)
    return Said(text=f"user {name} is logged out; {ended(sessions)}")


def _refuse_self(visit: Visit, name: str) -> None:
    if name == visit.name:
        raise Refused("nobody takes their own rights away here: another admin can do it")
