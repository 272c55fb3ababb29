"""Who takes a release: what accounts offer for it, by wish, card and name, and what is said where nobody does."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.core.policy import OrderPolicy
from erpsync.core.rates import Rate
from erpsync.core.rules import compile_book
from erpsync.flows.context import Context
from erpsync.flows.couriers.choice import choose_couriers
from erpsync.flows.couriers.rates import import_rates
from erpsync.flows.couriers.wanted import want_waybills
from erpsync.flows.explain.explain import explain_order
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.store.db.store import Tx
from erpsync.store.releases import lock_orders_in
from erpsync.store.tables import order_mark, orders, release
from tests.support import looking
from tests.support.courier import Courier, build_courier_desk, push, rate, states
from tests.support.depot import read_shop
from tests.support.desk import work
from tests.support.explaining import flat
from tests.support.shop import SHANGHAI, Town

ZONES = {"near": [("上海", ""), ("浙江", "")], "remote": [("新疆", "")]}
Make = Callable[..., tuple[Town, Courier]]


@pytest.fixture
def make(database_url: str) -> Iterator[Make]:
    """Build desks with an account, and the zones above; each is closed at the end."""
    made: list[Town] = []

    def build(**options: Any) -> tuple[Town, Courier]:
        town, courier = build_courier_desk(database_url, **options)
        town.ctx = replace(town.ctx, book=compile_book((), ZONES, SHANGHAI))
        made.append(town)
        return town, courier

    yield build
    for town in made:
        town.store.close()


def take_rates(ctx: Context, *rates: Rate) -> list[str]:
    said = import_rates(ctx, [(each, f"r.csv:{line}") for line, each in enumerate(rates, 2)], bad=[], actor="me")
    return [f"{source}: {text}" for source, text in said.refused]


def weigh(town: Town, grams: int) -> None:
    import_goods(town.ctx, [GoodsRow(sku="A", cells={"weight_g": str(grams)}, source="g:2")], actor="me")


def choose(town: Town, **order: Any) -> dict[str, Any]:
    """Release an order to the desk and choose; return its carrier, service and why."""
    town.shop.place("o1", ("A", 2), province="浙江省", city="杭州市", **order)
    work(town)
    return chosen(town)


def chosen(town: Town) -> dict[str, Any]:
    def act(tx: Tx) -> dict[str, Any]:
        [row] = tx.all(select(release.c.id).where(release.c.state == "told"))
        lock_orders_in(tx, row.id)
        want_waybills(tx, town.ctx, choose_couriers(tx, town.ctx, [row.id]))
        now = tx.execute(select(release).where(release.c.id == row.id)).one()
        return {"carrier": now.carrier, "service": now.service, **json.loads(now.choice or "{}")}

    return town.store.retrying(act)


def test_the_only_account_takes_it_where_nothing_speaks_against_it(make: Make) -> None:
    town, courier = make()

    got = choose(town)
    push(town)

    assert (got["carrier"], got["ground"], got["cost_minor"]) == ("SF", "priority", None)
    assert (states(town), len(courier.paid)) == (["booked"], 1)


def test_the_cheapest_service_of_the_card_takes_it_by_weight_and_zone(make: Make) -> None:
    town, _ = make()
    weigh(town, 600)
    take_rates(
        town.ctx,
        rate("near", 1200, service="air"),
        rate("near", 800, service="road"),
        rate("remote", 100, service="slow"),
    )

    got = choose(town)

    assert (got["service"], got["ground"], got["cost_minor"]) == ("road", "cheapest", 1000)
    assert got["refused"] == [["sf", "slow", "zone_not_served"]]


def test_what_nobody_takes_is_a_task_that_names_each_reason(make: Make) -> None:
    town, courier = make()
    take_rates(town.ctx, rate("remote", 1200))

    got = choose(town)

    assert (got["carrier"], got["ground"]) == ("", "no_courier")
    assert (looking.tasks(town), states(town), courier.calls) == (["no_courier"], [], 0)

    take_rates(town.ctx, rate("", 1200))
    assert (chosen(town)["carrier"], looking.tasks(town)) == ("SF", [])


def test_the_order_says_who_takes_it_why_and_who_does_not(make: Make) -> None:
    town, _ = make()
    weigh(town, 600)
    take_rates(town.ctx, rate("near", 1200, service="air"), rate("remote", 100, service="slow"))
    choose(town)
    push(town)

    steps = flat(explain_order(town.ctx, "o1")["steps"])
    said = [step["text"] for step in steps if "SF" in step["text"] or "slow" in step["text"]]

    assert said == [
        "SF takes it, by account sf: it is the cheapest",
        "not by sf (slow): its card has no price for the place",
        "its waybill is SF0000000000001",
    ]


def test_couriers_that_a_shop_does_not_allow_are_not_chosen(make: Make) -> None:
    town, _ = make(orders=OrderPolicy(couriers=("YTO",)))

    assert choose(town)["refused"] == [["sf", "", "carrier_not_allowed"]]


def test_a_wish_that_nobody_offers_is_said(make: Make) -> None:
    town, _ = make()
    town.shop.place("o1", ("A", 1))
    read_shop(town)
    with town.store.begin() as tx:
        order_id = tx.execute(select(orders.c.id)).scalar_one()
        mark = {"order_id": order_id, "name": "carrier", "value": "YTO SF", "rule": "", "actor": "me", "at": tx.now}
        tx.execute(order_mark.insert().values(**mark))

    work(town, shop=False)
    got = chosen(town)

    assert (got["ground"], got["unmet"]) == ("wish", ["YTO"])


def test_a_card_with_a_bad_row_is_refused_whole(make: Make) -> None:
    town, _ = make()

    assert take_rates(town.ctx, rate("near", 1200), rate("moon", 1), rate("near", 900)) == [
        "r.csv:3: there is no zone moon in rules.yaml",
        "r.csv:4: near has a price on r.csv:2 already",
    ]
    assert take_rates(town.ctx, rate("", 100, account="shop")) == ["r.csv:2: channel shop is no account with a courier"]
    assert looking.count(town, "rate") == 0


def test_a_card_takes_the_place_of_the_earlier_one(make: Make) -> None:
    town, _ = make()
    take_rates(town.ctx, rate("near", 1200), rate("remote", 2000))
    take_rates(town.ctx, rate("", 900))

    assert looking.count(town, "rate") == 1
