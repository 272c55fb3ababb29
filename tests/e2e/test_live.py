"""The stream that tells open pages what has changed: who may listen, what is told, and that it keeps nobody waiting."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest
import requests
from sqlalchemy import select, text, update

from erpsync.flows.access.sessions import LONGEST, UNUSED
from erpsync.flows.access.users import create_user, disable_user, set_password
from erpsync.flows.channels.control import pause_channel
from erpsync.flows.context import Context
from erpsync.flows.inventory.counts import add_stock
from erpsync.flows.operations.tasks import finish_task
from erpsync.settings.config import StatusLimits
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.store.feed import settled_id
from erpsync.store.views.changes import TOPICS, Marks, read_marks, sessions_that_last, topics_between, topics_of
from erpsync.web.access.door import Door
from erpsync.web.acts import Acts
from erpsync.web.app import create_app
from erpsync.web.console.kit import Kit
from erpsync.web.live import Live, Pace
from erpsync.web.pages import Pages
from erpsync.web.server import AppServer
from erpsync.web.site import Site
from tests.support.visitor import act, visitor
from tests.support.web_shop import NOW, add, fill, open_shop, order_row, serve

pytestmark = pytest.mark.concurrent("threads")

LONG_S = 60
MINUTE = timedelta(minutes=1)
SOON_S = 10
"""A look is taken once a second; the rest is for a machine that has other things to do."""


@dataclass
class Open:
    """A stream that is open."""

    answer: requests.Response
    lines: Iterator[str]

    def next_event(self) -> tuple[str, str] | None:
        """Return the next event's name and text, None at the end of the stream."""
        name = ""
        for line in self.lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            if line.startswith("data: "):
                return name, line.removeprefix("data: ")
        return None


@dataclass
class House:
    server: AppServer
    store: Store
    ctx: Context

    def listen(self, browser: requests.Session, *, begun: bool = True) -> Open:
        """Open a stream; it is told everything that changes from now on."""
        answer = browser.get(f"{self.server.url}stream", stream=True, timeout=LONG_S)
        stream = Open(answer, answer.iter_lines(chunk_size=1, decode_unicode=True))
        if begun:
            assert answer.status_code == 200
            assert stream.next_event() == ("begun", "now")
        return stream

    def sell(self, number: int = 1) -> None:
        with self.store.begin() as tx:
            add(tx, tables.orders, order_row(self.ctx.channel("jd-main").id, number))


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    store, ctx = open_shop(database_url)
    server, _ = serve(store, ctx, keep_s=0)
    yield House(server, store, ctx)
    server.stop(2)
    store.close()


def test_nobody_listens_without_a_session(house: House) -> None:
    visitor(house.store)

    assert requests.get(f"{house.server.url}stream", timeout=LONG_S).status_code == 401


def test_who_listens_is_told_of_an_order_within_seconds(house: House) -> None:
    stream = house.listen(visitor(house.store, role="read"))
    began_s = time.monotonic()
    house.sell()

    assert stream.next_event() == ("changed", "orders stock")
    assert time.monotonic() - began_s < SOON_S
    assert stream.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (stream.answer.headers["x-accel-buffering"], stream.answer.headers["cache-control"]) == ("no", "no-store")


def test_all_who_listen_are_told(house: House) -> None:
    streams = [house.listen(visitor(house.store, f"user-{n}")) for n in range(5)]
    house.sell()

    assert [stream.next_event() for stream in streams] == [("changed", "orders stock")] * 5


def log_out(house: House, browser: requests.Session) -> None:
    act(browser, house.server.url, "logout")


def disable(house: House, browser: requests.Session) -> None:
    disable_user(house.store, "lin", actor="root")


def new_password(house: House, browser: requests.Session) -> None:
    set_password(house.store, "lin", password="another horse battery", actor="root")


def wait_unused(house: House, browser: requests.Session) -> None:
    users, sessions = tables.user_account, tables.login_session
    lin = select(users.c.id).where(users.c.name == "lin").scalar_subquery()
    with house.store.begin() as tx:
        tx.execute(update(sessions).where(sessions.c.user_id == lin).values(last_seen_at=tx.now - UNUSED - MINUTE))


@pytest.mark.parametrize("end", [log_out, disable, new_password, wait_unused])
def test_a_session_that_ends_ends_its_stream_within_seconds_and_no_other(
    house: House, end: Callable[[House, requests.Session], None]
) -> None:
    create_user(house.store, "lin", role="operate", password="correct horse battery", actor="root")
    browser, other = visitor(house.store, "lin"), visitor(house.store, "chen")
    stream, stays = house.listen(browser), house.listen(other)
    began_s = time.monotonic()
    end(house, browser)
    ends = [event for event in iter(stream.next_event, None) if event[0] != "changed"]
    assert ends == [("ended", "session")]
    assert time.monotonic() - began_s < SOON_S
    house.sell()
    assert "orders" in next(topics for _, topics in iter(stays.next_event, None) if topics != "channels")


def test_a_hundred_streams_take_no_thread_each_and_pages_are_answered_meanwhile(house: House) -> None:
    browsers = [visitor(house.store, f"user-{n}") for n in range(20)]
    browsers[0].get(house.server.url, timeout=LONG_S)
    before = threading.active_count()
    streams = [house.listen(browsers[n % 20], begun=False) for n in range(100)]
    more = threading.active_count() - before
    page = browsers[0].get(house.server.url, timeout=LONG_S)
    house.sell()
    told = [next(event for event in iter(stream.next_event, None) if event[0] == "changed") for stream in streams]

    assert more <= 3
    assert page.status_code == 200
    assert told == [("changed", "orders stock")] * 100


