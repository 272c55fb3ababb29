"""What is made to order: what waits becomes work, one work order of a need, and what nobody wants any more ends."""

import threading
from collections.abc import Callable

import pytest

from erpsync.flows.inventory import counts
from erpsync.flows.orders import actions
from erpsync.flows.production import netting
from erpsync.flows.production.boms import activate
from tests.support import looking, walk, workshop
from tests.support.shop import Town

MakeTown = Callable[..., Town]


@pytest.fixture
def shop(make_town: MakeTown) -> Town:
    """Mugs are made to order; ten blanks and thirty grams of ink lie in RM."""
    town = workshop.open_workshop(make_town)
    workshop.stock_up(town, BLANK=10, INK=30)
    return town


def test_a_paid_order_becomes_a_work_order_that_holds_its_components(shop: Town) -> None:
    workshop.order(shop, "o1", 2)

    assert workshop.net(shop) == 1

    assert workshop.works(shop) == [(2, "open")]
    assert workshop.of_works(shop) == (2 + 6, 0)
    assert looking.on_shelf(shop)["RM", "BLANK"] == (10, 2)
    assert [detail["qty"] for _, detail in looking.events(shop, "work.opened")] == [2]
    assert not workshop.problems(shop)


def test_netting_again_or_after_a_restart_changes_nothing(shop: Town, make_town: MakeTown) -> None:
    workshop.order(shop, "o1", 2)
    workshop.net(shop)

    again = workshop.open_workshop(make_town, town=shop)

    assert (workshop.net(shop), workshop.net(again)) == (0, 0)
    assert workshop.works(again) == [(2, "open")]


