"""A node that was stopped for too long sends nothing any more: its lease has passed on, and so has what it had read."""

from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select

from erpsync.flows.availability import push as stock_push
from erpsync.flows.inventory import counts
from erpsync.flows.operations import upkeep
from erpsync.flows.shipments.push_once import SEND_WITHIN_S
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox.base import SandboxRequest, SandboxResponse
from erpsync.sdk.types import Head, Raw, Repeat, Shipment, StockLevel
from erpsync.store.outbox.queue import SHIPMENT
from erpsync.store.tables import channel
from tests.support import looking, walk
from tests.support.shop import ShopConnector, Town


@dataclass
class Stop:
    """A call budget at which the node is stopped, once; `then` is what the others do meanwhile."""

    then: Callable[[], object] | None = None

    def acquire(self, lane: str) -> None:
        del lane
        then, self.then = self.then, None
        if then is not None:
            Context().run(then)  # what other nodes do knows nothing of this call


class Wired(ShopConnector):
    """Tells parcels and numbers over a wire, as connectors of real platforms do."""

    def __init__(self, town: Town, repeat: Repeat, stop: Stop) -> None:
        super().__init__(town.shop, town.clock)
        self.repeat = repeat
        self.arrived: list[str] = []
        self.at_gate: Callable[[], object] | None = None
        self._wire = HttpClient(clock=town.clock, limiter=stop, mount=self._take)

    def _take(self, request: SandboxRequest) -> SandboxResponse:
        self.arrived.append(request.body.decode())
        return SandboxResponse.of_json({})

    def complete(self, heads: Sequence[Head]) -> list[Raw]:
        found = super().complete(heads)
        then, self.at_gate = self.at_gate, None
        if then is not None:
            Context().run(then)
        return found

    def push_shipment(self, shipment: Shipment) -> None:
        self._wire.request("POST", "https://shop.test/", data=shipment.number, repeatable=self.repeat is Repeat.SAFE)
        super().push_shipment(shipment)

    def push_stock(self, levels: list[StockLevel]):
        data = ",".join(f"{level.channel_sku}={level.qty}" for level in levels)
        self._wire.request("POST", "https://shop.test/", data=data, repeatable=True)
        return super().push_stock(levels)


def node(town: Town, repeat: Repeat, stop: Stop) -> tuple[Town, Wired]:
    """Return the town as one node sees it, with a connector of its own."""
    wired = Wired(town, repeat, stop)
    channels = {id: replace(each, connector=wired) for id, each in town.ctx.channels.items()}
    return replace(town, ctx=replace(town.ctx, channels=channels)), wired


@pytest.fixture
def left(left: Town) -> Town:
    """What we know of the order is old."""
    left.advance(10)
    return left


@pytest.mark.parametrize("repeat", [Repeat.SAFE, Repeat.LOOK_FIRST])
@pytest.mark.parametrize(
    ("slept_s", "silent"), [(13, True), (240, False)], ids=["until it counts as gone", "its lease"]
)
@pytest.mark.parametrize("where", ["at the limiter", "at the gate"])
def test_a_node_that_slept_does_not_send_the_parcel_that_another_one_has_sent(
    left: Town, repeat: Repeat, where: str, slept_s: float, silent: bool
) -> None:
    """failures.md rows 15 and 26: stopped right before the call, until its claim has passed on."""
    stop = Stop()
    sleeper, its = node(left, repeat, stop)
    other, others = node(left, repeat, Stop())

    def meanwhile() -> None:
        left.advance(slept_s)
        upkeep.reclaim_leases(left.ctx, owner_gone=silent)
        walk.tell(other)

    if where == "at the gate":
        its.at_gate = meanwhile
    else:
        stop.then = meanwhile
    walk.tell(sleeper)

    assert (its.arrived, len(others.arrived)) == ([], 1)
    assert looking.shipments(left) == [("S20260302000001-1", "sent")]


@pytest.mark.parametrize("where", ["at the limiter", "at the gate"])
def test_what_was_read_two_minutes_ago_lets_no_parcel_through(left: Town, where: str) -> None:
    """failures.md row 6: nobody else took it over, but the order was cancelled meanwhile."""
    stop = Stop()
    sleeper, wired = node(left, Repeat.LOOK_FIRST, stop)

    def meanwhile() -> None:
        left.advance(SEND_WITHIN_S + 1)
        left.shop.change("o1", state="cancelled")

    if where == "at the gate":
        wired.at_gate = meanwhile
    else:
        stop.then = meanwhile
    walk.tell(sleeper)
    assert (wired.arrived, looking.effects(left, SHIPMENT)) == ([], [("pending", "", 0)])
    assert looking.rows(left, select(channel.c.down_error)) == [("",)]

    walk.tell(sleeper)
    assert (wired.arrived, [state for _, state in looking.shipments(left)]) == ([], ["dropped"])


def test_a_parcel_that_came_too_late_goes_at_the_next_try_without_a_question(left: Town) -> None:
    stop = Stop(then=lambda: left.advance(SEND_WITHIN_S + 1))
    sleeper, wired = node(left, Repeat.NEVER, stop)
    walk.tell(sleeper)
    walk.tell(sleeper)

    assert wired.arrived == ["S20260302000001-1"]
    assert looking.effects(left, SHIPMENT) == []


@pytest.mark.parametrize("slept_s", [13, 360])
def test_a_number_that_comes_behind_its_claim_is_not_sent(town: Town, slept_s: float) -> None:
    stop = Stop()
    sleeper, wired = node(town, Repeat.SAFE, stop)
    town.shop.place("o1", ("A", 1))
    walk.read(town)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.advance(10)
    walk.read(town)
    walk.fan(town)

    def meanwhile() -> None:
        town.advance(slept_s)
        upkeep.reclaim_leases(town.ctx, owner_gone=True)

    stop.then = meanwhile
    stock_push.push_stock(sleeper.ctx, sleeper.channel())

    assert wired.arrived == []
