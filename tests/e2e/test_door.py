"""The door of the console: no address without a role, no act from elsewhere, nothing at all before there is a user."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from erpsync.flows.access.roles import reaches
from erpsync.flows.access.users import create_user, disable_user
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.settings.config import Config, StatusLimits
from erpsync.store.db.store import Store
from erpsync.store.views import NotFound
from erpsync.web.access.door import Door, Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.app import create_app
from erpsync.web.pages import Pages
from erpsync.web.server import AppServer, WebServer
from erpsync.web.site import Site
from tests.support.visitor import csrf_of, session_of, visitor
from tests.support.web_shop import fill, open_shop, serve

OPEN = {
    "/hooks/{channel}",
    "/hooks/{channel}/{path:path}",
    "/livez",
    "/readyz",
    "/metrics",
    "/status.json",
    "/login",
    "/language",
    "/api/v1",
    "/static",
}
PACKS = {
    "/desk/scanned",
    "/releases/print",
    "/releases/stop",
    "/waves/done",
    "/waves/drop",
    "/waves/make",
    "/waves/print",
}
"""What a packer may do that a reader may not: the desk, and nothing else."""

ACTS = [
    "/audit/approve",
    "/audit/cancel",
    "/bundles/drop",
    "/bundles/set",
    "/channels/{channel}/backfill",
    "/channels/{channel}/confirm",
    "/channels/{channel}/pause",
    "/channels/{channel}/poll",
    "/channels/{channel}/resume",
    "/dead-letters/drop",
    "/dead-letters/replay",
    "/desk/scanned",
    "/listings/accept",
    "/listings/map",
    "/listings/no-goods",
    "/logout",
    "/me/end-session",
    "/me/language",
    "/me/password",
    "/messages/{route}/retry",
    "/messages/{route}/test",
    "/orders/cancel",
    "/orders/correct",
    "/orders/create",
    "/orders/export",
    "/orders/find",
    "/orders/find-by-phone",
    "/orders/hold",
    "/orders/release",
    "/orders/reveal",
    "/orders/seal",
    "/orders/ship",
    "/orders/ship-chosen",
    "/orders/ship-many",
    "/orders/specify",
    "/orders/tag",
    "/orders/unseal",
    "/orders/untag",
    "/orders/views/delete",
    "/orders/views/keep",
    "/releases/print",
    "/releases/stop",
    "/stock/adjust",
    "/stock/believe",
    "/stock/confirm",
    "/stock/count",
    "/stock/goods",
    "/stock/import",
    "/stock/policy",
    "/stock/retry",
    "/tasks/done",
    "/tokens",
    "/tokens/{token}/revoke",
    "/users",
    "/users/{user}/disable",
    "/users/{user}/enable",
    "/users/{user}/password",
    "/users/{user}/role",
    "/users/{user}/sign-out",
    "/waves/done",
    "/waves/drop",
    "/waves/make",
    "/waves/print",
]
FORM = "application/x-www-form-urlencoded"


@dataclass
class House:
    """A console with one act, whose visits are noted."""

    server: AppServer
    store: Store
    visits: list[Visit] = field(default_factory=list)

    def browser(self, role: str) -> requests.Session:
        return visitor(self.store, f"{role}-user", role=role)

    def act(self, browser: requests.Session, *, csrf: str | None = None, **headers: str) -> int:
        token = csrf_of(browser) if csrf is None else csrf
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        form = {"csrf": token, "reason": "盘点", "order": ["1", "2"]}
        answer = browser.post(f"{self.server.url}act", data=form, headers=named, timeout=60, allow_redirects=False)
        return answer.status_code


@pytest.fixture
def house(sqlite_file: Path) -> Iterator[House]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    site = Site(store=store, ctx=lambda: ctx, limits=StatusLimits, max_body_bytes=2000)
    visits: list[Visit] = []

    def do(visit: Visit) -> Response:
        visits.append(visit)
        if reason := {"refuse": Refused("it has left"), "miss": NotFound("no order 7")}.get(visit.form.text("how")):
            raise reason
        return PlainTextResponse("done")

    app = create_app(site)
    door = Door(site, Pages(site, version="1"))
    app.routes.insert(0, door.act("/act", do, role="operate"))
    app.routes.insert(0, door.page("/admins", do, role="admin"))
    server = AppServer(app)
    server.start()
    yield House(server, store, visits)
    server.stop(2)
    store.close()


def routes_of(app: Starlette) -> Iterator[Route | Mount]:
    for route in app.routes:
        assert isinstance(route, Route | Mount)
        yield route


def test_every_address_names_its_role_or_is_one_of_the_few_that_are_open(sqlite_file: Path) -> None:
    """A page that is added without the door is found here."""
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    routes = list(routes_of(create_app(Site(store=store, ctx=lambda: ctx, limits=StatusLimits))))
    store.close()

    assert {route.path for route in routes if not isinstance(route, Guarded)} == OPEN
    guarded = [route for route in routes if isinstance(route, Guarded)]
    assert {route.role for route in guarded} <= {"read", "pack", "operate", "admin"}
    assert sorted(route.path for route in guarded if route.methods == {"POST"}) == ACTS
    acts = [route for route in guarded if route.methods == {"POST"} and not reaches("read", route.role)]
    assert {route.path for route in acts if reaches("pack", route.role)} == PACKS


@pytest.mark.parametrize(("role", "status"), [("read", 403), ("pack", 403), ("operate", 200), ("admin", 200)])
def test_an_act_takes_a_role_that_reaches_so_far(house: House, role: str, status: int) -> None:
    assert house.act(house.browser(role)) == status
    assert len(house.visits) == (1 if status == 200 else 0)


def test_who_has_too_small_a_role_is_told_which_one_it_takes(house: House) -> None:
    answer = house.browser("read").get(f"{house.server.url}admins", timeout=60)

    assert answer.status_code == 403
    assert "this needs the role admin; read-user has read" in answer.text
    assert "Log out" in answer.text


def test_an_act_is_told_who_does_it_from_where_and_what_was_filled_in(house: House) -> None:
    house.act(house.browser("operate"), User_Agent="Firefox")
    [visit] = house.visits

    assert (visit.name, visit.role, visit.actor, visit.language) == (
        "operate-user",
        "operate",
        "web:operate-user",
        None,
    )
    assert (visit.form.text("reason"), visit.form.all("order"), visit.form.text("none")) == ("盘点", ("1", "2"), "")
    assert (visit.caller.address, visit.caller.user_agent) == ("127.0.0.1", "Firefox")


def test_an_act_without_a_session_is_not_done_and_leads_to_the_log_in_and_back_to_the_page(house: House) -> None:
    session_of(house.store)
    before = {"Referer": f"{house.server.url}orders/7?x=1"}
    answer = requests.post(
        f"{house.server.url}act", data={"csrf": "x"}, headers=before, timeout=60, allow_redirects=False
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/orders/7%3Fx%3D1")
    assert house.visits == []


@pytest.mark.parametrize("token", ["", "x", "é"])
def test_an_act_without_the_token_of_its_session_is_not_done(house: House, token: str) -> None:
    browser = house.browser("admin")

    assert house.act(browser, csrf=token) == 403
    assert house.act(browser, csrf=csrf_of(house.browser("operate"))) == 403
    assert house.visits == []


def test_a_page_carries_the_token_that_its_forms_need(house: House) -> None:
    browser = house.browser("admin")

    assert f'name="csrf" value="{csrf_of(browser)}"' in browser.get(house.server.url, timeout=60).text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_an_act_that_another_sites_page_sends_is_not_done_even_with_the_right_token(
    house: House, headers: dict[str, str]
) -> None:
    assert house.act(house.browser("admin"), **headers) == 403
    assert house.visits == []


@pytest.mark.parametrize(("how", "status", "said"), [("refuse", 409, "it has left"), ("miss", 404, "no order 7")])
def test_what_a_use_case_refuses_is_told_on_a_page(house: House, how: str, status: int, said: str) -> None:
    browser = house.browser("admin")
    answer = browser.post(f"{house.server.url}act", data={"csrf": csrf_of(browser), "how": how}, timeout=60)

    assert (answer.status_code, said in answer.text) == (status, True)


def test_a_form_that_is_larger_than_a_body_may_be_is_refused(house: House) -> None:
    browser = house.browser("admin")
    form = {"csrf": csrf_of(browser), "reason": "x" * 3000}

    assert browser.post(f"{house.server.url}act", data=form, timeout=60).status_code == 413
    assert house.visits == []


@pytest.mark.parametrize(
    "cookie", ["", "erpsync=", "erpsync=x", "erpsync=%00", "erpsync=" + "x" * 5000, "__Host-erpsync=x"]
)
def test_a_cookie_that_is_none_of_ours_opens_nothing(house: House, cookie: str) -> None:
    session_of(house.store)
    answer = requests.get(house.server.url, headers={"Cookie": cookie}, timeout=60, allow_redirects=False)

    assert answer.status_code == 303


CONSOLE = ("", "live", "orders", "orders/S20260302000104", "login")


@pytest.fixture
def unpeopled(sqlite_file: Path) -> Iterator[tuple[AppServer, Store]]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    fill(store, ctx)
    server, _ = serve(store, ctx, keep_s=0)
    yield server, store
    server.stop(2)
    store.close()


@pytest.mark.parametrize("path", CONSOLE)
def test_before_there_is_a_user_every_page_says_how_to_make_one_and_nothing_else(
    unpeopled: tuple[AppServer, Store], path: str
) -> None:
    server, _ = unpeopled
    answer = requests.get(server.url + path, timeout=60, allow_redirects=False)

    assert answer.status_code == 200
    assert "erpsync user create NAME --role admin" in answer.text
    assert not any(word in answer.text for word in ("S2026", "tmall", "dropfolder", "Shanghai", "dead"))


@pytest.mark.parametrize("path", ["login", "logout"])
def test_before_there_is_a_user_nobody_logs_in(unpeopled: tuple[AppServer, Store], path: str) -> None:
    server, _ = unpeopled
    answer = requests.post(server.url + path, data={"name": "root", "password": ""}, timeout=60, allow_redirects=False)

    assert (answer.status_code, "user create" in answer.text, "set-cookie" in answer.headers) == (200, True, False)


def test_from_the_first_user_on_one_has_to_log_in_even_when_that_one_is_disabled(
    unpeopled: tuple[AppServer, Store],
) -> None:
    server, store = unpeopled
    requests.get(server.url, timeout=60)
    create_user(store, "wang", role="admin", password="correct horse battery", actor="root")
    first = requests.get(server.url, timeout=60, allow_redirects=False).status_code
    disable_user(store, "wang", actor="root")

    assert (first, requests.get(server.url, timeout=60, allow_redirects=False).status_code) == (303, 303)


@dataclass
class Listening:
    """A daemon's server on an address that its configuration says can be reached from elsewhere."""

    store: Store
    ctx: Context
    config: Config

    def ask(self, *paths: str, **headers: str) -> dict[str, int]:
        """Return the status of each page, asked for from this machine."""
        face = SimpleNamespace(
            ctx=lambda: self.ctx,
            config=lambda: self.config,
            meters=SimpleNamespace(samples=tuple),
            alive=lambda: True,
            draining=lambda: False,
        )
        server = WebServer(face)
        server.start()
        try:
            known = {name.replace("_", "-"): value for name, value in headers.items()}
            return {path: self._status(server, path, known) for path in paths}
        finally:
            server.stop(2)

    def _status(self, server: WebServer, path: str, headers: dict[str, str]) -> int:
        method = "POST" if path.startswith("hooks") else "GET"
        url = f"http://127.0.0.1:{server.port}/{path}"
        return requests.request(method, url, headers=headers, timeout=60, allow_redirects=False).status_code


