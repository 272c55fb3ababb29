"""A work order is begun, reported step by step and finished; its units go to who waits, and nothing is used twice."""

from collections.abc import Callable

import pytest

from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.orders import actions
from erpsync.flows.production.reports import Said, close, report, undo
from erpsync.flows.production.start import split, start
from tests.support import looking, workshop
from tests.support.shop import Town

MakeTown = Callable[..., Town]


@pytest.fixture
def shop(make_town: MakeTown) -> Town:
    """An order of four mugs waits; ten blanks and thirty grams of ink lie in RM, and the work order is open."""
    town = workshop.open_workshop(make_town)
    workshop.stock_up(town, BLANK=10, INK=30)
    workshop.order(town, "o1", 4)
    workshop.net(town)
    return town


@pytest.fixture
def begun(shop: Town) -> Town:
    """The work order of the four mugs has begun."""
    start(shop.ctx, workshop.number(shop), actor="ana")
    return shop


def say(town: Town, step: int, good: int = 0, scrap: int = 0, *, key: str = "", work: int = 0) -> int:
    said = Said(
        work=workshop.number(town, work),
        step_no=step,
        good_qty=good,
        scrap_qty=scrap,
        key=key or f"k{looking.count(town, 'report')}",
    )
    return report(town.ctx, said, actor="ana")


def parts(town: Town) -> dict[str, tuple[int, ...]]:
    """Return (needed, issued, used, scrapped, returned) by component."""
    query = """SELECT s.code, p.need_qty, p.issued_qty, p.used_qty, p.scrapped_qty, p.returned_qty
               FROM work_part p JOIN sku s ON s.id = p.sku_id ORDER BY p.supply_id"""
    return {row[0]: tuple(row[1:]) for row in looking.rows(town, query)}


def test_begun_work_has_its_components_where_it_is_worked_on(begun: Town) -> None:
    shelf = looking.on_shelf(begun)

    assert (shelf["RM", "BLANK"], shelf["WIP", "BLANK"]) == ((6, 0), (4, 4))
    assert (shelf["RM", "INK"], shelf["WIP", "INK"]) == ((18, 0), (12, 12))
    assert looking.booked(begun, "BLANK")[1:] == [(-4, "issued"), (4, "issued")]
    assert not workshop.problems(begun)
    with pytest.raises(Refused, match="has begun already"):
        start(begun.ctx, workshop.number(begun), actor="ana")


def test_finished_units_go_to_the_order_that_waits_in_the_same_commit(begun: Town) -> None:
    say(begun, 1, 4)
    assert looking.owed(begun) == {"o1": 4}

    say(begun, 2, 4)

    assert (looking.owed(begun), looking.promised(begun)) == ({}, {"o1": 4})
    assert workshop.works(begun) == [(4, "done")]
    assert parts(begun) == {"BLANK": (4, 4, 4, 0, 0), "INK": (12, 12, 12, 0, 0)}
    assert looking.on_shelf(begun)["WIP", "INK"] == (0, 0)
    assert looking.story(begun, "o1").count("order.filled") == 1
    assert workshop.net(begun) == 0
    assert not workshop.problems(begun)


def test_units_are_served_as_they_are_finished(begun: Town) -> None:
    say(begun, 1, 3)
    say(begun, 2, 1)

    assert (looking.owed(begun), looking.promised(begun)) == ({"o1": 3}, {"o1": 1})
    assert parts(begun)["INK"] == (12, 12, 3, 0, 0)
    assert workshop.net(begun) == 0
    assert not workshop.problems(begun)


def test_a_double_tap_is_one_report_and_a_key_is_of_one_report_only(begun: Town) -> None:
    assert say(begun, 1, 2, key="tap") == say(begun, 1, 2, key="tap")
    assert looking.count(begun, "report") == 1

    with pytest.raises(Refused, match="key tap was used for another report"):
        say(begun, 1, 1, key="tap")


