"""What should be made, bought and moved, when and why."""

import pytest

from erpsync.core.bom import CycleError
from erpsync.core.forecast import Span
from erpsync.core.replenish import Advice, PlanItem, Shortage, WorkCalendar, plan
from tests.unit.core.replenish.builders import (
    ALWAYS,
    HOME,
    TODAY,
    buy,
    coming,
    day,
    expected,
    key,
    made_of,
    make,
    need,
    planned,
    short,
)

MUG, CLAY, HANDLE = 1, 2, 3
FAR = 2


def test_what_is_there_is_used_before_anything_is_suggested() -> None:
    assert planned(need(MUG, 3, 5), on_hand={MUG: 5}, items={MUG: buy()}).suggestions == ()


def test_a_supply_covers_the_days_after_its_shortage_and_says_what_for() -> None:
    got = planned(
        need(MUG, 2, 3, order=7),
        need(MUG, 5, 4, order=8),
        need(MUG, 9, 4, order=9),
        forecast=[expected(MUG, 6, 2)],
        on_hand={MUG: 1},
        items={MUG: buy(cover_days=4, order_min=5, order_multiple=6)},
    ).suggestions

    assert short(got) == [(MUG, 2, 2, 12)]
    assert got[0].pegs == (("order", 7, 2), ("order", 8, 4), ("forecast", 0, 2), ("order", 9, 4))
    assert (got[0].short_on, got[0].short_qty) == (day(2), 2)


def test_what_a_lot_leaves_is_for_stock() -> None:
    got = planned(need(MUG, 2, 3, order=7), items={MUG: buy(order_min=10)}).suggestions

    assert got[0].pegs == (("order", 7, 3), ("stock", 0, 7))


@pytest.mark.parametrize(
    ("wanted", "least", "multiple", "qty"),
    [(3, 0, 1, 3), (3, 10, 1, 10), (3, 10, 8, 16), (17, 10, 8, 24), (24, 0, 8, 24)],
)
def test_lots_are_rounded_up(wanted: int, least: int, multiple: int, qty: int) -> None:
    item = buy(order_min=least, order_multiple=multiple)

    assert planned(need(MUG, 1, wanted), items={MUG: item}).suggestions[0].qty == qty


def test_a_start_in_the_past_is_today_and_late_and_covers_all_until_it_comes() -> None:
    got = planned(need(MUG, 3, 5), need(MUG, 8, 2), need(MUG, 11, 1), items={MUG: buy(lead_days=10)}).suggestions

    assert short(got) == [(MUG, 0, 10, 7), (MUG, 1, 11, 1)]
    assert [each.late_days for each in got] == [7, 0]


def test_safety_is_kept_though_nobody_wants_it_and_orders_may_still_have_it() -> None:
    got = planned(need(MUG, 4, 3, order=7), on_hand={MUG: 5}, items={MUG: buy(safety=8, lead_days=6)}).suggestions

    assert short(got) == [(MUG, 0, 6, 6)]
    assert (got[0].short_on, got[0].late_days) == (TODAY, 6)
    assert got[0].pegs == (("stock", 0, 6),)


def test_what_was_due_before_counts_as_today() -> None:
    got = planned(need(MUG, -9, 5), supplies=[coming(1, MUG, -3, 5)], items={MUG: buy()})

    assert (got.suggestions, got.advice) == ((), ())


def test_a_forecast_counts_from_tomorrow() -> None:
    assert planned(forecast=[expected(MUG, 0, 5), expected(MUG, -1, 5)], items={MUG: buy()}).suggestions == ()


def test_an_open_supply_that_comes_no_later_than_a_new_one_is_waited_for_and_wanted_sooner() -> None:
    got = planned(need(MUG, 2, 5), supplies=[coming(1, MUG, 4, 5)], items={MUG: buy(lead_days=6)})

    assert got.suggestions == ()
    assert got.advice == (Advice(1, "bring_forward", day(2)),)


def test_an_open_supply_that_comes_after_a_new_one_could_is_not_waited_for() -> None:
    got = planned(need(MUG, 5, 5), supplies=[coming(1, MUG, 30, 5)], items={MUG: buy(lead_days=3)})

    assert short(got.suggestions) == [(MUG, 2, 5, 5)]
    assert got.advice == (Advice(1, "not_needed", None),)


