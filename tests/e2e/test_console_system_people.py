"""Users, one's own account and tokens at the console."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from erpsync.flows.access.log_in import Attempt, log_in
from erpsync.flows.access.sessions import Caller
from erpsync.flows.access.tokens import access_of, create_token
from erpsync.flows.access.users import create_user, list_users
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.web.console.system.browsers import browser_of
from tests.e2e.test_console import words_of
from tests.support.visitor import act, visitor
from tests.support.web_shop import AppServer, open_shop, serve

OLD, NEW = "correct horse battery", "another horse battery"
TWICE = {"password": NEW, "again": NEW}


@dataclass
class House:
    """A console with an admin, `ana`, and somebody who works, `lin`."""

    server: AppServer
    store: Store
    ana: requests.Session
    lin: requests.Session
    file: Path

    def get(self, path: str, browser: requests.Session | None = None) -> requests.Response:
        return (browser or self.ana).get(self.server.url + path, timeout=60, allow_redirects=False)

    def send(
        self, path: str, browser: requests.Session | None = None, *, at: str = "users", **form: Any
    ) -> requests.Response:
        browser = browser or self.ana
        browser.headers["Referer"] = self.server.url + at
        return act(browser, self.server.url, path, **form)

    def user(self, name: str) -> dict[str, Any]:
        return next(row for row in list_users(self.store) if row["name"] == name)

    def opens(self, password: str, name: str = "lin") -> bool:
        attempt = Attempt(name=name, password=password, caller=Caller())
        return log_in(self.store, attempt, lambda mark: True) is not None

    def events(self, kind: str) -> list[str]:
        with self.store.read() as connection:
            return list(connection.execute(select(tables.event.c.actor).where(tables.event.c.kind == kind)).scalars())


@pytest.fixture
def house(sqlite_file: Path) -> Iterator[House]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    create_user(store, "lin", role="operate", password=OLD, actor="root")
    server, _ = serve(store, ctx, keep_s=0)
    yield House(server, store, visitor(store), visitor(store, "lin"), sqlite_file)
    server.stop(2)
    store.close()


def test_all_users_are_listed_with_role_sessions_and_last_log_in(house: House) -> None:
    page = words_of(house.get("users"))

    assert "ana you admin ✓ may log in 1 never" in page
    assert "lin operate ✓ may log in 1 never" in page


def test_a_user_is_made_and_can_log_in(house: House) -> None:
    page = words_of(house.send("users", name="chen", role="read", **TWICE))

    assert "user chen may log in, with the role read" in page
    assert house.opens(NEW, "chen")
    assert house.events("user.created") == ["root", "web:ana"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"password": NEW, "again": OLD}, "the two passwords differ; nothing was changed"),
        ({"password": "short", "again": "short"}, "a password has 10 to 1024 characters, this one has 5"),
        ({"name": "王", **TWICE}, "a user&#39;s name is up to 64 letters"),
        ({"name": "lin", **TWICE}, "user lin exists; choose another name"),
        ({"role": "king", **TWICE}, "role must be one of read, pack, operate, admin, is king"),
    ],
)
def test_what_makes_no_user_is_said_and_no_user_is_made(house: House, form: dict[str, str], said: str) -> None:
    page = house.send("users", **{"name": "chen", "role": "read"} | form)

    assert said in page.text
    assert [row["name"] for row in list_users(house.store)] == ["ana", "lin"]


def test_no_password_comes_back_or_lies_anywhere_not_even_as_a_digest_that_could_be_guessed(house: House) -> None:
    """What tells one form from another is kept; made of the password alone it would be a fast hash of it."""
    pages = [house.send("users", once=once, name="chen", role="read", **TWICE) for once in ("k", "k")]
    with house.store.read() as connection:
        kept = connection.execute(select(tables.api_request)).one()

    asked = json.dumps({"again": [NEW], "name": ["chen"], "password": [NEW], "role": ["read"]}, ensure_ascii=False)
    guess = hashlib.sha256(b"POST /users\n" + asked.encode()).digest()

    assert not any(NEW in page.text or NEW in page.url for page in pages)
    assert NEW.encode() not in house.file.read_bytes()
    assert kept.digest != guess
    assert pages[0].url == pages[1].url


def test_another_role_ends_the_sessions_of_the_user(house: House) -> None:
    page = words_of(house.send("users/lin/role", role="read", at="users/lin"))

    assert "user lin has the role read now; 1 session ended" in page
    assert house.get("", house.lin).headers["location"] == "/login"


def test_another_password_counts_from_then_on(house: House) -> None:
    page = words_of(house.send("users/lin/password", at="users/lin", **TWICE))

    assert "user lin has another password; 1 session ended" in page
    assert (house.opens(OLD), house.opens(NEW)) == (False, True)


def test_a_user_who_is_disabled_is_out_at_the_next_click_and_let_in_again(house: House) -> None:
    assert house.get("", house.lin).status_code == 200
    out = words_of(house.send("users/lin/disable", at="users/lin"))
    turned, refused = house.get("", house.lin).status_code, house.opens(OLD)
    back = words_of(house.send("users/lin/enable", at="users/lin"))

    assert "user lin is disabled; 1 session ended" in out
    assert "lin × disabled" in out
    assert (turned, refused) == (303, False)
    assert "user lin may log in again" in back
    assert house.opens(OLD)


def test_all_sessions_of_a_user_are_ended_at_once(house: House) -> None:
    other = visitor(house.store, "lin")
    page = words_of(house.send("users/lin/sign-out", at="users/lin"))

    assert "user lin is logged out; 2 sessions ended" in page
    assert "Logged in nowhere." in page
    assert [house.get("", browser).status_code for browser in (house.lin, other)] == [303, 303]


@pytest.mark.parametrize("deed", ["disable", "role"])
def test_nobody_takes_their_own_rights_away(house: House, deed: str) -> None:
    page = words_of(house.send(f"users/ana/{deed}", role="read", at="users/ana"))

    assert "nobody takes their own rights away here: another admin can do it" in page
    assert (house.user("ana")["role"], house.user("ana")["disabled_at"]) == ("admin", None)
    assert "Disable…" not in words_of(house.get("users/ana"))


def test_an_admin_changes_their_own_password_by_giving_the_old_one_only(house: House) -> None:
    assert "by giving the old one" in house.send("users/ana/password", at="users/ana", **TWICE).text
    assert not house.opens(NEW, "ana")


@pytest.mark.parametrize("path", ["users", "users/lin", "tokens"])
def test_who_is_no_admin_sees_neither_users_nor_tokens(house: House, path: str) -> None:
    assert house.get(path, house.lin).status_code == 403


def test_a_user_nobody_knows_is_not_found(house: House) -> None:
    assert house.get("users/nobody").status_code == 404


def test_ones_own_sessions_are_listed_and_ended_one_by_one(house: House) -> None:
    phone = visitor(house.store, "lin")
    page = house.get("me", house.lin)
    [session] = re.findall(r'name="session" value="(\d+)"', page.text)
    said = words_of(house.send("me/end-session", house.lin, at="me", session=session))

    assert words_of(page).count("127.0.0.1") == 2
    assert "the session has ended" in said
    assert house.get("", phone).status_code == 303
    assert house.get("", house.lin).status_code == 200


def test_somebody_elses_session_cannot_be_ended(house: House) -> None:
    with house.store.read() as connection:
        name = tables.user_account.c.name == "ana"
        sessions = tables.login_session.join(tables.user_account)
        theirs = connection.execute(select(tables.login_session.c.id).select_from(sessions).where(name)).scalar_one()

    page = words_of(house.send("me/end-session", house.lin, at="me", session=str(theirs)))

    assert "this session has ended already" in page
    assert house.get("users").status_code == 200


@pytest.mark.parametrize("session", ["", "x", "-1", "9" * 30])
def test_a_session_that_is_none_is_refused(house: House, session: str) -> None:
    assert "which session is to end has to be said" in house.send("me/end-session", house.lin, session=session).text


def test_ones_own_password_takes_the_old_one_and_leaves_this_session_alone(house: House) -> None:
    phone = visitor(house.store, "lin")
    page = words_of(house.send("me/password", house.lin, at="me", old=OLD, **TWICE))

    assert "your password is another one now; elsewhere 1 session ended" in page
    assert (house.get("", phone).status_code, house.get("", house.lin).status_code) == (303, 200)
    assert (house.opens(OLD), house.opens(NEW)) == (False, True)


def test_a_wrong_old_password_changes_nothing(house: House) -> None:
    page = words_of(house.send("me/password", house.lin, at="me", old=NEW, **TWICE))

    assert "the old password is wrong" in page
    assert house.opens(OLD)


def test_the_language_one_chose_is_kept_with_the_account_and_comes_with_the_next_log_in(house: House) -> None:
    there = house.send("me/language", house.lin, at="orders?status=held", language="zh")
    browser = requests.Session()
    form = {"name": "lin", "password": OLD, "next": "/"}
    entered = browser.post(f"{house.server.url}login", data=form, timeout=60, allow_redirects=False)

    assert there.url == f"{house.server.url}orders?status=held"
    assert "erpsync_lang=zh; HttpOnly; Max-Age=31536000" in entered.headers["set-cookie"]
    assert '<html lang="zh-CN">' in browser.get(house.server.url, timeout=60).text


def test_a_log_in_of_somebody_who_chose_no_language_sets_none(house: House) -> None:
    form = {"name": "lin", "password": OLD, "next": "/"}
    entered = requests.post(f"{house.server.url}login", data=form, timeout=60, allow_redirects=False)

    assert "erpsync_lang" not in entered.headers["set-cookie"]


def test_a_language_that_is_not_there_is_refused(house: House) -> None:
    assert house.send("me/language", house.lin, language="fr").status_code == 409


def shown_token(page: requests.Response) -> list[str]:
    return re.findall(r'id="token" class="mono" value="([^"]+)"', page.text)


def test_a_token_is_shown_once_and_never_again(house: House) -> None:
    made = house.send("tokens", at="tokens", once="k", name="wms", scope="operate")
    again = house.send("tokens", at="tokens", once="k", name="wms", scope="operate")
    [text] = shown_token(made)

    access = access_of(house.store, text)
    assert access is not None
    assert (access.name, access.scope) == ("wms", "operate")
    assert "Token wms was made. Copy it now" in words_of(made)
    assert shown_token(again) == []
    assert "token wms was made before and shown then" in words_of(again)
    assert text not in house.get("tokens").text
    assert text.encode() not in house.file.read_bytes()
    assert house.events("token.created") == ["web:ana"]


def test_a_token_without_a_name_is_refused_on_the_page(house: House) -> None:
    page = house.send("tokens", at="tokens", name=" ", scope="read")

    assert "a token&#39;s name is up to 64 letters" in page.text
    assert shown_token(page) == []


def test_a_revoked_token_opens_nothing_any_more(house: House) -> None:
    text = create_token(house.store, "wms", scope="read", actor="root")
    page = words_of(house.send("tokens/wms/revoke", at="tokens"))

    assert "token wms is revoked" in page
    assert "wms read × revoked" in page
    assert access_of(house.store, text) is None


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537"
            " Edg/126.0",
            "Edge · Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605 Version/17.5 Safari/605", "Safari · macOS"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537 Chrome/120 Mobile MicroMessenger/8.0", "WeChat · Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox · Linux"),
        ("curl/8", "curl/8"),
        ("", ""),
    ],
)
def test_a_browser_is_named_as_people_know_it(said: str, name: str) -> None:
    assert browser_of(said) == name