def test_what_is_lost_takes_its_material_and_becomes_new_work(begun: Town) -> None:
    say(begun, 1, 3, 1)
    say(begun, 2, 3)

    assert workshop.works(begun) == [(4, "done")]
    assert parts(begun) == {"BLANK": (4, 4, 3, 1, 0), "INK": (12, 12, 9, 3, 0)}
    assert not workshop.problems(begun)
    assert workshop.net(begun) == 1
    assert workshop.works(begun) == [(4, "done"), (1, "open")]


@pytest.mark.parametrize(
    ("step", "good", "scrap", "why"),
    [
        (3, 1, 0, "has no step 3"),
        (2, 1, 0, "0 wait there"),
        (1, 5, 0, "4 wait there"),
        (1, 0, 0, "one unit or more"),
        (1, -1, 2, "one unit or more"),
    ],
)
def test_a_report_that_cannot_be_changes_nothing(begun: Town, step: int, good: int, scrap: int, why: str) -> None:
    with pytest.raises(Refused, match=why):
        say(begun, step, good, scrap)

    assert looking.count(begun, "report") == 0


def test_work_that_has_not_begun_or_has_ended_takes_no_report(shop: Town) -> None:
    with pytest.raises(Refused, match="has not begun"):
        say(shop, 1, 1)
    start(shop.ctx, workshop.number(shop), actor="ana")
    say(shop, 1, 4)
    say(shop, 2, 4)

    with pytest.raises(Refused, match="has ended: it is done"):
        say(shop, 1, 1)


def test_over_the_quantity_so_much_is_made_of_components_that_nobody_holds(make_town: MakeTown) -> None:
    shop = workshop.open_workshop(make_town)
    workshop.stock_up(shop, BLANK=11, INK=31)
    workshop.order(shop, "o1", 10)
    workshop.net(shop)
    start(shop.ctx, workshop.number(shop), actor="ana")
    say(shop, 1, 11)
    say(shop, 2, 11)

    assert workshop.works(shop) == [(10, "done")]
    assert looking.on_shelf(shop)["SH", "MUG"] == (11, 10)
    assert parts(shop) == {"BLANK": (10, 11, 11, 0, 0), "INK": (30, 31, 31, 0, 0)}
    assert looking.tasks(shop) == ["stock_short"]
    assert not workshop.problems(shop)


def test_a_report_that_was_a_mistake_is_taken_back(begun: Town) -> None:
    say(begun, 1, 4)
    last = say(begun, 2, 1)
    actions.cancel_order(begun.ctx, "o1", reason="x", actor="me")

    assert undo(begun.ctx, workshop.number(begun), last, key="u1", actor="ana")

    assert parts(begun)["INK"] == (12, 12, 0, 0, 0)
    assert looking.on_shelf(begun)["SH", "MUG"] == (0, 0)
    assert not workshop.problems(begun)
    with pytest.raises(Refused, match="was taken back already"):
        undo(begun.ctx, workshop.number(begun), last, key="u2", actor="ana")


def test_a_report_is_not_taken_back_once_a_later_step_or_a_buyer_has_the_units(begun: Town) -> None:
    first = say(begun, 1, 4)
    last = say(begun, 2, 1)

    with pytest.raises(Refused, match="a later step"):
        undo(begun.ctx, workshop.number(begun), first, key="u1", actor="ana")
    with pytest.raises(Refused, match="somebody has the units"):
        undo(begun.ctx, workshop.number(begun), last, key="u2", actor="ana")

    assert looking.promised(begun) == {"o1": 1}
    assert not workshop.problems(begun)


def test_work_that_lacks_a_component_does_not_begin_and_says_what(make_town: MakeTown) -> None:
    shop = workshop.open_workshop(make_town)
    workshop.stock_up(shop, BLANK=1, INK=30)
    workshop.order(shop, "o1", 4)
    workshop.net(shop)

    with pytest.raises(Refused, match="lacks BLANK 3;"):
        start(shop.ctx, workshop.number(shop), actor="ana")

    start(shop.ctx, workshop.number(shop), qty=1, actor="ana")

    assert workshop.works(shop) == [(1, "started"), (3, "open")]
    assert workshop.of_works(shop) == (1 + 3 + 9, 3)
    assert workshop.net(shop) == 0
    assert not workshop.problems(shop)