def test_an_open_supply_that_comes_long_before_it_is_needed_may_be_pushed_back() -> None:
    at_20 = planned(need(MUG, 20, 5), supplies=[coming(1, MUG, 4, 5)], items={MUG: buy(cover_days=15)})
    at_19 = planned(need(MUG, 19, 5), supplies=[coming(1, MUG, 4, 5)], items={MUG: buy(cover_days=15)})

    assert at_20.advice == (Advice(1, "push_back", day(20)),)
    assert at_19.advice == ()


def test_components_are_needed_on_the_day_their_work_begins() -> None:
    got = planned(
        need(MUG, 10, 4),
        on_hand={CLAY: 100},
        boms={MUG: made_of((CLAY, 300), (HANDLE, 1))},
        items={MUG: make(lead_days=3), CLAY: buy(lead_days=2), HANDLE: buy(lead_days=9)},
    ).suggestions

    assert short(got) == [(MUG, 7, 10, 4), (CLAY, 5, 7, 1100), (HANDLE, 0, 9, 4)]
    assert [each.late_days for each in got] == [0, 0, 2]
    assert got[1].pegs == (("suggestion", 0, 1100),)


def test_a_move_takes_from_the_other_warehouse_which_is_planned_after_it() -> None:
    items = {key(MUG): PlanItem(means="move", from_warehouse_id=FAR, lead_days=2), key(MUG, FAR): buy(lead_days=5)}

    got = plan([need(MUG, 10, 4)], [], {key(MUG, FAR): 1}, [], {}, items, ALWAYS, TODAY).suggestions

    assert [(each.key.warehouse_id, each.means, each.start, each.qty) for each in got] == [
        (HOME, "move", day(8), 4),
        (FAR, "buy", day(3), 3),
    ]


def test_items_that_move_in_a_ring_are_refused() -> None:
    items = {
        key(MUG): PlanItem(means="move", from_warehouse_id=FAR),
        key(MUG, FAR): PlanItem(means="move", from_warehouse_id=HOME),
    }

    with pytest.raises(CycleError):
        plan([need(MUG, 1, 1)], [], {}, [], {}, items, ALWAYS, TODAY)


def test_what_nothing_can_cover_is_a_shortage_with_its_reason() -> None:
    got = planned(
        need(MUG, 4, 5),
        need(CLAY, 4, 6),
        need(CLAY, 6, 1),
        need(HANDLE, 1, 7),
        on_hand={CLAY: 2},
        items={MUG: make(), CLAY: PlanItem(means="none")},
    )

    assert got.shortages == (
        Shortage(key(MUG), day(4), 5, "no_bom"),
        Shortage(key(CLAY), day(4), 4, "no_means"),
        Shortage(key(CLAY), day(6), 1, "no_means"),
        Shortage(key(HANDLE), day(1), 7, "no_item"),
    )
    assert got.suggestions == ()


def test_leads_count_working_days() -> None:
    """Today is a Monday; nobody works on Sundays, nor from Thursday to Saturday of next week."""
    calendar = WorkCalendar(days_off=[6], closed=(Span(day(10), day(12)),))

    got = planned(need(MUG, 15, 1), need(MUG, 13, 1), items={MUG: buy(lead_days=4)}, calendar=calendar).suggestions
    late = planned(need(MUG, 1, 1), items={MUG: buy(lead_days=7)}, calendar=calendar).suggestions

    assert short(got) == [(MUG, 4, 9, 1), (MUG, 7, 15, 1)]
    assert short(late) == [(MUG, 0, 8, 1)]


def test_a_week_without_a_working_day_is_refused() -> None:
    with pytest.raises(ValueError, match="on which people work"):
        planned(calendar=WorkCalendar(days_off=range(7)))


def test_the_same_input_in_any_order_gives_the_same_plan() -> None:
    needs = [need(MUG, at % 7, at, order=at) for at in range(1, 30)]
    items = {MUG: make(cover_days=2), CLAY: buy(order_multiple=7)}
    boms = {MUG: made_of((CLAY, 3))}

    assert planned(*needs, boms=boms, items=items) == planned(*reversed(needs), boms=boms, items=items)


def test_a_work_and_an_order_of_one_number_are_told_apart() -> None:
    work = need(MUG, 1, 2, order=7)._replace(kind="work")

    assert planned(need(MUG, 1, 3, order=7), work, items={MUG: buy(cover_days=1)}).suggestions[0].pegs == (
        ("work", 7, 2),
        ("order", 7, 3),
    )
