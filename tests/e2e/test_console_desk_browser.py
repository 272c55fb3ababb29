"""The shipping desk in a browser: whoever scans keeps the field, hears what is wrong, and loses no scan."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LONG_MS
from tests.support.desk import states, work
from tests.support.packing import PackingDesk, packing_desk, release_of, waves_of
from tests.support.visitor import cookie_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def desk(database_url: str) -> Iterator[PackingDesk]:
    with packing_desk(database_url, role="pack") as opened:
        yield opened


@pytest.fixture
def page(desk: PackingDesk, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(LONG_MS)
    context.add_cookies([cookie_for(desk.store, desk.server.url, name="lin", role="pack")])
    yield context.new_page()
    context.close()


def scan(page: Page, code: str) -> None:
    """Do as a scanner does: type into whatever has the focus, then enter."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def test_a_morning_at_the_desk_by_scanner_alone(desk: PackingDesk, page: Page) -> None:
    first, second = release_of(desk, "o1"), release_of(desk, "o2")
    page.goto(f"{desk.server.url}desk/scan")
    page.get_by_label("Courier of parcels without a label of ours").select_option("SF")
    answer = page.locator("#scan-answer")

    for number, label in ((first, "SF1400000001"), (second, "SF1400000002")):
        scan(page, number)
        expect(answer).to_contain_text("scan the label of the courier")
        scan(page, label)
        expect(answer.locator("[data-tone=ok]")).to_contain_text(f"release {number} leaves with SF {label}")
        expect(page.locator("#code")).to_be_focused()

    assert [states(desk.town)[number] for number in (first, second)] == ["shipped", "shipped"]
    expect(page.locator("#scan-last li")).to_have_count(2)


def test_scans_that_come_faster_than_answers_are_all_answered_in_turn(desk: PackingDesk, page: Page) -> None:
    page.goto(f"{desk.server.url}desk/scan")

    for at in range(4):
        scan(page, f"NOTHING-{at}")

    expect(page.locator("#scan-last li.is-no")).to_have_count(4)
    expect(page.locator("#scan-answer [data-tone=no]")).to_be_visible()
    expect(page.locator("#code")).to_have_value("")


def test_who_cannot_be_heard_is_told_that_the_scan_may_not_count(desk: PackingDesk, page: Page) -> None:
    page.goto(f"{desk.server.url}desk/scan")
    page.context.set_offline(True)

    scan(page, "R20260302000001")

    expect(page.locator("#scan-answer")).to_contain_text("No answer: it is not known whether this counts")
    expect(page.locator("#scan-answer")).to_contain_text("R20260302000001")


def test_what_is_ticked_stays_while_others_make_the_list_longer(desk: PackingDesk, page: Page) -> None:
    chosen = release_of(desk, "o3")
    page.goto(f"{desk.server.url}desk")
    page.get_by_label(f"Choose {chosen}").check()

    desk.town.shop.place("o4", ("A", 1))
    work(desk.town)
    expect(page.locator("#tiles")).to_contain_text(re.compile(r"4\s*to pick"))
    expect(page.get_by_label(f"Choose {chosen}")).to_be_checked()
    page.get_by_role("button", name="Make a wave of the chosen").click()

    expect(page.locator("#waves")).to_contain_text("0 of 1 has left")
    assert [wave["releases"] for wave in waves_of(desk)] == [1]


def test_a_scan_counts_wherever_the_focus_is_on_a_handheld_too(desk: PackingDesk, chromium: Browser) -> None:
    first, second = release_of(desk, "o1"), release_of(desk, "o2")
    handheld = chromium.new_context(locale="en-GB", has_touch=True, is_mobile=True)
    handheld.set_default_timeout(LONG_MS)
    handheld.add_cookies([cookie_for(desk.store, desk.server.url, name="lin", role="pack")])
    page = handheld.new_page()
    page.goto(f"{desk.server.url}desk/scan")

    page.evaluate("document.activeElement.blur()")
    scan(page, first)
    expect(page.locator("#scan-answer")).to_contain_text(f"release {first} has no label of ours")

    page.get_by_label("Courier of parcels without a label of ours").focus()
    scan(page, "SF1400000001")
    expect(page.locator("#code")).to_have_value("")  # the courier is not said yet, and the label is scanned again
    page.get_by_label("Courier of parcels without a label of ours").select_option("SF")
    scan(page, "SF1400000001")
    expect(page.locator("#scan-answer [data-tone=ok]")).to_contain_text(f"release {first} leaves with SF SF1400000001")

    page.get_by_role("link", name="Parcels that are taken out").focus()
    scan(page, second)
    expect(page.locator("#scan-answer")).to_contain_text(f"release {second} has no label of ours")
    handheld.close()
