"""A person at the pages of shops, users and their own account, in Chinese, in a headless Chromium."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import CONTRAST, LONG_MS
from tests.support.visitor import cookie_for
from tests.support.web_shop import NOW, AppServer, fill, open_shop, serve

pytestmark = [pytest.mark.browser, pytest.mark.concurrent("processes")]

PASSWORD = "correct horse battery"
PAGES = ("channels", "channels/tmall-flagship", "configuration", "me", "tokens", "users", "users/lin", "")


class Open(Protocol):
    """Opens a page of the console, as `ana` or as nobody."""

    def __call__(self, address: str = "", *, known: bool = True, **options: object) -> AbstractContextManager[Page]: ...


@pytest.fixture
def shop(chromium: Browser, sqlite_file: Path) -> Iterator[tuple[AppServer, Open, list[str]]]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    fill(store, ctx)
    server, _ = serve(store, ctx, keep_s=0)
    cookie_for(store, server.url, name="lin", role="operate")
    complaints: list[str] = []

    @contextmanager
    def opened(address: str = "", *, known: bool = True, **options: object) -> Iterator[Page]:
        context = chromium.new_context(**{"locale": "zh-CN", **options})
        context.set_default_timeout(LONG_MS)
        if known:
            context.add_cookies([cookie_for(store, server.url)])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.clock.install(time=NOW)
        page.goto(server.url + address)
        yield page
        context.close()

    yield server, opened, complaints
    server.stop(2)
    store.close()


Shop = tuple[AppServer, Open, list[str]]


def test_a_shop_is_paused_and_resumed(shop: Shop) -> None:
    server, opened, complaints = shop
    with opened("channels") as page:
        page.get_by_role("link", name="jd-main").click()
        page.get_by_text("暂停…").click()
        page.get_by_label("原因").fill("盘点")
        page.get_by_role("button", name="暂停", exact=True).click()

        expect(page.locator(".told")).to_have_text("jd-main已暂停")
        expect(page.locator(".causes li").first).to_contain_text("店铺被web:ana暂停：盘点")
        page.get_by_role("button", name="恢复").click()
        expect(page.locator(".told")).to_have_text("jd-main已恢复")
        expect(page.locator(".causes")).not_to_contain_text("暂停")
        assert page.url.startswith(f"{server.url}channels/jd-main?said=")
    assert complaints == []


def test_a_user_is_made_logs_in_is_disabled_and_is_out_at_the_next_click(shop: Shop) -> None:
    _, opened, complaints = shop
    with opened("users") as admin, opened("orders", known=False) as chen:
        admin.get_by_text("新建用户…").click()
        admin.get_by_label("用户名").fill("chen")
        admin.get_by_label("密码", exact=True).fill(PASSWORD)
        admin.get_by_label("再输入一次").fill(PASSWORD)
        admin.get_by_role("button", name="创建").click()
        expect(admin.locator(".told")).to_contain_text("用户chen可以登录")

        chen.get_by_label("用户名").fill("chen")
        chen.get_by_label("密码").fill(PASSWORD)
        chen.keyboard.press("Enter")
        expect(chen.get_by_role("heading", level=1)).to_have_text("订单")

        admin.get_by_role("link", name="chen").click()
        admin.get_by_text("停用…").click()
        admin.get_by_role("button", name="停用").click()
        expect(admin.locator(".told")).to_contain_text("用户chen已停用")
        chen.reload()
        expect(chen.get_by_role("heading", level=1)).to_have_text("登录")
    assert complaints == []


def test_a_token_is_made_and_shown(shop: Shop) -> None:
    _, opened, complaints = shop
    with opened("tokens") as page:
        page.get_by_text("新建令牌…").click()
        page.get_by_label("令牌名称").fill("wms")
        page.get_by_role("button", name="创建").click()

        expect(page.locator("#token")).to_have_value(re.compile("^erps_"))
    assert complaints == []


def test_the_language_is_switched_at_the_foot_of_a_page_and_stays(shop: Shop) -> None:
    _, opened, complaints = shop
    with opened("channels") as page:
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Channels")
        page.get_by_role("button", name="简体中文").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("店铺")
    assert complaints == []


@pytest.mark.parametrize("address", PAGES)
def test_nothing_sticks_out_of_a_phone_and_all_can_be_read_by_day_and_night(shop: Shop, address: str) -> None:
    _, opened, complaints = shop
    for scheme in ("light", "dark"):
        with opened(address, color_scheme=scheme, viewport={"width": 390, "height": 844}) as page:
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            assert page.evaluate(CONTRAST) == []
    assert complaints == []


@pytest.mark.parametrize("address", ["users/lin", "tokens", "channels/tmall-flagship"])
def test_a_form_that_is_opened_is_whole_in_sight(shop: Shop, address: str) -> None:
    """It lies over the page, and must be cut off neither by a table nor by the edge."""
    _, opened, _ = shop
    hidden = """(act) => {
      act.open = true;
      const box = act.lastElementChild.getBoundingClientRect();
      act.scrollIntoView();
      const seen = document.documentElement.clientWidth;
      act.open = false;
      return box.left < 0 || box.right > seen;
    }"""
    with opened(address) as page:
        acts = page.locator("details.act")
        assert acts.count() > 0
        assert [acts.nth(at).evaluate(hidden) for at in range(acts.count())] == [False] * acts.count()
