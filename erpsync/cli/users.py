"""`user`: who may log in to the console.

Why a password is never an argument: what stands in a command line is seen by everybody on the machine while it runs,
and stays in the shell's history.
"""

import getpass
import sys

from erpsync.cli.app import App
from erpsync.cli.errors import OK, CommandError
from erpsync.cli.tables import Column


def create(app: App) -> int:
    """Make a user."""
    from erpsync.flows.access.users import create_user

    name, role = app.args.name, app.args.role
    with app.store() as store:
        create_user(store, name, role=role, password=_password(app, name), actor=app.actor)
    app.out.value({"name": name, "role": role}, f"user {name} may log in, with the role {role}")
    return OK


def password(app: App) -> int:
    """Give a user another password."""
    from erpsync.flows.access.users import set_password

    name = app.args.name
    with app.store() as store:
        ended = set_password(store, name, password=_password(app, name), actor=app.actor)
    app.out.value({"name": name, "sessions_ended": ended}, f"user {name} has another password; {_ended(ended)}")
    return OK


def role(app: App) -> int:
    """Give a user another role."""
    from erpsync.flows.access.users import set_role

    name, wanted = app.args.name, app.args.role
    with app.store() as store:
        ended = set_role(store, name, role=wanted, actor=app.actor)
    shown = {"name": name, "role": wanted, "sessions_ended": ended}
    app.out.value(shown, f"user {name} has the role {wanted} now; {_ended(ended)}")
    return OK


def disable(app: App) -> int:
    """Shut a user out."""
    from erpsync.flows.access.users import disable_user

    name = app.args.name
    with app.store() as store:
        ended = disable_user(store, name, actor=app.actor)
    shown = {"name": name, "disabled": True, "sessions_ended": ended}
    app.out.value(shown, f"user {name} is disabled; {_ended(ended)}")
    return OK


def enable(app: App) -> int:
    """Let a user in again."""
    from erpsync.flows.access.users import enable_user

    name = app.args.name
    with app.store() as store:
        enable_user(store, name, actor=app.actor)
    app.out.value({"name": name, "disabled": False}, f"user {name} may log in again")
    return OK


def list_(app: App) -> int:
    """Print all users."""
    from erpsync.flows.access.users import list_users

    zone = app.config.timezone
    columns = (
        Column("name", "user"),
        Column("role", "role"),
        Column("created_at", "made", "instant", zone),
        Column("created_by", "by"),
        Column("password_at", "password", "instant", zone),
        Column("last_login_at", "logged in", "instant", zone),
        Column("sessions", "sessions", "number"),
        Column("locked_until_at", "waits until", "instant", zone),
        Column("disabled_at", "disabled", "instant", zone),
        Column("disabled_by", "by"),
    )
    with app.store() as store:
        rows = list_users(store)
    app.out.rows(rows, columns, empty="no user yet")
    return OK


def _ended(sessions: int) -> str:
    return "1 session ended" if sessions == 1 else f"{sessions} sessions ended"


def _password(app: App, name: str) -> str:
    """Return the password that is typed twice without being shown, or piped in as one line."""
    from erpsync.flows.access.passwords import LONGEST, check_password

    if not app.stdin.isatty():
        line = app.stdin.readline(LONGEST + 2)
        return line.removesuffix("\n").removesuffix("\r")
    first = getpass.getpass(f"password for {name}: ", sys.stderr)
    check_password(first, name)
    if getpass.getpass("once more: ", sys.stderr) != first:
        raise CommandError("the two passwords differ; nothing was changed")
    return first
