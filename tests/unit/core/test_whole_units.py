"""What is shown of a set is what can be allocated of it, for any stock in any warehouses."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.allocation import HoldOwner, Need, StockKey, Whole, plan
from erpsync.core.availability import whole_number

A, B = 1, 2
PLACES = (10, 20, 30)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(
    st.dictionaries(st.tuples(st.sampled_from([A, B]), st.sampled_from(PLACES)), st.integers(0, 9)),
    st.dictionaries(st.sampled_from([A, B]), st.integers(1, 3), min_size=1),
    st.sampled_from([((10,), (20,), (30,)), ((10, 30), (20,)), ((20,), (10, 30))]),
)
def test_what_is_shown_is_allocated_and_every_unit_is_whole(
    free: dict[tuple[int, int], int], parts: dict[int, int], groups: tuple[tuple[int, ...], ...]
) -> None:
    by_sku = {sku: {w: free.get((sku, w), 0) for w in PLACES} for sku in parts}
    shown = whole_number(parts, groups, by_sku, {sku: sum(places.values()) for sku, places in by_sku.items()})
    owner, wanted, whole = HoldOwner("line", 1), shown + 1, Whole(parts=parts, groups=groups)
    needs = [
        Need(owner=owner, group=owner, sku_id=s, qty=wanted * q, due=(NOON, "S1"), warehouses=PLACES, whole=whole)
        for s, q in parts.items()
    ]

    takes = plan(needs, {StockKey(*at): qty for at, qty in free.items()})

    for sku, per_unit in parts.items():
        assert sum(take.qty for take in takes if take.sku_id == sku) == shown * per_unit
    for group in groups:
        mine = {s: sum(t.qty for t in takes if t.sku_id == s and t.warehouse_id in group) for s in parts}
        assert len({divmod(mine[sku], per_unit) for sku, per_unit in parts.items()}) == 1


def in_whole(qty: int, *groups: tuple[int, ...], free: dict[int, int]) -> list[tuple[int, int]]:
    """Return from which warehouses so many units of A alone come that may be torn apart within a group only."""
    owner, whole = HoldOwner("line", 1), Whole(parts={A: 1}, groups=groups)
    need = Need(owner=owner, group=owner, sku_id=A, qty=qty, due=(NOON, "S1"), warehouses=PLACES, whole=whole)
    takes = plan([need], {StockKey(A, place): units for place, units in free.items()})
    return [(take.warehouse_id, take.qty) for take in takes]


def test_warehouses_that_send_together_share_only_what_none_of_them_has() -> None:
    assert in_whole(2, (10, 20, 30), free={10: 1, 20: 2, 30: 2}) == [(20, 2)]
    assert in_whole(3, (10, 20, 30), free={10: 1, 20: 2, 30: 2}) == [(10, 1), (20, 2)]


def test_a_warehouse_without_units_or_that_owes_some_gives_none_of_a_group() -> None:
    assert in_whole(2, (10, 20, 30), free={20: 1, 30: 1}) == [(20, 1), (30, 1)]
    assert in_whole(2, (10, 20, 30), free={10: -3, 20: 1, 30: 1}) == [(20, 1), (30, 1)]


def test_a_group_that_has_all_comes_before_a_preferred_one_that_has_some() -> None:
    assert in_whole(3, (10,), (20,), free={10: 1, 20: 3}) == [(20, 3)]
    assert in_whole(3, (10,), (20,), free={10: 1, 20: 9}) == [(20, 3)]


def test_what_is_kept_back_is_first_taken_from_units_that_make_no_set() -> None:
    """Four unpaid A beside three sets leave all three where A lies in plenty."""
    free = {A: {10: 5, 20: 2}, B: {10: 2, 20: 1}}

    assert whole_number({A: 1, B: 1}, ((10,), (20,)), free, {A: 3, B: 3}) == 3
    assert whole_number({A: 1, B: 1}, ((10,), (20,)), free, {A: 2, B: 3}) == 2
    assert whole_number({A: 1, B: 1}, ((10,), (20,)), free, {A: 0, B: 3}) == 0
