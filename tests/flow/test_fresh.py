"""No number overwrites a sale that was not read yet."""

from itertools import permutations

import pytest

from erpsync.flows.availability import push
from erpsync.flows.channels import control
from erpsync.flows.intake.schedule import due_streams
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.sdk.errors import TransientError
from tests.support import looking, walk
from tests.support.shop import Town


@pytest.fixture
def shop_with_ten(town: Town) -> Town:
    """A shop that shows its ten units."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    walk.run(town)
    assert town.shop.shown == {"A": 10}
    return town


def sell(town: Town, order: str, qty: int) -> None:
    """Sell on the channel, which takes it off the number it shows."""
    town.shop.place(order, ("A", qty))
    town.shop.shown["A"] -= qty


STEPS = {
    "sell": lambda town: sell(town, f"o{len(town.shop.orders)}", 3),
    "arrive": lambda town: walk.arrive(town, 5),
    "read": lambda town: walk.read(town, "orders"),
    "push": lambda town: (town.advance(3), walk.push_due(town)),
}


@pytest.mark.parametrize("order", list(permutations(STEPS)), ids=" ".join)
def test_sales_on_the_channel_and_arriving_goods_give_the_right_number_in_every_order(
    shop_with_ten: Town, order: tuple[str, ...]
) -> None:
    """failures.md row 4: sell 3 on the channel, receive 5, push. Never more than is there, and 12 in the end.

    Only a sale made after the pass that a number waited for may be overwritten, until the next pass reads it.
    """
    town = shop_with_ten
    sold_after_the_pass = order.index("sell") > order.index("read")
    for step in order:
        STEPS[step](town)  # type: ignore[no-untyped-call]
        sold = sum(line["qty"] for row in town.shop.orders.values() for line in row["lines"])
        assert sold_after_the_pass or town.shop.shown["A"] <= looking.on_shelf(town)["SH", "A"][0] - sold

    walk.run(town)
    town.advance(31)
    walk.run(town)
    assert town.shop.shown == {"A": 12}
    assert looking.told(town) == {"A": (12, True)}


def test_a_number_waits_for_a_pass_begun_after_the_stock_changed(shop_with_ten: Town) -> None:
    """failures.md row 4. It holds no lease and no thread while it waits."""
    town = shop_with_ten
    sell(town, "o1", 3)
    walk.arrive(town, 5)
    town.advance(3)
    walk.push_due(town)
    assert looking.effects(town) == [("waiting", "fresh", 0)]
    assert town.shop.shown == {"A": 7}

    assert due_streams(town.ctx, town.channel()) == ["orders"]
    walk.read(town, "orders")
    walk.push_due(town)
    assert town.shop.shown == {"A": 12}


def test_a_pass_that_began_before_the_change_does_not_count(shop_with_ten: Town) -> None:
    town = shop_with_ten
    town.shop.place("o0", ("A", 1))
    town.shop.at_page = lambda: walk.arrive(town, 5)
    walk.read(town, "orders")
    town.advance(3)
    walk.push_due(town)

    assert looking.effects(town) == [("waiting", "fresh", 0)]


def test_sales_that_a_pass_brings_itself_ask_for_no_other_pass(shop_with_ten: Town) -> None:
    town = shop_with_ten
    sell(town, "o1", 3)
    walk.read(town, "orders")
    town.advance(3)
    walk.push_due(town)

    assert looking.told(town) == {"A": (7, True)}
    assert due_streams(town.ctx, town.channel()) == []


def test_goods_that_arrive_while_such_a_row_settles_ask_for_one(shop_with_ten: Town) -> None:
    """failures.md row 4: the row of a pass must not carry a number that grew after the pass."""
    town = shop_with_ten
    sell(town, "o1", 3)
    walk.read(town, "orders")
    walk.fan(town)
    sell(town, "o2", 4)
    walk.arrive(town, 5)
    town.advance(3)
    walk.push_due(town)
    assert (town.shop.shown, looking.effects(town)) == ({"A": 3}, [("waiting", "fresh", 0)])

    walk.read(town, "orders")
    walk.push_due(town)
    town.advance(3)
    walk.push_due(town)
    assert looking.told(town) == {"A": (8, True)}


def test_later_marks_do_not_move_the_pass_that_a_row_waits_for(shop_with_ten: Town) -> None:
    """failures.md row 16: a SKU that changes all the time would else never be told."""
    town = shop_with_ten
    walk.arrive(town, 5)
    town.advance(3)
    walk.push_due(town)
    town.shop.at_page = lambda: (walk.arrive(town, 1), walk.fan(town))
    town.shop.place("o1", ("B", 1))
    walk.read(town, "orders")
    town.advance(3)
    walk.push_due(town)

    assert town.shop.shown == {"A": 16}


def test_while_orders_cannot_be_read_only_lower_numbers_go(shop_with_ten: Town) -> None:
    town = shop_with_ten
    town.shop.trouble["orders"] = [TransientError("away") for _ in range(50)]
    walk.read(town, "orders")
    walk.arrive(town, 5)
    town.advance(3)
    walk.push_due(town)
    assert (town.shop.shown, looking.effects(town)) == ({"A": 10}, [("waiting", "fresh", 0)])

    walk.arrive(town, -9)
    town.advance(3)
    walk.read(town, "orders")
    walk.push_due(town)
    assert town.shop.shown == {"A": 6}
    assert looking.told(town) == {"A": (6, False)}

    town.shop.trouble.clear()
    sell(town, "o1", 1)
    walk.read(town, "orders")
    walk.run(town)
    assert looking.told(town) == {"A": (5, True)}


def test_a_zero_sent_while_orders_cannot_be_read_is_sent_once_and_told_anew_afterwards(shop_with_ten: Town) -> None:
    town = shop_with_ten
    town.shop.trouble["orders"] = [TransientError("away") for _ in range(50)]
    walk.read(town, "orders")
    before = len(town.shop.stock_calls)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    for _ in range(10):
        town.advance(3)
        walk.push_due(town)
        walk.read(town, "orders")

    assert town.shop.stock_calls[before:] == [{"A": 0}]
    town.shop.trouble.clear()
    town.advance(60)
    walk.run(town)
    assert looking.told(town) == {"A": (0, True)}


def test_nothing_is_told_before_the_back_fill_has_found_the_open_orders(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    town.shop.place("o1", ("A", 4))
    town.advance(3600)
    walk.read(town, "orders")
    town.advance(3)
    walk.push_due(town)
    assert town.shop.shown == {}

    walk.read(town, "backfill")
    walk.push_due(town)
    assert town.shop.shown == {"A": 6}


def test_not_even_a_first_zero_is_told_before_the_back_fill_is_done(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    town.advance(3600)
    walk.read(town, "orders")
    town.advance(3)
    walk.push_due(town)
    assert town.shop.shown == {}

    walk.read(town, "backfill")
    walk.push_due(town)
    assert town.shop.shown == {"A": 0}


def test_a_new_back_fill_stops_raising_numbers_until_it_is_done(shop_with_ten: Town) -> None:
    town = shop_with_ten
    control.ask_backfill(town.ctx, "shop", days=30, actor="me")
    walk.arrive(town, 5)
    town.advance(3)
    walk.read(town, "orders")
    walk.push_due(town)
    assert town.shop.shown == {"A": 10}

    walk.arrive(town, -9)
    town.advance(3)
    walk.push_due(town)
    assert town.shop.shown == {"A": 6}

    walk.read(town, "backfill")
    walk.run(town)
    assert looking.told(town) == {"A": (6, True)}


def test_a_row_whose_waker_died_is_freed_by_the_next_pass(shop_with_ten: Town) -> None:
    """failures.md row 15."""
    town = shop_with_ten
    walk.arrive(town, 5)
    town.advance(3)
    walk.push_due(town)
    walk.read(town, "orders")
    town.advance(40)
    walk.read(town, "orders")

    assert push.next_run_s(town.ctx) == 0
    walk.push_due(town)
    assert town.shop.shown == {"A": 15}
