"""The console under attack: acts sent by others, texts that are none, addresses that lead away, forms without end.

What was tried, and where each answer is tested, stands in docs/security.md.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Browser
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from erpsync.settings.config import StatusLimits
from erpsync.store.db.store import Store
from erpsync.store.tables import event
from erpsync.web.access.door import Guarded
from erpsync.web.app import create_app
from erpsync.web.server import AppServer
from erpsync.web.site import Site
from tests.support.browser import LONG_MS
from tests.support.console_walk import FILLED, acts, addresses
from tests.support.hostile import EVIL, evil_of, poison
from tests.support.visitor import cookie_for, csrf_of, session_of, visitor
from tests.support.web_shop import open_shop

BODY_S = 1.0
SMALLER = {"read": None, "pack": "read", "operate": "pack", "admin": "operate"}


@dataclass
class House:
    app: Starlette
    server: AppServer
    store: Store

    def events(self) -> int:
        """Return how many events there are: every act leaves one."""
        with self.store.read() as connection:
            return connection.execute(select(func.count()).select_from(event)).scalar_one()

    def send(self, path: str, browser: requests.Session | None = None, **form: str) -> requests.Response:
        headers = dict(browser.headers) if browser else {}
        return requests.post(self.server.url + path, data=form, headers=headers, timeout=60, allow_redirects=False)


@pytest.fixture
def house(sqlite_file: Path) -> Iterator[House]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    poison(store, ctx)
    site = Site(store=store, ctx=lambda: ctx, limits=StatusLimits, keep_s=0, body_s=BODY_S)
    app = create_app(site)
    server = AppServer(app)
    server.start()
    yield House(app, server, store)
    server.stop(2)
    store.close()


def test_no_act_is_done_for_whoever_has_no_session(house: House) -> None:
    session_of(house.store)
    before = house.events()
    answers = {path: house.send(path, csrf="x", once="1") for path, _ in acts(house.app)}

    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(answers, 303)
    assert all(answer.headers["location"].startswith("/login") for answer in answers.values())
    assert house.events() == before


def test_no_act_is_done_for_whoever_has_too_small_a_role(house: House) -> None:
    small = {role: visitor(house.store, f"the-{role}", role=role) for role in ("read", "pack", "operate")}
    before = house.events()
    codes = {
        path: house.send(path, small[smaller], csrf=csrf_of(small[smaller]), once="1").status_code
        for path, role in acts(house.app)
        if (smaller := SMALLER[role])
    }

    assert codes == dict.fromkeys(codes, 403)
    assert house.events() == before


@pytest.mark.parametrize(
    "how", ["no token", "token of another", "empty token", "other site", "other origin", "sandbox"]
)
def test_no_act_is_done_that_this_sessions_own_page_did_not_send(house: House, how: str) -> None:
    browser, other = visitor(house.store), visitor(house.store, "chen")
    token = {"no token": None, "token of another": csrf_of(other), "empty token": ""}.get(how, csrf_of(browser))
    lies = {
        "other site": {"Sec-Fetch-Site": "cross-site"},
        "other origin": {"Origin": "http://evil.example"},
        "sandbox": {"Origin": "null"},
    }
    browser.headers.update(lies.get(how, {}))
    form = {"once": "1"} | ({} if token is None else {"csrf": token})
    before = house.events()
    codes = {path: house.send(path, browser, **form).status_code for path, _ in acts(house.app)}

    assert codes == dict.fromkeys(codes, 403)
    assert house.events() == before


def test_no_act_is_done_by_looking(house: House) -> None:
    """A link or a picture on another site's page is a GET that a browser sends the cookie with."""
    browser = visitor(house.store)
    before = house.events()
    codes = {browser.get(house.server.url + path, timeout=60).status_code for path, _ in acts(house.app)}

    assert codes <= {200, 404, 405, 409}
    assert house.events() == before


