"""Refunds and cancels overtake everything: in polling, in the inbox, in the queue and in the budget of calls."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from erpsync.core.policy import LimitPolicy
from erpsync.flows.channels import control
from erpsync.flows.intake.poll import poll_stream
from erpsync.flows.intake.schedule import due_streams
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory import counts
from erpsync.flows.orders import actions
from erpsync.flows.warehouses import push, release
from erpsync.sdk.errors import RateLimitedError
from erpsync.sdk.http import current_lane
from erpsync.sdk.types import Cursor, RefundPage
from erpsync.store.limits import SharedLimiter
from tests.support import looking, walk
from tests.support.calling import deliver, with_calls
from tests.support.depot import Depot, work
from tests.support.shop import ShopConnector, Town

MANY = 120
"""A hundredth of what a bad hour brings, and more than one batch."""


@pytest.fixture
def calling(make_town: Callable[..., Town]) -> Town:
    """A shop that calls us; order o1 is allocated, and its streams were read."""
    town = with_calls(make_town())
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=1000, actor="me")
    town.shop.place("o1", ("TEA", 2))
    walk.settle_in(town)
    for n in range(MANY):
        deliver(town, town.shop.place(f"n{n}", ("TEA", 1)))
    return town


def test_a_refund_behind_a_pile_of_orders_is_applied_first(calling: Town) -> None:
    """failures.md row 6: a cancel on a slow lane."""
    calling.shop.refund("r1", "o1", n1=2)
    deliver(calling, calling.shop.refunds["r1"])
    apply_inbox(calling.ctx)

    assert looking.status(calling, "o1") == ("held", "refund_open")
    assert looking.rows(calling, "SELECT count(*) FROM inbox WHERE state = 'pending'") != [(0,)]


def test_a_cancel_behind_a_pile_of_orders_is_applied_first(calling: Town) -> None:
    deliver(calling, calling.shop.change("o1", state="cancelled"))
    apply_inbox(calling.ctx)

    assert looking.status(calling, "o1")[0] == "cancelled"


def test_orders_are_still_applied_in_the_order_they_came(calling: Town) -> None:
    apply_inbox(calling.ctx)

    first = looking.rows(calling, "SELECT external_id FROM orders WHERE external_id LIKE 'n%' ORDER BY id LIMIT 3")
    assert first == [("n0",), ("n1",), ("n2",)]


def test_refunds_are_read_while_the_past_is_read_once_more(town: Town) -> None:
    walk.read(town)
    control.ask_backfill(town.ctx, "shop", days=30, actor="me")
    town.advance(120)

    due = due_streams(town.ctx, town.channel())
    assert {"backfill", "refunds"} <= set(due)


def test_at_the_first_start_refunds_wait_until_it_is_known_how_far_back_they_reach(town: Town) -> None:
    walk.read(town, "orders")

    assert "refunds" not in due_streams(town.ctx, town.channel())


class Watched(ShopConnector):
    """Notes the lane of its refund calls."""

    lanes: tuple[str, ...] = ()

    def pull_refunds(self, cursor: Cursor) -> Iterator[RefundPage]:
        """Read as usual."""
        self.lanes = (*self.lanes, current_lane.get())
        yield from super().pull_refunds(cursor)


def test_refunds_are_read_with_the_calls_that_are_kept_for_cancels(town: Town) -> None:
    connector = Watched(town.shop, town.clock)
    channel = replace(town.channel(), connector=connector)
    poll_stream(town.ctx, channel, "refunds")

    assert connector.lanes == ("cancel",)
    assert current_lane.get() == "rest"


def test_what_is_to_be_stopped_goes_before_what_is_to_be_sent(pair: tuple[Town, Depot]) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 1))
    work(town)
    for n in range(2, 5):
        town.shop.place(f"o{n}", ("A", 1))
        walk.read(town, "orders")
    release.release_ready(town.ctx)
    actions.cancel_order(town.ctx, "o1", reason="second thoughts", actor="me")
    already = len(depot.got)
    push.push_releases(town.ctx, town.channel("wms"))

    assert (len(depot.asked), len(depot.got)) == (1, already)


def test_of_the_kept_quarter_the_more_urgent_lane_always_finds_a_call(town: Town) -> None:
    """failures.md row 13: cancel before urgent stock before shipments before the rest."""
    budget = SharedLimiter(town.store, town.channel().id, LimitPolicy(calls_per_s=0.5, burst=32))
    taken = {}
    for lane in ("rest", "shipment", "urgent", "cancel"):
        taken[lane] = 0
        with suppress(RateLimitedError):
            while taken[lane] < 32:
                budget.acquire(lane)
                taken[lane] += 1

    assert taken == {"rest": 24, "shipment": 6, "urgent": 1, "cancel": 1}
