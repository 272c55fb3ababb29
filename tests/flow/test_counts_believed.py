"""What a warehouse counts is believed where it can be, and asked about where it would sell what is not there."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from erpsync.core.counting import is_far
from erpsync.core.policy import CountPolicy
from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import tasks
from erpsync.store.tables import sku, task, waiting_count
from tests.support import looking
from tests.support.depot import Depot, build_depot, work
from tests.support.shop import Town

Pair = tuple[Town, Depot]


@pytest.fixture
def pair(database_url: str) -> Iterator[Pair]:
    town, depot = build_depot(database_url)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=3, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    work(town)
    yield town, depot
    town.store.close()


def report(pair: Pair, code: str, on_hand: int) -> None:
    """Have the warehouse count a SKU now, and work on for a while."""
    town, depot = pair
    town.advance(60)
    depot.count(code, on_hand, town.clock.now(), "SH")
    work(town)
    town.advance(5)
    work(town)


def on_hand(pair: Pair, code: str = "A") -> int | None:
    return looking.on_shelf(pair[0]).get(("SH", code), (None, 0))[0]


def asked(pair: Pair) -> list[tuple[str, str]]:
    """Return (kind, key) of the open tasks."""
    query = select(task.c.kind, task.c.key).where(task.c.closed_at.is_(None)).order_by(task.c.id)
    return [(kind, key) for kind, key in looking.rows(pair[0], query)]


def finish(pair: Pair) -> None:
    ((task_id,),) = looking.rows(pair[0], select(task.c.id).where(task.c.closed_at.is_(None)))
    tasks.finish_task(pair[0].ctx, task_id, actor="me")


@pytest.mark.parametrize(
    ("before", "after", "far"),
    [
        (3, 3000, True),
        (3, 1003, False),
        (3, 1004, True),
        (1000, 6000, False),
        (1000, 6001, True),
        (0, 1000, False),
        (0, 1001, True),
        (3000, 3, True),
        (6000, 1000, False),
        (2000, 0, True),
    ],
)
def test_a_count_is_far_off_only_beyond_both_limits(before: int, after: int, far: bool) -> None:
    assert is_far(before, after, CountPolicy()) is far


def test_a_count_that_rises_beyond_belief_waits_and_the_shop_is_told_nothing(pair: Pair) -> None:
    """3 became 3000, and the shop showed it a second later."""
    report(pair, "A", 3000)

    assert on_hand(pair) == 3
    assert pair[0].shop.shown == {"A": 3}
    assert asked(pair) == [("count_rose", "SH A")]


def test_a_person_who_says_that_it_is_right_has_it_taken(pair: Pair) -> None:
    report(pair, "A", 3000)
    pair[0].advance(3600)

    finish(pair)
    work(pair[0])
    pair[0].advance(5)
    work(pair[0])

    assert on_hand(pair) == 3000
    assert pair[0].shop.shown == {"A": 3000}
    assert looking.rows(pair[0], select(waiting_count.c.sku)) == []
    assert not looking.problems(pair[0])


def test_what_left_since_it_was_counted_is_taken_off_when_it_is_believed_later(pair: Pair) -> None:
    report(pair, "A", 3000)
    counts.add_stock(pair[0].ctx, warehouse="SH", sku="A", qty=-2, reason="broken", actor="me")

    finish(pair)

    assert on_hand(pair) == 2998


def test_a_count_by_hand_ends_the_question(pair: Pair) -> None:
    report(pair, "A", 3000)

    counts.set_stock(pair[0].ctx, warehouse="SH", sku="A", on_hand=30, actor="me")

    assert (on_hand(pair), asked(pair)) == (30, [])
    assert looking.rows(pair[0], select(waiting_count.c.sku)) == []


def test_a_better_count_of_the_warehouse_ends_the_question(pair: Pair) -> None:
    report(pair, "A", 3000)
    report(pair, "A", 300)

    assert (on_hand(pair), asked(pair)) == (300, [])


def test_the_last_word_is_what_waits(pair: Pair) -> None:
    report(pair, "A", 3000)
    report(pair, "A", 4000)
    assert looking.rows(pair[0], select(waiting_count.c.on_hand)) == [(4000,)]

    finish(pair)
    assert on_hand(pair) == 4000


def test_an_older_count_that_comes_later_is_not_the_last_word(pair: Pair) -> None:
    town, depot = pair
    report(pair, "A", 4000)
    depot.count("A", 3000, town.clock.now() - timedelta(seconds=30), "SH")
    work(town)

    assert looking.rows(town, select(waiting_count.c.on_hand)) == [(4000,)]


def test_a_count_that_falls_is_believed_at_once_with_a_task(pair: Pair) -> None:
    counts.set_stock(pair[0].ctx, warehouse="SH", sku="A", on_hand=3000, actor="me")
    report(pair, "A", 3)

    assert on_hand(pair) == 3
    assert asked(pair) == [("count_fell", "SH A")]


def test_a_first_count_never_waits(pair: Pair) -> None:
    import_listings(pair[0].ctx, [ListingMapping(channel="shop", channel_sku="B", sku="B")], actor="me")
    report(pair, "B", 90_000)

    assert (on_hand(pair, "B"), asked(pair)) == (90_000, [])


def test_what_a_person_counts_never_waits(pair: Pair) -> None:
    counts.set_stock(pair[0].ctx, warehouse="SH", sku="A", on_hand=90_000, actor="me")
    rows = [
        counts.Count(warehouse="SH", sku="A", on_hand=900_000),
        counts.Count(warehouse="SH", sku="NEW", on_hand=5000),
    ]
    counts.import_counts(pair[0].ctx, rows, actor="me")

    assert (on_hand(pair), on_hand(pair, "NEW"), asked(pair)) == (900_000, 5000, [])


def test_skus_that_nobody_knows_are_one_task_and_no_skus(pair: Pair) -> None:
    for number in range(25):
        pair[1].count(f"X{number:02}", number, pair[0].clock.now(), "SH")
    report(pair, "X25", 25)

    assert asked(pair) == [("sku_unknown", "SH")]
    ((reason,),) = looking.rows(pair[0], select(task.c.reason).where(task.c.closed_at.is_(None)))
    assert reason.startswith("SH counts 26 SKUs that nobody here knows: X00 (0), X01 (1), ")
    assert reason.endswith("X19 (19), …")
    assert looking.rows(pair[0], select(sku.c.code)) == [("A",)]

    finish(pair)
    assert (on_hand(pair, "X07"), on_hand(pair, "X25"), asked(pair)) == (7, 25, [])
    assert not looking.problems(pair[0])


def test_a_sku_that_becomes_known_is_asked_about_no_longer_when_it_is_counted_again(pair: Pair) -> None:
    report(pair, "B", 7)
    assert asked(pair) == [("sku_unknown", "SH")]
    import_listings(pair[0].ctx, [ListingMapping(channel="shop", channel_sku="B", sku="B")], actor="me")

    report(pair, "B", 6)

    assert (on_hand(pair, "B"), asked(pair)) == (6, [])


def test_what_waits_outlives_a_restart(pair: Pair, database_url: str) -> None:
    report(pair, "A", 3000)
    again = build_depot(database_url, town=pair[0], depot=pair[1])

    finish(again)

    assert on_hand(again) == 3000
    again[0].store.close()


def test_a_task_that_is_closed_takes_nothing_again(pair: Pair) -> None:
    report(pair, "A", 3000)
    ((task_id,),) = looking.rows(pair[0], select(task.c.id))
    finish(pair)
    counts.set_stock(pair[0].ctx, warehouse="SH", sku="A", on_hand=5, actor="me")

    with pytest.raises(Refused, match="closed by me"):
        tasks.finish_task(pair[0].ctx, task_id, actor="me")
    assert on_hand(pair) == 5
