"""The scripts of the console in a headless Chromium: keys, ticked rows, menus, and pages that change while in use."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.responses import HTMLResponse, RedirectResponse, Response

from erpsync.settings.config import StatusLimits
from erpsync.store.db.store import Store
from erpsync.web.access.door import Door
from erpsync.web.access.forms import Form
from erpsync.web.access.visit import Visit
from erpsync.web.app import create_app
from erpsync.web.pages import Pages
from erpsync.web.server import AppServer
from erpsync.web.site import Site
from tests.support.browser import LONG_MS
from tests.support.visitor import cookie_for
from tests.support.web_shop import NOW, fill, open_shop

pytestmark = [pytest.mark.browser, pytest.mark.concurrent("processes")]

AGES_MS = 17_500
"""After so long a page asks anew, though nobody told it that something has changed."""

PAGE = """<!doctype html><html lang="en"><head><title>Rows</title>
<script defer src="/static/live.js"></script><script defer src="/static/menus.js"></script>
<script defer src="/static/picks.js"></script><script defer src="/static/keys.js"></script></head>
<body data-chosen="{n} chosen">
<form class="find"><input type="search" aria-label="Find"></form>
<details class="menu"><summary>More</summary><a href="/other">Other</a></details>
<main data-live="/part">%s</main>
<p id="elsewhere">Elsewhere</p>
<form id="many" method="post" action="/hold" data-picked><input type="hidden" name="csrf" value="%s">
<span class="count"></span><button>Hold</button><input name="w" aria-label="Reason"></form>
<span id="pulse" data-live="Live" data-stale="Old"></span>
<dialog id="keys"><h2>Keys</h2><form method="dialog"><button>Close</button></form></dialog>
</body></html>"""
ROW = """<tr data-row>
<td><input type="checkbox" data-pick form="many" name="order" value="%(n)s" aria-label="Pick %(n)s"></td>
<td><a data-open href="/row/%(n)s">Row %(n)s</a></td><td>%(said)s</td></tr>"""
ALL = '<input type="checkbox" data-pick-all aria-label="Pick all">'
ACT = """<details class="act"><summary>Hold…</summary><form method="post" action="/hold">
<input type="hidden" name="csrf" value="%s"><input type="hidden" name="once" value="%s">
<label>Why <input name="why"></label><button>Hold it</button></form></details>"""


@dataclass
class Desk:
    """A page of five rows whose words can be changed while it is open."""

    server: AppServer
    store: Store
    said: str = "first"
    more: str = ""
    made: int = 0
    sent: list[Form] = field(default_factory=list)

    def part(self, csrf: str) -> str:
        self.made += 1
        rows = "".join(ROW % {"n": n, "said": self.said} for n in range(1, 6))
        table = f"<table><thead><tr><th>{ALL}</th></tr></thead><tbody>{rows}</tbody></table>"
        keys = ACT % (csrf, f"key-{self.made}")
        return f'<section id="rows">{table}</section><section id="acts">{keys}<b>{self.said}</b></section>{self.more}'

    def page(self, visit: Visit) -> Response:
        return HTMLResponse(PAGE % (self.part(visit.csrf), visit.csrf))

    def live(self, visit: Visit) -> Response:
        return HTMLResponse(self.part(visit.csrf))

    def hold(self, visit: Visit) -> Response:
        self.sent.append(visit.form)
        return RedirectResponse("/rows", 303)


@pytest.fixture
def desk(sqlite_file: Path) -> Iterator[Desk]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    fill(store, ctx)
    site = Site(store=store, ctx=lambda: ctx, limits=StatusLimits, keep_s=0)
    app = create_app(site)
    desk = Desk(AppServer(app), store)
    door = Door(site, Pages(site, version="1"))
    for address in (
        door.page("/rows", desk.page, role="read"),
        door.part("/part", desk.live, role="read"),
        door.act("/hold", desk.hold, role="operate"),
    ):
        app.routes.insert(0, address)
    desk.server.start()
    yield desk
    desk.server.stop(2)
    store.close()


@pytest.fixture
def page(chromium: Browser, desk: Desk) -> Iterator[Page]:
    context = chromium.new_context()
    context.set_default_timeout(LONG_MS)
    context.add_cookies([cookie_for(desk.store, desk.server.url)])
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.clock.install(time=NOW)
    page.goto(f"{desk.server.url}rows")
    yield page
    context.close()
    assert complaints == []


def change(desk: Desk, page: Page, said: str = "second") -> None:
    """Let the page fetch words that are others now."""
    desk.said = said
    with page.expect_response("**/part"):
        page.clock.fast_forward(AGES_MS)


def count_of(page: Page) -> str:
    return page.locator(".count").inner_text()


def test_j_and_k_walk_the_rows_and_enter_opens_one(desk: Desk, page: Page) -> None:
    for key in "jjjk":
        page.keyboard.press(key)

    expect(page.get_by_role("link", name="Row 2")).to_be_focused()
    expect(page.locator("tr.is-at")).to_contain_text("Row 2")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{desk.server.url}row/2")


def test_the_walk_ends_at_the_first_and_at_the_last_row(page: Page) -> None:
    page.keyboard.press("k")
    expect(page.locator("tr.is-at")).to_contain_text("Row 5")
    page.keyboard.press("j")
    expect(page.locator("tr.is-at")).to_contain_text("Row 5")


def test_x_ticks_the_row_and_enter_still_opens_it(desk: Desk, page: Page) -> None:
    for key in "jjx":
        page.keyboard.press(key)

    expect(page.get_by_label("Pick 2")).to_be_checked()
    assert count_of(page) == "1 chosen"
    page.keyboard.press("x")
    expect(page.get_by_label("Pick 2")).not_to_be_checked()
    page.get_by_label("Pick 3").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{desk.server.url}row/3")


def test_a_slash_leads_to_the_search_and_what_is_typed_there_is_text(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("jx/?k")

    expect(page.get_by_role("searchbox")).to_have_value("jx/?k")
    expect(page.locator("tr.is-at")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).not_to_be_focused()


def test_keys_with_control_belong_to_the_browser(page: Page) -> None:
    page.keyboard.press("Control+j")
    page.keyboard.press("Alt+x")

    expect(page.locator("tr.is-at")).to_have_count(0)


def test_a_question_mark_lists_the_keys_and_nothing_is_walked_behind_the_list(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("tr.is-at")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_all_rows_are_ticked_at_once_and_counted(page: Page) -> None:
    button = page.get_by_role("button", name="Hold", exact=True)
    expect(button).to_be_disabled()
    page.get_by_label("Pick all").check()

    assert count_of(page) == "5 chosen"
    expect(button).to_be_enabled()
    page.get_by_label("Pick 2").uncheck()
    assert count_of(page) == "4 chosen"
    assert page.get_by_label("Pick all").evaluate("(box) => [box.checked, box.indeterminate]") == [False, True]


def test_shift_ticks_all_rows_between_two(page: Page) -> None:
    page.get_by_label("Pick 2").click()
    page.get_by_label("Pick 4").click(modifiers=["Shift"])

    assert [page.get_by_label(f"Pick {n}").is_checked() for n in range(1, 6)] == [False, True, True, True, False]
    assert count_of(page) == "3 chosen"


def open_menu(page: Page) -> None:
    page.get_by_text("More").click()


def open_act(page: Page) -> None:
    page.get_by_text("Hold…").click()


@pytest.mark.parametrize("opened", [open_menu, open_act])
def test_what_is_open_closes_on_a_click_elsewhere_and_on_escape(page: Page, opened: Callable[[Page], None]) -> None:
    opened(page)
    expect(page.locator("details[open]")).to_have_count(1)
    page.locator("#elsewhere").click()
    expect(page.locator("details[open]")).to_have_count(0)
    opened(page)
    page.keyboard.press("Escape")
    expect(page.locator("details[open]")).to_have_count(0)


def test_an_act_that_opens_has_the_focus_in_its_first_field(page: Page) -> None:
    open_act(page)

    expect(page.get_by_label("Why")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Hold…")).to_be_focused()


def test_a_page_takes_up_what_has_changed(desk: Desk, page: Page) -> None:
    change(desk, page)

    expect(page.locator("#rows")).to_contain_text("second")
    expect(page.locator("#acts")).to_contain_text("second")
    expect(page.locator("#pulse")).to_have_text("Live")


def test_keys_of_forms_are_no_change(desk: Desk, page: Page) -> None:
    page.evaluate("document.getElementById('acts').marked = true")
    before = desk.made
    change(desk, page, said="first")

    assert desk.made > before
    assert page.evaluate("document.getElementById('acts').marked") is True


def type_a_reason(page: Page) -> str:
    open_act(page)
    page.get_by_label("Why").fill("盘点")
    return "#acts"


def tick(page: Page) -> str:
    page.get_by_label("Pick 3").check()
    return "#rows"


def open_only(page: Page) -> str:
    open_act(page)
    return "#acts"


@pytest.mark.parametrize("busy", [type_a_reason, tick, open_only])
def test_a_section_that_somebody_is_busy_in_stays_and_others_change(
    desk: Desk, page: Page, busy: Callable[[Page], str]
) -> None:
    held = busy(page)
    [other] = {"#rows", "#acts"} - {held}
    change(desk, page)

    expect(page.locator(other)).to_contain_text("second")
    expect(page.locator(held)).to_contain_text("first")


def test_what_was_kept_changes_once_nobody_is_busy_there(desk: Desk, page: Page) -> None:
    tick(page)
    change(desk, page)
    page.get_by_label("Pick 3").uncheck()
    with page.expect_response("**/part"):
        page.clock.fast_forward(AGES_MS)

    expect(page.locator("#rows")).to_contain_text("second")


def test_the_row_that_was_walked_to_is_still_the_one_after_a_change(desk: Desk, page: Page) -> None:
    for key in "jj":
        page.keyboard.press(key)
    change(desk, page)

    expect(page.locator("tr.is-at")).to_contain_text("Row 2")
    expect(page.get_by_role("link", name="Row 2")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("tr.is-at")).to_contain_text("Row 3")


def test_a_section_that_comes_or_goes_needs_no_new_page(desk: Desk, page: Page) -> None:
    page.evaluate("window.stayed = true")
    desk.more = '<section id="news">Something new</section>'
    change(desk, page)
    expect(page.locator("#acts + #news")).to_have_text("Something new")
    desk.more = ""
    change(desk, page, said="third")

    expect(page.locator("#news")).to_have_count(0)
    assert page.evaluate("window.stayed") is True


def test_everything_is_done_without_a_script_too(chromium: Browser, desk: Desk) -> None:
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(LONG_MS)
    context.add_cookies([cookie_for(desk.store, desk.server.url)])
    page = context.new_page()
    page.goto(f"{desk.server.url}rows")
    page.get_by_label("Pick 2").check()
    page.get_by_label("Pick 4").check()
    page.get_by_role("button", name="Hold", exact=True).click()
    page.wait_for_url("**/rows")
    open_act(page)
    page.get_by_label("Why").fill("盘点")
    page.get_by_role("button", name="Hold it").click()
    page.wait_for_url("**/rows")
    context.close()

    assert [form.all("order") for form in desk.sent] == [("2", "4"), ()]
    assert desk.sent[1].text("why") == "盘点"
