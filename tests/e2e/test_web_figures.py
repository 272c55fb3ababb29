"""The figures behind `status`, `/status.json`, `/metrics` and the console, on both databases."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from erpsync.core.policy import PollPolicy
from erpsync.core.sourcing import Sourcing
from erpsync.flows.context import Context
from erpsync.sdk.roles import WebhookSource
from erpsync.sdk.types import WebhookRequest, WebhookResult
from erpsync.settings.config import StatusLimits
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.store.status.counts import gather, hours_until
from erpsync.store.status.figures import status
from erpsync.store.status.spans import spell
from erpsync.web.metrics import FiguresCollector
from erpsync.web.site import Site
from tests.support.web_shop import (
    NOW,
    add,
    effect_row,
    insert_many,
    open_shop,
    order_row,
    read_completely,
    with_channel,
)

SHOP, OTHER, FOLDER = "tmall-flagship", "jd-main", "拼多多-dropfolder"
FRESH = {SHOP: 10.0, OTHER: 10.0, FOLDER: 10.0}


@dataclass
class Shop:
    store: Store
    ctx: Context

    def status(self, ctx: Context | None = None, **limits: Any) -> dict[str, Any]:
        with self.store.read() as connection:
            return status(connection, ctx or self.ctx, replace(StatusLimits(), **limits), NOW)

    def channel(self, name: str = SHOP, ctx: Context | None = None) -> dict[str, Any]:
        return next(found for found in self.status(ctx)["channels"] if found["name"] == name)

    def id(self, name: str = SHOP) -> int:
        return self.ctx.channel(name).id


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    store, ctx = open_shop(database_url)
    yield Shop(store, ctx)
    store.close()


@pytest.fixture
def fresh(shop: Shop) -> Shop:
    with shop.store.begin() as tx:
        read_completely(tx, shop.ctx, ago_s=FRESH)
    return shop


def checks(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem["channel"], problem["check"]) for problem in found["problems"]]


def test_a_shop_that_was_just_read_is_well(fresh: Shop) -> None:
    found = fresh.status()

    assert found["ok"]
    assert found["problems"] == []
    assert {c["name"]: (c["state"], c["level"], c["freshness_s"]) for c in found["channels"]} == {
        SHOP: ("up", "ok", 10.0),
        OTHER: ("up", "ok", 10.0),
        FOLDER: ("up", "ok", 10.0),
    }


def test_a_channel_that_stops_without_an_error_is_a_problem(shop: Shop) -> None:
    """failures.md row 11: no error, no orders."""
    with shop.store.begin() as tx:
        read_completely(tx, shop.ctx, ago_s=FRESH | {OTHER: 4000})

    found = shop.status()

    assert not found["ok"]
    assert found["problems"][0] == {
        "channel": OTHER,
        "check": "freshness",
        "text": "jd-main: orders were last read 1 h 6 min ago (limit 15 min)",
    }


def test_a_reload_that_a_living_daemon_refused_is_a_problem_until_it_takes_another(fresh: Shop) -> None:
    why = "channels/jd.yaml:3:1: pol: unknown key"
    row = {"version": "1", "started_at": NOW, "heartbeat_at": NOW, "refused_at": NOW, "refused": why}
    with fresh.store.begin() as tx:
        insert_many(tx, tables.node, [row | {"id": "one:7:ab"}])

    found = fresh.status()
    assert not found["ok"]
    assert found["problems"] == [
        {
            "channel": None,
            "check": "reload",
            "text": f"the reload at 2026-03-02T08:25:00Z was refused, the old configuration stays in force: {why}",
        }
    ]
    assert [(each["node"], each["state"], each["reload_refused"]) for each in found["daemons"]] == [
        ("one:7:ab", "alive", why)
    ]

    with fresh.store.begin() as tx:
        insert_many(tx, tables.node, [row | {"id": "two:8:cd", "refused_at": None, "refused": ""}])
    assert fresh.status()["problems"][0]["text"].startswith("the reload of one:7 at 2026-03-02T08:25:00Z was refused")

    with fresh.store.begin() as tx:
        tx.execute(update(tables.node).values(left_at=NOW))
    found = fresh.status()
    assert (found["ok"], found["totals"]["nodes"]) == (True, 0)
    assert {each["state"] for each in found["daemons"]} == {"stopped"}


def test_a_channel_that_is_polled_once_an_hour_may_be_three_hours_old(shop: Shop) -> None:
    with shop.store.begin() as tx:
        read_completely(tx, shop.ctx, ago_s=FRESH | {OTHER: 4000})
    slow = with_channel(shop.ctx, OTHER, poll=PollPolicy(orders_s=3600))

    assert ("jd-main", "freshness") not in checks(shop.status(slow))


def test_orders_that_were_never_read_are_a_problem_where_orders_are_polled(shop: Shop) -> None:
    assert checks(shop.status()) == [(OTHER, "freshness"), (SHOP, "freshness")]


def test_a_pass_that_began_and_never_ended_leaves_orders_unread(shop: Shop) -> None:
    with shop.store.begin() as tx:
        insert_many(tx, tables.cursor, [{"channel_id": shop.id(FOLDER), "stream": "orders", "began_at": NOW}])

    assert (FOLDER, "freshness") in checks(shop.status())


class Caller(WebhookSource):
    """A shop that is never polled, because it sends everything."""

    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        raise NotImplementedError


def test_a_shop_that_sends_everything_does_not_wait_to_be_read_for_ever(shop: Shop) -> None:
    ctx = with_channel(shop.ctx, SHOP, connector=Caller())

    assert shop.channel(SHOP, ctx)["state"] == "up"
    assert shop.channel(OTHER, ctx)["state"] == "new"


def test_the_cursor_lag_is_that_of_the_slowest_of_orders_and_refunds(fresh: Shop) -> None:
    assert fresh.channel()["cursor_lag_s"] == 16.0


def test_a_channel_that_refuses_our_credentials_says_since_when(fresh: Shop) -> None:
    """failures.md row 10: token dies, nobody notices."""
    since = NOW - timedelta(minutes=30)
    with fresh.store.begin() as tx:
        changed = {"auth_failed_at": since, "down_since_at": since, "down_error": "session expired (27)"}
        tx.execute(tables.channel.update().where(tables.channel.c.id == fresh.id()).values(**changed))

    found = fresh.status()

    assert checks(found) == [(SHOP, "auth")]
    assert found["problems"][0]["text"].endswith("since 2026-03-02T07:55:00Z: session expired (27)")
    assert fresh.channel()["state"] == "auth_failed"


@pytest.mark.parametrize(
    ("days", "text"), [(2, "the credentials end in 2 d"), (-1, "the credentials ended 1 d ago")], ids=["soon", "past"]
)
def test_credentials_that_end_soon_are_a_problem_before_they_do(fresh: Shop, days: int, text: str) -> None:
    """failures.md row 10."""
    expires = {"token_expires_at": NOW + timedelta(days=days)}
    with fresh.store.begin() as tx:
        tx.execute(tables.channel.update().where(tables.channel.c.id == fresh.id()).values(**expires))

    found = fresh.status()

    assert [problem["text"] for problem in found["problems"]] == [f"{SHOP}: {text}"]


def test_a_paused_channel_is_watched_and_becomes_a_problem_when_it_is_stale(fresh: Shop) -> None:
    with fresh.store.begin() as tx:
        paused = {"paused": True, "paused_reason": "stocktaking"}
        tx.execute(tables.channel.update().where(tables.channel.c.id == fresh.id()).values(**paused))

    assert (fresh.channel()["state"], fresh.channel()["level"]) == ("paused", "warn")
    assert fresh.status()["ok"]
    assert fresh.status(freshness_s=5, cursor_lag_s=None)["ok"]  # three polls of 30 s are the shortest limit
    with fresh.store.begin() as tx:
        tx.execute(tables.cursor.update().values(complete_began_at=NOW - timedelta(hours=1)))
    texts = {problem["channel"]: problem["text"] for problem in fresh.status()["problems"]}
    assert texts[SHOP].endswith("(limit 15 min), paused: stocktaking")


def test_a_disabled_channel_is_shown_and_never_a_problem(shop: Shop) -> None:
    off = with_channel(with_channel(shop.ctx, SHOP, enabled=False), OTHER, enabled=False)

    assert shop.status(off)["ok"]
    assert shop.channel(ctx=off)["state"] == "disabled"


def test_the_queue_counts_what_is_due_and_how_long_the_oldest_waits(fresh: Shop) -> None:
    old, later = NOW - timedelta(minutes=20), NOW + timedelta(seconds=30)
    leased = {"state": "leased", "lease_owner": "me", "lease_until_at": later}
    with fresh.store.begin() as tx:
        add(
            tx,
            tables.outbox,
            effect_row(fresh.id(), "settling", run_at=later, marked_at=NOW),
            effect_row(fresh.id(), "tried again and again", run_at=later, attempts=4, marked_at=old),
            effect_row(fresh.id(), "due"),
            effect_row(fresh.id(), "being sent", sent_at=NOW, **leased),
            effect_row(fresh.id(), "held back", state="waiting", waiting_for="brake"),
            effect_row(fresh.id(), "P1", kind="shipment", sent_at=NOW),
            effect_row(fresh.id(), "over", state="done", done_at=NOW),
        )

    found = fresh.channel()

    assert found["queue"] == {
        "due": 4,
        "oldest_due_s": 1200.0,
        "kinds": {
            "shipment": {"pending": 1, "leased": 0, "waiting": 0, "unknown": 1, "waiting_for": {}},
            "stock": {"pending": 3, "leased": 1, "waiting": 1, "unknown": 0, "waiting_for": {"brake": 1}},
        },
    }
    assert found["unknown_outcomes"] == 1
    assert checks(fresh.status()) == [(SHOP, "brake"), (SHOP, "unknown_outcomes"), (SHOP, "queue_age")]
    assert (SHOP, "queue_depth") in checks(fresh.status(queue_age_s=None, queue_depth=3))


def test_a_mapped_listing_without_a_stock_row_is_unknown_and_not_zero(fresh: Shop) -> None:
    """failures.md row 20: missing is not zero."""
    warehouse = next(iter(fresh.ctx.warehouses))
    with fresh.store.begin() as tx:
        zero, none, part, whole = add(tx, tables.sku, *({"code": code} for code in ("ZERO", "NONE", "PART", "SET")))
        stock = [{"sku_id": sku, "warehouse_id": warehouse, "on_hand": 0, "reserved": 0} for sku in (zero, part)]
        insert_many(tx, tables.stock, stock)
        insert_many(tx, tables.bundle, [{"bundle_id": whole, "sku_id": sku, "qty": 1} for sku in (part, zero)])
        listed = {"ZERO": zero, "NONE": none, "SET": whole, "NOT-MAPPED": None}
        add(tx, tables.listing, *({"channel_id": fresh.id(), "channel_sku": s, "sku_id": i} for s, i in listed.items()))

    assert fresh.channel()["unknown_stock"] == 1
    assert fresh.channel()["unmapped_listings"] == 1
    with fresh.store.begin() as tx:
        insert_many(tx, tables.bundle, [{"bundle_id": whole, "sku_id": none, "qty": 2}])
    assert fresh.channel()["unknown_stock"] == 2
    assert checks(fresh.status(unknown_stock=1)) == [(SHOP, "unknown_stock")]


def test_stock_in_a_warehouse_that_feeds_others_only_stays_unknown_here(fresh: Shop) -> None:
    first, second = fresh.ctx.warehouses
    apart = replace(fresh.ctx, sourcing=Sourcing(by_channel={fresh.id(): (second,)}))
    with fresh.store.begin() as tx:
        [sku] = add(tx, tables.sku, {"code": "SHIRT"})
        insert_many(tx, tables.stock, [{"sku_id": sku, "warehouse_id": first, "on_hand": 9, "reserved": 0}])
        add(tx, tables.listing, {"channel_id": fresh.id(), "channel_sku": "SHIRT", "sku_id": sku})

    assert fresh.channel()["unknown_stock"] == 0
    assert fresh.channel(ctx=apart)["unknown_stock"] == 1


def test_dead_letters_and_tasks_count_while_they_are_open(fresh: Shop) -> None:
    letter = {"channel_id": fresh.id(), "kind": "order", "at": NOW, "error": "no total"}
    with fresh.store.begin() as tx:
        add(tx, tables.dead_letter, letter | {"key": "1", "state": "open"}, letter | {"key": "2", "state": "dropped"})
        task = {"kind": "look", "reason": "why", "opened_at": NOW, "closed_at": None, "channel_id": None}
        add(tx, tables.task, task | {"key": "1"}, task | {"key": "2", "closed_at": NOW})

    found = fresh.status()

    assert checks(found) == [(SHOP, "dead_letters")]
    assert found["problems"][0]["text"] == "tmall-flagship: 1 dead letter (limit 0)"
    assert (found["totals"]["dead_letters"], found["totals"]["tasks"]) == (1, 1)


def test_orders_are_counted_by_the_hour_of_the_operators_clock(fresh: Shop) -> None:
    came = [NOW - timedelta(minutes=24), NOW - timedelta(minutes=26), NOW - timedelta(hours=23, minutes=24)]
    too_old = NOW - timedelta(hours=23, minutes=26)
    with fresh.store.begin() as tx:
        rows = [order_row(fresh.id(), n, imported_at=at) for n, at in enumerate([*came, too_old])]
        add(tx, tables.orders, *rows)

    assert fresh.channel()["orders_24h"] == 3


def test_old_orders_count_when_they_came_and_not_when_they_were_placed(fresh: Shop) -> None:
    last_year = NOW - timedelta(days=400)
    with fresh.store.begin() as tx:
        rows = [order_row(fresh.id(), n, placed_at=last_year, imported_at=NOW) for n in range(3)]
        late = order_row(fresh.id(), 3, placed_at=NOW, imported_at=NOW - timedelta(days=2))  # the shop's clock is ahead
        add(tx, tables.orders, *rows, late)
    with fresh.store.read() as connection:
        figures = gather(connection, fresh.ctx, NOW)

    assert fresh.channel()["orders_24h"] == 3
    assert figures.hourly == {fresh.id(): (*[0] * 23, 3)}


def test_how_long_orders_and_numbers_took_is_told_by_percentile(shop: Shop) -> None:
    minute = timedelta(minutes=1)
    with shop.store.begin() as tx:
        placed = NOW - 30 * minute
        took = [timedelta(seconds=seconds) for seconds in range(1, 101)]
        rows = [order_row(shop.id(), at, placed_at=placed, imported_at=placed + each) for at, each in enumerate(took)]
        old = order_row(shop.id(), 100, placed_at=NOW - 90 * minute, imported_at=NOW)
        insert_many(tx, tables.orders, [*rows, old])
        done = {"state": "done", "done_at": NOW - minute}
        add(
            tx,
            tables.outbox,
            effect_row(shop.id(), "1", **done, marked_at=NOW - 2 * minute, error=""),
            effect_row(shop.id(), "2", **done, marked_at=NOW - 9 * minute, error="told already"),
            effect_row(shop.id(OTHER), "3", marked_at=NOW - 9 * minute, error=""),
        )
    with shop.store.read() as connection:
        figures = gather(connection, shop.ctx, NOW)

    assert figures.order_latencies == {(shop.id(), "0.5"): 50, (shop.id(), "0.95"): 95, (shop.id(), "0.99"): 99}
    assert figures.stock_latencies == {(shop.id(), quantile): 60 for quantile in ("0.5", "0.95", "0.99")}


def test_the_databases_own_troubles_are_measured(shop: Shop) -> None:
    site = Site(store=shop.store, ctx=lambda: shop.ctx, limits=StatusLimits)

    found = {each.name: each.samples for each in FiguresCollector(site).collect()}

    only_here = {"erpsync_sqlite_wal_bytes"}
    only_there = {"erpsync_postgresql_oldest_transaction_seconds", "erpsync_postgresql_dead_rows"}
    if not shop.store.is_sqlite:
        only_here, only_there = only_there, only_here
    assert all(len(found[name]) == 1 and found[name][0].value >= 0 for name in only_here)
    assert all(found[name] == [] for name in only_there)


def test_hours_begin_where_they_do_on_a_clock_that_is_half_an_hour_off() -> None:
    """failures.md row 12: time zones."""
    hours = hours_until(datetime(2026, 3, 2, 8, 25, 7, tzinfo=UTC), ZoneInfo("Asia/Kolkata"))

    assert hours[-1] == datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
    assert hours[0] == datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    assert len(hours) == 24


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "-"),
        (0.4, "0 s"),
        (59, "59 s"),
        (61, "1 min"),
        (3600, "1 h"),
        (11_100, "3 h 5 min"),
        (187_200, "2 d 4 h"),
    ],
    ids=str,
)
def test_spans_are_said_as_people_say_them(seconds: float | None, said: str) -> None:
    assert spell(seconds) == said
