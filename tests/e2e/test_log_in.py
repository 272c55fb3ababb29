"""Logging in and out of the console over HTTP: what opens it, what does not, and what a stranger can learn."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select
from structlog.testing import capture_logs

from erpsync.flows.access import passwords
from erpsync.flows.access.users import create_user, disable_user, set_password, set_role
from erpsync.store.db.store import Store
from erpsync.store.tables import event, login_session
from tests.support.visitor import CSRF, session_of
from tests.support.web_shop import AppServer, fill, open_shop, serve

RIGHT, WRONG = "correct horse battery", "wrong horse battery"
PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
GUARDED = ("", "orders", "orders/S20260302000104", "orders?q=0001")


@dataclass
class House:
    """The console of a shop that has one user, `wang`, seen by strangers."""

    server: AppServer
    store: Store

    def get(self, path: str = "", **options: Any) -> requests.Response:
        return requests.get(self.server.url + path.lstrip("/"), timeout=60, allow_redirects=False, **options)

    def enter(
        self, password: str = RIGHT, *, name: str = "wang", next: str = "", by: Any = requests, **options: Any
    ) -> requests.Response:
        form = {"name": name, "password": password, "next": next}
        answer: requests.Response = by.post(
            f"{self.server.url}login", data=form, timeout=60, allow_redirects=False, **options
        )
        return answer

    def browser(self) -> requests.Session:
        """Return a browser that has logged in."""
        found = requests.Session()
        assert self.enter(by=found).status_code == 303
        return found

    def advance(self, seconds: float) -> None:
        self.store.clock.sleep(seconds)


@pytest.fixture
def house(sqlite_file: Path) -> Iterator[House]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    fill(store, ctx)
    create_user(store, "wang", role="operate", password=RIGHT, actor="root")
    server, _ = serve(store, ctx, keep_s=0)
    yield House(server, store)
    server.stop(2)
    store.close()


def test_a_page_leads_to_the_log_in_and_from_there_back_to_itself(house: House) -> None:
    turned = house.get("orders?status=held&channel=拼多多-dropfolder")
    browser = requests.Session()
    form = browser.get(house.server.url + turned.headers["location"][1:], timeout=60)
    wanted = form.text.split('name="next" value="')[1].split('"')[0].replace("&amp;", "&")
    led = house.enter(by=browser, next=wanted)

    assert (turned.status_code, form.status_code, led.status_code) == (303, 200, 303)
    page = browser.get(house.server.url + led.headers["location"][1:], timeout=60, allow_redirects=False)
    assert page.status_code == 200
    assert page.url == house.server.url + "orders?status=held&channel=%E6%8B%BC%E5%A4%9A%E5%A4%9A-dropfolder"


@pytest.mark.parametrize("path", GUARDED)
def test_without_a_session_no_page_shows_anything(house: House, path: str) -> None:
    answer = house.get(path)

    assert (answer.status_code, answer.text) == (303, "")
    assert answer.headers["location"].startswith("/login")


def test_a_part_that_a_script_fetches_says_that_the_session_is_over(house: House) -> None:
    answer = house.get("live")

    assert (answer.status_code, answer.text) == (401, "log in again\n")


def test_an_address_that_leads_nowhere_shows_a_stranger_nothing_of_the_shop(house: House) -> None:
    answer = house.get("nowhere")

    assert answer.status_code == 404
    assert "Asia/Shanghai" not in answer.text
    assert "/orders" not in answer.text


def test_who_is_in_is_led_on_from_the_log_in(house: House) -> None:
    browser = house.browser()
    answer = browser.get(f"{house.server.url}login?next=/orders", timeout=60, allow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")


ELSEWHERE = (
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example/", "javascript:alert(1)",
    "/\t/evil.example", "/\n/evil.example", "/ /evil.example", "\t//evil.example", "/login?next=//evil.example",
    "/logout", "evil.example", "", "/" + "a" * 3000,
)  # fmt: skip


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_a_log_in_leads_to_no_other_place_than_a_page_of_this_console(house: House, wanted: str) -> None:
    assert house.enter(next=wanted).headers["location"] == "/"
    asked = requests.Session()
    shown = asked.get(f"{house.server.url}login", params={"next": wanted}, timeout=60).text
    assert 'name="next" value="/"' in shown


@pytest.mark.parametrize("wanted", ["/", "/orders", "/orders?q=%E7%9F%AD&status=held", "/orders/拼多多"])
def test_a_log_in_leads_to_the_page_that_was_asked_for(house: House, wanted: str) -> None:
    assert requests.utils.unquote(house.enter(next=wanted).headers["location"]) == requests.utils.unquote(wanted)


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(house: House) -> None:
    session, mark = house.enter().raw.headers.getlist("set-cookie")

    assert session.startswith("erpsync=")
    assert {each.strip() for each in session.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=lax"}
    assert mark.startswith("erpsync-known=")
    assert {"HttpOnly", "SameSite=lax"} <= {each.strip() for each in mark.split(";")}


@pytest.mark.parametrize("proxy", [{"X-Forwarded-Proto": "https"}, {"Forwarded": 'for=1.2.3.4;proto="https";by=x'}])
def test_over_tls_the_cookie_is_of_this_host_alone_and_never_sent_in_the_open(house: House, proxy: dict) -> None:
    session, mark = house.enter(headers=proxy).raw.headers.getlist("set-cookie")
    secret = session.partition(";")[0].partition("=")[2]

    assert session.startswith("__Host-erpsync=")
    assert mark.startswith("__Host-erpsync-known=")
    assert {"Secure", "Path=/", "HttpOnly"} <= {each.strip() for each in session.split(";")}
    assert house.get(headers=proxy | {"Cookie": f"__Host-erpsync={secret}"}).status_code == 200
    assert house.get(headers=proxy | {"Cookie": f"erpsync={secret}"}).status_code == 303


def test_a_session_that_a_stranger_has_planted_opens_nothing_and_is_another_one_after_the_log_in(house: House) -> None:
    planted = requests.Session()
    planted.cookies.set("erpsync", "A" * 43, domain="127.0.0.1")
    before = house.get(headers={"Cookie": "erpsync=" + "A" * 43}).status_code
    house.enter(by=planted)

    assert before == 303
    assert house.get(headers={"Cookie": "erpsync=" + "A" * 43}).status_code == 303
    assert "A" * 43 not in [cookie.value for cookie in planted.cookies]


def test_a_log_in_over_another_session_ends_that_one(house: House) -> None:
    old = session_of(house.store, "li")
    browser = requests.Session()
    browser.cookies.set("erpsync", old, domain="127.0.0.1", path="/")
    house.enter(by=browser)

    assert house.get(headers={"Cookie": f"erpsync={old}"}).status_code == 303
    assert "wang" in browser.get(house.server.url, timeout=60).text


def test_logging_out_ends_the_session_also_for_whoever_has_copied_the_cookie(house: House) -> None:
    browser = house.browser()
    copied = browser.cookies["erpsync"]
    token = CSRF.search(browser.get(house.server.url, timeout=60).text)
    assert token is not None
    gone = browser.post(f"{house.server.url}logout", data={"csrf": token[1]}, timeout=60, allow_redirects=False)

    assert (gone.status_code, gone.headers["location"]) == (303, "/login")
    assert house.get(headers={"Cookie": f"erpsync={copied}"}).status_code == 303
    assert "erpsync" not in browser.cookies
    with house.store.read() as connection:
        assert "session.ended" in connection.execute(select(event.c.kind)).scalars().all()


def test_a_get_logs_nobody_out(house: House) -> None:
    browser = house.browser()

    assert browser.get(f"{house.server.url}logout", timeout=60, allow_redirects=False).status_code == 405
    assert browser.get(house.server.url, timeout=60, allow_redirects=False).status_code == 200


@pytest.mark.parametrize("what", ["disabled", "password", "role"])
def test_who_is_disabled_or_changed_is_out_with_the_next_request(house: House, what: str) -> None:
    browser = house.browser()
    {
        "disabled": lambda: disable_user(house.store, "wang", actor="root"),
        "password": lambda: set_password(house.store, "wang", password=WRONG, actor="root"),
        "role": lambda: set_role(house.store, "wang", role="read", actor="root"),
    }[what]()

    assert browser.get(house.server.url, timeout=60, allow_redirects=False).status_code == 303


@pytest.mark.parametrize(("unused_s", "status"), [(12 * 3600 - 1, 200), (12 * 3600 + 1, 303)])
def test_a_session_that_nobody_used_is_over_after_twelve_hours(house: House, unused_s: int, status: int) -> None:
    browser = house.browser()
    house.advance(unused_s)

    assert browser.get(house.server.url, timeout=60, allow_redirects=False).status_code == status


def test_who_there_is_is_told_neither_by_words_nor_by_status(house: House) -> None:
    """Unknown, wrong, disabled, waiting after five wrong ones: the same page, but for the name that was typed."""
    create_user(house.store, "gone", role="read", password=RIGHT, actor="root")
    create_user(house.store, "late", role="read", password=RIGHT, actor="root")
    disable_user(house.store, "gone", actor="root")
    for _ in range(5):
        house.enter(WRONG, name="late")
    answers = {
        name: house.enter(password, name=name)
        for name, password in (("none", RIGHT), ("wang", WRONG), ("gone", RIGHT), ("late", RIGHT))
    }

    assert {answer.status_code for answer in answers.values()} == {403}
    assert len({answer.text.replace(f'value="{name}"', "") for name, answer in answers.items()}) == 1
    assert "set-cookie" not in {name.lower() for answer in answers.values() for name in answer.headers}


def test_the_password_stands_in_no_page_no_log_and_no_event(house: House) -> None:
    with capture_logs() as records:
        pages = [house.enter(WRONG).text, house.enter(WRONG, name=WRONG).text.replace(f'value="{WRONG}"', "")]
    with house.store.read() as connection:
        told = connection.execute(select(event.c.kind, event.c.detail, event.c.actor)).all()

    assert [record["event"] for record in records] == ["session.refused"]
    assert "horse" not in f"{pages} {records} {told}"


def test_after_five_wrong_passwords_one_waits_and_a_browser_that_is_known_does_not(house: House) -> None:
    known = house.browser()
    known.cookies.set("erpsync", None)
    for _ in range(5):
        house.enter(WRONG)

    assert house.enter().status_code == 403
    assert house.enter(by=known).status_code == 303
    for _ in range(5):
        house.enter(WRONG)
    house.advance(6)
    assert house.enter().status_code == 303


def test_a_known_browser_may_guess_ten_times_and_then_waits_too(house: House) -> None:
    known = house.browser()
    for _ in range(5):
        house.enter(WRONG)
    for _ in range(10):
        house.enter(WRONG, by=known)

    assert house.enter(by=known).status_code == 403


def test_an_address_that_guesses_twenty_times_has_to_wait_and_no_other_does(house: House) -> None:
    for n in range(20):
        assert house.enter(WRONG, name=f"user{n}", headers=PROXY).status_code == 403
    slowed = house.enter(headers=PROXY)
    other = house.enter(headers=PROXY | {"X-Forwarded-For": "203.0.113.9, 198.51.100.4"})
    house.advance(30)

    assert (slowed.status_code, slowed.headers["retry-after"], other.status_code) == (429, "30", 303)
    assert house.enter(headers=PROXY).status_code == 303


def test_an_address_is_an_ipv6_net_as_a_caller_owns_at_least_one(house: House) -> None:
    for n in range(20):
        house.enter(WRONG, name="x", headers=PROXY | {"X-Forwarded-For": f"2001:db8::{n:x}"})

    assert house.enter(headers=PROXY | {"X-Forwarded-For": "2001:db8::ffff"}).status_code == 429
    assert house.enter(headers=PROXY | {"X-Forwarded-For": "2001:db8:0:1::1"}).status_code == 303


def test_behind_a_proxy_that_names_no_caller_nobody_is_slowed_down_for_all_others(house: House) -> None:
    for n in range(21):
        house.enter(WRONG, name=f"user{n}")

    assert house.enter().status_code == 303


def test_the_event_and_the_session_name_the_address_that_the_proxy_told(house: House) -> None:
    house.enter(headers=PROXY | {"User-Agent": "Fire\x85fox" + "x" * 300})
    with house.store.read() as connection:
        [(address, agent)] = connection.execute(select(login_session.c.address, login_session.c.user_agent)).all()
        detail = connection.execute(select(event.c.detail).where(event.c.kind == "session.began")).scalar_one()

    assert (address, len(agent), agent[:7]) == ("203.0.113.9", 200, "Firefox")
    assert '"address": "203.0.113.9"' in detail


@pytest.mark.concurrent("threads")
def test_two_passwords_are_looked_at_at_a_time_and_who_gets_no_turn_is_told_to_try_again(house: House) -> None:
    with ExitStack() as turns:
        for _ in range(passwords.AT_ONCE):
            turns.enter_context(passwords._turn())
        answers: list[requests.Response] = []
        callers = [threading.Thread(target=lambda: answers.append(house.enter())) for _ in range(3)]
        for caller in callers:
            caller.start()
        page = house.get("login")
        for caller in callers:
            caller.join()

    assert page.status_code == 200
    assert [(each.status_code, each.headers["retry-after"]) for each in answers] == [(429, "1")] * 3
    assert house.enter().status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "OWN"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": "OWN"}, 303),
        ({"Host": "localhost", "Origin": "https://localhost:443"}, 303),
        ({"Host": "localhost:80", "Origin": "http://localhost"}, 303),
        ({"Host": "localhost", "Origin": "http://localhost:8080"}, 403),
    ],
)
def test_nobody_is_logged_in_by_another_sites_page(house: House, headers: dict[str, str], status: int) -> None:
    """It would make people work under a stranger's name."""
    own = house.server.url.rstrip("/")
    told = {name: own if value == "OWN" else value for name, value in headers.items()}

    assert house.enter(headers=told).status_code == status


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"name=wang&password=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b'{"name": "wang"}', "application/json", 415),
        (b"name=wang&password=%00%00", "application/x-www-form-urlencoded", 422),
        (b"name=%ff&password=x", "application/x-www-form-urlencoded", 400),
        ("name=王".encode(), "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(4_000)), "application/x-www-form-urlencoded", 403),
        (b"", "application/x-www-form-urlencoded", 403),
    ],
)
def test_what_is_no_form_is_refused(house: House, body: bytes, kind: str, status: int) -> None:
    answer = requests.post(f"{house.server.url}login", data=body, headers={"Content-Type": kind}, timeout=60)

    assert answer.status_code == status


def test_what_was_typed_as_a_name_is_shown_as_text(house: House) -> None:
    page = house.enter(name='"><script>alert(1)</script>').text

    assert "<script>alert" not in page
    assert "&#34;&gt;&lt;script&gt;" in page
