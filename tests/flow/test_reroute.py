"""A warehouse gives a release back: another one sends it where the settings say so, else a person decides."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from erpsync.core.policy import RefusedPolicy, ReleasePolicy, WarehousePolicy
from erpsync.flows.inventory import counts
from erpsync.flows.orders.actions import end_hold
from erpsync.store.tables import hold, release, warehouse
from tests.support import looking
from tests.support.depot import Depot, build_depot, work
from tests.support.shop import Town

Pair = tuple[Town, Depot]
PLACES = tuple(WarehousePolicy(id=id, channel="wms", priority=nth) for nth, id in enumerate(("SH", "GZ", "CD"), 1))


@pytest.fixture
def pair(database_url: str) -> Iterator[Pair]:
    """Three warehouses of one system with ten of A each, and o1 of two A, which SH has got."""
    town, depot = build_depot(database_url, warehouses=PLACES)
    refused(town, reroute=True, tries=2)
    for place in PLACES:
        counts.set_stock(town.ctx, warehouse=place.id, sku="A", on_hand=10, actor="me")
    town.shop.place("o1", ("A", 2))
    work(town)
    yield town, depot
    town.store.close()


def refused(town: Town, *, reroute: bool, tries: int = 2, ask_after_h: float = 0) -> None:
    policy = RefusedPolicy(reroute=reroute, tries=tries, ask_after_h=ask_after_h)
    town.ctx = replace(town.ctx, releases=ReleasePolicy(refused=policy))


def gone(town: Town) -> list[tuple[str, str]]:
    """Return where each release went, and what became of it."""
    query = select(warehouse.c.code, release.c.state).join(release, release.c.warehouse_id == warehouse.c.id)
    return [(place, state) for place, state in looking.rows(town, query.order_by(release.c.id))]


def give_back(town: Town, depot: Depot) -> None:
    depot.say(depot.numbers[-1], stopped=True, reason="not found")
    work(town)


def held_at(town: Town) -> list[tuple[str, int]]:
    query = select(warehouse.c.code, hold.c.qty).join(hold, hold.c.warehouse_id == warehouse.c.id)
    return [(place, qty) for place, qty in looking.rows(town, query)]


def number(town: Town) -> str:
    return str(looking.see(town, "o1")["number"])


def test_the_next_warehouse_is_told_and_the_first_one_holds_nothing_of_it(pair: Pair) -> None:
    town, depot = pair
    give_back(town, depot)

    assert gone(town) == [("SH", "stopped"), ("GZ", "told")]
    assert (held_at(town), looking.status(town, "o1")[0]) == ([("GZ", 2)], "released")
    assert looking.problems(town) == []


def test_after_so_many_a_person_is_asked_and_a_release_by_hand_asks_all_again(pair: Pair) -> None:
    town, depot = pair
    give_back(town, depot)
    give_back(town, depot)
    assert (gone(town)[-1], looking.status(town, "o1")) == (("GZ", "stopped"), ("held", "warehouse_refused"))
    assert looking.tasks(town) == ["warehouse_refused"]

    end_hold(town.ctx, number(town), actor="me")
    work(town)
    assert gone(town)[-1][1] == "told"
    assert looking.tasks(town) == []


def test_a_person_is_asked_only_after_the_hours_that_are_set(pair: Pair) -> None:
    town, depot = pair
    refused(town, reroute=False, ask_after_h=3)
    give_back(town, depot)
    assert (looking.status(town, "o1"), looking.tasks(town)) == (("held", "warehouse_refused"), [])

    town.advance(timedelta(hours=3, seconds=1).total_seconds())
    work(town)
    assert looking.tasks(town) == ["warehouse_refused"]


def test_without_the_setting_the_order_waits_where_it_is(pair: Pair) -> None:
    town, depot = pair
    refused(town, reroute=False)
    give_back(town, depot)

    assert (gone(town), held_at(town)) == ([("SH", "stopped")], [("SH", 2)])
    assert looking.status(town, "o1") == ("held", "warehouse_refused")


def test_an_order_that_was_given_back_waits_for_others_rather_than_for_that_warehouse(pair: Pair) -> None:
    town, depot = pair
    for place in ("GZ", "CD"):
        counts.set_stock(town.ctx, warehouse=place, sku="A", on_hand=0, actor="me")
    give_back(town, depot)
    assert (held_at(town), looking.status(town, "o1")[0]) == ([], "backordered")

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=20, actor="me")
    work(town)
    assert held_at(town) == []
    counts.set_stock(town.ctx, warehouse="CD", sku="A", on_hand=2, actor="me")
    work(town)
    assert (held_at(town), gone(town)[-1]) == ([("CD", 2)], ("CD", "told"))