PRIVATE = ("", "orders", "live", "login", "nowhere", "api/v1/orders", "api/v1/openapi.json")
PLAIN = {"livez": 200, "readyz": 200, "metrics": 200, "status.json": 200, "hooks/jd-main": 401}


def listening(file: Path, *, host: str = "0.0.0.0", plain_http: bool = False) -> Iterator[Listening]:
    store, ctx = open_shop(f"sqlite:///{file}")
    session_of(store)
    config = Config(
        folder=file.parent, database=f"sqlite:///{file}", web_host=host, web_port=0, web_plain_http=plain_http
    )
    yield Listening(store, ctx, config)
    store.close()


@pytest.fixture
def outside(sqlite_file: Path) -> Iterator[Listening]:
    yield from listening(sqlite_file)


def test_console_and_api_are_not_told_unencrypted_to_other_machines(outside: Listening) -> None:
    assert outside.ask(*PRIVATE) == dict.fromkeys(PRIVATE, 403)


def test_webhooks_probes_and_figures_go_on_without_tls(outside: Listening) -> None:
    assert outside.ask(*PLAIN) == PLAIN


@pytest.mark.parametrize("header", [{"X_Forwarded_Proto": "https"}, {"Forwarded": "for=192.0.2.1;proto=https"}])
def test_what_came_by_tls_is_answered(outside: Listening, header: dict[str, str]) -> None:
    assert outside.ask("", "login", "api/v1/orders", **header) == {"": 303, "login": 200, "api/v1/orders": 401}


