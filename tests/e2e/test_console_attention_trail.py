"""The trail and the reconciliation at the console."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from sqlalchemy import insert

from erpsync.flows.context import Context
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.store.views import NotFound
from erpsync.store.views.comparisons import SeenWindow
from erpsync.store.views.trail_page import LOOK_AT, TrailPage, TrailSearch, trail_page
from erpsync.web.console.attention.trail import PAGE
from erpsync.web.console.system.reconciliation import TALL, WIDTH, strip
from erpsync.web.site import Site
from tests.support.visitor import visitor
from tests.support.waiting_shop import SHOP, open_waiting_shop, put_drift, put_task, put_windows
from tests.support.web_shop import NOW, AppServer, add, order_row, serve


@dataclass
class Desk:
    """The console of a shop, and who sits at it."""

    server: AppServer
    site: Site
    store: Store
    ctx: Context
    browser: requests.Session

    def text(self, path: str) -> str:
        answer = self.browser.get(self.server.url + path.lstrip("/"), timeout=60)
        answer.encoding = "utf-8"
        return answer.text

    def get(self, path: str) -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.text(path)))

    def note(self, *events: dict[str, Any]) -> list[int]:
        """Leave events a minute apart, the last of them now; return their ids."""
        first = NOW - timedelta(minutes=len(events) - 1)
        plain = {"kind": "order.new", "order_id": None, "sku_id": None, "channel_id": None, "detail": "{}", "actor": ""}
        rows = [plain | {"at": first + timedelta(minutes=n)} | row for n, row in enumerate(events)]
        with self.store.begin() as tx:
            return add(tx, tables.event, *rows)

    def page(self, *, limit: int = 10, after: int | None = None, **wanted: Any) -> TrailPage:
        with self.store.read() as connection:
            return trail_page(connection, TrailSearch(**wanted), limit=limit, after=after)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    store, ctx = open_waiting_shop(database_url)
    server, site = serve(store, ctx, keep_s=0)
    yield Desk(server, site, store, ctx, visitor(store))
    server.stop(2)
    store.close()


# -- the trail


def test_an_event_says_who_did_what_to_which_order_when_and_why(desk: Desk) -> None:
    with desk.store.begin() as tx:
        [order_id] = add(tx, tables.orders, order_row(desk.ctx.channel(SHOP).id, 1))
    held = {"order_id": order_id, "channel_id": desk.ctx.channel(SHOP).id, "detail": '{"reason": "waits for Friday"}'}
    desk.note({"kind": "order.held", "actor": "web:ana", **held})

    assert "16:25:00 web:ana order held S20260302000001 tmall-flagship reason waits for Friday" in desk.get("/trail")
    assert 'href="/orders/S20260302000001"' in desk.text("/trail")


def test_an_event_names_its_sku_and_leads_there(desk: Desk) -> None:
    with desk.store.begin() as tx:
        [sku_id] = add(tx, tables.sku, {"code": "TEA 1"})
    desk.note({"kind": "stock.counted", "sku_id": sku_id})

    assert 'href="/stock/TEA%201"' in desk.text("/trail")


def test_the_trail_is_narrowed_by_whatever_is_asked(desk: Desk) -> None:
    shop = desk.ctx.channel(SHOP).id
    with desk.store.begin() as tx:
        [order_id] = add(tx, tables.orders, order_row(shop, 1))
        [sku_id] = add(tx, tables.sku, {"code": "TEA"})
    ids = desk.note(
        {"kind": "order.new", "order_id": order_id},
        {"kind": "order.held", "order_id": order_id, "actor": "ana"},
        {"kind": "stock.counted", "sku_id": sku_id, "actor": "ana"},
        {"kind": "channel.paused", "channel_id": shop, "actor": "wang"},
    )

    def found(**wanted: Any) -> list[int]:
        return [ids.index(event["id"]) for event in desk.page(**wanted).events]

    assert found() == [3, 2, 1, 0]
    assert found(actor="ana") == [2, 1]
    assert found(actor="ana", kind="order.") == [1]
    assert found(kind="order.") == [1, 0]
    assert found(kind="order.held") == [1]
    assert found(order="S20260302000001") == [1, 0]
    assert found(sku="TEA") == [2]
    assert found(channel=SHOP) == [3]
    assert found(since=NOW - timedelta(minutes=1)) == [3, 2]
    assert found(until=NOW - timedelta(minutes=1)) == [1, 0]
    assert found(since=NOW - timedelta(minutes=2), until=NOW - timedelta(minutes=1)) == [1]
    assert found(until=NOW + timedelta(days=9)) == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [({"order": "S9"}, "no order S9"), ({"sku": "X"}, "no SKU X"), ({"channel": "y"}, "no shop y")],
)
def test_what_is_nowhere_is_said_to_be_so(desk: Desk, wanted: dict[str, str], problem: str) -> None:
    with pytest.raises(NotFound, match=problem):
        desk.page(**wanted)
    [(name, value)] = wanted.items()
    assert problem in desk.get(f"/trail?{name}={value}")


def test_pages_go_on_where_the_one_before_ended(desk: Desk) -> None:
    ids = desk.note(*({"actor": "ana"} for _ in range(PAGE + 5)))
    first = desk.text("/trail?actor=ana")
    [older] = re.findall(r'href="(/trail\?[^"]*after=\d+)"', first)
    second = desk.page(limit=PAGE, after=desk.page(limit=PAGE, actor="ana").following, actor="ana")

    assert older == f"/trail?actor=ana&amp;after={ids[5]}"
    assert [event["id"] for event in second.events] == ids[4::-1]
    assert "Newest" in desk.get(older.replace("&amp;", "&"))


def test_a_rare_kind_is_looked_for_so_far_and_the_page_says_how_far(desk: Desk) -> None:
    rows = [{"at": NOW - timedelta(seconds=LOOK_AT + 20 - n), "kind": "order.new"} for n in range(LOOK_AT + 20)]
    rows[3]["kind"] = "config.reloaded"
    with desk.store.begin() as tx:
        tx.execute(insert(tables.event), rows)
    first = desk.page(kind="config.reloaded")
    second = desk.page(kind="config.reloaded", after=first.following)

    assert (first.events, first.looked_back_to) == ([], NOW - timedelta(seconds=LOOK_AT))
    assert ([event["kind"] for event in second.events], second.following) == (["config.reloaded"], None)
    assert "10,000 events were looked through, back to" in desk.get("/trail?kind=config.reloaded")


def test_a_day_begins_and_ends_on_the_operators_clock(desk: Desk) -> None:
    midnight = datetime(2026, 3, 1, 16, tzinfo=UTC)  # 2 March, 00:00 in Shanghai
    desk.note({"at": midnight - timedelta(seconds=1), "actor": "before"}, {"at": midnight, "actor": "after"})

    assert "after" in desk.get("/trail?since=2026-03-02&until=2026-03-02")
    assert 'actor=before"' not in desk.text("/trail?since=2026-03-02")
    assert 'actor=after"' not in desk.text("/trail?until=2026-03-01")


@pytest.mark.parametrize("query", ["since=soon", "until=0001-01-01", "after=x", f"after={10**19}"])
def test_a_filter_that_means_nothing_is_refused(desk: Desk, query: str) -> None:
    assert desk.browser.get(f"{desk.server.url}trail?{query}", timeout=60).status_code == 400


def test_an_empty_trail_says_that_nothing_fits(desk: Desk) -> None:
    assert "Nothing on record fits this." in desk.get("/trail?actor=nobody")


# -- reconciliation


def test_windows_are_said_to_be_sealed_late_or_open_and_why(desk: Desk) -> None:
    with desk.store.begin() as tx:
        put_windows(tx, desk.ctx)
    page = desk.get("/reconciliation")

    assert "tmall-flagship sealed 69 · sealed late 1 · not sealed 1 · not read again yet 1" in page
    assert "jd-main cannot list its past orders, so it cannot be proven" in page
    assert "not sealed 2 0 the list lacks 3 orders that were read before" in page


def test_the_certificate_is_of_the_last_day_unless_more_is_asked(desk: Desk) -> None:
    with desk.store.begin() as tx:
        put_windows(tx, desk.ctx)

    assert "no order of this time is missing" in desk.get("/reconciliation")
    assert "Not all of it is sealed." in desk.get("/reconciliation?proof=3")


def test_a_shop_without_any_past_that_can_be_listed_is_not_called_proven(desk: Desk) -> None:
    off = {id: replace(channel, connector=None) for id, channel in desk.ctx.channels.items()}
    desk.site.ctx = lambda: replace(desk.ctx, channels=off)
    page = desk.get("/reconciliation")

    assert "None of these shops lists its past orders." in page
    assert "✓ proven" not in page


def test_drift_and_lost_parcels_are_listed_and_lead_on(desk: Desk) -> None:
    with desk.store.begin() as tx:
        [sku_id] = add(tx, tables.sku, {"code": "TEA"})
        listing = {"channel_id": desk.ctx.channel(SHOP).id, "sku_id": sku_id, "told_qty": 4, "told_sure": True}
        add(tx, tables.listing, listing | {"channel_sku": "T-1"}, listing | {"channel_sku": "T-2"})
        put_drift(tx, desk.ctx, "T-1")
        put_drift(tx, desk.ctx, "T-2", ended_at=NOW)
        put_task(tx, desk.ctx, "shipment_missing", "S1", reason="the shop does not show it")
    page = desk.get("/reconciliation")

    assert "TEA T-1 tmall-flagship 4 9 changed by hand there 1 4 h ago" in page
    assert "T-2" not in page
    assert page.count("– a number drifted – –") == 2
    assert "the shop does not show it" in page
    assert 'href="/tasks?kind=shipment_missing"' in desk.text("/reconciliation")


def test_a_shop_with_nothing_to_tell_says_what_that_means(desk: Desk) -> None:
    page = desk.get("/reconciliation")

    assert "Every listing shows the number it was told." in page
    assert "Every parcel that was told is shown." in page
    assert "They were not compared yet since this process began" in page


@pytest.mark.parametrize(("value", "said"), [(0, "✓ they agree"), (2, "! 2 counters differ")])
def test_the_daily_comparison_of_counters_is_shown(desk: Desk, value: int, said: str) -> None:
    sample = SimpleNamespace(name="erpsync_counter_differences", kind="gauge", help="", labels={}, value=value)
    desk.site.meters = lambda: (sample,)

    assert said in desk.get("/reconciliation")


def test_a_span_that_is_not_offered_is_refused(desk: Desk) -> None:
    assert desk.browser.get(f"{desk.server.url}reconciliation?days=400", timeout=60).status_code == 400


def test_a_window_is_drawn_where_it_lies_and_cut_off_at_the_edge(desk: Desk) -> None:
    day = timedelta(days=1)
    window = {"scanned_at": NOW, "sealed_at": NOW, "order_count": 1, "reopened": 0, "missed": 0, "why": ""}
    half = SeenWindow(start_at=NOW - day / 2, end_at=NOW, **window)
    edge = SeenWindow(start_at=NOW - 2 * day, end_at=NOW - day / 2, **window | {"sealed_at": None})
    drawn = strip(desk.ctx.channel(SHOP), [edge, half], [NOW - day / 4], NOW - day, NOW)

    assert [(piece.x, piece.height) for piece in drawn.pieces] == [(0.0, TALL["open"]), (WIDTH / 2, TALL["sealed"])]
    assert drawn.marks == ((WIDTH * 0.75, NOW - day / 4),)
    assert drawn.states == {"sealed": 1, "late": 0, "open": 1, "waiting": 0}
