"""A warehouse gives a release back: another one sends it where the settings say so, else a person decides."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.core.policy import RefusedPolicy, ReleasePolicy, WarehousePolicy
from erpsync.flows.inventory import counts
from erpsync.flows.orders.actions import end_hold
from erpsync.flows.own_orders.drop_refused import drop_refused
from erpsync.store.tables import hold, release, warehouse
from tests.support import looking
from tests.support.depot import Depot, build_depot, work
from tests.support.dying import At, Crash, dying
from tests.support.own_orders import make
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


def refused(town: Town, *, reroute: bool, tries: int = 2, **more: Any) -> None:
    policy = RefusedPolicy(reroute=reroute, tries=tries, **more)
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


@pytest.fixture
def taken_by_none(pair: Pair) -> tuple[Town, str]:
    """An order that was made here, and the shop's, which SH has given back; it is for three days that they wait."""
    town, depot = pair
    refused(town, reroute=False, drop_after_days=3)
    number = make(town, lines=[{"sku": "A", "qty": 1, "price_minor": 1000}]).number
    work(town)
    for told in depot.numbers:
        depot.say(told, stopped=True, reason="not found")
    work(town)
    return town, number


def test_an_own_order_that_no_warehouse_takes_is_cancelled_after_the_days_that_are_set_and_a_shops_never(
    taken_by_none: tuple[Town, str],
) -> None:
    town, number = taken_by_none
    assert [looking.status(town, order) for order in (number, "o1")] == [("held", "warehouse_refused")] * 2
    town.advance(timedelta(days=3).total_seconds() - 60)
    assert drop_refused(town.ctx) == 0
    town.advance(120)

    assert (drop_refused(town.ctx), drop_refused(town.ctx)) == (1, 0)
    work(town)

    assert looking.status(town, number)[0] == "cancelled"
    assert looking.status(town, "o1") == ("held", "warehouse_refused")
    assert [detail["reason"] for _, detail in looking.events(town, "order.cancelled")] == [
        "no warehouse took it within 3 days"
    ]
    assert (looking.tasks(town), looking.problems(town)) == (["warehouse_refused"], [])
    assert looking.held(town, number) == {}


def test_an_own_order_stays_without_the_setting_or_once_a_person_has_released_it(
    taken_by_none: tuple[Town, str],
) -> None:
    town, number = taken_by_none
    town.advance(timedelta(days=4).total_seconds())
    never = replace(town.ctx, releases=ReleasePolicy())
    assert drop_refused(never) == 0

    end_hold(town.ctx, number, actor="me")

    assert (drop_refused(town.ctx), looking.events(town, "order.cancelled")) == (0, [])


@pytest.mark.parametrize("at", ["before", "behind"])
def test_a_clock_that_dies_around_its_commit_has_dropped_it_once_when_it_strikes_again(
    taken_by_none: tuple[Town, str], at: At
) -> None:
    town, number = taken_by_none
    town.advance(timedelta(days=4).total_seconds())
    with pytest.raises(Crash):
        drop_refused(replace(dying(town, at), releases=town.ctx.releases))

    assert drop_refused(town.ctx) == (0 if at == "behind" else 1)
    assert (looking.status(town, number)[0], len(looking.events(town, "order.cancelled"))) == ("cancelled", 1)
    assert looking.problems(town) == []


@pytest.mark.concurrent("threads")
def test_nodes_whose_clocks_strike_at_once_drop_it_once(
    taken_by_none: tuple[Town, str], make_town: Callable[..., Town]
) -> None:
    town, number = taken_by_none
    town.advance(timedelta(days=4).total_seconds())
    town.store.trusted_now()
    nodes = [make_town(town=town) for _ in range(4)]
    gate = threading.Barrier(len(nodes))

    def strike(node: Town) -> int:
        gate.wait(60)
        return drop_refused(replace(node.ctx, releases=town.ctx.releases))

    with ThreadPoolExecutor(len(nodes)) as pool:
        done = list(pool.map(strike, nodes))

    assert sum(done) == len(looking.events(town, "order.cancelled")) == 1
    assert looking.status(town, number)[0] == "cancelled"