@pytest.mark.parametrize(
    "header", [{"X_Forwarded_Proto": "http"}, {"X_Forwarded_Proto": "http, https"}, {"Forwarded": "proto=httpsx"}]
)
def test_what_did_not_is_not_whatever_else_it_says(outside: Listening, header: dict[str, str]) -> None:
    assert outside.ask("login", **header) == {"login": 403}


def test_who_allows_it_is_answered_without_tls(sqlite_file: Path) -> None:
    for open_ in listening(sqlite_file, plain_http=True):
        assert open_.ask("", "login", "api/v1/orders") == {"": 303, "login": 200, "api/v1/orders": 401}


def test_on_this_machine_alone_no_tls_is_needed(sqlite_file: Path) -> None:
    for local in listening(sqlite_file, host="127.0.0.1"):
        assert local.ask("", "login", "api/v1/orders") == {"": 303, "login": 200, "api/v1/orders": 401}


def test_the_refusal_names_the_setting(sqlite_file: Path) -> None:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    server, _ = serve(store, ctx, needs_tls=lambda: True)
    page, told = (requests.get(server.url + path, timeout=60) for path in ("", "api/v1/orders"))
    server.stop(2)
    store.close()

    assert "web: {plain_http: true}" in page.text
    assert "web: {plain_http: true}" in told.json()["detail"]
    assert told.headers["content-type"] == "application/problem+json"
    assert page.headers["x-frame-options"] == "DENY"
