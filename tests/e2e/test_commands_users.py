"""Users at the command line: made, changed and shut out, with a password that nobody beside sees."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from erpsync.flows.access.log_in import Attempt, log_in
from erpsync.flows.access.sessions import Caller
from erpsync.flows.access.users import create_user
from erpsync.store.db.store import Store
from tests.e2e.command_desk import Desk

RIGHT, OTHER = "correct horse battery", "another horse battery"


def opens(desk: Desk, password: str, name: str = "wang") -> bool:
    """Whether somebody can log in with this password."""
    store = Store.open(f"sqlite:///{desk.folder}/var/erpsync.db")
    try:
        attempt = Attempt(name=name, password=password, caller=Caller())
        return log_in(store, attempt, lambda mark: False) is not None
    finally:
        store.close()


@pytest.fixture
def peopled(desk: Desk) -> Desk:
    """A desk with one user."""
    store = Store.open(f"sqlite:///{desk.folder}/var/erpsync.db")
    create_user(store, "wang", role="operate", password=RIGHT, actor="root")
    store.close()
    return desk


@pytest.mark.concurrent("processes")
@pytest.mark.parametrize("line", [f"{RIGHT}\n", RIGHT, f"{RIGHT}\r\n", f"{RIGHT}\nmore\n"])
def test_a_password_is_one_line_of_standard_input(desk: Desk, line: str) -> None:
    ran = desk.apart("user", "create", "wang", "--role", "read", said=line)

    assert (ran.code, ran.out, ran.err) == (0, "user wang may log in, with the role read\n", "")
    assert opens(desk, RIGHT)
    assert not any(RIGHT.encode() in path.read_bytes() for path in (desk.folder / "var").iterdir())


@pytest.mark.concurrent("processes")
def test_users_are_changed_listed_and_shut_out(peopled: Desk) -> None:
    assert opens(peopled, RIGHT)
    changed = peopled.apart("user", "password", "wang", said=f"{OTHER}\n")
    assert (changed.code, changed.out) == (0, "user wang has another password; 1 session ended\n")
    assert (opens(peopled, RIGHT), opens(peopled, OTHER)) == (False, True)
    assert peopled.json("user", "role", "wang", "--role", "admin") == {
        "name": "wang", "role": "admin", "sessions_ended": 1,
    }  # fmt: skip
    assert peopled.run("user", "disable", "wang").out == "user wang is disabled; 0 sessions ended\n"
    [row] = peopled.json("user", "list")
    assert (row["name"], row["role"], row["sessions"], bool(row["disabled_at"])) == ("wang", "admin", 0, True)
    assert not opens(peopled, OTHER)
    assert peopled.run("user", "enable", "wang").out == "user wang may log in again\n"
    assert opens(peopled, OTHER)


def test_the_trail_tells_what_was_done_to_whom_and_by_whom(peopled: Desk) -> None:
    opens(peopled, "wrong horse battery")
    opens(peopled, RIGHT)
    peopled.run("user", "role", "wang", "--role", "read")
    peopled.run("user", "disable", "wang")
    peopled.run("user", "enable", "wang")
    told = peopled.json("trail", "list")
    table = peopled.run("trail", "list").out

    kinds = ["user.enabled", "user.disabled", "user.role", "session.began", "session.refused", "user.created"]
    assert [each["kind"] for each in told] == kinds
    assert {each["actor"] for each in told if each["kind"].startswith("session")} == {"web:wang"}
    assert all(each["actor"] for each in told)
    assert "role read, before operate, sessions 1" in table
    assert "horse" not in str(told)
    assert [each["kind"] for each in peopled.json("trail", "list", "--actor", "web:wang")] == kinds[3:5]


@pytest.mark.parametrize(
    ("words", "said", "code", "problem"),
    [
        (("create", "li", "--role", "read"), "short\n", 1, "a password has 10 to 1024 characters, this one has 5"),
        (("create", "li", "--role", "read"), "", 1, "a password has 10 to 1024 characters, this one has 0"),
        (("create", "li", "--role", "read"), "x" * 1025, 1, "a password has 10 to 1024 characters, this one has 1025"),
        (("create", "li", "--role", "read"), "x" * 9999, 1, "a password has 10 to 1024 characters"),
        (("create", "wang", "--role", "read"), f"{RIGHT}\n", 1, "user wang exists; choose another name"),
        (("create", "王", "--role", "read"), f"{RIGHT}\n", 1, "a user's name is up to 64 letters"),
        (("create", "li"), f"{RIGHT}\n", 2, "--role"),
        (("create", "li", "--role", "root"), f"{RIGHT}\n", 2, "--role"),
        (("create", "li", "--role", "read", "--password", RIGHT), "", 2, "unrecognized arguments"),
        (("password", "li"), f"{RIGHT}\n", 1, "user li is not known"),
        (("role", "wang", "--role", "operate"), "", 1, "user wang has the role operate already"),
        (("enable", "wang"), "", 1, "user wang is not disabled"),
        (("disable", "li"), "", 1, "user li is not known"),
    ],
)
@pytest.mark.concurrent("processes")
def test_what_cannot_be_done_is_refused_in_one_line(
    peopled: Desk, words: tuple[str, ...], said: str, code: int, problem: str
) -> None:
    ran = peopled.apart("user", *words, said=said)

    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert problem in ran.err
    assert len(peopled.json("user", "list")) == 1


@pytest.mark.concurrent("processes")
@pytest.mark.parametrize(("again", "code"), [(RIGHT, 0), (OTHER, 1)])
def test_at_a_terminal_the_password_is_typed_twice_and_never_shown(desk: Desk, again: str, code: int) -> None:
    shown, done = typed(desk.folder, RIGHT, again)

    assert done == code
    assert ("password for wang: " in shown, "once more: " in shown) == (True, True)
    assert "horse" not in shown
    assert opens(desk, RIGHT) == (code == 0)


def typed(folder: Path, *lines: str) -> tuple[str, int]:
    """Type lines at `user create` in a terminal, each when it is asked for; return what was shown and the exit code."""
    master, slave = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "erpsync.cli.main",
        "--config",
        str(folder),
        "user",
        "create",
        "wang",
        "--role",
        "read",
    ]
    # A session of its own has this terminal as the one that passwords are asked at.
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    shown, left = "", list(lines)
    while True:
        try:
            read = os.read(master, 4096).decode()
        except OSError:  # the other side has closed it
            break
        if not read:
            break
        shown += read
        if left and shown.rstrip(" ").endswith(":"):
            os.write(master, f"{left.pop(0)}\n".encode())
    os.close(master)
    return shown, process.wait(timeout=60)
