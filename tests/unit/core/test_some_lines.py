"""A view that may lack lines says nothing about those that it does not show."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from erpsync.core.orders import KnownOrder, Merged
from erpsync.core.some_lines import UNCLEAR, adds, completed, with_added
from erpsync.sdk.types import Line, Order, OrderState
from tests.support.views import NOON, known, line, merged, view

LATER = NOON + timedelta(hours=1)
BOTH = (line(), line("L2"))
ENDED = (OrderState.SHIPPED, OrderState.COMPLETED)


def part(*lines: Line, **fields: Any) -> Order:
    return view(*lines, some_lines=True, **fields)


def after(before: KnownOrder, new: Order) -> KnownOrder:
    return merged(before, completed(before, new)).order


@pytest.mark.parametrize("state", OrderState)
def test_a_view_of_the_whole_order_counts_as_it_is(state: OrderState) -> None:
    whole = view(line(), state=state)

    assert completed(known(*BOTH), whole) is whole


@pytest.mark.parametrize("state", OrderState)
def test_so_does_one_that_happens_to_show_all_that_is_still_to_leave(state: OrderState) -> None:
    given_up = known(line(), line("L2", cancelled_qty=2))

    assert completed(known(*BOTH), part(*BOTH, state=state)) == part(*BOTH, state=state)
    assert completed(given_up, part(line(), state=state)) == part(line(), state=state)


@pytest.mark.parametrize("state", ENDED)
def test_an_order_of_which_some_lines_left_is_paid_and_those_have_left(state: OrderState) -> None:
    told = completed(known(*BOTH), part(line(), state=state, ready_at=LATER))

    assert (told.state, told.ready_at) == (OrderState.PAID, NOON)
    assert [(each.external_id, each.shipped_qty) for each in told.lines] == [("L1", 2)]
    assert told.do_not_ship == ""


def test_an_order_that_was_not_due_is_due_since_the_view_says_so() -> None:
    unpaid = known(*BOTH, state=OrderState.UNPAID)

    assert completed(unpaid, part(line(), state=OrderState.SHIPPED, ready_at=LATER)).ready_at == LATER


@pytest.mark.parametrize("state", [OrderState.UNPAID, OrderState.PAID])
def test_nothing_of_an_order_that_has_still_to_leave_is_counted_as_gone(state: OrderState) -> None:
    told = completed(known(*BOTH), part(line(), state=state))

    assert (told.state, told.lines, told.do_not_ship) == (state, (line(),), "")


def test_where_all_that_is_shown_is_cancelled_the_others_are_held_and_the_order_stays_where_it_was() -> None:
    before = known(*BOTH, line("L3"))

    told = completed(before, part(line(), state=OrderState.CANCELLED, ready_at=None))

    assert (told.state, told.ready_at) == (OrderState.PAID, NOON)
    assert told.do_not_ship == f"{UNCLEAR}: L2, L3"
    assert [item.open_qty for item in after(before, told).lines] == [0, 2, 2]


def test_a_cancelled_line_does_not_make_an_unpaid_order_due() -> None:
    unpaid = known(*BOTH, state=OrderState.UNPAID)

    told = completed(unpaid, part(line(), state=OrderState.CANCELLED, ready_at=LATER))

    assert (told.state, told.ready_at) == (OrderState.UNPAID, None)


def test_the_others_stay_held_while_the_same_lines_are_told_as_cancelled_again() -> None:
    cancelled = part(line(), state=OrderState.CANCELLED)
    held = after(known(*BOTH), cancelled)
    never_held = replace(held, do_not_ship="presale")

    assert completed(held, cancelled).do_not_ship == f"{UNCLEAR}: L2"
    assert completed(never_held, cancelled).do_not_ship == ""


def test_a_view_that_shows_a_line_to_be_sent_ends_that_hold() -> None:
    held = after(known(*BOTH, line("L3")), part(line(), state=OrderState.CANCELLED))

    assert after(held, part(line("L2"))).do_not_ship == ""


def test_what_the_channel_itself_says_against_sending_is_kept_word_for_word() -> None:
    told = completed(known(*BOTH), part(line(), state=OrderState.CANCELLED, do_not_ship="risk"))

    assert told.do_not_ship == "risk"


def test_how_far_an_order_was_says_nothing_of_a_line_that_nobody_had_seen() -> None:
    shipped = known(state=OrderState.SHIPPED)

    assert after(shipped, part(line("L2"), undated=True)).state is OrderState.PAID
    assert after(shipped, part(line(), undated=True)).state is OrderState.SHIPPED


# -- an older view


@pytest.mark.parametrize(
    ("older", "news"),
    [
        (part(*BOTH), True),
        (part(line()), False),
        (part(line(), line("L2", qty=0)), False),
        (view(*BOTH), False),
    ],
    ids=["a line not known", "nothing else", "a line of nothing", "the whole order"],
)
def test_an_older_view_counts_only_for_lines_that_are_not_known_yet(older: Order, news: bool) -> None:
    assert adds(known(), older) is news


def added(before: KnownOrder, older: Order) -> Merged:
    return with_added(before, older, count(100))


def test_a_line_of_an_older_view_is_added_and_nothing_else_changes() -> None:
    before = known()

    found = added(before, part(line(qty=9), line("L2", qty=3), line("L3", qty=0), paid_at=LATER, ready_at=LATER))

    assert [(item.id, item.external_id, item.qty) for item in found.order.lines] == [(1, "L1", 2), (100, "L2", 3)]
    assert replace(found.order, lines=before.lines) == before
    assert (found.changes, found.left_behind) == (("line L2 added",), {})


@pytest.mark.parametrize("state", ENDED)
def test_what_had_left_by_then_is_left_behind_with_us(state: OrderState) -> None:
    assert added(known(), part(line("L2", qty=3, cancelled_qty=1), state=state)).left_behind == {100: 2}


def test_a_cancelled_order_is_opened_again_by_a_line_that_is_to_be_sent() -> None:
    cancelled = known(state=OrderState.CANCELLED, paid_at=None, ready_at=None)

    opened = added(cancelled, part(line("L2"), paid_at=LATER, ready_at=LATER)).order

    assert (opened.state, opened.paid_at, opened.ready_at) == (OrderState.PAID, LATER, LATER)
    assert [item.open_qty for item in opened.lines] == [0, 2]


def test_a_cancelled_order_that_is_opened_again_keeps_when_it_was_paid() -> None:
    opened = added(known(state=OrderState.CANCELLED), part(line("L2"), paid_at=None)).order

    assert opened.paid_at == NOON
