"""What is released to a desk is people's at once; until paper is out it is stopped without them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from erpsync.core.policy import ParcelPolicy
from erpsync.flows.desk.scans import leave
from erpsync.flows.orders.actions import hold_order
from erpsync.flows.shipments.record import ship
from tests.support import looking
from tests.support.desk import build_desk, printed, states, work
from tests.support.shop import Town


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    """A desk in SH that has got o1, two of A."""
    town = build_desk(database_url)
    town.shop.place("o1", ("A", 2))
    work(town)
    yield town
    town.store.close()


def test_a_paid_order_is_released_to_the_desk_without_a_hand(town: Town) -> None:
    assert list(states(town).values()) == ["told"]
    assert looking.status(town, "o1")[0] == "released"
    assert looking.story(town, "o1").count("release.made") == 1


def test_a_cancel_before_paper_frees_the_units_at_once(town: Town) -> None:
    town.shop.change("o1", state="cancelled")
    work(town)

    assert list(states(town).values()) == ["stopped"]
    assert looking.status(town, "o1")[0] == "cancelled"
    assert looking.on_shelf(town)[("SH", "A")] == (10, 0)


def test_a_cancel_after_paper_asks_a_person_and_keeps_the_units(town: Town) -> None:
    [number] = states(town)
    printed(town, number)
    town.shop.change("o1", state="cancelled")
    work(town)
    work(town)

    assert list(states(town).values()) == ["recalled"]
    assert looking.on_shelf(town)[("SH", "A")] == (10, 2)
    assert looking.tasks(town) == ["recall"]


def test_a_parcel_that_somebody_reports_has_left_the_desk_and_nobody_looks_for_its_papers(town: Town) -> None:
    [number] = states(town)
    printed(town, number)
    ship(town.ctx, order=str(looking.see(town, "o1")["number"]), carrier="SF", tracking="SF1", actor="me")
    work(town)

    assert (states(town), looking.tasks(town)) == ({number: "shipped"}, [])
    assert looking.on_shelf(town)[("SH", "A")] == (8, 0)


def test_of_two_parcels_of_a_line_the_one_that_was_not_reported_is_still_looked_for(town: Town) -> None:
    channels = {
        id: replace(channel, orders=replace(channel.orders, parcel=ParcelPolicy(max_units=3)))
        for id, channel in town.ctx.channels.items()
    }
    town.ctx = replace(town.ctx, channels=channels)
    town.shop.place("o2", ("A", 5))
    work(town)
    first, second = list(states(town))[1:]
    for number in (first, second):
        printed(town, number)
    leave(town.ctx, first, carrier="SF", tracking="SF1234567", actor="me")
    hold_order(town.ctx, str(looking.see(town, "o2")["number"]), reason="look", actor="me")
    work(town)

    assert [states(town)[number] for number in (first, second)] == ["shipped", "recalled"]
