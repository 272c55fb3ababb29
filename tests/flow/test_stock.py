"""Stock that comes, goes and is counted, and what waiting orders get of it."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.event import listen

from erpsync.core.allocation import StockKey
from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.counts import Count
from erpsync.flows.orders import actions
from erpsync.flows.shipments import record
from erpsync.store.stock_book import Book
from erpsync.store.tables import event, hold, ledger, stock
from tests.support import looking, walk
from tests.support.shop import Town


def test_goods_that_arrive_go_to_the_order_that_waits_longest(town: Town) -> None:
    """failures.md row 32."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("A", 2))
    walk.read(town)

    counts.add_stock(town.ctx, warehouse="SH", sku="A", qty=3, reason="arrival", actor="me")

    assert looking.promised(town) == {"o1": 2, "o2": 1}
    assert looking.owed(town) == {"o2": 1}
    assert not looking.problems(town)


def test_an_order_that_gets_less_than_it_wants_says_in_its_story_how_much_is_missing(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")
    town.shop.place("o1", ("A", 3))
    walk.read(town)

    details = looking.rows(town, select(event.c.detail).where(event.c.kind == "order.imported"))
    assert [json.loads(detail)["backordered"] for (detail,) in details] == [2]


def test_units_below_the_safety_stock_are_none_and_not_fewer_than_none(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=2, actor="me")

    ((sku_id, place),) = looking.rows(town, select(stock.c.sku_id, stock.c.warehouse_id))
    with town.store.begin() as tx:
        book = Book(tx, {sku_id}, [])
        assert [book.available(StockKey(sku_id, place), safety) for safety in (0, 1, 2, 5)] == [2, 1, 0, 0]


def test_more_cannot_be_taken_away_than_there_is(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=2, actor="me")

    with pytest.raises(Refused, match="A has 2 in SH, cannot take away 3"):
        counts.add_stock(town.ctx, warehouse="SH", sku="A", qty=-3, reason="lost", actor="me")
    assert looking.booked(town, "A") == [(2, "count")]


def test_a_refused_row_of_a_count_stops_no_other(town: Town) -> None:
    """failures.md row 14."""
    rows = [
        Count(warehouse="SH", sku="A", on_hand=5, source="f:2"),
        Count(warehouse="XX", sku="A", on_hand=5, source="f:3"),
        Count(warehouse="SH", sku=" ", on_hand=5, source="f:4"),
        Count(warehouse="SH", sku="B", on_hand=-1, source="f:5"),
    ]

    result = counts.import_counts(town.ctx, rows, actor="me")

    assert (result.taken, [source for source, _ in result.refused]) == (1, ["f:3", "f:4", "f:5"])
    assert looking.on_shelf(town) == {("SH", "A"): (5, 0)}


def test_what_left_since_a_count_was_made_is_taken_off_once(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    town.shop.place("o1", ("A", 3))
    walk.read(town)
    town.advance(60)
    counted_at = town.clock.now()
    town.advance(60)
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")

    count = Count(warehouse="SH", sku="A", on_hand=10, as_of=counted_at)
    counts.import_counts(town.ctx, [count], actor="me")
    counts.import_counts(town.ctx, [count], actor="me")

    assert looking.on_shelf(town) == {("SH", "A"): (7, 0)}
    assert not looking.problems(town)


def test_what_moved_at_the_instant_of_a_count_is_in_it(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    town.advance(60)
    counts.add_stock(town.ctx, warehouse="SH", sku="A", qty=5, reason="arrival", actor="me")
    ((as_of,),) = looking.rows(town, select(func.max(ledger.c.at)))

    counts.import_counts(town.ctx, [Count(warehouse="SH", sku="A", on_hand=12, as_of=as_of)], actor="me")

    assert looking.on_shelf(town) == {("SH", "A"): (12, 0)}


def test_a_count_older_than_the_last_one_is_refused(town: Town) -> None:
    yesterday = town.clock.now() - timedelta(days=1)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")

    late = Count(warehouse="SH", sku="A", on_hand=3, as_of=yesterday, source="f:2")
    result = counts.import_counts(town.ctx, [late], actor="me")

    assert result.taken == 0
    assert "counted later" in result.refused[0][1]


def test_a_count_from_the_future_is_refused_because_it_would_shut_out_every_later_one(town: Town) -> None:
    tomorrow = town.clock.now() + timedelta(days=1)

    result = counts.import_counts(town.ctx, [Count(warehouse="SH", sku="A", on_hand=3, as_of=tomorrow)], actor="me")

    assert "lies in the future" in result.refused[0][1]
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")


def test_of_two_counts_of_a_place_in_one_file_the_later_one_counts(town: Town) -> None:
    early, late = town.clock.now() - timedelta(hours=2), town.clock.now() - timedelta(hours=1)
    rows = [
        Count(warehouse="SH", sku="A", on_hand=9, as_of=late),
        Count(warehouse="SH", sku="A", on_hand=4, as_of=early),
    ]

    counts.import_counts(town.ctx, rows, actor="me")

    assert looking.on_shelf(town) == {("SH", "A"): (9, 0)}


def test_unknown_stock_is_not_zero(town: Town) -> None:
    """failures.md row 20: nobody is told 0 for a SKU that was never counted; a count of 0 is a number."""
    town.shop.place("o1", ("A", 1))
    walk.read(town)
    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=3, actor="me")
    town.shop.place("o2", ("B", 1))
    walk.run(town)
    assert "A" not in town.shop.shown

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    walk.run(town)

    assert town.shop.shown == {"A": 0, "B": 2}


def test_a_warehouse_with_less_than_promised_takes_back_from_who_paid_last(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("A", 2))
    walk.read(town)

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=3, actor="me")

    assert looking.promised(town) == {"o1": 2, "o2": 1}
    assert looking.owed(town) == {"o2": 1}
    assert looking.rows(town, select(event.c.kind).where(event.c.kind == "order.taken_back")) == [("order.taken_back",)]
    assert not looking.problems(town)


def test_an_order_that_waits_in_part_already_can_lose_units_too(town: Town) -> None:
    """Its backorder grows; once it was written a second time and the whole count failed."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=3, actor="me")
    town.shop.place("o1", ("A", 5))
    walk.read(town)

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")

    assert (looking.promised(town), looking.owed(town)) == ({"o1": 1}, {"o1": 4})
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    assert (looking.promised(town), looking.owed(town)) == ({"o1": 5}, {})


def test_units_taken_back_in_one_warehouse_are_found_in_another(make_town: Callable[..., Town]) -> None:
    town = make_town(warehouses=[WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2)])
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=2, actor="me")
    counts.set_stock(town.ctx, warehouse="GZ", sku="A", on_hand=9, actor="me")
    town.shop.place("o1", ("A", 2))
    walk.read(town)

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")

    assert looking.on_shelf(town) == {("SH", "A"): (0, 0), ("GZ", "A"): (9, 2)}
    assert looking.owed(town) == {}


def test_units_that_are_not_wanted_any_more_come_back_from_the_last_warehouse(
    make_town: Callable[..., Town],
) -> None:
    town = make_town(warehouses=[WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2)])
    for warehouse in ("GZ", "SH"):
        counts.set_stock(town.ctx, warehouse=warehouse, sku="A", on_hand=1, actor="me")
    row = town.shop.place("o1", ("A", 2))
    walk.read(town)
    assert looking.on_shelf(town) == {("SH", "A"): (1, 1), ("GZ", "A"): (1, 1)}

    town.shop.change("o1", lines=[{**row["lines"][0], "closed": 1}])
    walk.read(town)

    assert looking.on_shelf(town) == {("SH", "A"): (1, 1), ("GZ", "A"): (1, 0)}


def test_units_a_warehouse_was_told_to_send_stay_promised_and_a_person_is_asked(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 4))
    walk.read(town)
    with town.store.begin() as tx:
        tx.execute(update(hold).values(released=True))

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")

    assert looking.promised(town) == {"o1": 4}
    assert looking.tasks(town) == ["stock_short"]
    walk.run(town)
    assert town.shop.shown == {"A": 0}


def test_units_that_left_without_being_in_the_books_are_a_task(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")
    town.shop.place("o1", ("A", 3))
    walk.read(town)

    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")

    assert looking.booked(town, "A") == [(1, "count"), (-1, "shipped")]
    assert looking.tasks(town) == ["stock_short"]
    assert not looking.problems(town)


def test_cancelled_units_are_free_for_the_next_in_line_at_once(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=2, actor="me")
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("A", 1))
    walk.read(town)

    actions.cancel_order(town.ctx, "o1", reason="buyer rang", actor="me")

    assert looking.promised(town) == {"o2": 1}
    assert not looking.problems(town)


def test_an_order_that_is_held_keeps_its_units_but_gets_no_more(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("A", 1))
    walk.read(town)
    actions.hold_order(town.ctx, "o1", reason="call first", actor="me")

    counts.add_stock(town.ctx, warehouse="SH", sku="A", qty=1, reason="arrival", actor="me")
    assert looking.promised(town) == {"o1": 1, "o2": 1}

    counts.add_stock(town.ctx, warehouse="SH", sku="A", qty=1, reason="arrival", actor="me")
    actions.end_hold(town.ctx, "o1", actor="me")
    assert looking.promised(town) == {"o1": 2, "o2": 1}


def test_a_warehouse_that_sells_nothing_feeds_nobody(make_town: Callable[..., Town]) -> None:
    town = make_town(warehouses=[WarehousePolicy(id="SH"), WarehousePolicy(id="QC", sellable=False)])
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    counts.set_stock(town.ctx, warehouse="QC", sku="A", on_hand=9, actor="me")
    town.shop.place("o1", ("A", 1))
    walk.run(town)

    assert looking.owed(town) == {"o1": 1}
    assert town.shop.shown == {"A": 0}


def test_safety_stock_is_never_promised(make_town: Callable[..., Town]) -> None:
    town = make_town(warehouses=[WarehousePolicy(id="SH", safety_stock=3)], stock=StockPolicy())
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=4, actor="me")
    town.shop.place("o1", ("A", 2))
    walk.run(town)

    assert (looking.promised(town), looking.owed(town)) == ({"o1": 1}, {"o1": 1})
    assert town.shop.shown == {"A": 0}


def test_a_warehouse_that_shrinks_everywhere_is_asked_who_holds_it_once_and_not_by_place(town: Town) -> None:
    codes = [f"T{n}" for n in range(30)]
    counts.import_counts(town.ctx, [Count(warehouse="SH", sku=code, on_hand=1) for code in codes], actor="me")
    town.shop.place("o1", *((code, 1) for code in codes))
    walk.read(town)
    asked: list[str] = []
    listen(town.store.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    counts.import_counts(town.ctx, [Count(warehouse="SH", sku=code, on_hand=0) for code in codes], actor="me")

    assert sum("FROM hold" in text for text in asked) <= 3
    assert (looking.promised(town), looking.owed(town), looking.problems(town)) == ({}, {"o1": 30}, [])
