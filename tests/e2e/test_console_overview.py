"""The overview: what is late, what is asked of people, where each thing is mended, and what that costs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from erpsync.sdk.clock import ManualClock
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.store.views.flow import Ages
from erpsync.web.console.overview import AGE_WIDTH, age_rows, leads_to
from erpsync.web.shared import Shared
from tests.e2e.test_console import words_of
from tests.support.visitor import visitor
from tests.support.web_shop import NOW, AppServer, add, effect_row, fill, open_shop, order_row, serve

SHOP, OTHER = "tmall-flagship", "jd-main"
H = timedelta(hours=1)


@dataclass
class House:
    """A console and its shops."""

    server: AppServer
    store: Store
    ids: dict[str, int]

    def text(self) -> str:
        answer = visitor(self.store).get(self.server.url, timeout=60)
        answer.encoding = "utf-8"
        return answer.text

    def page(self) -> str:
        return words_of(visitor(self.store).get(self.server.url, timeout=60))


@pytest.fixture
def house(sqlite_file: Path) -> Iterator[House]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    server, _ = serve(store, ctx, keep_s=0)
    yield House(server, store, {channel.name: channel.id for channel in ctx.channels.values()})
    server.stop(2)
    store.close()


def test_open_orders_stand_by_the_time_left_and_those_due_first_are_linked(house: House) -> None:
    with house.store.begin() as tx:
        for number, left in enumerate((-2, 3, 40), 1):
            add(tx, tables.orders, order_row(house.ids[SHOP], number, ship_by_at=NOW + left * H))
        held = {"phase": "held", "hold_reason": "operator", "ship_by_at": NOW - H}
        add(tx, tables.orders, order_row(house.ids[OTHER], 4, **held))

    page, text = house.page(), house.text()

    assert "overdue 1 1 less than 4 h 1 0 less than 12 h 0 0 less than 24 h 0 0 more than 24 h 1 0" in page
    assert "Due first S20260302000001 14:25 tmall-flagship S20260302000004 15:25 jd-main · operator" in page
    assert 'href="/orders?status=held"' in text


def test_without_an_open_order_nothing_is_late(house: House) -> None:
    assert "No paid order waits to be sent." in house.page()


def test_every_problem_leads_to_the_page_where_it_is_mended(house: House) -> None:
    fill_in = house.store
    with fill_in.begin() as tx:
        waits = {"state": "waiting", "waiting_for": "brake"}
        add(tx, tables.outbox, effect_row(house.ids[SHOP], "listing:1", **waits))
        letter = {"channel_id": house.ids[OTHER], "kind": "order", "key": "1", "at": NOW, "state": "open", "error": "x"}
        add(tx, tables.dead_letter, letter)

    text = house.text()
    led = dict(re.findall(r'<li><a href="([^"]+)">([^<]+)</a>', text))

    assert led[f"/channels/{SHOP}"].startswith(f"{SHOP}: ")
    assert f"{SHOP}: the brake holds numbers back (1) until somebody looks at the stock" in text
    assert led[f"/dead-letters?channel={OTHER}"] == f"{OTHER}: 1 dead letter (limit 0)"
    assert "erpsync stock confirm" not in text


@pytest.mark.parametrize(
    ("check", "channel", "path"),
    [
        ("down", "拼多多", "/channels/%E6%8B%BC%E5%A4%9A%E5%A4%9A"),
        ("reload", None, "/configuration?compare=1#disk"),
        ("unknown_stock", SHOP, f"/listings?channel={SHOP}"),
        ("disk", None, ""),
        ("database", None, ""),
    ],
)
def test_a_problem_leads_somewhere_or_nowhere(check: str, channel: str | None, path: str) -> None:
    assert leads_to({"check": check, "channel": channel}) == path


def test_all_figures_are_links(house: House) -> None:
    text = house.text()
    [tiles] = re.findall(r'<section id="tiles".*?</section>', text, re.DOTALL)
    led = re.findall(r'<a class="tile[^"]*" href="([^"]+)"', tiles)

    assert led == [
        "/orders",
        "#queues",
        "/orders?status=held",
        "/orders?status=backordered",
        "/dead-letters",
        "/tasks",
    ]
    assert f'<h3><a href="/channels/{SHOP}">{SHOP}</a></h3>' in text


def test_how_long_things_took_is_told_of_the_slowest_shop(house: House) -> None:
    with house.store.begin() as tx:
        for at, (shop, took_s) in enumerate(((SHOP, 2), (OTHER, 90))):
            done = {"state": "done", "done_at": NOW - H / 60, "marked_at": NOW - H / 60 - timedelta(seconds=took_s)}
            add(tx, tables.outbox, effect_row(house.ids[shop], str(at), kind="shipment", **done))

    page = house.page()

    assert f"Parcel recorded → shop told {OTHER} 90 s 90 s 90 s" in page
    assert "Webhook came → applied – nothing in the last hour" in page


def test_each_queue_tells_since_when_its_oldest_is_due(house: House) -> None:
    with house.store.begin() as tx:
        add(tx, tables.outbox, effect_row(house.ids[SHOP], "a", marked_at=NOW - 3 * H))

    assert f"stock {SHOP} 1 0 0 3 h" in house.page()


def test_parcels_that_left_are_drawn_and_counted_beside_the_orders(house: House) -> None:
    with house.store.begin() as tx:
        [order_id] = add(tx, tables.orders, order_row(house.ids[SHOP], 1))
        parcel = {"order_id": order_id, "number": "P1", "carrier": "SF", "tracking": "1", "state": "sent"}
        add(tx, tables.shipment, parcel | {"shipped_at": NOW - H / 4})

    assert "parcels that left 1" in house.page()
    assert '<polyline class="parcels"' in house.text()


def test_the_pieces_of_the_bar_fill_it() -> None:
    rows = age_rows(Ages(to_send={"overdue": 1, "later": 2}, held={"4h": 1}, next=[]))

    assert [(row["x"], row["width"]) for row in rows if row["total"]] == [(0, 150), (150, 150), (300, 300)]
    assert AGE_WIDTH == 600


def test_however_many_look_the_figures_are_counted_once(sqlite_file: Path) -> None:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    fill(store, ctx)
    server, _ = serve(store, ctx, keep_s=60)
    browser, asked = visitor(store), []
    browser.get(server.url, timeout=60)
    event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for _ in range(3):
        browser.get(server.url, timeout=60)
    server.stop(2)
    store.close()

    assert [told for told in asked if "ship_by_at" in told and "phase IN" in told] == []
    assert [told for told in asked if "shipment.shipped_at" in told and "count" in told] == []


def test_what_takes_long_to_count_is_shared_for_longer() -> None:
    clock, counted = ManualClock(NOW), []

    def count() -> int:
        clock.sleep(3)
        counted.append(1)
        return len(counted)

    shared: Shared[int] = Shared(lambda: count, clock, keep_s=2, wait_s=1)
    got: list[Any] = [shared.get()]
    clock.sleep(56)
    got.append(shared.get())
    clock.sleep(2)
    got.append(shared.get())

    assert got == [1, 1, 2]
