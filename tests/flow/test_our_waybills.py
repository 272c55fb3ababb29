"""A warehouse's system whose parcels bear our waybills: a release waits for its number, and takes it along."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.couriers import acts
from erpsync.flows.couriers.numbers import NumberRow, import_numbers
from erpsync.flows.errors import Refused
from erpsync.flows.explain.explain import explain_order
from erpsync.flows.inventory import counts
from erpsync.flows.orders.actions import hold_order
from erpsync.sdk.errors import RejectedError
from erpsync.sdk.types import Repeat
from erpsync.store.tables import release
from tests.support import looking
from tests.support.courier import SENDER, BuyingConnector, Courier, CourierConnector, push, states
from tests.support.depot import Depot, build_depot, work
from tests.support.explaining import flat
from tests.support.shop import SHANGHAI, Town

OURS = WarehousePolicy(id="SH", channel="wms", sender=SENDER, waybill="ours")
Make = Callable[..., tuple[Town, Depot, Courier]]


@pytest.fixture
def make(database_url: str) -> Iterator[Make]:
    """Build shops with a depot that has 10 of A, and an account `sf`; each is closed at the end."""
    made: list[Town] = []

    def build(*, books: bool = True, place: WarehousePolicy = OURS) -> tuple[Town, Depot, Courier]:
        town, depot = build_depot(database_url, warehouses=[place])
        courier = Courier(clock=town.clock)
        sink = CourierConnector(courier, town.clock, Repeat.LOOK_FIRST, None)
        specs = [
            ChannelSpec(name=c.name, kind=c.kind, poll=c.poll, orders=c.orders, stock=c.stock, connector=c.connector)
            for c in town.ctx.channels.values()
        ]
        account = sink if books else BuyingConnector(courier, town.clock)
        specs.append(ChannelSpec(name="sf", kind="courier", connector=account))
        town.ctx = open_context(town.store, warehouses=[place], channels_=specs, timezone=SHANGHAI)
        counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
        made.append(town)
        return town, depot, courier

    yield build
    for town in made:
        town.store.close()


def releases(town: Town) -> list[tuple[str, str]]:
    """Return number and state of every release."""
    with town.store.read() as connection:
        rows = connection.execute(select(release.c.number, release.c.state).order_by(release.c.id))
        return [(row.number, row.state) for row in rows]


def texts(town: Town) -> list[str]:
    return [step["text"] for step in flat(explain_order(town.ctx, "o1")["steps"])]


def order(town: Town, **more: Any) -> str:
    town.shop.place("o1", ("A", 2), **more)
    work(town)
    [(number, _)] = releases(town)
    return number


def test_a_release_waits_for_its_number_and_takes_it_along(make: Make) -> None:
    town, depot, courier = make()
    number = order(town)

    assert (depot.got, releases(town)) == ([], [(number, "pending")])
    assert f"release {number} is made and goes to SH with its waybill, as soon as it has one" in texts(town)

    push(town)
    work(town, shop=False)

    [got] = depot.got
    assert (got.number, got.carrier, got.waybills) == (number, "SF", tuple(courier.paid))
    assert (releases(town), states(town)) == ([(number, "told")], ["booked"])


def test_its_parcel_leaves_with_that_number(make: Make) -> None:
    town, depot, courier = make()
    number = order(town)
    push(town)
    work(town, shop=False)

    depot.send(number, courier.paid[0])
    work(town)

    assert (releases(town), states(town)) == ([(number, "shipped")], ["used"])


def test_a_number_that_was_bought_in_advance_goes_with_the_first_call(make: Make) -> None:
    town, depot, _ = make(books=False)
    rows = [NumberRow(carrier="SF", number="SF1", source="n:2")]
    import_numbers(town.ctx, town.channel("sf"), rows, actor="me")

    number = order(town)

    assert [(each.number, each.waybills) for each in depot.got] == [(number, ("SF1",))]


def test_numbers_that_are_bought_later_let_the_release_go(make: Make) -> None:
    town, depot, _ = make(books=False)
    order(town)
    assert (depot.got, looking.tasks(town)) == ([], ["no_waybill"])

    rows = [NumberRow(carrier="SF", number="SF1", source="n:2")]
    import_numbers(town.ctx, town.channel("sf"), rows, actor="me")
    work(town, shop=False)

    assert [each.waybills for each in depot.got] == [("SF1",)]


def test_an_order_that_is_held_meanwhile_is_not_sent_and_its_number_is_void(make: Make) -> None:
    town, depot, courier = make()
    order(town)
    push(town)
    hold_order(town.ctx, "o1", actor="me", reason="look")
    work(town, shop=False)
    push(town)

    assert (depot.got, [state for _, state in releases(town)]) == ([], ["dropped"])
    assert (states(town), courier.void) == (["cancelled"], courier.paid)


def test_a_refused_booking_is_a_task_and_the_release_goes_once_it_is_mended(make: Make) -> None:
    town, depot, courier = make()
    courier.trouble["book before"] = [RejectedError("no such street")]
    number = order(town)
    push(town)
    town.advance(61)
    work(town, shop=False)
    assert (depot.got, looking.tasks(town)) == ([], ["no_waybill"])

    acts.book(town.ctx, number, actor="me")
    push(town)
    work(town, shop=False)

    assert [each.number for each in depot.got] == [number]


def test_a_number_that_the_warehouse_has_is_not_voided(make: Make) -> None:
    town, _, courier = make()
    order(town)
    push(town)
    work(town, shop=False)

    with pytest.raises(Refused, match="have it stopped there first"):
        acts.void(town.ctx, courier.paid[0], actor="me")


def test_a_release_that_is_stopped_gives_its_number_back(make: Make) -> None:
    town, depot, courier = make()
    number = order(town)
    push(town)
    work(town, shop=False)

    hold_order(town.ctx, "o1", actor="me", reason="look")
    work(town, shop=False)
    push(town)

    assert (depot.asked, releases(town)) == ([number], [(number, "stopped")])
    assert (states(town), courier.void) == (["cancelled"], courier.paid)


def test_a_warehouse_that_gets_its_own_numbers_is_told_at_once(make: Make) -> None:
    town, depot, courier = make(place=replace(OURS, waybill="theirs"))
    number = order(town)
    push(town)

    [got] = depot.got
    assert (got.number, got.carrier, got.waybills, courier.calls) == (number, "", (), 0)
