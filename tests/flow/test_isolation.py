"""A channel that does not answer gets threads of its own, so that it takes nobody else's."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from erpsync.flows.availability import push
from erpsync.flows.intake import poll
from erpsync.flows.inventory import counts
from erpsync.runtime.meters import Meters
from erpsync.runtime.world import World
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import Cursor, OrderPage, StockLevel
from erpsync.store.tables import channel
from tests.support import looking, walk
from tests.support.scene import Scene
from tests.support.shop import ShopConnector, Town


class Silent(ShopConnector):
    """A platform that takes every connection and says nothing, or does not end what it says."""

    url = ""

    def _ask(self, *, repeatable: bool = True) -> None:
        http = HttpClient(clock=self.clock, read_s=0.05, deadline_s=5)
        try:
            http.request("GET", self.url, repeatable=repeatable)
        finally:
            http.close()

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        if self.url:
            self._ask()
        yield from super().pull_orders(cursor)

    def push_stock(self, levels: list[StockLevel]):
        if self.url:
            self._ask(repeatable=False)
        return super().push_stock(levels)


@pytest.fixture
def deaf() -> Iterator[str]:
    """The address of a socket that nobody serves: connections wait in its backlog."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.fixture
def shop(town: Town) -> Silent:
    silent = Silent(town.shop, town.clock)
    channels = {id: replace(each, connector=silent) for id, each in town.ctx.channels.items()}
    town.ctx = replace(town.ctx, channels=channels)
    return silent


def timeouts(town: Town) -> int:
    ((count,),) = looking.rows(town, select(channel.c.timeouts))
    return int(count)


def test_a_shop_that_is_silent_is_counted_as_timed_out_until_it_answers(town: Town, shop: Silent, deaf: str) -> None:
    shop.url = deaf
    reports = [poll.poll_stream(town.ctx, town.channel(), "orders") for _ in range(2)]
    assert [report.timed_out for report in reports] == [True, True]
    assert timeouts(town) == 2

    shop.url = ""
    walk.read(town)
    assert timeouts(town) == 0


def test_a_silent_shop_is_isolated_and_said_to_be(town: Town, shop: Silent, deaf: str) -> None:
    shop.url = deaf
    for _ in range(2):
        poll.poll_stream(town.ctx, town.channel(), "orders")

    world = World(town.ctx, stages=Scene().stages(), meters=Meters())
    with capture_logs() as records, town.store.read() as connection:
        world.look_for_slow(connection)
    assert world.pool("shop", "poll") == "slow"
    assert [record["event"] for record in records] == ["channel.isolated"]


def test_a_number_that_gets_no_answer_in_time_counts_as_well(town: Town, shop: Silent, deaf: str) -> None:
    town.shop.place("o1", ("A", 1))
    walk.read(town)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.advance(10)
    walk.read(town)
    walk.fan(town)
    shop.url = deaf
    push.push_stock(town.ctx, town.channel())

    assert timeouts(town) == 1


HALF = "half an emoji: \ud83d"


NUL = "a NUL: \x00"


@pytest.mark.parametrize("text", [HALF, NUL])
@pytest.mark.parametrize("place", ["id", "name", "title", "broken"])
def test_text_that_no_database_takes_stops_no_other_order(town: Town, text: str, place: str) -> None:
    """A platform that cuts a name in the middle of an emoji must not stop its shop for ever."""
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    walk.settle_in(town)
    if place == "id":
        town.shop.place(text, ("TEA", 1))
    elif place == "title":
        town.shop.place("odd", (text, 1))
    elif place == "name":
        town.shop.place("odd", ("TEA", 1), name=text)
    else:
        town.shop.place(f"odd {text}", ("TEA", 1), broken=True)
    town.shop.place("good", ("TEA", 1))

    report = walk.poll(town)

    assert (report.failed, report.error) == (False, "")
    assert looking.status(town, "good") == ("allocated", None)
    town.shop.place("next", ("TEA", 1))
    assert not walk.poll(town).failed
    assert looking.status(town, "next") == ("allocated", None)
