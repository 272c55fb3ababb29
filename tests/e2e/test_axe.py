"""Every page of the console as axe-core sees it: what keeps somebody out who does not see, point or read as others do.

What axe-core calls serious or critical fails; it finds a part of what WCAG asks for, the rest is for people to look at.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette

from erpsync.settings.config import StatusLimits
from erpsync.store.db.store import Store
from erpsync.web.app import create_app
from erpsync.web.server import AppServer
from erpsync.web.site import Site
from tests.support.audit_shop import VAULT, ruled_shop
from tests.support.browser import LONG_MS
from tests.support.console_walk import FILLED, addresses, paths
from tests.support.desk_shop import with_desk
from tests.support.visitor import cookie_for
from tests.support.web_shop import fill, open_shop

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.concurrent("processes")]

WIDTHS = {"desk": 1280, "phone": 390}
TONGUES = {"en": "en-GB", "zh": "zh-CN"}
EACH_PAIR = [("light", "desk", "en"), ("light", "phone", "zh"), ("dark", "desk", "zh"), ("dark", "phone", "en")]
"""Each scheme with each width and each language, each width with each language."""

GRAVE = {"serious", "critical"}
OPEN_ALL = "document.querySelectorAll('details').forEach((part) => { part.open = true; })"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Shown:
    app: Starlette
    server: AppServer
    store: Store


@pytest.fixture(scope="module")
def shown(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    file = shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("shop"))
    store, empty = open_shop(f"sqlite:///{file}", vault=VAULT)
    fill(store, empty)
    ctx = with_desk(store, ruled_shop(store, empty))
    app = create_app(Site(store=store, ctx=lambda: ctx, limits=StatusLimits, keep_s=0))
    server = AppServer(app)
    server.start()
    yield Shown(app, server, store)
    server.stop(2)
    store.close()


def grave(page: Page, *, only: list[str] | None = None, but: list[str] | None = None) -> list[str]:
    """Return what axe-core calls serious or critical: the rule and where."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = {"type": "rule", "values": only}
    if but:
        options["rules"] = {rule: {"enabled": False} for rule in but}
    answer = Axe().run(page, options=options).response
    return [
        f"{rule['id']}: {node['target']} {node['html'][:120]}"
        for rule in answer["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"][:3]
    ]


@pytest.mark.parametrize(("scheme", "width", "tongue"), EACH_PAIR)
def test_nothing_keeps_anybody_out_of_a_page(
    chromium: Browser, shown: Shown, scheme: Literal["light", "dark"], width: str, tongue: str
) -> None:
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": WIDTHS[width], "height": 844}, locale=TONGUES[tongue]
    )
    context.set_default_timeout(LONG_MS)
    stranger = context.new_page()
    stranger.goto(f"{shown.server.url}login")
    problems = {"login": grave(stranger)}
    context.add_cookies([cookie_for(shown.store, shown.server.url)])
    page = context.new_page()
    for address in addresses(shown.app):
        page.goto(shown.server.url + address)
        problems[address] = grave(page, only=["color-contrast"] if scheme == "dark" else None)
        if page.evaluate(SIDEWAYS) > 0:
            problems[address].append(f"{page.evaluate(SIDEWAYS)} px stick out to the right")
        if scheme == "light":  # what an opened menu covers is no question of contrast
            page.evaluate(OPEN_ALL)
            problems[address] += grave(page, but=["color-contrast"])
    context.close()

    assert {address: told for address, told in problems.items() if told} == {}


def test_every_parameter_of_an_address_has_something_that_fills_it(shown: Shown) -> None:
    """A page that is added with a parameter of a new name is found here."""
    names = {name for path in paths(shown.app) for name in re.findall(r"\{(\w+)", path)}

    assert names <= FILLED.keys()
