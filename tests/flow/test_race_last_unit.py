"""Many buyers, one unit: whoever commits first has it, and nobody else."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from erpsync.flows.intake import poll
from erpsync.flows.inventory import counts
from erpsync.flows.orders.apply import apply
from erpsync.flows.orders.normalise import read_orders
from erpsync.flows.records.batch import Batch
from tests.support import looking
from tests.support.shop import Town

pytestmark = pytest.mark.concurrent("threads")

BUYERS = 200
AT_ONCE = 20


def batches(town: Town, count: int, *wanted: tuple[str, int]) -> list[Batch]:
    """Return `count` batches of one order each, as a channel would deliver them."""
    for n in range(count):
        town.shop.place(f"o{n}", *wanted)
    connector = town.channel().connector
    assert connector is not None
    heads = [connector._head(row) for row in town.shop.orders.values()]  # type: ignore[attr-defined]
    return [read_orders(town.channel(), connector.complete([head])) for head in heads]  # type: ignore[attr-defined]


def all_at_once(works: list[Callable[[], object]]) -> None:
    """Run all works, many at a time, beginning together."""
    together = min(AT_ONCE, len(works))
    gate = threading.Barrier(together)

    def begin(number: int) -> None:
        if number < together:
            gate.wait()
        works[number]()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(begin, range(len(works))))


def test_two_hundred_buyers_of_the_last_unit_and_exactly_one_gets_it(town: Town, crowd: Callable[[int], int]) -> None:
    """failures.md row 1, on each database; row 31 on SQLite: nobody is told that the database is locked."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")
    buyers = crowd(BUYERS)
    orders = batches(town, buyers, ("A", 1))

    def buy(batch: Batch) -> None:
        town.store.retrying(lambda tx: apply(tx, town.ctx, town.channel(), batch))

    all_at_once([lambda batch=batch: buy(batch) for batch in orders])  # type: ignore[misc]

    assert sum(looking.promised(town).values()) == 1
    assert sum(looking.owed(town).values()) == buyers - 1
    assert looking.on_shelf(town) == {("SH", "A"): (1, 1)}
    assert not looking.problems(town)


def test_orders_and_arriving_goods_at_once_leave_no_unit_beside_a_waiting_order(
    town: Town, crowd: Callable[[int], int]
) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=0, actor="me")
    count = crowd(30)
    orders = batches(town, count, ("A", 2), ("B", 1))
    works: list[Callable[[], object]] = []
    for batch in orders:
        works.append(
            lambda batch=batch: town.store.retrying(lambda tx: apply(tx, town.ctx, town.channel(), batch))  # type: ignore[misc]
        )
        works.append(lambda: counts.add_stock(town.ctx, warehouse="SH", sku="A", qty=1, reason="arrival", actor="me"))
        works.append(lambda: counts.add_stock(town.ctx, warehouse="SH", sku="B", qty=1, reason="arrival", actor="me"))

    all_at_once(works)

    assert looking.on_shelf(town) == {("SH", "A"): (count, count), ("SH", "B"): (count, count)}
    assert sum(looking.owed(town).values()) == count
    assert not looking.problems(town)


def test_two_streams_that_bring_the_same_new_order_at_once_make_one_order(town: Town) -> None:
    """The changes and the back-fill overlap; whoever comes second sees what the first made and changes nothing."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="me")
    for n in range(6):
        town.shop.place(f"o{n}", ("A", 1), placed_at=datetime(2026, 3, 2, 11, tzinfo=UTC))
    gate = threading.Barrier(2)

    def read(stream: str) -> poll.PassReport:
        gate.wait()
        return poll.poll_stream(town.ctx, town.channel(), stream)

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(read, ("orders", "backfill")))

    assert not any(report.failed for report in reports)
    assert looking.promised(town) == {f"o{n}": 1 for n in range(6)}
    assert not looking.problems(town)
