"""Who may read a stream: leases pass on by themselves, and a writer that lost its lease writes nothing."""

from collections.abc import Callable

import pytest

from erpsync.flows.intake import poll
from erpsync.store.leases import LeaseLostError, end_all_leases, end_leases, fence, renew_lease, take_lease
from tests.support import looking
from tests.support.shop import Town


def test_a_lease_is_one_nodes_until_it_ends(town: Town, make_town: Callable[..., Town]) -> None:
    other = make_town(town=town)
    mine = take_lease(town.store, "shop/orders", ttl_s=15)

    assert mine is not None
    assert take_lease(other.store, "shop/orders") is None
    town.advance(14)
    assert renew_lease(town.store, mine, ttl_s=15)
    town.advance(14)
    assert take_lease(other.store, "shop/orders") is None
    town.advance(2)
    assert take_lease(other.store, "shop/orders") is not None
    assert not renew_lease(town.store, mine)


def test_a_lease_given_back_passes_on_at_once(town: Town, make_town: Callable[..., Town]) -> None:
    other = make_town(town=town)
    for key in ("a", "b", "c"):
        take_lease(town.store, key)
    end_leases(town.store, key="b")
    assert take_lease(other.store, "b") is not None
    assert take_lease(other.store, "a") is None
    assert take_lease(other.store, "c") is None

    with town.store.begin() as tx:
        end_all_leases(tx)
    assert take_lease(other.store, "a") is not None


def test_who_ends_or_prolongs_leases_touches_no_other(town: Town, make_town: Callable[..., Town]) -> None:
    other = make_town(town=town)
    mine, theirs = take_lease(town.store, "b", ttl_s=15), take_lease(other.store, "a", ttl_s=30)
    also_mine = take_lease(town.store, "c", ttl_s=15)
    assert mine is not None
    assert theirs is not None
    assert also_mine is not None

    assert renew_lease(town.store, mine, ttl_s=40)
    end_leases(town.store)
    assert renew_lease(other.store, theirs, ttl_s=30)
    assert take_lease(town.store, "a") is None

    mine = take_lease(town.store, "b", ttl_s=15)
    assert mine is not None
    take_lease(town.store, "c", ttl_s=15)
    renew_lease(town.store, mine, ttl_s=40)
    town.advance(20)
    assert take_lease(other.store, "b") is None
    assert take_lease(other.store, "c") is not None


def test_whoever_was_stopped_for_longer_than_its_lease_writes_nothing(
    town: Town, make_town: Callable[..., Town]
) -> None:
    """failures.md row 15."""
    other = make_town(town=town)
    town.shop.place("o1", ("A", 1))
    lost = take_lease(town.store, "shop/orders")
    assert lost is not None
    town.advance(16)
    assert take_lease(other.store, "shop/orders") is not None

    report = poll.poll_stream(town.ctx, town.channel(), "orders", lease=lost)

    assert (report.failed, looking.owed(town)) == (True, {})
    with pytest.raises(LeaseLostError), town.store.begin() as tx:
        fence(tx, lost)
