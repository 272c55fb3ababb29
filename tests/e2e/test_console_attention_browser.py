"""What waits for people, dealt with in a headless Chromium by somebody who reads Chinese, with and without scripts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from erpsync.store import tables
from erpsync.store.db.store import Store
from tests.support.browser import LONG_MS
from tests.support.visitor import cookie_for
from tests.support.waiting_shop import fill_waiting, open_waiting_shop, put_task
from tests.support.web_shop import NOW, AppServer, fill, serve

pytestmark = [pytest.mark.browser, pytest.mark.concurrent("processes")]

PHONE = {"width": 390, "height": 844}
PAGES = ("tasks", "tasks?closed=1", "dead-letters", "dead-letters/9", "trail", "reconciliation")


@dataclass
class Desk:
    """A shop in which much waits, and a browser in front of it."""

    server: AppServer
    store: Store
    browser: Browser
    complaints: list[str]

    @contextmanager
    def at(self, path: str, **options: object) -> Iterator[Page]:
        context = self.browser.new_context(**{"locale": "zh-CN", **options})
        context.set_default_timeout(LONG_MS)
        context.add_cookies([cookie_for(self.store, self.server.url)])
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.clock.install(time=NOW)
        page.goto(self.server.url + path)
        yield page
        context.close()

    def letters(self, state: str) -> int:
        counted = select(func.count()).select_from(tables.dead_letter).where(tables.dead_letter.c.state == state)
        with self.store.read() as connection:
            return int(connection.execute(counted).scalar_one())


@pytest.fixture
def desk(chromium: Browser, sqlite_file: Path) -> Iterator[Desk]:
    store, ctx = open_waiting_shop(f"sqlite:///{sqlite_file}")
    fill(store, ctx)
    fill_waiting(store, ctx, letters=10)
    with store.begin() as tx:
        put_task(tx, ctx, "currency_changed", "S4")
    server, _ = serve(store, ctx, keep_s=0)
    yield Desk(server, store, chromium, [])
    server.stop(1)
    store.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_ten_dead_letters_of_one_cause_are_replayed_by_one_click(desk: Desk, scripts: bool) -> None:
    with desk.at("dead-letters", java_script_enabled=scripts) as page:
        page.get_by_role("button", name="重试10条").click()

        expect(page.get_by_role("status").first).to_contain_text("10条失败记录重试成功，已处理完。")
    assert desk.letters("replayed") == 10
    assert desk.complaints == []


def test_of_letters_that_were_ticked_each_that_cannot_go_yet_says_why(desk: Desk) -> None:
    with desk.at("dead-letters") as page:
        page.get_by_role("link", name="订单 3").or_(page.locator("h2 a", has_text="订单").first).first.click()
        boxes = page.locator("td.pick input")
        expect(boxes).to_have_count(3)
        boxes.nth(0).check()
        boxes.nth(1).check()
        page.locator("#many").get_by_role("button", name="重试").click()

        told = page.get_by_role("status").first
        expect(told.locator("li")).to_have_count(2)
        expect(told).to_contain_text("仍然无法读取")
    assert desk.letters("replayed") == 0


def test_a_letter_is_dropped_with_a_reason(desk: Desk) -> None:
    with desk.at("dead-letters/2") as page:
        page.locator("details.act summary").click()
        page.get_by_label("为什么可以放弃？").fill("商品已下架")
        page.locator("details.act").get_by_role("button", name="放弃").click()

        expect(page.get_by_role("status").first).to_contain_text("这条失败记录已放弃。")
        expect(page.locator(".story")).to_contain_text("商品已下架")
    assert desk.letters("dropped") == 1


def test_three_tasks_are_closed_together(desk: Desk) -> None:
    with desk.at("tasks") as page:
        group = page.locator("section", has=page.get_by_role("heading", name=re.compile("币种改变")))
        expect(group.locator("td.pick input")).to_have_count(3)
        for number in range(3):
            group.locator("td.pick input").nth(number).check()
        group.locator("form.bar").get_by_role("button", name="金额没错，关闭").click()

        expect(page.get_by_role("status").first).to_contain_text("已关闭3个待办。")
        expect(page.get_by_role("heading", name=re.compile("币种改变"))).to_have_count(0)
        page.get_by_role("link", name="已关闭").click()
        expect(page.locator("table.closed tbody tr")).to_have_count(4)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(desk: Desk, path: str) -> None:
    with desk.at(path, viewport=PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert desk.complaints == []


def test_the_trail_is_narrowed_to_one_order_in_the_browser(desk: Desk) -> None:
    with desk.at("trail") as page:
        number = page.locator(".trail a.number").first.inner_text()
        page.locator(".filters input[name=order]").fill(number)
        page.get_by_role("button", name="查询").click()

        expect(page.locator(".trail a.number").first).to_have_text(number)
        assert set(page.locator(".trail a.number").all_inner_texts()) == {number}
