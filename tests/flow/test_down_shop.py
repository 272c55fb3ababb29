"""A shop that is down is called less and less often, and known to be back within a minute."""

from collections.abc import Callable

import pytest

from erpsync.core.policy import PollPolicy
from erpsync.flows.intake.poll import poll_stream
from erpsync.flows.intake.schedule import due_streams, outlooks
from erpsync.sdk.errors import TransientError
from tests.support import walk
from tests.support.shop import Town


def all_read(town: Town) -> None:
    walk.read(town)
    walk.read(town, "listings")


def calls(town: Town, for_s: float) -> int:
    """Let time go by, and read the orders whenever they are due; return how often the shop was called."""
    until_s, made = town.clock.monotonic() + for_s, 0
    while town.clock.monotonic() < until_s:
        if "orders" in due_streams(town.ctx, town.channel()):
            town.shop.trouble["orders"] = [TransientError("nobody answers")]
            assert poll_stream(town.ctx, town.channel(), "orders").failed
            made += 1
        town.advance(max(1.0, outlooks(town.ctx, [town.channel()])[town.channel().id].next_s))
    return made


@pytest.mark.parametrize("orders_s", [1.0, 30.0, 600.0])
def test_a_shop_that_is_down_for_hours_is_called_once_a_minute(make_town: Callable[..., Town], orders_s: float) -> None:
    town = make_town(poll=PollPolicy(orders_s=orders_s, refunds_s=10_000, listings_s=10_000))
    all_read(town)
    town.advance(orders_s)
    calls(town, 3600)

    assert 59 <= calls(town, 3600) <= 61


def test_a_shop_that_just_went_down_is_tried_at_its_usual_pace(make_town: Callable[..., Town]) -> None:
    town = make_town(poll=PollPolicy(orders_s=10, refunds_s=10_000, listings_s=10_000))
    all_read(town)
    town.advance(10)

    assert calls(town, 60) == 6


def test_once_it_answers_it_is_read_at_its_usual_pace_again(make_town: Callable[..., Town]) -> None:
    town = make_town(poll=PollPolicy(orders_s=10, refunds_s=10_000, listings_s=10_000))
    all_read(town)
    town.advance(10)
    calls(town, 3600)
    town.advance(60)
    town.shop.trouble.clear()
    walk.read(town, "orders")

    assert outlooks(town.ctx, [town.channel()])[town.channel().id].next_s <= 10
