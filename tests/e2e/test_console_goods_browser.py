"""What somebody does who has never seen the console: map three codes, count a SKU, read why it shows 7; in Chinese."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from erpsync.flows.inventory.counts import set_stock
from tests.support import looking, walk
from tests.support.browser import LONG_MS
from tests.support.goods_room import Room, open_room
from tests.support.visitor import cookie_for

pytestmark = [pytest.mark.browser, pytest.mark.concurrent("processes")]


@pytest.fixture
def room(sqlite_file: Path) -> Iterator[Room]:
    """Three codes that nobody has mapped, an order that waits for them all."""
    with open_room(f"sqlite:///{sqlite_file}") as room:
        for code in ("TEA-250", "KETTLE-600", "SOCK-3"):
            set_stock(room.town.ctx, warehouse="SH", sku=code, on_hand=20, actor="me")
        for code in ("tea 250", "TM-KETTLE-600", "sock3"):
            room.sell(code)
        room.town.shop.place("o1", ("tea 250", 1), ("TM-KETTLE-600", 1), ("sock3", 1))
        room.read_catalogues()
        yield room


def open_page(chromium: Browser, room: Room, address: str, complaints: list[str], **options: object) -> Page:
    context = chromium.new_context(locale="zh-CN", **options)
    context.set_default_timeout(LONG_MS)
    context.add_cookies([cookie_for(room.town.store, room.server.url, name="lin", role="operate")])
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(room.server.url + address)
    return page


def test_three_codes_are_mapped_a_sku_is_counted_and_its_number_read_in_chinese(chromium: Browser, room: Room) -> None:
    complaints: list[str] = []
    page = open_page(chromium, room, "listings", complaints)
    expect(page.get_by_text("1笔订单在等")).to_have_count(3)
    page.get_by_role("button", name="TEA-250", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("1件tea 250现在对应1件TEA-250；1笔订单还在等另一个编码")
    for code in ("TM-KETTLE-600", "sock3"):
        page.get_by_role("checkbox", name=code).check()
    page.get_by_role("button", name="都按第一个推荐对应").click()
    expect(page.get_by_role("status").first).to_contain_text("已建立2个商品的对应关系；1笔等待的订单已继续处理")
    assert looking.status(room.town, "o1") == ("allocated", None)

    page.get_by_role("link", name="库存").first.click()
    page.get_by_role("link", name="TEA-250").click()
    page.get_by_text("盘点…").click()
    page.get_by_label("现在的实际库存").fill("10")
    page.get_by_label("原因").first.fill("月底盘点")
    page.get_by_role("button", name="保存盘点数").click()
    expect(page.get_by_role("status").first).to_contain_text("按盘点，SH有10件TEA-250。")

    room.town.advance(60)
    walk.run(room.town)
    page.reload()
    shown = page.get_by_role("article")
    expect(shown).to_contain_text("shop为tea 250显示7，正确")
    expect(shown.locator(".figure")).to_contain_text("7")
    expect(shown).to_contain_text("-2")
    expect(shown).to_contain_text("SH的安全库存")
    assert room.town.shop.shown["tea 250"] == 7
    assert complaints == []


@pytest.mark.parametrize("address", ["stock", "stock/TEA-250", "listings", "listings?state=all", "bundles"])
def test_no_page_is_wider_than_a_phone(chromium: Browser, room: Room, address: str) -> None:
    complaints: list[str] = []
    page = open_page(chromium, room, address, complaints, viewport={"width": 390, "height": 844})
    for summary in page.locator("details.act > summary").all():
        summary.click()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []
