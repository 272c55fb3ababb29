"""Calls that take long, and nodes that die: an effect passes on in time, and is never under way twice."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from erpsync.flows.inventory import counts
from erpsync.flows.operations import upkeep
from erpsync.flows.shipments import push, record
from erpsync.runtime.meters import Meters
from erpsync.runtime.presence import Presence
from erpsync.sdk.types import Repeat, Shipment
from erpsync.store.nodes import beat
from erpsync.store.outbox.queue import SHIPMENT, STOCK, claim, mark_sent
from tests.support import looking, walk
from tests.support.shop import ShopConnector, Town

CALL_S = 40.0
PARCELS = 6

MakeTown = Callable[..., Town]


class Slow(ShopConnector):
    """A platform whose calls take long; what `meanwhile` does happens before it has taken the parcel."""

    def __init__(self, town: Town, calls: list[str], repeat: Repeat) -> None:
        super().__init__(town.shop, town.clock)
        self.calls, self.repeat = calls, repeat
        self.meanwhile: Callable[[], object] = lambda: None

    def push_shipment(self, shipment: Shipment) -> None:
        """Take a parcel after a while."""
        self.calls.append(shipment.number)
        self.shop.clock.advance(seconds=CALL_S)
        self.meanwhile()
        super().push_shipment(shipment)


def slow(town: Town, calls: list[str], repeat: Repeat) -> Slow:
    """Give the town's shop a slow connector that notes its calls."""
    connector = Slow(town, calls, repeat)
    others = {id: replace(channel, connector=connector) for id, channel in town.ctx.channels.items()}
    town.ctx = replace(town.ctx, channels=others)
    return connector


@pytest.mark.parametrize("repeat", list(Repeat))
def test_parcels_that_wait_behind_slow_calls_are_told_once_whoever_takes_over(
    make_town: MakeTown, repeat: Repeat
) -> None:
    """failures.md row 15: the lease of the last parcel of a batch has to outlive its own call, not the first one's."""
    town = make_town()
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=PARCELS, actor="me")
    for number in range(PARCELS):
        town.shop.place(f"o{number}", ("A", 1))
    walk.read(town)
    for number in range(PARCELS):
        record.ship(town.ctx, order=f"o{number}", carrier="SF", tracking=f"SF{number}", actor="me")
    calls: list[str] = []
    other = make_town(town=town)
    slow(other, calls, repeat)

    def take_over() -> None:
        upkeep.reclaim_leases(other.ctx)
        push.push_shipments(other.ctx, other.channel())

    slow(town, calls, repeat).meanwhile = take_over
    push.push_shipments(town.ctx, town.channel())
    take_over()

    assert len(calls) == len(set(calls)) == PARCELS
    assert {state for _, state in looking.shipments(town)} == {"sent"}
    assert looking.tasks(town) == []


def leased(town: Town, kind: str) -> list[str]:
    return [state for state, _, _ in looking.effects(town, kind)]


@pytest.fixture
def pair(make_town: MakeTown) -> tuple[Town, Town]:
    """Two nodes; the second has a number in hand, and a parcel that it may have sent."""
    town = make_town()
    other = make_town(town=town)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 1))
    walk.read(town)
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")
    walk.fan(town)
    town.advance(3)
    beat(other.store, version="1")
    with other.store.begin() as tx:
        assert claim(tx, other.store.owner, town.channel().id, STOCK, limit=1, lease_s=120)
        mark_sent(tx, claim(tx, other.store.owner, town.channel().id, SHIPMENT, limit=1, lease_s=180))
    return town, other


def test_what_a_dead_node_had_not_sent_yet_passes_on_within_15_s(pair: tuple[Town, Town]) -> None:
    """failures.md row 15. What it may have sent is left alone until no answer can come any more."""
    town, _ = pair
    town.advance(5)
    upkeep.reclaim_leases(town.ctx)
    assert (leased(town, STOCK), leased(town, SHIPMENT)) == (["leased"], ["leased"])

    town.advance(6)
    upkeep.reclaim_leases(town.ctx)
    assert (leased(town, STOCK), leased(town, SHIPMENT)) == (["pending"], ["leased"])

    town.advance(180)
    upkeep.reclaim_leases(town.ctx)
    assert leased(town, SHIPMENT) == ["pending"]


def test_what_a_node_that_leaves_had_not_sent_yet_passes_on_at_once(pair: tuple[Town, Town]) -> None:
    """failures.md row 15: a call that outlives the stop keeps nothing else waiting."""
    town, other = pair
    Presence(other.store, Meters()).leave()
    upkeep.reclaim_leases(town.ctx)

    assert (leased(town, STOCK), leased(town, SHIPMENT)) == (["pending"], ["leased"])