def test_two_nodes_that_net_at_once_make_one_work_order(shop: Town, make_town: MakeTown) -> None:
    workshop.order(shop, "o1", 2)
    other = workshop.open_workshop(make_town, town=shop)
    start = threading.Barrier(2)

    def run(town: Town) -> None:
        start.wait()
        workshop.net(town)

    threads = [threading.Thread(target=run, args=(town,)) for town in (shop, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert workshop.works(shop) == [(2, "open")]
    assert not workshop.problems(shop)


def test_standard_goods_share_a_work_order_that_has_not_begun(shop: Town) -> None:
    workshop.order(shop, "o1", 2)
    workshop.net(shop)
    workshop.order(shop, "o2", 3)
    workshop.net(shop)

    assert workshop.works(shop) == [(5, "open")]
    assert workshop.of_works(shop) == (5 + 15, 0)
    assert not workshop.problems(shop)


def test_a_variant_has_a_work_order_of_its_own_by_the_bill_of_its_base(shop: Town) -> None:
    workshop.make_variant(shop, "MUG~A")
    workshop.order(shop, "o1", 1)
    workshop.order(shop, "o2", 1, sku="MUG~A")
    workshop.net(shop)

    assert workshop.works(shop) == [(1, "open"), (1, "open")]
    assert workshop.of_works(shop) == (2 + 6, 0)


def test_what_lies_on_the_shelf_is_not_made(shop: Town) -> None:
    counts.set_stock(shop.ctx, warehouse="SH", sku="MUG", on_hand=2, actor="me")
    workshop.order(shop, "o1", 3)
    workshop.net(shop)

    assert workshop.works(shop) == [(1, "open")]


@pytest.mark.parametrize(("gone", "left"), [("o2", [(2, "open")]), ("o1", [(3, "open")])])
def test_a_cancelled_order_s_work_is_taken_back_and_its_components_are_free(
    shop: Town, gone: str, left: list[tuple[int, str]]
) -> None:
    workshop.order(shop, "o1", 2)
    workshop.order(shop, "o2", 3)
    workshop.net(shop)

    actions.cancel_order(shop.ctx, gone, reason="x", actor="me")
    workshop.net(shop)

    assert workshop.works(shop) == left
    assert looking.on_shelf(shop)["RM", "BLANK"] == (10, left[0][0])
    assert not workshop.problems(shop)


def test_a_work_order_that_nobody_wants_any_more_is_closed_and_says_why(shop: Town) -> None:
    workshop.order(shop, "o1", 2)
    workshop.net(shop)

    actions.cancel_order(shop.ctx, "o1", reason="x", actor="me")
    workshop.net(shop)

    assert workshop.works(shop) == [(2, "closed")]
    assert looking.rows(shop, "SELECT reason FROM supply") == [(netting.NOT_WANTED,)]
    assert (workshop.of_works(shop), looking.on_shelf(shop)["RM", "BLANK"]) == ((0, 0), (10, 0))
    assert not workshop.problems(shop)


def test_work_for_an_order_that_is_held_is_neither_begun_nor_given_up(shop: Town) -> None:
    workshop.order(shop, "o1", 2)
    actions.hold_order(shop.ctx, "o1", reason="look", actor="me")
    assert (workshop.net(shop), workshop.works(shop)) == (0, [])
    actions.end_hold(shop.ctx, "o1", actor="me")
    workshop.net(shop)

    actions.hold_order(shop.ctx, "o1", reason="look", actor="me")

    assert (workshop.net(shop), workshop.works(shop)) == (0, [(2, "open")])


def test_an_order_waits_for_as_long_as_was_said_before_it_is_made(make_town: MakeTown) -> None:
    shop = workshop.open_workshop(make_town, wait_minutes=30)
    workshop.order(shop, "o1", 1)
    assert workshop.net(shop) == 0

    shop.advance(30 * 60)

    assert workshop.net(shop) == 1


def test_short_components_are_waited_for_and_served_when_they_come(make_town: MakeTown) -> None:
    shop = workshop.open_workshop(make_town)
    workshop.stock_up(shop, BLANK=1)
    workshop.order(shop, "o1", 2)
    workshop.net(shop)
    assert workshop.of_works(shop) == (1, 1 + 6)

    workshop.stock_up(shop, BLANK=2, INK=10)

    assert workshop.of_works(shop) == (2 + 6, 0)
    assert not workshop.problems(shop)


def test_a_component_that_is_made_itself_becomes_work_too(make_town: MakeTown) -> None:
    shop = workshop.open_workshop(make_town)
    workshop.teach(shop, "BLANK", CLAY=2)
    workshop.make_to_order(shop, "BLANK")
    workshop.stock_up(shop, CLAY=9, INK=9)
    workshop.order(shop, "o1", 2)

    assert workshop.net(shop) == 2

    assert workshop.works(shop) == [(2, "open"), (2, "open")]
    assert workshop.of_works(shop) == (6 + 4, 2)


def test_goods_without_a_bill_are_a_task_that_ends_when_there_is_one(shop: Town) -> None:
    workshop.make_to_order(shop, "CUP")
    workshop.order(shop, "o1", 2, sku="CUP")
    assert workshop.net(shop) == 0
    assert looking.tasks(shop) == ["no_bom"]

    workshop.teach(shop, "CUP", BLANK=1)
    workshop.net(shop)

    assert (workshop.works(shop), looking.tasks(shop)) == ([(2, "open")], [])


def test_a_newer_version_is_for_new_work_and_begun_or_open_work_keeps_its_own(shop: Town) -> None:
    workshop.order(shop, "o1", 1)
    workshop.net(shop)
    workshop.teach(shop, "MUG", version="2", BLANK=2)
    workshop.order(shop, "o2", 1)
    workshop.net(shop)

    assert workshop.works(shop) == [(1, "open"), (1, "open")]
    assert workshop.of_works(shop) == (1 + 3 + 2, 0)
    activate(shop.ctx, "MUG", "1", actor="me")
    assert workshop.net(shop) == 0


def test_without_production_nothing_is_made(make_town: MakeTown) -> None:
    shop = workshop.open_workshop(make_town)
    plain = make_town(warehouses=workshop.PLACES, town=shop)
    workshop.order(shop, "o1", 1)

    assert workshop.net(plain) == 0
    assert workshop.works(shop) == []
    walk.read(plain)
