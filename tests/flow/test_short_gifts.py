"""A gift that is short keeps no parcel: it is waited for as long as may be, replaced, or dropped."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from erpsync.flows.inventory import counts
from erpsync.flows.shipments.record import ship
from erpsync.flows.warehouses.release import release_ready
from tests.support import looking
from tests.support.depot import Depot, build_depot, read_shop
from tests.support.ruled import lines_of, put_in_force
from tests.support.shop import Town

Pair = tuple[Town, Depot]


@pytest.fixture
def pair(database_url: str) -> Iterator[Pair]:
    """A warehouse with ten TEA and two FAN, and no SCARF."""
    town, depot = build_depot(database_url)
    for sku, qty in (("TEA", 10), ("FAN", 2), ("SCARF", 0)):
        counts.set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=qty, actor="me")
    yield town, depot
    town.store.close()


def give(town: Town, short: str) -> None:
    gift = f"{{sku: SCARF, short: {short}}}"
    put_in_force(town, f"rules: [{{id: spring, when: {{total: {{ge: 0}}}}, then: {{gift: {gift}}}}}]")
    town.shop.place("o1", ("TEA", 1))
    read_shop(town)


def test_a_gift_that_is_dropped_when_it_is_short_lets_the_rest_go(pair: Pair) -> None:
    town, _ = pair
    give(town, "drop")
    assert lines_of(town, "o1")["gift:spring"] == (1, 0)

    assert release_ready(town.ctx) == 1

    assert lines_of(town, "o1")["gift:spring"] == (1, 1)
    assert ("order.changed", {"spring": "dropped"}) in [
        (kind, detail.get("gifts")) for kind, detail in looking.events(town, "order.changed")
    ]
    counts.set_stock(town.ctx, warehouse="SH", sku="SCARF", on_hand=5, actor="me")
    assert lines_of(town, "o1")["gift:spring"] == (1, 1)  # the parcel without it may be on its way


def test_a_gift_is_replaced_by_another_and_dropped_when_that_is_short_too(pair: Pair) -> None:
    town, _ = pair
    give(town, "FAN")
    assert release_ready(town.ctx) == 1
    assert looking.held(town, "o1") == {"TEA": 1, "FAN": 1}

    counts.set_stock(town.ctx, warehouse="SH", sku="FAN", on_hand=1, actor="me")
    town.shop.place("o2", ("TEA", 1))
    read_shop(town)
    release_ready(town.ctx)
    release_ready(town.ctx)

    assert looking.held(town, "o2") == {"TEA": 1}
    assert lines_of(town, "o2")["gift:spring"] == (1, 1)


def test_a_gift_that_is_waited_for_keeps_the_order_until_it_must_go(pair: Pair) -> None:
    town, _ = pair
    put_in_force(town, "rules: [{id: spring, when: {total: {ge: 0}}, then: {gift: {sku: SCARF}}}]")
    town.shop.place("o1", ("TEA", 1), ship_by_at=town.clock.now() + timedelta(hours=6))
    read_shop(town)
    assert release_ready(town.ctx) == 0

    town.advance(2 * 3600 + 1)
    read_shop(town)

    assert release_ready(town.ctx) == 1
    assert lines_of(town, "o1")["gift:spring"] == (1, 1)


def test_a_gift_that_is_waited_for_comes_along_when_it_comes_in_time(pair: Pair) -> None:
    town, _ = pair
    give(town, "wait")
    assert release_ready(town.ctx) == 0

    counts.set_stock(town.ctx, warehouse="SH", sku="SCARF", on_hand=1, actor="me")

    assert release_ready(town.ctx) == 1
    assert looking.held(town, "o1") == {"TEA": 1, "SCARF": 1}


def test_a_gift_is_dropped_when_all_that_was_sold_has_left_without_it(pair: Pair) -> None:
    town, _ = pair
    give(town, "wait")

    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")

    assert (looking.status(town, "o1")[0], lines_of(town, "o1")["gift:spring"]) == ("shipped", (1, 1))
