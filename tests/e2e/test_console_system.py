"""The pages of shops: why nothing moves, in full, and what people decide about one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from erpsync.core.policy import LimitPolicy
from erpsync.flows.channels.control import pause_channel
from erpsync.flows.context import Context
from erpsync.settings.config import ChannelConfig, Config
from erpsync.store import tables
from erpsync.store.cursors import read_cursor
from erpsync.store.db.store import Store
from erpsync.web.console.system.standing import Cause, causes
from erpsync.web.console.system.took import WIDTH, width
from tests.e2e.test_console import words_of
from tests.support.visitor import act, visitor
from tests.support.web_shop import NOW, AppServer, fill, open_shop, serve, with_channel

SHOP, OTHER, FOLDER = "tmall-flagship", "jd-main", "拼多多-dropfolder"


@dataclass
class House:
    """A console with a filled shop whose calls are limited."""

    server: AppServer
    store: Store
    ctx: Context

    def page(self, path: str, role: str = "operate") -> str:
        return words_of(visitor(self.store, f"{role}-user", role=role).get(self.server.url + path, timeout=60))

    def act(self, deed: str, *, role: str = "operate", channel: str = SHOP, **form: str | list[str]) -> str:
        browser = visitor(self.store, f"{role}-user", role=role)
        browser.headers["Referer"] = f"{self.server.url}channels/{channel}"
        return words_of(act(browser, self.server.url, f"channels/{channel}/{deed}", **form))

    def row(self, channel: str = SHOP) -> Any:
        with self.store.read() as connection:
            return connection.execute(select(tables.channel).where(tables.channel.c.name == channel)).one()

    def set(self, channel: str = SHOP, **values: object) -> None:
        with self.store.begin() as tx:
            tx.execute(tables.channel.update().where(tables.channel.c.name == channel).values(**values))


@pytest.fixture
def house(sqlite_file: Path) -> Iterator[House]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    fill(store, ctx)
    limits = LimitPolicy(calls_per_s=2, burst=40)
    channels = (ChannelConfig(id=SHOP, connector="taobao", settings=None, limits=limits),)
    config = Config(folder=sqlite_file.parent, database=f"sqlite:///{sqlite_file}", channels=channels)
    server, _ = serve(store, ctx, keep_s=0, config=lambda: config)
    yield House(server, store, ctx)
    server.stop(2)
    store.close()


def test_the_shops_that_need_somebody_stand_first_each_with_why(house: House) -> None:
    page = house.page("channels")

    assert page.index(OTHER) < page.index(FOLDER)
    assert "Its orders were last read 21 min ago, which is too long (limit 15 min)." in page
    assert "The brake holds back 1 zero that nobody can explain" in page
    assert "Everything moves: its orders were read 41 s ago, and nothing is due." in page


def test_a_shop_shows_its_streams_queues_latencies_and_budget(house: House) -> None:
    house.set(tokens=10.0, tokens_at=NOW - timedelta(seconds=5), token_expires_at=NOW + timedelta(days=2))
    with house.store.begin() as tx:
        values = {"failed_at": NOW - timedelta(minutes=3), "error": "the list is <broken>"}
        here = (tables.cursor.c.channel_id == house.ctx.channel(SHOP).id, tables.cursor.c.stream == "refunds")
        tx.execute(tables.cursor.update().where(*here).values(**values))

    page = house.page(f"channels/{SHOP}")

    assert "orders ✓ read to the end 16:24:48 12 s ago" in page
    assert "refunds × fails since 16:22 the list is &lt;broken&gt;" in page
    assert "stock 5 0 1 brake 1 0 10 s ago" in page
    assert "shipment 0 0 1 person 1 1 –" in page
    assert "Order placed → stored here" in page
    assert "Calls that may be made now 20 of 40" in page
    assert "Authorised until 4 Mar 16:25" in page


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"paused": True, "paused_by": "web:lin", "paused_reason": "盘点"},
            "It is paused by web:lin: 盘点. Nothing is read and nothing is sent until somebody resumes it.",
        ),
        (
            {"auth_failed_at": NOW, "down_error": "token <expired>"},
            "It refuses our credentials since 2026-03-02 16:25:00: token &lt;expired&gt;.",
        ),
        ({"down_since_at": NOW, "down_error": "timed out"}, "It cannot be reached since 2026-03-02 16:25:00"),
        ({"blocked_until_at": NOW + timedelta(minutes=5)}, "It wants no call before 2026-03-02 16:30:00."),
    ],
)
def test_why_nothing_moves_is_said_first(house: House, values: dict[str, object], said: str) -> None:
    house.set(**values)

    page = house.page(f"channels/{SHOP}")

    assert said in page
    assert page.index(said) < page.index("The brake holds back")


def test_a_shop_that_is_switched_off_can_only_be_looked_at(sqlite_file: Path) -> None:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    server, _ = serve(store, with_channel(ctx, SHOP, enabled=False, connector=None), keep_s=0)
    page = words_of(visitor(store).get(f"{server.url}channels/{SHOP}", timeout=60))
    server.stop(2)
    store.close()

    assert "It is switched off in the configuration" in page
    assert "Pause…" not in page


def test_a_shop_nobody_knows_is_not_found(house: House) -> None:
    browser = visitor(house.store)

    assert browser.get(f"{house.server.url}channels/nowhere", timeout=60).status_code == 404


def test_a_shop_is_paused_with_a_reason_and_resumed(house: House) -> None:
    said = house.act("pause", reason=" 盘点 ")
    paused = house.row()
    resumed = house.act("resume")

    assert f"{SHOP} is paused" in said
    assert "It is paused by web:operate-user: 盘点." in said
    assert (paused.paused, paused.paused_reason, paused.paused_by) == (True, "盘点", "web:operate-user")
    assert f"{SHOP} works again" in resumed
    assert house.row().paused is False


def test_a_pause_without_a_reason_is_refused(house: House) -> None:
    assert "a reason is needed" in house.act("pause", reason="  ")
    assert house.row().paused is False


def test_what_somebody_wrote_as_a_reason_is_never_markup(house: House) -> None:
    house.act("pause", reason='"><img src=x onerror=alert(1)>{{7*7}}')
    browser = visitor(house.store)

    for path in ("channels", f"channels/{SHOP}", ""):
        page = browser.get(house.server.url + path, timeout=60).text
        assert "<img" not in page
        assert "&#34;&gt;&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page


def test_what_is_ticked_is_read_now(house: House) -> None:
    said = house.act("poll", stream=["orders"])
    with house.store.read() as connection:
        wanted = {
            stream: read_cursor(connection, house.ctx.channel(SHOP).id, stream).wanted
            for stream in ("orders", "refunds")
        }

    assert f"{SHOP} will be read within a few seconds" in said
    assert wanted == {"orders": True, "refunds": False}


@pytest.mark.parametrize(
    ("streams", "said"),
    [([], "nothing was chosen: tick what is to be read"), (["gossip"], f"channel {SHOP} has no stream gossip")],
)
def test_nothing_and_what_it_cannot_be_read_by_is_refused(house: House, streams: list[str], said: str) -> None:
    assert said in house.act("poll", stream=streams)


def test_the_past_is_read_again_as_many_days_back_as_were_asked_for(house: House) -> None:
    said = house.act("backfill", days="14")
    with house.store.read() as connection:
        cursor = read_cursor(connection, house.ctx.channel(SHOP).id, "backfill")

    assert f"the last 14 days of {SHOP} will be read again" in said
    assert cursor.wanted
    assert cursor.since_at is not None
    assert cursor.since_at - (NOW - timedelta(days=14)) < timedelta(seconds=1)


@pytest.mark.parametrize("days", ["", "0", "-3", "3651", "1e3", "٣", "7.5"])
def test_days_that_are_none_are_refused(house: House, days: str) -> None:
    assert "days must be a whole number from 1 to 3650" in house.act("backfill", days=days)


def test_the_brake_is_confirmed_where_it_holds_something(house: House) -> None:
    offered = house.page(f"channels/{SHOP}")
    said = house.act("confirm")

    assert "Confirm the stock…" in offered
    assert f"1 number goes to {SHOP} now" in said
    assert "Confirm the stock…" not in said
    assert "Confirm the stock…" not in house.page(f"channels/{OTHER}")


@pytest.mark.parametrize("deed", ["pause", "resume", "poll", "backfill", "confirm"])
def test_who_only_reads_is_offered_no_act_and_does_none(house: House, deed: str) -> None:
    assert "Pause…" not in house.page(f"channels/{SHOP}", role="read")
    assert "this needs the role operate" in house.act(deed, role="read", reason="x", days="3", stream="orders")
    assert house.row().paused is False


def test_a_page_is_kept_up_to_date_by_its_part(house: House) -> None:
    browser = visitor(house.store)
    for page in ("channels", f"channels/{SHOP}"):
        shown = browser.get(house.server.url + page, timeout=60).text
        [part] = re.findall(r'data-live="/([^"]+)"', shown)
        fresh = browser.get(house.server.url + part, timeout=60)

        assert fresh.status_code == 200
        assert re.findall(r'<section id="(\w+)"', fresh.text) == re.findall(r'<section id="(\w+)"', shown)
    assert requests.get(f"{house.server.url}live/channels", timeout=60).status_code == 401


def test_a_shop_that_two_things_stop_says_what_stops_most_first(house: House) -> None:
    pause_channel(house.ctx, OTHER, reason="", actor="ana")

    page = house.page("channels")

    assert "It is paused by ana, without a reason." in page


FACTS = {
    "state": "up",
    "tells": False,
    "carries": False,
    "error": "",
    "since": None,
    "paused_by": "",
    "braked": 0,
    "beyond": [],
    "freshness_s": 12.0,
    "streams": {},
    "queue": {"due": 3, "oldest_due_s": 700.0},
    "unknown_outcomes": 0,
    "token_days": None,
}


@pytest.mark.parametrize(
    ("facts", "level", "said"),
    [
        ({}, "ok", "Everything moves: its orders were read 12 s ago, and nothing that is due waits too long."),
        ({"freshness_s": None}, "ok", "Everything moves: it sends what it has, and nothing waits too long."),
        (
            {"freshness_s": None, "tells": True},
            "ok",
            "It tells people what routes have for it; how each route stands is on the page Messages.",
        ),
        (
            {"state": "new"},
            "warn",
            "Its orders are being read for the first time. Until that is done it is told no number.",
        ),
        ({"beyond": ["queue_age"]}, "bad", "What is due waits too long: the oldest since 11 min."),
        (
            {"unknown_outcomes": 2},
            "warn",
            "2 effects were sent and have had no answer: their tasks say what to look for.",
        ),
        ({"beyond": ["token"], "token_days": -1.0}, "bad", "Its authorisation ended 1 d ago: authorise the app again."),
        ({"beyond": ["token"], "token_days": 0.5}, "bad", "Its authorisation ends in 12 h: authorise the app again."),
        ({"streams": {"refunds": {"error": "bad page"}}}, "bad", "The stream refunds cannot be read: bad page."),
        (
            {"braked": 7},
            "bad",
            "The brake holds back 7 zeros that nobody can explain: look at the stock, then let them go or count.",
        ),
    ],
)
def test_each_cause_is_one_sentence(facts: dict[str, object], level: str, said: str) -> None:
    [cause] = causes({**FACTS, **facts}, None, 900.0)

    assert (cause.level, cause.text) == (level, said)


def test_of_a_shop_that_is_switched_off_nothing_else_is_said() -> None:
    off = causes({**FACTS, "state": "disabled", "braked": 3, "unknown_outcomes": 1}, NOW, 900.0)

    text = "It is switched off in the configuration: nothing is read from it, and nothing is sent to it."
    assert off == [Cause(what="disabled", text=text, level="off")]


def test_bars_grow_with_the_logarithm_and_never_beyond_their_track() -> None:
    bars = [width(seconds) for seconds in (0, 0.5, 5, 50, 3600, 90_000)]

    assert bars == sorted(bars)
    assert (bars[0], bars[-2:]) == (1.5, [WIDTH, WIDTH])
