"""A channel changes the number it shows by itself when its buyers come and go; what we told is then no longer shown."""

from erpsync.flows.inventory.counts import add_stock, set_stock
from erpsync.runtime.once import drain
from tests.support.shop import Town


def test_units_that_a_channel_gives_back_for_a_cancelled_backorder_are_taken_off_its_page_again(town: Town) -> None:
    """Found by the demonstration: the shop showed 1 of a SKU that another order had taken (failures.md row 5)."""
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")
    town.shop.place("o1", ("A", 1))
    town.shop.place("o2", ("A", 1))
    drain(town.ctx)
    assert town.shop.shown == {"A": 0}

    town.shop.shown["A"] += 1
    town.shop.change("o2", state="cancelled")
    drain(town.ctx)

    assert town.shop.shown == {"A": 0}


def test_a_sale_and_an_arrival_that_cancel_out_are_told_all_the_same(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 1))
    drain(town.ctx)
    assert town.shop.shown == {"A": 4}

    town.shop.shown["A"] -= 1
    town.shop.place("o2", ("A", 1))
    add_stock(town.ctx, warehouse="SH", sku="A", qty=1, reason="arrival", actor="me")
    drain(town.ctx)

    assert town.shop.shown == {"A": 4}
