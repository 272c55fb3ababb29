"""Which warehouse serves which order, and who gives units back when there are fewer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.allocation import MAX_SEARCHED, Allocation, Held, HoldOwner, Need, StockKey, Whole, plan, shrink

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
A, B = 1, 2
SH, GZ, CD = 10, 20, 30


def need(qty: int = 1, *, order: int = 1, line: int = 0, sku: int = A, places: tuple[int, ...] = (SH, GZ)) -> Need:
    due = (NOON + timedelta(minutes=order), f"S{order}")
    owner = HoldOwner("line", line or order)
    return Need(owner=owner, group=HoldOwner("order", order), sku_id=sku, qty=qty, due=due, warehouses=places)


def take(qty: int, place: int, *, line: int = 1, sku: int = A) -> Allocation:
    return Allocation(owner=HoldOwner("line", line), sku_id=sku, warehouse_id=place, qty=qty)


def held(qty: int, *, order: int, released: bool = False) -> Held:
    due = (NOON + timedelta(minutes=order), f"S{order}")
    return Held(owner=HoldOwner("line", order), qty=qty, due=due, released=released)


def test_the_preferred_warehouse_serves_when_it_can() -> None:
    assert plan([need(2)], {StockKey(A, SH): 5, StockKey(A, GZ): 5}) == [take(2, SH)]


def test_one_warehouse_that_covers_the_order_beats_two_that_share_it() -> None:
    assert plan([need(5)], {StockKey(A, SH): 3, StockKey(A, GZ): 5}) == [take(5, GZ)]


def test_a_warehouse_that_has_both_lines_beats_two_that_have_one_each() -> None:
    order = [need(line=1), need(line=2, sku=B)]
    free = {StockKey(A, SH): 1, StockKey(A, GZ): 1, StockKey(B, GZ): 1}

    assert plan(order, free) == [take(1, GZ, line=1), take(1, GZ, line=2, sku=B)]


def test_a_line_is_shared_rather_than_left_waiting() -> None:
    assert plan([need(5)], {StockKey(A, SH): 3, StockKey(A, GZ): 1}) == [take(3, SH), take(1, GZ)]


def test_one_warehouse_that_has_all_there_is_beats_two_although_something_is_nowhere() -> None:
    order = [need(3, line=1), need(2, line=2), need(line=3, sku=B)]

    assert plan(order, {StockKey(A, SH): 2, StockKey(A, GZ): 5}) == [take(3, GZ, line=1), take(2, GZ, line=2)]


def test_a_warehouse_that_owes_units_gives_none() -> None:
    assert plan([need(2)], {StockKey(A, SH): -3, StockKey(A, GZ): 1}) == [take(1, GZ)]


def test_two_warehouses_that_cover_beat_three() -> None:
    order = [need(6, places=(SH, GZ, CD))]

    assert plan(order, {StockKey(A, SH): 1, StockKey(A, GZ): 3, StockKey(A, CD): 4}) == [take(3, GZ), take(3, CD)]


def test_the_order_that_was_paid_first_is_served_first() -> None:
    """failures.md row 32."""
    late, early = need(1, order=2), need(1, order=1)

    assert plan([late, early], {StockKey(A, SH): 1}) == [take(1, SH, line=1)]


def test_an_order_takes_nothing_from_a_warehouse_that_does_not_feed_its_channel() -> None:
    assert plan([need(1, places=(SH,))], {StockKey(A, GZ): 9}) == []


def test_with_very_many_warehouses_all_that_can_be_covered_still_is() -> None:
    places = tuple(range(1, MAX_SEARCHED + 5))
    free = {StockKey(A, place): 1 for place in places}

    assert sum(t.qty for t in plan([need(11, places=places)], free)) == 11


def test_with_very_many_warehouses_those_that_have_most_serve() -> None:
    places = tuple(range(1, MAX_SEARCHED + 5))
    free = {StockKey(A, place): 1 for place in places} | {StockKey(A, places[-2]): 4, StockKey(A, places[-1]): 5}

    assert plan([need(9, places=places)], free) == [take(4, places[-2]), take(5, places[-1])]


def test_units_that_make_no_whole_one_are_not_given_although_they_are_there() -> None:
    pairs = replace(need(3), whole=Whole(parts={A: 2}, groups=((SH,),)))

    assert plan([pairs], {StockKey(A, SH): 4}) == [take(2, SH)]


stocks = st.dictionaries(st.tuples(st.sampled_from([A, B]), st.sampled_from([SH, GZ, CD])), st.integers(-2, 6))
wishes = st.lists(st.tuples(st.integers(1, 4), st.sampled_from([A, B]), st.integers(1, 7)), max_size=10)


@given(stocks, wishes)
def test_no_unit_is_given_twice_and_none_lies_beside_an_order_that_wants_it(
    there: dict[tuple[int, int], int], wanted: list[tuple[int, int, int]]
) -> None:
    free = {StockKey(*place): qty for place, qty in there.items()}
    needs = [need(qty, order=order, line=n, sku=sku) for n, (order, sku, qty) in enumerate(wanted, 1)]

    takes = plan(needs, free)

    for place, units in free.items():
        given_away = sum(t.qty for t in takes if (t.sku_id, t.warehouse_id) == place)
        assert given_away <= max(0, units)
    for each in needs:
        got = sum(t.qty for t in takes if t.owner == each.owner)
        left = sum(max(0, free.get(StockKey(each.sku_id, w), 0)) for w in each.warehouses)
        left -= sum(t.qty for t in takes if t.sku_id == each.sku_id and t.warehouse_id in each.warehouses)
        assert got <= each.qty
        assert got == each.qty or left == 0


def test_owners_of_one_id_and_of_several_kinds_are_served_each_in_its_turn() -> None:
    early, late = (NOON, "W1"), (NOON + timedelta(hours=1), "S1")
    wanted = {
        HoldOwner("line", 7): (HoldOwner("order", 7), late),
        HoldOwner("work", 7): (HoldOwner("work", 7), early),
    }
    needs = [
        Need(owner=owner, group=group, sku_id=A, qty=3, due=due, warehouses=(SH,))
        for owner, (group, due) in wanted.items()
    ]

    got = plan(needs, {StockKey(A, SH): 4})

    assert [(take.owner.kind, take.qty) for take in got] == [("work", 3), ("line", 1)]


def test_who_paid_last_gives_back_first() -> None:
    holds = [held(2, order=1), held(2, order=2), held(2, order=3)]

    assert shrink(holds, 3) == [(holds[2], 2), (holds[1], 1)]


def test_units_a_warehouse_was_told_to_send_stay_promised() -> None:
    holds = [held(2, order=1), held(2, order=2, released=True)]

    assert shrink(holds, 4) == [(holds[0], 2)]


def test_as_long_as_nothing_is_missing_nobody_gives_back() -> None:
    assert shrink([held(2, order=1)], 0) == []
    assert shrink([held(2, order=1)], -1) == []
