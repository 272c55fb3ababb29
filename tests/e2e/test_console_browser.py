"""The console in a headless Chromium: what a person sees, and that it stays up to date without disturbing them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.responses import HTMLResponse

from erpsync.flows.access.users import create_user, disable_user
from erpsync.flows.context import Context
from erpsync.store import tables
from erpsync.store.db.store import Store
from tests.support.browser import CONTRAST, LONG_MS, do_without, has_chinese_font
from tests.support.visitor import cookie_for
from tests.support.web_shop import NOW, AppServer, add, fill, line_row, open_shop, order_row, serve

pytestmark = [pytest.mark.browser, pytest.mark.concurrent("processes")]

REFRESH_MS = 17_500
"""After so long a page asks anew, though nobody told it that something has changed."""

PASSWORD = "correct horse battery"


@dataclass
class Shop:
    server: AppServer
    store: Store
    ctx: Context
    open: Callable[..., AbstractContextManager[Page]]
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def shop(chromium: Browser, sqlite_file: Path) -> Iterator[Shop]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    fill(store, ctx)
    server, _ = serve(store, ctx, keep_s=0)
    complaints: list[str] = []

    @contextmanager
    def opened(address: str = "", **options: object) -> Iterator[Page]:
        context = chromium.new_context(**options)
        context.set_default_timeout(LONG_MS)
        context.add_cookies([cookie_for(store, server.url)])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.clock.install(time=NOW)
        page.goto(server.url + address)
        yield page
        context.close()

    yield Shop(server, store, ctx, opened, complaints)
    server.stop(2)
    store.close()


def test_every_page_is_shown_without_a_complaint_of_the_browser(shop: Shop) -> None:
    for address in ("", "orders", "orders/S20260302000104", "orders?q=0001"):
        with shop.open(address) as page:
            expect(page.get_by_role("heading", level=1)).to_be_visible()

    assert shop.complaints == []


def test_the_overview_shows_channels_figures_and_orders(shop: Shop) -> None:
    with shop.open() as page:
        expect(page.get_by_role("heading", level=1)).to_contain_text("4 things need you")
        expect(page.get_by_role("article", name="拼多多-dropfolder")).to_contain_text("needs you")
        expect(page.get_by_role("article", name="jd-main")).to_contain_text("21 min")
        expect(page.locator("#latest tbody tr")).to_have_count(12)
        expect(page.locator("#chart svg rect[class^=s]").first).to_be_visible()


def test_chinese_titles_are_drawn_with_glyphs_and_not_with_boxes(shop: Shop) -> None:
    drawn = """() => {
      const ink = (text) => {
        const at = document.createElement('canvas').getContext('2d');
        at.font = '40px ' + getComputedStyle(document.body).fontFamily;
        at.fillText(text, 5, 60);
        return String(at.getImageData(0, 0, 60, 90).data);
      };
      return new Set(['亚', '麻', '衬', '\\u{10FFFD}'].map(ink)).size;
    }"""
    if not has_chinese_font():
        do_without("no Chinese font on this machine (apt install fontconfig fonts-wqy-microhei)")
    with shop.open() as page:
        assert page.evaluate(drawn) == 4


def test_an_order_is_a_click_away_and_tells_its_story(shop: Shop) -> None:
    with shop.open() as page:
        page.locator("#latest tbody a").first.click()

        expect(page).to_have_url(f"{shop.server.url}orders/S20260302000126")
        expect(page.get_by_role("heading", name="What happened")).to_be_visible()
        expect(page.locator(".story")).to_contain_text("order imported")


def test_the_search_box_finds_an_order_by_the_channels_id(shop: Shop) -> None:
    with shop.open() as page:
        page.get_by_role("searchbox").fill("29104477000104")
        page.keyboard.press("Enter")

        expect(page).to_have_url(f"{shop.server.url}orders/S20260302000104")


def test_a_part_of_a_number_shows_the_orders_that_have_it_and_stays_in_the_box(shop: Shop) -> None:
    with shop.open() as page:
        page.get_by_role("searchbox").fill("00012")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", level=1)).to_have_text("Found for “00012”")
        expect(page.get_by_role("searchbox")).to_have_value("00012")
        expect(page.locator("tbody tr").first).to_contain_text("number, channel's id")


def test_a_phone_number_in_the_search_box_comes_to_stand_in_no_address(shop: Shop) -> None:
    with shop.open() as page:
        page.get_by_role("searchbox").fill("138 1234 5678")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", level=1)).to_have_text("Nothing found")
        expect(page).to_have_url(f"{shop.server.url}orders/find")
        expect(page.get_by_role("searchbox")).to_have_value("")


def test_a_new_order_appears_while_the_page_stays_where_it_was(shop: Shop) -> None:
    with shop.open(viewport={"width": 1280, "height": 500}) as page:
        page.get_by_text("The same numbers as a table").click()
        page.evaluate("window.scrollTo(0, 700); window.stayed = true")
        with shop.store.begin() as tx:
            channel_id = shop.ctx.channel("jd-main").id
            [order_id] = add(tx, tables.orders, order_row(channel_id, 999, placed_at=NOW))
            add(tx, tables.order_line, line_row(order_id, title="新到的订单"))
        page.clock.fast_forward(REFRESH_MS)

        expect(page.locator("#latest")).to_contain_text("新到的订单")
        expect(page.get_by_text("S20260302000999")).to_have_count(1)
        assert page.evaluate("[window.scrollY, window.stayed]") == [700, True]
        assert page.evaluate("document.getElementById('chart-table').open") is True

    assert shop.complaints == []


def test_the_keys_can_be_switched_off_and_stay_so(shop: Shop) -> None:
    with shop.open("orders") as page:
        page.keyboard.press("j")
        expect(page.locator("tr.is-at")).to_have_count(1)
        page.get_by_role("button", name="Keys").click()
        page.get_by_label("Use these keys in this browser").uncheck()
        page.get_by_role("button", name="Close").click()
        page.reload()
        page.keyboard.press("j")
        expect(page.locator("tr.is-at")).to_have_count(0)
        page.get_by_role("button", name="Keys").click()
        page.get_by_label("Use these keys in this browser").check()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("j")
        expect(page.locator("tr.is-at")).to_have_count(1)
    assert shop.complaints == []


NEVER_BY_ITSELF = """const later = window.setTimeout;
window.setTimeout = (what, ms) => (ms < 2900 ? later(what, ms) : 0);"""


def test_what_changes_is_shown_because_the_page_is_told(shop: Shop) -> None:
    with shop.open("nowhere") as page:
        page.add_init_script(NEVER_BY_ITSELF)
        with page.expect_response(f"{shop.server.url}live"):  # from here on every change is told
            page.goto(shop.server.url)
        with shop.store.begin() as tx:
            add(tx, tables.orders, order_row(shop.ctx.channel("jd-main").id, 999, placed_at=NOW))

        expect(page.get_by_text("S20260302000999")).to_have_count(1)


def test_what_did_not_change_is_not_touched(shop: Shop) -> None:
    with shop.open() as page:
        page.evaluate("document.getElementById('latest').marked = true")
        with page.expect_response(f"{shop.server.url}live"):
            page.clock.fast_forward(REFRESH_MS)
        with page.expect_response(f"{shop.server.url}live"):
            page.clock.fast_forward(REFRESH_MS)

        assert page.evaluate("document.getElementById('latest').marked") is True


def test_the_focus_stays_on_its_link_when_the_list_changes(shop: Shop) -> None:
    with shop.open() as page:
        page.locator("#latest tbody a").nth(3).focus()
        address = page.evaluate("document.activeElement.getAttribute('href')")
        with shop.store.begin() as tx:
            tx.execute(tables.orders.update().where(tables.orders.c.number == address[8:]).values(total_minor=100))
        page.clock.fast_forward(REFRESH_MS)

        expect(page.locator("#latest")).to_contain_text("¥1.00")
        assert page.evaluate("document.activeElement.getAttribute('href')") == address


def test_a_daemon_that_answers_no_more_is_said_to_be_gone(shop: Shop) -> None:
    with shop.open() as page:
        expect(page.get_by_role("status")).to_have_text("Live")
        shop.server.stop(1)
        page.clock.fast_forward(REFRESH_MS)

        expect(page.get_by_role("status")).to_have_text("No answer from the daemon. These figures are old.")
        expect(page.locator("body")).to_have_class("is-cut-off")


def test_every_column_of_the_queues_is_in_sight_on_a_desk(shop: Shop) -> None:
    with shop.open(viewport={"width": 1280, "height": 900}) as page:
        hidden = page.evaluate("(box => box.scrollWidth - box.clientWidth)(document.querySelector('#queues .scroll'))")

    assert hidden <= 0


@pytest.mark.parametrize("address", ["", "orders", "orders/S20260302000104", "orders/none"])
def test_nothing_sticks_out_of_a_phone(shop: Shop, address: str) -> None:
    with shop.open(address, viewport={"width": 360, "height": 740}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 360


TOUCHED = """() => [...document.querySelectorAll('.top :is(a, summary, button, input), .chips a, .pages a, td a')]
  .map((el) => [el.textContent.trim() || el.name, el.getBoundingClientRect().height])
  .filter(([, height]) => height > 0 && height < 40)"""


@pytest.mark.parametrize("address", ["", "orders"])
def test_a_finger_hits_what_it_means_and_the_bar_moves_away_with_the_page(shop: Shop, address: str) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with shop.open(address, **phone) as page:
        small = page.evaluate(TOUCHED)
        page.evaluate("window.scrollTo(0, 600)")
        below = page.evaluate("document.querySelector('.top').getBoundingClientRect().bottom")

    assert small == []
    assert below <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["", "orders", "orders/S20260302000104", "orders?q=0001"])
def test_text_stands_out_from_what_is_behind_it_by_day_and_night(shop: Shop, address: str, scheme: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: 4.5 to 1."""
    with shop.open(address, color_scheme=scheme) as page:
        assert page.evaluate(CONTRAST) == []
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 16, 21)"
        assert dark == (scheme == "dark")


