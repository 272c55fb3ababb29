"""Orders that the channel ships without us, and edits after import: design rule "Left behind"; failures.md row 24."""

from collections.abc import Callable
from typing import Any

import pytest

from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.operations.counters import verify_counters
from erpsync.flows.shipments.record import ShipLine, ship
from erpsync.sdk.types import OrderState, Recipient
from tests.support.facts import fact, later, line, order, take_in
from tests.support.looking import count, held, lines, on_shelf, rows, see, status, story, tasks
from tests.support.shop import Town

SHIPPED, COMPLETED = OrderState.SHIPPED, OrderState.COMPLETED


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with five TEA in SH."""
    town = make_town()
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=5, actor="keeper")
    return town


def view(town: Town, second: float, *bought: Any, **fields: Any) -> None:
    """Take in a newer view of o1."""
    item = order("o1", *(bought or (line(qty=3),)), version_at=later(second), **fields)
    take_in(town, fact(item, digest=f"v{second}", read=(second, second)))


def departures(town: Town) -> list[tuple[str, int]]:
    return [(r[0], int(r[1])) for r in rows(town, "SELECT reason, qty FROM ledger WHERE qty < 0 ORDER BY id")]


# -- shipped without us


def test_units_that_we_hold_are_booked_out_and_nobody_is_told(town: Town) -> None:
    view(town, 0)

    view(town, 9, state=SHIPPED)

    assert (status(town, "o1"), on_shelf(town)["SH", "TEA"], held(town, "o1")) == (("shipped", None), (2, 0), {})
    assert departures(town) == [("shipped_elsewhere", -3)]
    assert (count(town, "shipment"), tasks(town)) == (0, [])
    assert verify_counters(town.ctx) == []


def test_backordered_units_are_booked_out_as_far_as_stock_goes_and_the_rest_is_a_task(town: Town) -> None:
    view(town, 0, line(qty=8))
    assert status(town, "o1") == ("backordered", None)

    view(town, 9, line(qty=8), state=SHIPPED)

    assert (on_shelf(town)["SH", "TEA"], status(town, "o1")) == ((0, 0), ("shipped", None))
    assert (tasks(town), count(town, "backorder")) == (["stock_short"], 0)
    assert verify_counters(town.ctx) == []


def test_units_of_an_unknown_sku_that_left_are_a_task(town: Town) -> None:
    view(town, 0, line("CUP", 2))

    view(town, 9, line("CUP", 2), state=SHIPPED)

    assert (status(town, "o1"), tasks(town), departures(town)) == (("shipped", None), ["stock_short"], [])


@pytest.mark.parametrize("state", [SHIPPED, COMPLETED])
def test_an_order_first_seen_as_shipped_touches_no_stock(town: Town, state: OrderState) -> None:
    view(town, 0, state=state)

    assert (on_shelf(town)["SH", "TEA"], lines(town, "o1"), departures(town)) == ((5, 0), {"L1": (3, 0, 3)}, [])


def test_a_part_that_left_behind_our_back_leaves_the_rest_allocated(town: Town) -> None:
    view(town, 0)

    view(town, 9, line(qty=3, shipped_qty=1))

    assert (status(town, "o1")[0], held(town, "o1")) == ("partially_shipped", {"TEA": 2})
    assert (on_shelf(town)["SH", "TEA"], departures(town)) == ((4, 2), [("shipped_elsewhere", -1)])


def test_the_same_word_again_books_nothing_out_twice(town: Town) -> None:
    view(town, 0)
    for second in (9, 10, 11):
        view(town, second, state=SHIPPED, total_minor=int(second))
    view(town, 12, state=COMPLETED)

    assert (departures(town), status(town, "o1")) == ([("shipped_elsewhere", -3)], ("completed", None))


def test_our_own_parcel_confirmed_by_the_channel_takes_nothing_more(town: Town) -> None:
    view(town, 0)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="ana")

    view(town, 9, state=SHIPPED)

    assert (departures(town), tasks(town)) == ([("shipped", -3)], [])


def test_what_left_is_kept_and_told(town: Town) -> None:
    view(town, 0)

    view(town, 9, line(qty=3, shipped_qty=1))

    assert count(town, "payload") == 2
    assert story(town, "o1").count("order.changed") == 1


# -- edits


def test_before_anything_left_an_edit_simply_counts(town: Town) -> None:
    """failures.md row 24: quantity up and down, a line added, a line removed."""
    set_stock(town.ctx, warehouse="SH", sku="CUP", on_hand=5, actor="keeper")
    view(town, 0)

    view(town, 1, line(qty=4))
    assert held(town, "o1") == {"TEA": 4}
    view(town, 2, line(qty=2))
    assert (held(town, "o1"), on_shelf(town)["SH", "TEA"]) == ({"TEA": 2}, (5, 2))
    view(town, 3, line(qty=2), line("CUP", 3, id="L2"))
    assert held(town, "o1") == {"TEA": 2, "CUP": 3}
    view(town, 4, line("CUP", 3, id="L2"))
    assert (held(town, "o1"), lines(town, "o1")) == ({"CUP": 3}, {"L1": (2, 2, 0), "L2": (3, 0, 0)})

    assert tasks(town) == []
    assert verify_counters(town.ctx) == []


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        ({"state": OrderState.UNPAID}, ("unpaid", {})),
        ({"do_not_ship": "risk"}, ("held", {"TEA": 2})),
        ({}, ("allocated", {"TEA": 2})),
    ],
    ids=["unpaid", "held", "allocated"],
)
def test_an_edit_counts_whatever_the_order_waits_for(
    town: Town, before: dict[str, Any], shown: tuple[str, dict[str, int]]
) -> None:
    """failures.md row 24: an edit at every state."""
    view(town, 0, line(qty=9), **before)

    view(town, 5, line(qty=2), **before)

    assert (status(town, "o1")[0], held(town, "o1")) == shown
    assert lines(town, "o1") == {"L1": (2, 0, 0)}


def test_a_changed_address_is_kept_and_is_an_event(town: Town) -> None:
    view(town, 0)
    before = rows(town, "SELECT recipient_index FROM orders")

    view(town, 1, recipient=Recipient(name="李雷", phone="13900002222", address="中山路 2 号"))

    assert rows(town, "SELECT recipient_index FROM orders") != before
    assert "recipient" in str(see(town, "o1")["events"][-1])
    assert tasks(town) == []


@pytest.mark.parametrize(
    "edit",
    [
        {"bought": (line(qty=4), line(qty=1, id="L2"))},
        {"bought": (line(qty=2), line(qty=1, id="L2"))},
        {"bought": (line(qty=3),)},
        {"bought": (line(qty=3), line(qty=1, id="L2"), line(qty=1, id="L3"))},
        {"recipient": Recipient(name="李雷", phone="13900002222", address="中山路 2 号")},
    ],
    ids=["more", "fewer", "line removed", "line added", "address"],
)
def test_after_a_parcel_left_an_edit_is_also_a_task(town: Town, edit: dict[str, Any]) -> None:
    """failures.md row 24."""
    bought = (line(qty=3), line(qty=1, id="L2"))
    view(town, 0, *bought)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", lines=[ShipLine(line="L1", qty=1)], actor="ana")

    view(town, 9, *edit.get("bought", bought), **{name: edit[name] for name in edit if name != "bought"})

    assert tasks(town) == ["order_edited"]
    assert verify_counters(town.ctx) == []


def test_a_new_title_or_price_after_the_parcel_bothers_nobody(town: Town) -> None:
    view(town, 0)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="ana")

    view(town, 9, line(qty=3, title="绿茶", price=900))

    assert (tasks(town), see(town, "o1")["lines"][0]["price_minor"]) == ([], 900)


def test_a_line_never_shrinks_below_what_has_left(town: Town) -> None:
    view(town, 0)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", lines=[ShipLine(line="L1", qty=2)], actor="ana")

    view(town, 9, line(qty=1))

    assert (lines(town, "o1"), on_shelf(town)["SH", "TEA"]) == ({"L1": (2, 0, 2)}, (3, 0))
    assert verify_counters(town.ctx) == []
