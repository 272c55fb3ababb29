"""The console's pages as they come over HTTP."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import insert

from erpsync.core import advice
from erpsync.flows.channels.control import pause_channel
from erpsync.flows.context import Context
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.web.charts import hourly, nice_step
from erpsync.web.words import LEVEL_WORDS, STATUS_WORDS, TONES, plain
from tests.support.visitor import visitor
from tests.support.web_shop import (
    NOW,
    SHANGHAI,
    AppServer,
    add,
    fill,
    line_row,
    open_shop,
    order_row,
    serve,
    with_channel,
)

SHOP, OTHER = "tmall-flagship", "jd-main"


@dataclass
class Console:
    server: AppServer
    store: Store
    ctx: Context
    browser: requests.Session

    def get(self, path: str) -> requests.Response:
        return self.browser.get(self.server.url + path.lstrip("/"), timeout=60, allow_redirects=False)

    def put_order(self, channel: str = SHOP, *, title: str = "亚麻短袖衬衫", number: int = 1, **changes: object) -> int:
        with self.store.begin() as tx:
            [order_id] = add(tx, tables.orders, order_row(self.ctx.channel(channel).id, number, **changes))
            add(tx, tables.order_line, line_row(order_id, title=title))
        return order_id


@pytest.fixture
def console(sqlite_file: Path) -> Iterator[Console]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    server, _ = serve(store, ctx, keep_s=0)
    yield Console(server, store, ctx, visitor(store))
    server.stop(2)
    store.close()


def words_of(answer: requests.Response) -> str:
    """Return what a page says, without its marks."""
    answer.encoding = "utf-8"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_an_empty_shop_says_so(console: Console) -> None:
    page = words_of(console.get("/"))

    assert "No order has come in yet." in page
    assert "Nothing waits for you." in page
    assert "Everything is sent." in page
    assert "No order came in the last 24 hours." in page


def test_the_overview_tells_what_needs_a_person(console: Console) -> None:
    fill(console.store, console.ctx)

    page = words_of(console.get("/"))

    assert "4 things need you" in page
    assert "jd-main: orders were last read 21 min ago (limit 15 min)" in page
    assert "expected an amount like 12.50, found text (orders-0302.csv:17)" in page
    assert "1 dead letter: order 拼多多-dropfolder · 44 min ago" in page
    assert "1 task: order edited tmall-flagship · 2 h ago" in page


def test_a_refused_reload_stands_where_people_look_first(console: Console) -> None:
    with console.store.begin() as tx:
        beat = {
            "version": "1",
            "started_at": NOW,
            "heartbeat_at": NOW,
            "refused_at": NOW,
            "refused": "<a>.yaml:3:1: pol",
        }
        tx.execute(insert(tables.node).values(id="one:7:ab", **beat))

    page = console.get("/")
    assert "was refused, the old configuration stays in force: &lt;a&gt;.yaml:3:1: pol" in page.text


def test_a_channel_that_wants_no_call_says_for_how_long(console: Console) -> None:
    """Nothing is wrong with it, but an operator who sees what is due pile up has to know why."""
    with console.store.begin() as tx:
        here = tables.channel.c.name == SHOP
        tx.execute(tables.channel.update().where(here).values(blocked_until_at=NOW + timedelta(seconds=52.5)))

    assert words_of(console.get("/")).count("It wants no call for another 52 s; what is due waits.") == 1


def test_a_shop_that_is_switched_off_is_not_said_to_send_what_it_has(sqlite_file: Path) -> None:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    pause_channel(ctx, SHOP, reason="stocktaking", actor="ana")
    server, _ = serve(store, with_channel(ctx, OTHER, enabled=False, connector=None), keep_s=0)
    page = words_of(visitor(store).get(server.url, timeout=10))
    server.stop(2)
    store.close()

    assert "switched off in the configuration" in page
    assert "not read while it is paused" in page
    assert "Paused by ana: stocktaking" in page
    assert page.count("not read: it sends what it has") == 1  # the drop folder, which nothing is known of
    assert "tmall-flagship: orders have never been read to the end, paused by ana: stocktaking" in page


def test_colour_never_speaks_alone(console: Console) -> None:
    fill(console.store, console.ctx)

    page = words_of(console.get("/"))

    assert "× needs you" in page
    assert len({*LEVEL_WORDS.values()}) == len({cue for cue, _ in LEVEL_WORDS.values()}) == len(LEVEL_WORDS)
    assert set(TONES) == set(STATUS_WORDS)
    assert len({cue for _, cue in TONES.values()}) == len(TONES)


def test_the_chart_has_a_sentence_and_a_table_of_the_same_numbers(console: Console) -> None:
    for number, minutes in enumerate((3, 7, 90, 140)):
        console.put_order(number=number, imported_at=NOW - timedelta(minutes=minutes))

    page = words_of(console.get("/"))

    assert "4 orders came in the last 24 hours; the busiest hour began at 16:00 with 2, this hour has 2 so far." in page
    assert "Hour tmall-flagship All Parcels 17:00 0 0 0" in page
    assert "14:00 2 2 0 15:00 0 0 0 16:00 2 2 0" in page


def test_the_newest_orders_come_first_with_status_and_money(console: Console) -> None:
    console.put_order(number=1, placed_at=NOW - timedelta(minutes=9))
    console.put_order(OTHER, number=2, placed_at=NOW - timedelta(minutes=4), phase="unpaid", total_minor=128800)

    page = words_of(console.get("/"))

    latest = page[page.index("Latest orders") :]
    assert latest.index("S20260302000002") < latest.index("S20260302000001")
    assert "○ unpaid 亚麻短袖衬衫 ×1 jd-main CN¥1,288.00 16:21" in page


@pytest.mark.parametrize("path", ["/", "/orders", "/orders/S20260302000001"])
def test_what_a_channel_says_is_never_markup_here(console: Console, path: str) -> None:
    console.put_order(title="<img src=x onerror=alert(1)>")

    page = console.get(path).text

    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


@pytest.mark.parametrize("path", ["/", "/live", "/orders", "/orders/S20260302000001", "/orders/none"])
def test_pages_hold_no_script_or_style_of_their_own(console: Console, path: str) -> None:
    fill(console.store, console.ctx)
    console.put_order()

    page = console.get(path).text

    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|https?://", page) == []


@pytest.mark.parametrize("path", ["/", "/live", "/orders", "/orders/S20260302000001"])
def test_nobody_learns_from_the_console_who_bought(console: Console, path: str) -> None:
    console.put_order(recipient="王小明 13812345678 文三路 90 号".encode(), phone_index=b"13812345678")

    page = console.get(path).content

    assert "王小明".encode() not in page
    assert b"13812345678" not in page


def test_one_order_tells_its_story(console: Console) -> None:
    order_id = console.put_order(number=7, phase="partially_shipped")
    with console.store.begin() as tx:
        [sku] = add(tx, tables.sku, {"code": "LINEN-W-L"})
        bag = line_row(order_id, external_id="2", title="手提袋", channel_sku="BAG", sku_id=sku, qty=4, shipped_qty=1)
        [line] = add(tx, tables.order_line, bag)
        place = next(iter(console.ctx.warehouses))
        own = {"owner_kind": "line", "owner_id": line, "sku_id": sku}
        tx.execute(tables.hold.insert().values(**own, warehouse_id=place, qty=2, released=False))
        missing = {"order_id": order_id, "channel_id": 1, "due_at": NOW, "number": "S20260302000007", "waits": True}
        tx.execute(tables.backorder.insert().values(**own, qty=1, **missing))
        parcel = {"order_id": order_id, "number": "P7-1", "carrier": "YTO", "tracking": "YT881", "state": "sent"}
        [shipment] = add(tx, tables.shipment, parcel | {"shipped_at": NOW, "sent_at": NOW})
        tx.execute(tables.shipment_line.insert().values(shipment_id=shipment, line_id=line, qty=1))
        refund = {"channel_id": console.ctx.channel(SHOP).id, "external_id": "R-5", "state": "closed"}
        read = {"version_at": NOW, "read_from_at": NOW, "read_to_at": NOW, "amount_minor": 990, "currency": "CNY"}
        add(tx, tables.refund, refund | read | {"order_external_id": "29104477000007", "reason": "七天无理由"})
        told = {
            "at": NOW,
            "kind": "order.allocated",
            "order_id": order_id,
            "detail": '{"warehouse": "SH", "units": [1, 2]}',
        }
        add(tx, tables.event, told | {"actor": "wang"})

    page = words_of(console.get("/orders/S20260302000007"))

    assert "S20260302000007 ⇢ partly shipped" in page
    assert "手提袋 BAG is our LINEN-W-L CN¥129.00 4 0 1 SH 2 missing 1" in page
    assert "P7-1 16:25 YTO YT881 手提袋 ×1 sent 16:25" in page
    assert "R-5 七天无理由 closed money only CN¥9.90" in page
    assert "order allocated 16:25:00 · wang warehouse SH units 1, 2" in page
    assert "Shipped partly, 16:25" in page


@pytest.mark.parametrize("reason", sorted(advice.HOLDS))
def test_a_held_order_says_what_it_waits_for(console: Console, reason: str) -> None:
    console.put_order(phase="held", hold_reason=reason)

    page = console.get("/orders/S20260302000001")
    [steps] = re.findall(r'<ul class="next".*?</ul>', page.text, re.DOTALL)

    assert f"Held: {reason.replace('_', ' ')}." in words_of(page)
    assert re.search(r"<li>\w+", steps)
    assert "erpsync " not in steps


def test_an_order_is_found_by_the_channels_id(console: Console) -> None:
    console.put_order()

    found = console.get("/orders?q=%2029104477000001%20")

    assert (found.status_code, found.headers["location"]) == (303, "/orders/S20260302000001")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/orders/none", 404), ("/orders?q=-", 400), ("/orders?status=lost", 400), ("/orders?after=none", 404)],
)
def test_what_leads_nowhere_says_why(console: Console, path: str, status: int) -> None:
    answer = console.get(path)

    assert answer.status_code == status
    assert "Back to the overview" in answer.text


def test_orders_are_filtered_by_status_and_channel(console: Console) -> None:
    console.put_order(number=1, phase="held", hold_reason="operator")
    console.put_order(number=2)
    console.put_order(OTHER, number=3, phase="held", hold_reason="operator")

    page = words_of(console.get(f"/orders?status=held&channel={OTHER}"))

    assert re.findall(r"S20260302\d{6}", page) == ["S20260302000003"]


def test_older_orders_are_a_page_away(console: Console) -> None:
    for number in range(53):
        console.put_order(number=number, placed_at=NOW - timedelta(minutes=number))

    first = console.get("/orders").text
    [older] = re.findall(r'href="(/orders\?after=[^"]+)"', first)
    second = words_of(console.get(older))

    assert re.findall(r"S20260302\d{6}", second) == ["S20260302000050", "S20260302000051", "S20260302000052"]


@pytest.mark.parametrize(("highest", "step"), [(0, 1), (4, 1), (5, 2), (8, 2), (9, 5), (21, 10), (4001, 2000)])
def test_grid_lines_stand_at_round_numbers(highest: int, step: int) -> None:
    assert nice_step(highest) == step


def test_many_channels_share_the_last_colour() -> None:
    hours = [NOW - timedelta(hours=23 - at) for at in range(24)]
    counts = {f"shop-{n}": [n] * 24 for n in range(1, 9)}

    chart = hourly(counts, hours, SHANGHAI)

    assert [name for name, _ in chart.series] == ["shop-8", "shop-7", "shop-6", "shop-5", "4 others"]
    assert chart.total == 36 * 24


def test_details_of_an_event_are_one_line() -> None:
    assert plain({"units": [1, 2], "told": None, "sure": True}) == "units 1, 2, told –, sure yes"
