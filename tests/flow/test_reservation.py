"""Orders that are not ready: what they hold, until when. Design section 7 and failures.md row 22."""

from collections.abc import Callable
from typing import Any

import pytest

from erpsync.core.policy import OrderPolicy
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.operations.counters import verify_counters
from erpsync.flows.operations.reservations import expire_reservations
from erpsync.sdk.types import OrderState
from tests.support.facts import fact, later, line, order, take_in
from tests.support.looking import count, held, on_shelf, status, story
from tests.support.shop import Town

UNPAID = OrderState.UNPAID


def shop(make_town: Callable[..., Town], **rules: Any) -> Town:
    town = make_town(orders=OrderPolicy(**rules))
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=5, actor="keeper")
    return town


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """A shop that reserves at placement, for half an hour."""
    return shop(make_town, reserve="placement", reserve_minutes=30)


def place(town: Town, qty: int = 3, id: str = "o1", **fields: Any) -> None:
    take_in(town, fact(order(id, line(qty=qty), state=UNPAID, **fields)))


def pay(town: Town, second: float = 9, qty: int = 3) -> None:
    paid = order("o1", line(qty=qty), version_at=later(second), paid_at=later(second), ready_at=later(second))
    take_in(town, fact(paid, digest=f"paid{second}", read=(second, second)))


def test_an_unpaid_order_holds_nothing_by_default(make_town: Callable[..., Town]) -> None:
    town = shop(make_town)
    place(town)

    assert (status(town, "o1"), on_shelf(town)["SH", "TEA"]) == (("unpaid", None), (5, 0))


def test_a_shop_that_reserves_at_placement_holds_units_at_once(town: Town) -> None:
    place(town)

    assert (status(town, "o1"), held(town, "o1")) == (("unpaid", None), {"TEA": 3})
    assert count(town, "hold WHERE expires_at IS NOT NULL") == 1


def test_a_reservation_ends_by_itself_and_not_a_second_early(town: Town) -> None:
    place(town)
    town.advance(30 * 60 - 1)
    assert expire_reservations(town.ctx) == 0

    town.advance(1)
    assert expire_reservations(town.ctx) == 1

    assert (on_shelf(town)["SH", "TEA"], count(town, "hold"), count(town, "backorder")) == ((5, 0), 0, 0)
    assert "order.reservation_ended" in story(town, "o1")


def test_units_of_an_ended_reservation_go_to_who_waits(town: Town) -> None:
    place(town, qty=5)
    take_in(town, fact(order("o2", line(qty=2), paid_at=later(60))))
    assert status(town, "o2") == ("backordered", None)
    town.advance(1800)

    expire_reservations(town.ctx)

    assert status(town, "o2") == ("allocated", None)


def test_a_payment_in_time_makes_the_reservation_last(town: Town) -> None:
    place(town)
    pay(town)
    town.advance(86_400)

    assert expire_reservations(town.ctx) == 0
    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 3})
    assert count(town, "hold WHERE expires_at IS NULL") == 1


def test_a_payment_after_the_end_takes_what_is_left_and_waits_for_the_rest(town: Town) -> None:
    place(town)
    town.advance(1801)
    expire_reservations(town.ctx)
    take_in(town, fact(order("o2", line(qty=4))))

    pay(town, 1802)

    assert (status(town, "o1"), held(town, "o1")) == (("backordered", None), {"TEA": 1})
    assert verify_counters(town.ctx) == []


def test_an_order_seen_after_its_reservation_would_have_ended_holds_nothing(town: Town) -> None:
    town.advance(1801)
    place(town)

    assert (status(town, "o1"), count(town, "hold")) == (("unpaid", None), 0)


def test_an_unpaid_order_that_finds_too_little_waits_for_nothing(town: Town) -> None:
    place(town, qty=8)

    assert (held(town, "o1"), count(town, "backorder"), status(town, "o1")[0]) == ({"TEA": 5}, 0, "unpaid")


def test_a_placed_order_that_is_closed_gives_its_units_back(town: Town) -> None:
    place(town)

    closed = order("o1", line(qty=3), state=OrderState.CANCELLED, version_at=later(9))
    take_in(town, fact(closed, digest="b", read=(9, 9)))

    assert (status(town, "o1"), on_shelf(town)["SH", "TEA"]) == (("cancelled", None), (5, 0))


def test_an_order_that_is_no_longer_ready_gives_its_units_back(make_town: Callable[..., Town]) -> None:
    town = shop(make_town)
    take_in(town, fact(order("o1", line(qty=3))))
    assert held(town, "o1") == {"TEA": 3}

    take_in(town, fact(order("o1", line(qty=3), state=UNPAID, version_at=later(9)), digest="b", read=(9, 9)))

    assert (status(town, "o1"), on_shelf(town)["SH", "TEA"], count(town, "backorder")) == (("unpaid", None), (5, 0), 0)
