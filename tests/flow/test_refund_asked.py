"""A refund that only the order's own view tells of keeps its goods here; one that came too late is told. Row 6."""

from dataclasses import replace

import pytest

from erpsync.core.policy import OrderPolicy
from erpsync.flows.shipments import push
from erpsync.sdk.types import Shipment
from tests.support import looking, walk
from tests.support.depot import Depot, work
from tests.support.shop import ShopConnector, Town


def reason(town: Town) -> str:
    (found,) = looking.rows(town, "SELECT reason FROM task WHERE kind = 'refund_late'")
    return str(found[0])


def test_a_refund_that_the_gate_reads_in_the_order_itself_holds_the_parcel(left: Town) -> None:
    """No list of refunds has shown it yet; the order, read again a moment ago, does."""
    left.shop.change("o1", refund_asked="r1")
    left.advance(OrderPolicy().gate_s + 1)
    walk.tell(left)
    assert (looking.parcel_state(left), left.shop.parcels, looking.tasks(left)) == ("waiting", [], ["gate"])

    left.shop.change("o1", refund_asked="")
    walk.read(left, "orders")
    walk.tell(left)
    assert (looking.parcel_state(left), len(left.shop.parcels)) == ("sent", 1)


@pytest.mark.parametrize("named", ["r1", "sub-order 17"])
def test_it_goes_on_when_the_list_of_refunds_says_that_it_was_closed(left: Town, named: str) -> None:
    """The order's view need not change with it."""
    left.shop.change("o1", refund_asked=named)
    walk.read(left, "orders")
    walk.tell(left)
    assert looking.parcel_state(left) == "waiting"

    left.shop.refund("r1", "o1", state="closed", n1=2)
    walk.read(left, "refunds")
    walk.tell(left)
    assert looking.parcel_state(left) == "sent"


def test_a_refund_closed_earlier_does_not_hide_that_one_is_asked_for_again(left: Town) -> None:
    left.shop.refund("r1", "o1", state="closed", n1=2)
    walk.read(left, "refunds")
    left.shop.change("o1", refund_asked="r1")
    walk.read(left, "orders")
    walk.tell(left)

    assert looking.parcel_state(left) == "waiting"


def test_a_view_that_says_nothing_of_refunds_ends_none(left: Town) -> None:
    left.shop.change("o1", refund_asked="r1")
    walk.read(left, "orders")
    left.shop.change("o1", refund_asked=None)
    walk.read(left, "orders")
    walk.tell(left)

    assert looking.parcel_state(left) == "waiting"


def test_a_parcel_that_was_told_before_its_refund_became_known_opens_a_task(left: Town) -> None:
    left.shop.refund("r1", "o1", n1=2)
    walk.tell(left)
    assert (looking.parcel_state(left), looking.tasks(left)) == ("sent", [])

    walk.read(left, "refunds")

    assert looking.tasks(left) == ["refund_late"]
    assert "although a refund of order" in reason(left)
    assert reason(left).startswith("parcel ")


def test_a_return_that_is_asked_for_after_the_parcel_was_told_is_no_such_task(left: Town) -> None:
    walk.tell(left)
    left.advance(60)
    left.shop.refund("r1", "o1", n1=2)
    walk.read(left, "refunds")

    assert looking.tasks(left) == []


class Hasty(ShopConnector):
    """A shop whose refund becomes known while it is told of the parcel."""

    town: Town

    def push_shipment(self, shipment: Shipment) -> None:
        self.shop.refund("r1", "o1", n1=2)
        walk.read(self.town, "refunds")
        super().push_shipment(shipment)


def test_a_refund_that_becomes_known_during_the_call_opens_a_task(left: Town) -> None:
    hasty = Hasty(left.shop, left.clock)
    hasty.town = left
    channel = replace(left.channel(), connector=hasty)

    push.push_shipments(replace(left.ctx, channels={channel.id: channel}), channel)

    assert (looking.parcel_state(left), looking.tasks(left)) == ("sent", ["refund_late"])


def test_a_warehouse_is_not_told_of_an_order_whose_view_names_a_refund(pair: tuple[Town, Depot]) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2), refund_asked="r1")
    work(town)

    assert (depot.numbers, looking.status(town, "o1")) == ([], ("held", "refund_open"))


def test_a_release_that_went_out_before_its_refund_became_known_opens_a_task(pair: tuple[Town, Depot]) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))

    def ask() -> None:
        town.shop.refund("r1", "o1", n1=2)
        walk.read(town, "refunds")

    depot.before = ask
    work(town)

    assert len(depot.numbers) == 1
    assert "refund_late" in looking.tasks(town)
    assert reason(town).startswith("release ")
