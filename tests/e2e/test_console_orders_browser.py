"""A person looks after orders in a headless Chromium, in Chinese: holds, releases and ships, finds by phone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from erpsync.flows.orders.actions import hold_order
from erpsync.store.tables import login_session
from tests.support.browser import CONTRAST, LONG_MS
from tests.support.order_desk import OrderDesk, order_desk
from tests.support.visitor import cookie_for

pytestmark = [pytest.mark.browser, pytest.mark.concurrent("processes"), pytest.mark.parametrize("dialect", ["sqlite"])]


@dataclass
class Seat:
    """Somebody at the console of a desk."""

    desk: OrderDesk
    chromium: Browser
    complaints: list[str]

    @contextmanager
    def open(self, address: str, *, role: str = "operate", **options: object) -> Iterator[Page]:
        context = self.chromium.new_context(**{"locale": "zh-CN", "java_script_enabled": True} | options)
        context.set_default_timeout(LONG_MS)
        context.add_cookies([cookie_for(self.desk.store, self.desk.server.url, name=f"{role}-user", role=role)])
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.goto(self.desk.server.url + address)
        yield page
        context.close()


@pytest.fixture
def seat(chromium: Browser, database_url: str) -> Iterator[Seat]:
    with order_desk(database_url) as desk:
        yield Seat(desk, chromium, [])


@pytest.mark.parametrize("script", [True, False])
def test_a_person_holds_an_order_and_releases_it(seat: Seat, script: bool) -> None:
    number = seat.desk.named("o1")
    with seat.open("orders", java_script_enabled=script) as page:
        page.get_by_role("link", name=number).click()
        page.locator("summary", has_text="挂起").click()
        page.get_by_label("为什么不能发货").fill("买家要改地址")
        page.get_by_role("button", name="挂起", exact=True).click()

        expect(page.get_by_role("status").first).to_contain_text(f"订单{number}已挂起")
        expect(page.locator(".next")).to_contain_text("原因消除后请解除挂起")
        expect(page.locator("h1")).to_contain_text("挂起")
        page.get_by_role("button", name="解除挂起").click()
        expect(page.get_by_role("status").first).to_contain_text(f"订单{number}已解除挂起")
        expect(page.locator("h1")).to_contain_text("已配货")
    assert seat.complaints == []


def test_lists_and_orders_change_by_themselves_but_not_under_a_ticked_row(seat: Seat) -> None:
    number = seat.desk.named("o1")
    with seat.open("orders") as page, seat.open(f"orders/{number}") as one:
        expect(page.locator("tbody tr")).to_have_count(3)
        hold_order(seat.desk.town.ctx, number, reason="买家要改地址", actor="wang")
        expect(page.get_by_role("link", name=re.compile("^挂起"))).to_contain_text("1")
        expect(one.locator("h1")).to_contain_text("挂起")
        page.get_by_label(f"选择{number}").check()
        seat.desk.town.shop.place("o4", ("A", 1))
        seat.desk.read()
        expect(page.get_by_role("link", name=re.compile("^已配货"))).to_contain_text("1")
        expect(page.locator("tbody tr")).to_have_count(3)
        page.get_by_label(f"选择{number}").uncheck()
        expect(page.locator("tbody tr")).to_have_count(4)
    assert seat.complaints == []


def test_a_list_whose_session_ends_leads_to_the_log_in(seat: Seat) -> None:
    with seat.open("orders") as page:
        expect(page.locator("tbody tr")).to_have_count(3)
        with seat.desk.store.begin() as tx:
            tx.execute(login_session.update().values(ended_at=tx.now))
        expect(page).to_have_url(re.compile("/login"))


def test_a_person_ships_a_part_of_an_order_and_corrects_its_number(seat: Seat) -> None:
    with seat.open(f"orders/{seat.desk.named('o1')}") as page:
        page.locator("summary", has_text="发货").click()
        page.get_by_label("快递公司").select_option(label="顺丰速运")
        page.get_by_label("运单号").fill("SF1400022331234")
        page.get_by_role("spinbutton").fill("1")
        page.get_by_role("button", name="登记发货").click()

        expect(page.get_by_role("status").first).to_contain_text("已登记，将通知店铺")
        expect(page.locator("h1")).to_contain_text("部分发货")
        page.locator("summary", has_text="更正").click()
        page.locator("form[action='/orders/correct']").get_by_label("运单号").fill("SF1400022339999")
        page.get_by_role("button", name="更正运单号").click()
        expect(page.get_by_role("status").first).to_contain_text("运单号改为SF SF1400022339999")
    assert seat.complaints == []


def test_a_person_ships_several_orders_with_a_scanner(seat: Seat) -> None:
    paid, unpaid = seat.desk.named("o1"), seat.desk.named("o3")
    with seat.open("orders") as page:
        for number in (paid, unpaid):
            page.get_by_label(f"选择{number}").check()
        page.get_by_role("button", name="发货…").click()
        page.get_by_label("快递公司").select_option(label="顺丰速运")
        page.get_by_label(f"{unpaid}的运单号").fill("SF1400022331111")
        page.keyboard.press("Enter")
        expect(page.get_by_label(f"{paid}的运单号")).to_be_focused()
        page.keyboard.type("SF1400022332222")
        page.keyboard.press("Enter")

        told = page.get_by_role("status").first
        expect(told).to_contain_text("已登记1个包裹，将通知店铺")
        expect(told.locator("li")).to_contain_text(f"{unpaid} 订单{unpaid}未付款")
        expect(page).to_have_url(re.compile(r"/orders\?said="))
    assert [parcel["tracking"] for parcel in seat.desk.order("o1")["shipments"]] == ["SF1400022332222"]
    assert seat.desk.order("o3")["shipments"] == []
    assert seat.complaints == []


def test_a_person_holds_several_orders_and_exports_them(seat: Seat) -> None:
    with seat.open("orders") as page:
        for name in ("o1", "o2"):
            page.get_by_label(f"选择{seat.desk.named(name)}").check()
        with page.expect_download() as download:
            page.get_by_role("button", name="导出所选").click()
        assert download.value.suggested_filename.endswith(".csv")
        page.get_by_label("原因").fill("盘点")
        page.get_by_role("button", name="挂起", exact=True).click()

        expect(page.get_by_role("status").first).to_contain_text("已挂起2个订单")
        page.get_by_role("link", name=re.compile("^挂起")).click()
        expect(page.locator("tbody tr")).to_have_count(2)
    assert seat.complaints == []


def test_a_person_keeps_filters_as_a_view(seat: Seat) -> None:
    with seat.open("orders") as page:
        page.get_by_text("按商家编码、标签、日期、规则和仓库筛选").click()
        page.get_by_role("textbox", name="商家编码").fill("B")
        page.get_by_role("button", name="筛选", exact=True).click()
        expect(page).to_have_url(re.compile("sku=B"))
        page.locator("summary", has_text="保存为视图").click()
        page.get_by_label("视图名称").fill("B的订单")
        page.get_by_role("button", name="保存", exact=True).click()
        expect(page.get_by_role("status").first).to_contain_text("视图“B的订单”已保存")
        page.goto(seat.desk.server.url + "orders")
        page.get_by_role("link", name="B的订单").click()
        expect(page.locator("tbody tr")).to_have_count(1)


def test_a_phone_number_is_found_from_the_box_at_the_top_and_is_in_no_address(seat: Seat) -> None:
    with seat.open("orders") as page:
        page.get_by_role("searchbox").fill("138 0000 1111")
        page.keyboard.press("Enter")

        expect(page.locator("tbody tr")).to_have_count(2)
        expect(page).to_have_url(f"{seat.desk.server.url}orders/find")
        page.get_by_role("button", name=re.compile("English|中文")).click()
        expect(page).to_have_url(f"{seat.desk.server.url}orders")


def test_an_admin_looks_at_the_whole_recipient(seat: Seat) -> None:
    with seat.open(f"orders/{seat.desk.named('o1')}", role="admin") as page:
        expect(page.get_by_text("138****1111")).to_be_visible()
        page.get_by_role("button", name="查看完整信息").click()
        expect(page.get_by_text("解放路 1 号")).to_be_visible()
        page.get_by_role("link", name="返回订单").click()
        expect(page.locator(".story")).to_contain_text("查看")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_forms_and_reasons_can_be_read_on_a_phone_and_by_night(seat: Seat, scheme: str, width: int) -> None:
    number = seat.desk.named("o3")
    for address, opens in ((f"orders/{number}", ".acts summary"), ("orders?sku=A&status=unpaid", ".views summary")):
        with seat.open(address, color_scheme=scheme, viewport={"width": width, "height": 844}) as page:
            page.locator(opens).first.click()

            assert page.evaluate(CONTRAST) == []
            assert page.evaluate("document.documentElement.scrollWidth") == width
