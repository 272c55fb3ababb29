"""Whether money that was given back was for the whole order: asked of what was to pay when it was granted.

failures.md row 23.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.orders.actions import cancel_order
from erpsync.flows.records.batch import RefundRecord
from erpsync.flows.shipments.record import ship
from erpsync.sdk.types import Line, OrderState, RefundState
from erpsync.store.tasks import close_tasks
from tests.support.facts import fact, later, line, order, refund, refund_fact, take_in
from tests.support.looking import held, lines, rows, status, tasks
from tests.support.shop import Town

CUP, TEA = line("CUP", 5, id="1", price=100), line("TEA", 1, id="2", price=100)


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with ten CUP and ten TEA in SH."""
    town = make_town()
    for sku in ("CUP", "TEA"):
        set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=10, actor="keeper")
    return town


def view(town: Town, second: float, *bought: Line, **fields: int) -> None:
    """Take in the order as it was changed at this second."""
    item = order("o1", *bought, version_at=later(second), **fields)
    take_in(town, fact(item, digest=f"v{second}", read=(second, second)))


def give_back(
    town: Town, second: float, amount: int, *, id: str = "r1", read: float | None = None, **units: int
) -> None:
    """Take in a refund that was granted at this second."""
    item = refund(id, "o1", state=RefundState.GRANTED, amount=amount, **units)
    when = second if read is None else read
    said = refund_fact(item, digest=f"{id}{second}", read=(when, when))
    take_in(town, refunds=[at(said, second)])


def at(said: RefundRecord, second: float) -> RefundRecord:
    return replace(said, refund=replace(said.refund, version_at=later(second)))


def test_a_total_that_was_lowered_afterwards_makes_no_refund_a_whole_one(town: Town) -> None:
    view(town, 0, CUP, TEA)
    give_back(town, 10, 500)
    view(town, 20, TEA)

    assert (held(town, "o1"), status(town, "o1")) == ({"TEA": 1}, ("allocated", None))
    assert rows(town, "SELECT to_pay_minor FROM refund") == [(600,)]


def test_a_refund_that_is_read_after_the_smaller_order_is_no_whole_one_either(town: Town) -> None:
    view(town, 0, CUP, TEA)
    view(town, 20, TEA)
    give_back(town, 10, 500, read=30)

    assert (held(town, "o1"), status(town, "o1")) == ({"TEA": 1}, ("allocated", None))


def test_a_price_agreed_on_before_payment_is_what_was_to_pay(town: Town) -> None:
    unpaid = order("o1", CUP, TEA, state=OrderState.UNPAID)
    take_in(town, fact(unpaid))
    view(town, 10, CUP, TEA, total_minor=550)
    give_back(town, 20, 550)

    assert status(town, "o1") == ("cancelled", None)


def test_the_rest_that_is_given_back_later_cancels_the_order(town: Town) -> None:
    view(town, 0, CUP, TEA)
    give_back(town, 10, 500)
    view(town, 20, TEA)
    give_back(town, 30, 100, id="r2")

    assert (status(town, "o1"), held(town, "o1")) == (("cancelled", None), {})


def test_a_refund_touched_again_keeps_what_was_to_pay_when_it_was_granted(town: Town) -> None:
    view(town, 0, CUP, TEA)
    give_back(town, 10, 500)
    view(town, 20, TEA)
    give_back(town, 30, 500)

    assert (held(town, "o1"), rows(town, "SELECT to_pay_minor FROM refund")) == ({"TEA": 1}, [(600,)])


def test_where_every_refund_names_its_units_those_are_all_it_takes(town: Town) -> None:
    """The money covers the order, with a gift that is not to be paid; the gift stays."""
    view(town, 0, CUP, line("TEA", 1, id="2", price=0))
    give_back(town, 10, 500, **{"1": 5})

    assert (held(town, "o1"), lines(town, "o1")["2"]) == ({"TEA": 1}, (1, 0, 0))


def test_money_that_the_order_itself_tells_of_is_compared_with_what_was_to_pay_before(town: Town) -> None:
    """A file's column of refunds beside a total that shrinks with them."""
    view(town, 0, CUP, TEA)
    view(town, 20, TEA, refunded_minor=500)

    assert (held(town, "o1"), status(town, "o1")) == ({"TEA": 1}, ("allocated", None))


def test_money_without_units_is_a_task_and_the_units_stay(town: Town) -> None:
    view(town, 0, CUP, TEA)
    give_back(town, 10, 200)

    assert (held(town, "o1"), tasks(town)) == ({"CUP": 5, "TEA": 1}, ["refund_unnamed"])
    (reason,) = rows(town, "SELECT reason FROM task")[0]
    assert "refund r1" in reason
    assert "name the units on the channel" in reason


def test_the_task_ends_when_the_channel_names_the_units(town: Town) -> None:
    view(town, 0, CUP, TEA)
    give_back(town, 10, 200)
    give_back(town, 20, 200, **{"1": 2})

    assert (held(town, "o1"), tasks(town)) == ({"CUP": 3, "TEA": 1}, [])


def test_a_task_that_a_person_finished_is_not_opened_again_by_an_edit(town: Town) -> None:
    view(town, 0, CUP, TEA)
    give_back(town, 10, 200)
    with town.store.begin() as tx:
        close_tasks(tx, "refund_unnamed", [rows(town, "SELECT number FROM orders")[0][0]], by="ana")
    view(town, 20, CUP, TEA, freight_minor=0)

    assert tasks(town) == []


@pytest.mark.parametrize("end", ["cancel", "ship"])
def test_the_task_ends_when_a_person_decides_about_the_order(town: Town, end: str) -> None:
    view(town, 0, CUP, TEA)
    give_back(town, 10, 200)

    if end == "cancel":
        cancel_order(town.ctx, "o1", reason="all was given back", actor="ana")
    else:
        ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="ana")

    assert tasks(town) == []


def test_money_given_back_after_shipping_asks_nothing(town: Town) -> None:
    view(town, 0, CUP, TEA)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="ana")
    give_back(town, 10, 200)

    assert tasks(town) == []


def test_a_refund_that_names_a_line_of_another_order_is_asked_about(town: Town) -> None:
    view(town, 0, CUP, TEA)
    give_back(town, 10, 500, **{"9": 5})

    assert (held(town, "o1"), tasks(town)) == ({"CUP": 5, "TEA": 1}, ["refund_unnamed"])