def test_a_work_order_is_split_in_two_that_need_the_same(shop: Town) -> None:
    other = split(shop.ctx, workshop.number(shop), qty=1, actor="me")

    assert other == workshop.number(shop, 1)
    assert workshop.works(shop) == [(1, "open"), (3, "open")]
    assert workshop.of_works(shop) == (4 + 12, 0)
    assert workshop.net(shop) == 0
    with pytest.raises(Refused, match="is of 1 units"):
        split(shop.ctx, workshop.number(shop), qty=1, actor="me")


@pytest.mark.parametrize(
    ("scrap", "left", "ink"), [(False, (10 - 2, 4 - 2), (12, 12, 6, 0, 6)), (True, (6, 2), (12, 12, 6, 6, 0))]
)
def test_begun_work_that_is_closed_gives_the_rest_back_or_scraps_it_and_who_waits_gets_other_work(
    begun: Town, scrap: bool, left: tuple[int, int], ink: tuple[int, ...]
) -> None:
    say(begun, 1, 3)
    say(begun, 2, 2)

    close(begun.ctx, workshop.number(begun), reason="the laser broke", scrap=scrap, actor="me")

    assert workshop.works(begun) == [(4, "closed")]
    assert parts(begun)["INK"] == ink
    assert not workshop.problems(begun)
    workshop.net(begun)
    assert workshop.works(begun) == [(4, "closed"), (2, "open")]
    assert looking.on_shelf(begun)["RM", "BLANK"] == (left[0], 2)


def test_open_work_that_is_closed_frees_its_components_until_other_work_wants_them(shop: Town) -> None:
    close(shop.ctx, workshop.number(shop), reason="wrong", actor="me")

    assert workshop.of_works(shop) == (0, 0)
    assert not workshop.problems(shop)
    workshop.net(shop)
    assert workshop.works(shop) == [(4, "closed"), (4, "open")]
    with pytest.raises(Refused, match="has ended: it is closed"):
        close(shop.ctx, workshop.number(shop), reason="again", actor="me")


def test_work_of_a_held_order_begins_only_where_that_is_forced(shop: Town) -> None:
    actions.hold_order(shop.ctx, "o1", reason="look", actor="me")

    with pytest.raises(Refused, match="is held; --force begins it all the same"):
        start(shop.ctx, workshop.number(shop), actor="ana")
    start(shop.ctx, workshop.number(shop), force=True, actor="ana")

    assert workshop.works(shop) == [(4, "started")]


def test_begun_work_of_standard_goods_goes_on_when_its_order_goes_and_serves_the_next(begun: Town) -> None:
    actions.cancel_order(begun.ctx, "o1", reason="x", actor="me")
    assert workshop.net(begun) == 0
    workshop.order(begun, "o2", 4)
    assert workshop.net(begun) == 0

    say(begun, 1, 4)
    say(begun, 2, 4)

    assert looking.promised(begun) == {"o2": 4}
    assert looking.tasks(begun) == []


def test_begun_work_of_a_variant_that_nobody_wants_any_more_is_a_task(make_town: MakeTown) -> None:
    shop = workshop.open_workshop(make_town)
    workshop.make_variant(shop, "MUG~A")
    workshop.stock_up(shop, BLANK=10, INK=30)
    workshop.order(shop, "o1", 1, sku="MUG~A")
    workshop.net(shop)
    start(shop.ctx, workshop.number(shop), actor="ana")

    actions.cancel_order(shop.ctx, "o1", reason="x", actor="me")
    workshop.net(shop)
    assert (workshop.works(shop), looking.tasks(shop)) == ([(1, "started")], ["work_excess"])

    close(shop.ctx, workshop.number(shop), reason="cancelled", actor="me")
    workshop.net(shop)
    assert looking.tasks(shop) == []


def test_a_count_never_takes_back_what_is_being_worked_on(begun: Town) -> None:
    counts.set_stock(begun.ctx, warehouse="RM", sku="BLANK", on_hand=0, actor="me")

    assert looking.on_shelf(begun)["WIP", "BLANK"] == (4, 4)
    assert not workshop.problems(begun)