@pytest.fixture
def stranger(chromium: Browser, shop: Shop) -> Iterator[Page]:
    """A browser that nobody has logged in with, at a console that has a user."""
    create_user(shop.store, "wang", role="operate", password=PASSWORD, actor="root")
    context = chromium.new_context()
    context.set_default_timeout(LONG_MS)
    page = context.new_page()
    page.on("console", lambda message: shop.complaints.append(message.text))
    page.clock.install(time=NOW)
    yield page
    context.close()


def enter(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill("wang")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_a_person_logs_in_to_the_page_they_wanted_and_out_again(shop: Shop, stranger: Page) -> None:
    wanted = f"{shop.server.url}orders?status=held"
    stranger.goto(wanted)
    expect(stranger).to_have_title("Log in · erpsync")
    enter(stranger)

    expect(stranger).to_have_url(wanted)
    expect(stranger.locator(".who")).to_contain_text("wang")
    stranger.get_by_role("button", name="Log out").click()
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Log in")
    stranger.goto(wanted)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Log in")
    assert shop.complaints == []


def test_a_wrong_password_is_said_and_the_name_need_not_be_typed_again(shop: Shop, stranger: Page) -> None:
    stranger.goto(shop.server.url)
    enter(stranger, "wrong horse battery")

    expect(stranger.get_by_role("alert")).to_contain_text("Name or password is wrong")
    expect(stranger.get_by_label("Name")).to_have_value("wang")
    expect(stranger.get_by_label("Password")).to_be_focused()
    expect(stranger.get_by_label("Password")).to_have_value("")


def test_a_page_that_is_open_when_its_session_ends_leads_to_the_log_in(shop: Shop, stranger: Page) -> None:
    stranger.goto(shop.server.url)
    enter(stranger)
    expect(stranger.get_by_role("status")).to_have_text("Live")
    disable_user(shop.store, "wang", actor="root")
    stranger.clock.fast_forward(REFRESH_MS)

    expect(stranger.get_by_role("heading", level=1)).to_have_text("Log in")


def test_a_form_on_another_sites_page_does_nothing_for_whoever_is_logged_in(
    shop: Shop, stranger: Page, sqlite_file: Path
) -> None:
    """The browser itself is asked: whether it sends the cookie along, and what it says of where the form came from."""
    stranger.goto(shop.server.url)
    enter(stranger)
    expect(stranger.locator(".who")).to_contain_text("wang")
    form = f'<form action="{shop.server.url}logout" method="post"><button>Win a prize</button></form>'
    elsewhere = AppServer(HTMLResponse(form), host="127.0.0.1")
    elsewhere.start()
    stranger.goto(elsewhere.url.replace("127.0.0.1", "localhost"))
    stranger.get_by_role("button").click()
    stranger.wait_for_url(f"{shop.server.url}logout")
    refused = stranger.locator("body").inner_text()
    elsewhere.stop(2)
    stranger.goto(shop.server.url)

    assert "a page of another site sent this" in refused
    expect(stranger.locator(".who")).to_contain_text("wang")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_log_in_can_be_read_on_a_phone_and_by_night(
    chromium: Browser, shop: Shop, scheme: Literal["light", "dark"], width: int
) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 740})
    page = context.new_page()
    page.goto(shop.server.url)

    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
