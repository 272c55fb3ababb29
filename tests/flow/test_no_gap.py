"""Whatever frees or adds units serves who waits for them in the same commit."""

from collections.abc import Callable

import pytest

from erpsync.core.policy import OrderPolicy, StockPolicy, WarehousePolicy
from erpsync.flows.inventory import counts
from erpsync.flows.operations import reservations
from erpsync.flows.orders import actions
from erpsync.flows.shipments import record
from tests.support import looking, walk
from tests.support.shop import Town

TWO = (WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2))


@pytest.fixture
def queue(town: Town) -> Town:
    """Two units, o1 has them, o2 waits for one."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=2, actor="me")
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("A", 1))
    walk.read(town)
    assert (looking.promised(town), looking.owed(town)) == ({"o1": 2}, {"o2": 1})
    return town


def cancel(town: Town) -> None:
    town.shop.change("o1", state="cancelled")
    walk.read(town, "orders")


def close_one_unit(town: Town) -> None:
    row = town.shop.orders["o1"]
    town.shop.change("o1", lines=[line | {"closed": 1} for line in row["lines"]])
    walk.read(town, "orders")


def refund(town: Town) -> None:
    town.shop.refund("r1", "o1", state="granted", n1=1)
    walk.read(town, "refunds")


def order_less(town: Town) -> None:
    row = town.shop.orders["o1"]
    town.shop.change("o1", lines=[line | {"qty": 1} for line in row["lines"]])
    walk.read(town, "orders")


def give_up(town: Town) -> None:
    actions.cancel_order(town.ctx, "o1", reason="x", actor="me")


def arrive(town: Town) -> None:
    counts.add_stock(town.ctx, warehouse="SH", sku="A", qty=1, reason="arrival", actor="me")


def count(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=3, actor="me")


@pytest.mark.parametrize("free", [cancel, close_one_unit, refund, order_less, give_up, arrive, count])
def test_the_next_in_line_is_served_in_the_same_commit(queue: Town, free: Callable[[Town], None]) -> None:
    free(queue)

    assert looking.owed(queue) == {}
    assert looking.promised(queue)["o2"] == 1
    assert not looking.problems(queue)


def test_a_reservation_that_ends_serves_who_paid(make_town: Callable[..., Town]) -> None:
    """failures.md row 22."""
    town = make_town(orders=OrderPolicy(reserve="placement", reserve_minutes=10))
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")
    town.shop.place("o1", ("A", 1), paid=False)
    town.shop.place("o2", ("A", 1))
    walk.read(town)
    assert looking.promised(town) == {"o1": 1}

    town.advance(601)
    reservations.expire_reservations(town.ctx)

    assert (looking.promised(town), looking.owed(town)) == ({"o2": 1}, {})


def test_an_order_waits_while_only_warehouses_that_do_not_feed_its_channel_have_units(
    make_town: Callable[..., Town],
) -> None:
    policies = {"jd": StockPolicy(warehouses=("SH",)), "tmall": StockPolicy(warehouses=("SH", "GZ"))}
    town = make_town(names=("jd", "tmall"), warehouses=TWO, stock=policies)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    town.shops["jd"].place("o1", ("A", 1))
    town.shops["tmall"].place("o2", ("A", 1))
    walk.read(town, name="jd")
    walk.read(town, name="tmall")

    counts.set_stock(town.ctx, warehouse="GZ", sku="A", on_hand=5, actor="me")

    assert (looking.promised(town), looking.owed(town)) == ({"o2": 1}, {"o1": 1})
    assert not looking.problems(town)


def test_a_parcel_that_leaves_with_other_units_than_were_held_frees_those(make_town: Callable[..., Town]) -> None:
    town = make_town(warehouses=TWO)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")
    counts.set_stock(town.ctx, warehouse="GZ", sku="A", on_hand=1, actor="me")
    town.shop.place("o1", ("A", 3))
    walk.read(town)
    record.ship(
        town.ctx, order="o1", carrier="SF", tracking="1", lines=[record.ShipLine(line="o1-1", qty=2)], actor="me"
    )
    counts.add_stock(town.ctx, warehouse="GZ", sku="A", qty=1, reason="arrival", actor="me")

    assert (looking.promised(town), looking.owed(town)) == ({"o1": 1}, {})
    assert not looking.problems(town)


def test_an_order_of_a_thousand_lines_is_held_whole(town: Town) -> None:
    """failures.md row 22: elsewhere only the first fifty lines were reserved."""
    rows = [counts.Count(warehouse="SH", sku=f"S{n}", on_hand=1) for n in range(1000)]
    counts.import_counts(town.ctx, rows, actor="me")
    town.shop.place("o1", *((f"S{n}", 1) for n in range(1000)))
    walk.read(town)

    assert (looking.promised(town), looking.owed(town)) == ({"o1": 1000}, {})
    actions.cancel_order(town.ctx, "o1", reason="x", actor="me")
    assert looking.promised(town) == {}
    assert not looking.problems(town)
