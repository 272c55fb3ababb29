"""Refunds: asked for, granted, closed, before and after the parcel. failures.md row 23."""

from collections.abc import Callable
from typing import Any

import pytest

from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.operations.counters import verify_counters
from erpsync.flows.shipments.record import ship
from erpsync.sdk.types import RefundState
from tests.support.facts import fact, later, line, order, refund, refund_fact, take_in
from tests.support.looking import count, held, lines, on_shelf, see, status, story
from tests.support.shop import Town
from tests.support.walk import settle_in

OPEN, GRANTED, CLOSED = RefundState.OPEN, RefundState.GRANTED, RefundState.CLOSED


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with ten TEA in SH."""
    town = make_town()
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    return town


def hear(town: Town, state: RefundState, second: float = 0, *, id: str = "r1", amount: int = 0, **units: int) -> None:
    """Take in a refund as read at this second."""
    item = refund(id, "o1", state=state, amount=amount, **units)
    take_in(town, refunds=[refund_fact(item, digest=f"{state}{second}", read=(second, second))])


def buy(town: Town, *lines_: Any) -> None:
    take_in(town, fact(order("o1", *(lines_ or (line(qty=3),)))))


def test_a_refund_that_is_asked_for_holds_the_order_and_its_units(town: Town) -> None:
    buy(town)

    hear(town, OPEN, L1=1)

    assert (status(town, "o1"), held(town, "o1")) == (("held", "refund_open"), {"TEA": 3})


def test_a_refund_that_is_closed_ends_the_hold(town: Town) -> None:
    buy(town)
    hear(town, OPEN, L1=1)

    hear(town, CLOSED, 5, L1=1)

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 3})


def test_a_granted_refund_frees_the_units_it_names_and_the_rest_goes_on(town: Town) -> None:
    buy(town)
    hear(town, OPEN, L1=1)

    hear(town, GRANTED, 5, L1=1)

    assert (status(town, "o1"), held(town, "o1"), on_shelf(town)["SH", "TEA"]) == (
        ("allocated", None),
        {"TEA": 2},
        (10, 2),
    )
    assert lines(town, "o1") == {"L1": (3, 1, 0)}
    assert [(r["external_id"], r["state"]) for r in see(town, "o1")["refunds"]] == [("r1", "granted")]


def test_a_refund_granted_at_once_leaves_an_event(town: Town) -> None:
    buy(town)

    hear(town, GRANTED, L1=1)

    assert story(town, "o1").count("order.changed") == 1


def test_money_that_names_no_units_cancels_only_the_whole_order(town: Town) -> None:
    buy(town)
    hear(town, GRANTED, amount=2999)
    assert held(town, "o1") == {"TEA": 3}

    hear(town, GRANTED, 5, id="r2", amount=1)

    assert (status(town, "o1"), on_shelf(town)["SH", "TEA"]) == (("cancelled", None), (10, 0))


def test_units_set_free_by_a_refund_go_to_who_waits(town: Town) -> None:
    buy(town, line(qty=10))
    take_in(town, fact(order("o2", line(qty=2), paid_at=later(60))))
    assert status(town, "o2") == ("backordered", None)

    hear(town, GRANTED, L1=2)

    assert status(town, "o2") == ("allocated", None)


@pytest.mark.parametrize(
    ("state", "shown"), [(OPEN, ("held", "refund_open")), (GRANTED, ("allocated", None)), (CLOSED, ("allocated", None))]
)
def test_a_refund_that_comes_before_its_order_counts_when_the_order_comes(
    town: Town, state: RefundState, shown: tuple[str, str | None]
) -> None:
    hear(town, state, L1=1)

    buy(town)

    assert status(town, "o1") == shown
    assert held(town, "o1") == {"TEA": 2 if state is GRANTED else 3}


def test_units_that_have_left_are_never_put_back_by_a_refund(town: Town) -> None:
    """failures.md row 23: full and partial, after shipping."""
    buy(town)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="ana")
    assert on_shelf(town)["SH", "TEA"] == (7, 0)

    hear(town, GRANTED, L1=1)
    hear(town, GRANTED, 5, id="r2", amount=3000)

    assert (on_shelf(town)["SH", "TEA"], lines(town, "o1"), status(town, "o1")[0]) == (
        (7, 0),
        {"L1": (3, 0, 3)},
        "shipped",
    )
    assert verify_counters(town.ctx) == []


def test_a_refund_after_a_first_parcel_takes_only_what_has_not_left(town: Town) -> None:
    buy(town, line(qty=2), line(qty=2, id="L2"))
    from erpsync.flows.shipments.record import ShipLine

    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", lines=[ShipLine(line="L1", qty=1)], actor="ana")

    hear(town, GRANTED, amount=4000)

    assert lines(town, "o1") == {"L1": (2, 1, 1), "L2": (2, 2, 0)}
    assert (on_shelf(town)["SH", "TEA"], status(town, "o1")[0]) == ((9, 0), "shipped")


def test_a_refunded_unit_does_not_leave_when_the_channel_confirms_our_parcel(town: Town) -> None:
    """The channel says "shipped" of the whole order and never nets the refund out of the line."""
    town.shop.place("o1", ("TEA", 3))
    town.shop.refund("r1", "o1", state="granted", n1=1)
    settle_in(town)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="ana")
    assert on_shelf(town)["SH", "TEA"] == (8, 0)
    town.shop.change("o1", state="shipped")
    town.advance(60)

    settle_in(town)

    assert (on_shelf(town)["SH", "TEA"], lines(town, "o1")) == ((8, 0), {"o1-1": (3, 1, 2)})


def test_an_older_word_about_a_refund_changes_nothing(town: Town) -> None:
    buy(town)
    hear(town, GRANTED, 5, L1=1)
    hear(town, OPEN, 1, L1=1)

    assert status(town, "o1") == ("allocated", None)


def test_the_same_refund_again_changes_nothing(town: Town) -> None:
    buy(town)
    for _ in range(3):
        hear(town, GRANTED, 5, L1=1)

    assert (lines(town, "o1"), count(town, "refund"), count(town, "payload WHERE kind = 'refund'")) == (
        {"L1": (3, 1, 0)},
        1,
        1,
    )


def test_refunds_come_in_by_their_own_fast_stream(town: Town) -> None:
    town.shop.place("o1", ("TEA", 3))
    settle_in(town)
    town.shop.refund("r1", "o1", n1=1)
    town.advance(60)

    settle_in(town)

    assert status(town, "o1") == ("held", "refund_open")
