"""The comparison as the daemon runs it, and what operators see of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from erpsync.flows.context import Channel, Context
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.reconcile.compare import Reconciled
from erpsync.runtime.chains import Chain
from erpsync.runtime.comparing import Comparing
from erpsync.runtime.meters import Meters
from erpsync.runtime.once import drain
from erpsync.runtime.parts import flow_stages
from erpsync.runtime.world import World
from erpsync.sdk.types import ListingRow
from erpsync.settings.config import StatusLimits
from erpsync.store.status import figures
from erpsync.store.views.sku_story import tell_sku
from tests.support.looking import story
from tests.support.shop import Town
from tests.support.walk import poll, settle_in

HOUR = 3600


class AtOnce:
    """Runs chains when they are woken; what they ask for later is noted."""

    def __init__(self) -> None:
        self.later: dict[str, float] = {}

    def submit(self, chain: Chain) -> None:
        chain.run()

    def wake_in(self, chain: Chain, seconds: float) -> None:
        if seconds:
            self.later[chain.name] = seconds
        else:
            chain.wake()


@pytest.fixture
def town(proven: Town) -> Town:
    return proven


def compare(town: Town) -> tuple[Meters, AtOnce]:
    """Let the daemon's chains run once."""
    meters, launcher = Meters(), AtOnce()
    Comparing(World(town.ctx, stages=flow_stages(), meters=meters), launcher).settle()
    return meters, launcher


def test_the_daemon_counts_what_it_found_late_and_comes_back_in_a_minute(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    town.shop.unlisted = {"o1"}
    town.advance(HOUR + 301)
    settle_in(town)
    town.shop.unlisted = set()

    meters, launcher = compare(town)

    assert meters.value("erpsync_orders_found_late_total", channel="shop") == 1
    assert launcher.later == {"compare shop": 60}
    assert "order.found_late" in story(town, "o1")


def test_shops_that_do_not_answer_are_no_worker_that_hangs(make_town: Callable[..., Town]) -> None:
    """Each shop has its own time, or an outage of the network would look to the watchdog like a stuck daemon."""
    town = make_town(names=("a", "b", "c"))
    seen: list[list[str]] = []

    def look(ctx: Context, channel: Channel, *, stopping: Callable[[], bool]) -> Reconciled:
        assert not stopping()
        seen.append(world.runs.names())
        return Reconciled()

    world = World(town.ctx, stages=replace(flow_stages(), reconcile=look), meters=Meters())
    Comparing(world, AtOnce()).settle()

    assert seen == [["compare a"], ["compare b"], ["compare c"]]


def test_a_channel_with_days_to_prove_is_compared_a_little_more_often(make_town: Callable[..., Town]) -> None:
    town = make_town()
    settle_in(town)

    assert compare(town)[1].later == {"compare shop": 10}


def test_a_drifted_number_stands_in_status_and_in_the_story_of_its_sku(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="me")
    town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="", shown_qty=0)]
    poll(town, "listings")
    drain(town.ctx)
    assert town.shop.shown == {"TEA": 10}
    town.advance(61)
    town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="", shown_qty=99)]
    poll(town, "listings")
    poll(town)

    meters, _ = compare(town)

    assert meters.value("erpsync_listings_drifted_total", channel="shop", kind="hand_edit") == 1
    with town.store.read() as connection:
        (shop,) = figures.status(connection, town.ctx, StatusLimits(), town.store.clock.now())["channels"]
        told = tell_sku(connection, "TEA")["story"]
    assert (shop["drifted_listings"], shop["level"]) == (1, "warn")
    assert [entry["detail"]["kind"] for entry in told if entry["what"] == "stock.drifted"] == ["hand_edit"]
