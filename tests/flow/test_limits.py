"""A channel's call budget, shared by all nodes; a quarter is kept for what cannot wait."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from erpsync.core.policy import LimitPolicy
from erpsync.flows.channels.health import may_call
from erpsync.sdk.errors import RateLimitedError, TransientError
from erpsync.store.limits import SharedLimiter, block
from erpsync.store.tables import channel
from tests.support import looking, walk
from tests.support.shop import Town


def limiter(town: Town, *, calls_per_s: float = 1, burst: int = 8) -> SharedLimiter:
    policy = LimitPolicy(calls_per_s=calls_per_s, burst=burst)
    return SharedLimiter(town.store, town.channel().id, policy)


def waited_s(town: Town, some: SharedLimiter, lane: str, calls: int) -> float:
    began = town.clock.monotonic()
    for _ in range(calls):
        some.acquire(lane)
    return round(town.clock.monotonic() - began, 2)


def test_a_burst_goes_at_once_and_the_rest_at_the_rate(town: Town) -> None:
    some = limiter(town)
    assert waited_s(town, some, "urgent", 8) == 0
    assert waited_s(town, some, "urgent", 3) == 3


def test_two_nodes_share_one_budget(town: Town, make_town: Callable[..., Town]) -> None:
    other = make_town(town=town)
    assert waited_s(town, limiter(town), "urgent", 8) == 0
    assert waited_s(other, limiter(other), "urgent", 1) == 1


def test_a_quarter_is_kept_for_cancels_urgent_stock_and_shipments(town: Town) -> None:
    """failures.md row 13: while a back-fill eats its share, a shipment goes at once."""
    some = limiter(town)
    assert waited_s(town, some, "rest", 6) == 0
    assert waited_s(town, some, "rest", 1) == 1
    assert waited_s(town, some, "shipment", 2) == 0


def test_a_lane_that_would_wait_long_gives_its_thread_back(town: Town) -> None:
    some = limiter(town, calls_per_s=0.1)
    for _ in range(8):
        some.acquire("urgent")
    with pytest.raises(RateLimitedError, match="call budget") as caught:
        some.acquire("rest")
    assert caught.value.retry_after_s == pytest.approx(30, abs=0.1)


def test_our_own_budget_puts_off_one_lane_and_does_not_block_the_channel(town: Town) -> None:
    """failures.md row 13: a back-fill that has used its share up keeps no shipment from going."""
    some = limiter(town, calls_per_s=0.1)
    for _ in range(6):
        some.acquire("rest")
    with pytest.raises(RateLimitedError) as caught:
        some.acquire("rest")
    town.shop.trouble["orders"] = [caught.value]
    walk.read(town, "orders")

    assert may_call(town.ctx, town.channel())
    assert looking.rows(town, select(channel.c.down_since_at)) == [(None,)]


def test_a_channel_that_says_stop_is_left_alone_as_long_as_it_said(town: Town) -> None:
    some = limiter(town)
    block(town.store, town.channel().id, seconds=60)

    with pytest.raises(RateLimitedError):
        some.acquire("urgent")
    assert not may_call(town.ctx, town.channel())
    town.advance(61)
    some.acquire("urgent")
    assert may_call(town.ctx, town.channel())


def test_one_that_throttles_is_not_down(town: Town) -> None:
    town.shop.trouble["orders"] = [RateLimitedError("slow down", retry_after_s=20), TransientError("away")]
    walk.read(town, "orders")
    assert not may_call(town.ctx, town.channel())
    assert looking.rows(town, select(channel.c.down_since_at)) == [(None,)]
