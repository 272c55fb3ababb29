"""What an order wants held, given how far it is and until when it reserves."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from erpsync.core.allocation import HoldOwner
from erpsync.core.fulfilment import needs
from erpsync.core.orders import KnownOrder, with_shipped
from erpsync.sdk.types import OrderState
from tests.support.views import NOON, known, line

MINUTE = timedelta(minutes=1)
CUP, PLATE = 7, 8


def order(state: OrderState = OrderState.PAID) -> KnownOrder:
    """Return an order of three sets of two cups and a plate, and of a line that is no longer wanted."""
    made = known(line(qty=3), line("L2", cancelled_qty=2), state=state)
    return replace(made, lines=tuple(replace(each, parts={CUP: 2, PLATE: 1}) for each in made.lines))


def wanted(made: KnownOrder, reserve_until: datetime | None = None) -> dict[int, int]:
    found = needs(made, reserve_until=reserve_until, now=NOON)
    assert {owner for owner, _ in found} <= {HoldOwner("line", 1)}
    return {sku_id: qty for (_, sku_id), qty in found.items()}


def test_an_order_that_is_due_wants_the_parts_of_what_is_still_to_leave() -> None:
    assert wanted(order()) == {CUP: 6, PLATE: 3}
    assert wanted(with_shipped(order(), {1: 1})) == {CUP: 4, PLATE: 2}


@pytest.mark.parametrize("state", [OrderState.CANCELLED, OrderState.SHIPPED, OrderState.COMPLETED])
def test_an_order_of_which_nothing_is_to_leave_wants_nothing(state: OrderState) -> None:
    assert wanted(order(state)) == {}


@pytest.mark.parametrize(
    ("reserve_until", "want"), [(None, {}), (NOON, {}), (NOON - MINUTE, {}), (NOON + MINUTE, {CUP: 6, PLATE: 3})]
)
def test_an_order_that_is_not_due_wants_them_while_it_reserves(
    reserve_until: datetime | None, want: dict[int, int]
) -> None:
    assert wanted(order(OrderState.UNPAID), reserve_until) == want
