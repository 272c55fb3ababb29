"""What a work order needs and uses, in the words of those who make it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.bom import BomLine
from erpsync.core.making import Balance, Part, Spent, Step, changed, is_done, lacking, most, needed, spent, waiting_at

BLANK, INK, BOX = 1, 2, 3
PARTS = [
    Part(line=BomLine(BLANK, 1), step_no=1),
    Part(line=BomLine(INK, 3, 100_000)),
    Part(line=BomLine(BOX, 1), step_no=2),
]


def steps(*sums: tuple[int, int]) -> list[Step]:
    return [Step(no=no, good_qty=good, scrap_qty=scrap) for no, (good, scrap) in enumerate(sums, 1)]


def test_work_needs_its_parts_and_what_is_lost_of_them_on_the_way() -> None:
    assert needed(PARTS, 1, 3) == {BLANK: 3, INK: 10, BOX: 3}


def test_a_part_that_stands_twice_is_needed_for_both() -> None:
    assert needed([Part(line=BomLine(INK, 2)), Part(line=BomLine(INK, 3))], 1, 2) == {INK: 10}


def test_a_unit_lost_at_a_step_takes_with_it_what_went_in_until_then() -> None:
    got = spent(PARTS, 1, steps((1, 1), (1, 0)))

    assert got == {
        BLANK: Spent(used_qty=1, scrapped_qty=1),
        INK: Spent(used_qty=4, scrapped_qty=3),
        BOX: Spent(used_qty=1, scrapped_qty=0),
    }


@given(cuts=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_however_a_job_is_cut_it_uses_what_the_whole_needs(cuts: list[int]) -> None:
    now = steps((0, 0))
    for qty in cuts:
        now = changed(now, 1, qty, 0)

    used = {sku_id: each.used_qty for sku_id, each in spent(PARTS[:2], 1, now).items()}

    assert used == needed(PARTS[:2], 1, sum(cuts))


@pytest.mark.parametrize(
    ("sums", "no", "waits"), [(((0, 0), (0, 0)), 1, 5), (((3, 1), (1, 1)), 1, 1), (((3, 1), (1, 1)), 2, 1)]
)
def test_through_a_step_goes_what_came_out_of_the_one_before(
    sums: tuple[tuple[int, int], ...], no: int, waits: int
) -> None:
    assert waiting_at(steps(*sums), no, 5) == waits


def test_over_the_quantity_goes_so_much_and_no_unit_more() -> None:
    assert (most(10, 5), most(20, 5), most(5, 0)) == (10, 21, 5)


@pytest.mark.parametrize(
    ("sums", "done"),
    [(((5, 0), (5, 0)), True), (((4, 1), (3, 1)), True), (((5, 0), (4, 0)), False), (((6, 0), (5, 0)), False)],
)
def test_work_is_done_when_all_is_made_or_lost_and_nothing_lies_between_two_steps(
    sums: tuple[tuple[int, int], ...], done: bool
) -> None:
    assert is_done(steps(*sums), 5) is done


def test_work_is_short_by_what_is_wanted_and_in_excess_by_what_nobody_waits_for() -> None:
    assert Balance(wanted_qty=5, kept_qty=6, coming_qty=3).short_qty == 2
    assert Balance(wanted_qty=1, kept_qty=3, coming_qty=3).excess_qty == 0
    assert Balance(wanted_qty=0, kept_qty=1, coming_qty=3).excess_qty == 2


def test_what_is_not_held_lacks() -> None:
    assert lacking({BLANK: 2, INK: 3}, {BLANK: 2, INK: 1}) == {INK: 2}