@pytest.mark.browser
@pytest.mark.concurrent("processes")
def test_what_a_channel_says_is_text_on_every_page(chromium: Browser, house: House) -> None:
    context = chromium.new_context()
    context.set_default_timeout(LONG_MS)
    context.add_cookies([cookie_for(house.store, house.server.url)])
    page = context.new_page()
    ran: list[str] = []
    page.on("dialog", lambda dialog: (ran.append(f"{page.url}: {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: ran.append(f"{page.url}: {error}"))
    page.on("console", lambda message: ran.append(f"{page.url}: {message.text}"))
    page.on("request", lambda asked: ran.append(asked.url) if asked.url.endswith("/x") else None)
    with house.store.read() as connection:
        sku = connection.execute(select(func.min(event.c.sku_id))).scalar() or 1
    bad = quote(evil_of(sku), safe="")
    walk = [address.replace(FILLED["sku"], bad) for address in addresses(house.app)]
    texts = {}
    for address in [*walk, f"orders?q={quote(EVIL)}", f"orders/{quote(EVIL, safe='')}", f"orders?status={quote(EVIL)}"]:
        page.goto(house.server.url + address)
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        texts[address] = page.inner_text("body")
        ran += [f"{address}: a picture"] * page.locator("img").count()
    context.close()

    # The log of a browser names answers such as 404, which are meant here.
    assert [told for told in ran if "Failed to load resource" not in told] == []
    assert EVIL in texts[""]
    assert EVIL in texts[f"orders/{FILLED['order']}"]


AWAY = (
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "/%5cevil.example/..//",
    "javascript:alert(1)",
    "/\t/x",
)


@pytest.mark.parametrize("place", AWAY)
def test_nothing_leads_away(house: House, place: str) -> None:
    browser = visitor(house.store)
    browser.headers["Referer"] = place.replace("\t", "")
    language = browser.get(f"{house.server.url}language?to=zh", timeout=60, allow_redirects=False)
    log_in = browser.get(f"{house.server.url}login", params={"next": place}, timeout=60, allow_redirects=False)

    for answer in (language, log_in):
        there = answer.headers["location"]
        assert there.startswith("/")
        assert not there.startswith(("//", "/\\"))
        assert "evil" not in there.partition("%5c")[0]


@pytest.mark.parametrize(
    "path",
    ["%2e%2e/%2e%2e/etc/passwd", "static/%2e%2e/app.py", "static/..%2fapp.py", "static//etc/passwd", "/evil.example"],
)
def test_no_address_leads_to_a_file_or_another_place(house: House, path: str) -> None:
    """Sent as they are: a browser would tidy them up."""
    session = str(visitor(house.store).headers["Cookie"])
    answer = raw(house, f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nCookie: {session}\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 404")
    assert b"root:" not in answer
    assert b"\r\nlocation:" not in answer.lower()


@pytest.mark.parametrize(
    "where", ["language?to=zh%0d%0aX-Evil:%201", "login?next=/orders%0d%0aX-Evil:%201", "orders/a%0d%0ab"]
)
def test_no_text_of_an_address_becomes_a_header(house: House, where: str) -> None:
    answer = visitor(house.store).get(house.server.url + where, timeout=60, allow_redirects=False)

    assert "x-evil" not in answer.headers
    assert answer.status_code in {303, 404}


def test_a_form_of_ten_thousand_fields_more_than_there_may_be_is_refused(house: House) -> None:
    browser = visitor(house.store)
    fields = "&".join(["a=1"] * 10_001)
    headers = {**browser.headers, "Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(f"{house.server.url}logout", data=fields, headers=headers, timeout=60)

    assert answer.status_code == 400
    assert browser.get(house.server.url, timeout=60, allow_redirects=False).status_code == 200


def test_a_form_that_drips_is_ended(house: House) -> None:
    session = str(visitor(house.store).headers["Cookie"])
    head = (
        f"POST /logout HTTP/1.1\r\nHost: localhost\r\nCookie: {session}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\ncsrf="
    )

    assert raw(house, head).startswith(b"HTTP/1.1 408")


def test_a_password_page_and_a_stream_are_kept_by_nobody_on_the_way(house: House) -> None:
    browser = visitor(house.store)
    answers = [browser.get(house.server.url + path, timeout=60) for path in ("", "login", "orders")]

    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def broken(request: Request) -> Response:
    raise RuntimeError(request.url.path)


def test_an_answer_that_nobody_foresaw_is_as_safe_as_any_other_and_tells_nothing(house: House) -> None:
    house.app.routes.insert(0, Route("/broken", broken))
    answer = requests.get(f"{house.server.url}broken", headers={"Accept-Language": "zh"}, timeout=60)

    assert (answer.status_code, answer.content.decode()) == (500, "出错了；详情见日志。\n")
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert (answer.headers["cache-control"], answer.headers["x-frame-options"]) == ("no-store", "DENY")


def test_what_the_layers_before_the_pages_refuse_is_said_in_the_readers_language(house: House) -> None:
    chinese = {"Accept-Language": "zh"}
    refusals = [
        requests.get(house.server.url, headers=chinese | {"Host": "evil.example"}, timeout=60),
        requests.get(f"{house.server.url}orders?q=%00", headers=chinese, timeout=60),
        requests.get(f"{house.server.url}orders/%00", headers=chinese, timeout=60),
    ]

    assert [answer.status_code for answer in refusals] == [421, 422, 404]
    assert all(re.search("[\u4e00-\u9fff]{4}", answer.content.decode()) for answer in refusals)


def raw(house: House, request: str) -> bytes:
    """Send bytes as they are; return the answer."""
    with closing(socket.create_connection((house.server.host, house.server.port), timeout=60)) as caller:
        caller.sendall(request.encode())
        answer = b""
        while more := caller.recv(65536):
            answer += more
    return answer


def test_the_acts_that_are_tried_here_are_all_there_are(house: House) -> None:
    posts = [route for route in house.app.routes if isinstance(route, Guarded) and "POST" in (route.methods or ())]

    assert len(list(acts(house.app))) == len(posts) > 0