def test_there_is_an_end_to_the_streams_of_one_user_and_who_leaves_makes_room(house: House) -> None:
    browser = visitor(house.store, "lin")
    streams = [house.listen(browser, begun=False) for _ in range(Pace().per_user)]
    refused = house.listen(browser, begun=False).answer
    other = house.listen(visitor(house.store, "chen")).answer.status_code
    streams[0].answer.close()
    until_s = time.monotonic() + LONG_S
    while (again := house.listen(browser, begun=False).answer).status_code == 503 and time.monotonic() < until_s:
        again.close()

    assert (refused.status_code, refused.headers["retry-after"], other, again.status_code) == (503, "60", 200, 200)


def test_there_is_an_end_to_the_streams_of_all(house: House) -> None:
    browsers = [visitor(house.store, f"user-{n}") for n in range(17)]
    with ExitStack() as streams:
        codes = [
            streams.enter_context(house.listen(browsers[n % 17], begun=False).answer).status_code
            for n in range(Pace().streams + 1)
        ]

    assert (codes.count(200), codes[-1]) == (Pace().streams, 503)


def test_a_server_that_stops_waits_for_no_stream(house: House) -> None:
    streams = [house.listen(visitor(house.store, f"user-{n}")) for n in range(10)]
    began_s = time.monotonic()
    ended = house.server.stop(30)
    took_s = time.monotonic() - began_s

    assert ended
    assert took_s < SOON_S
    assert [stream.next_event() for stream in streams] == [None] * 10


def test_a_database_that_cannot_be_looked_at_ends_the_streams_and_pages_ask_by_themselves(house: House) -> None:
    """Nobody is told anything whose session cannot be looked at."""
    stream = house.listen(visitor(house.store))
    with house.store.begin() as tx:
        tx.execute(text("ALTER TABLE login_session RENAME TO log_ins"))

    assert stream.next_event() is None


def test_a_stream_on_which_nothing_happens_says_so_that_no_proxy_ends_it(database_url: str) -> None:
    store, ctx = open_shop(database_url)
    site = Site(store=store, ctx=lambda: ctx, limits=StatusLimits)
    app = create_app(site)
    pages = Pages(site, version="1")
    kit = Kit(site=site, pages=pages, door=Door(site, pages), acts=Acts(site))
    app.routes.insert(0, Live(kit, Pace(quiet_s=0.05)).routes()[0])
    server = AppServer(app)
    server.start()
    stream = House(server, store, ctx).listen(visitor(store))
    said = [next(stream.lines) for _ in range(4)]
    server.stop(2)
    store.close()

    assert set(said) == {"", ":"}


def test_a_stream_that_is_only_asked_about_ends_at_once(house: House) -> None:
    answer = visitor(house.store).head(f"{house.server.url}stream", timeout=LONG_S)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def pause(store: Store, ctx: Context) -> None:
    pause_channel(ctx, "jd-main", reason="holiday", actor="wang")


def found(store: Store, ctx: Context) -> None:
    add_stock(ctx, warehouse="SH", sku="TEA-LJ-250", qty=1, reason="found", actor="wang")


def done(store: Store, ctx: Context) -> None:
    finish_task(ctx, 1, actor="wang")


def sent(store: Store, ctx: Context) -> None:
    with store.begin() as tx:
        values = {"state": "done", "done_at": tx.now, "waiting_for": ""}
        tx.execute(update(tables.outbox).where(tables.outbox.c.id == 1).values(**values))


def read_again(store: Store, ctx: Context) -> None:
    with store.begin() as tx:
        tx.execute(update(tables.cursor).values(complete_began_at=NOW - timedelta(seconds=1)))


@pytest.mark.parametrize(
    ("change", "topics"),
    [
        (pause, {"channels"}),
        (found, {"stock"}),
        (done, {"tasks"}),
        (sent, {"orders", "stock", "channels"}),
        (read_again, {"channels"}),
    ],
)
def test_what_changes_is_told_by_its_topics(
    database_url: str, change: Callable[[Store, Context], None], topics: set[str]
) -> None:
    store, ctx = open_shop(database_url)
    fill(store, ctx)
    before = marks_of(store)
    change(store, ctx)
    after = marks_of(store)
    with store.read() as connection:
        told, nothing = topics_between(connection, before, after), topics_between(connection, after, marks_of(store))
    store.close()

    assert topics <= told
    assert nothing == frozenset()


def marks_of(store: Store) -> Marks:
    settled = settled_id(store)
    with store.read() as connection:
        return read_marks(connection, settled)


def test_an_event_that_nobody_sorted_concerns_every_page() -> None:
    assert topics_of(["comet.seen"]) == frozenset(TOPICS)
    assert topics_of(["stock.added", "task.done"]) == {"stock", "tasks"}


def test_a_session_lasts_as_long_as_its_pages_are_shown(database_url: str) -> None:
    store, _ = open_shop(database_url)
    for name in ("a", "b"):
        visitor(store, name)
    with store.read() as connection:
        for now, lasting in ((NOW, 2), (NOW + UNUSED + MINUTE, 0), (NOW + LONGEST + MINUTE, 0)):
            still = sessions_that_last(connection, [1, 2, 3], now=now, unused_since=now - UNUSED)
            assert len(still) == lasting
    store.close()
