"""What is true of every plan."""

from collections.abc import Sequence
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.bom import Bom, BomLine, gross
from erpsync.core.forecast import Span
from erpsync.core.replenish import DatedNeed, OpenSupply, PlanItem, Suggested, WorkCalendar
from tests.unit.core.replenish.builders import HOME, TODAY, day, key, planned

GOODS, PART, RAW = 1, 2, 3
SKUS = (GOODS, PART, RAW)

items_of = st.builds(
    PlanItem,
    means=st.just("make"),
    from_warehouse_id=st.just(HOME),
    lead_days=st.integers(0, 12),
    order_min=st.integers(0, 30),
    order_multiple=st.integers(1, 12),
    cover_days=st.integers(0, 15),
    safety=st.integers(0, 20),
    scrap_ppm=st.sampled_from([0, 100_000, 333_333]),
)
lines = st.tuples(st.integers(1, 5), st.sampled_from([0, 50_000]))
needs_of = st.builds(
    DatedNeed,
    st.sampled_from(SKUS).map(key),
    st.integers(0, 60).map(day),
    st.integers(1, 40),
    st.just("order"),
    st.integers(1, 99),
)
open_of = st.tuples(st.sampled_from(SKUS).map(key), st.integers(0, 60).map(day), st.integers(1, 60))
calendars = st.sampled_from([WorkCalendar(), WorkCalendar(days_off=(5, 6), closed=(Span(day(20), day(31)),))])


@st.composite
def situations(draw: st.DrawFn) -> dict[str, object]:
    items: dict[int, PlanItem] = {sku_id: draw(items_of) for sku_id in SKUS}
    raw = items[RAW]
    items[RAW] = PlanItem(
        means="buy",
        lead_days=raw.lead_days,
        order_min=raw.order_min,
        order_multiple=raw.order_multiple,
        cover_days=raw.cover_days,
        safety=raw.safety,
    )
    supplies = [OpenSupply(at, *each) for at, each in enumerate(draw(st.lists(open_of, max_size=6)))]
    return {
        "needs": draw(st.lists(needs_of, max_size=15)),
        "on_hand": {sku_id: draw(st.integers(0, 60)) for sku_id in SKUS},
        "supplies": supplies,
        "boms": {
            GOODS: Bom((BomLine(PART, *draw(lines)), BomLine(RAW, *draw(lines)))),
            PART: Bom((BomLine(RAW, *draw(lines)),), yields=draw(st.integers(1, 3))),
        },
        "items": items,
        "calendar": draw(calendars),
    }


def plan_of(case: dict[str, object], *more: DatedNeed, also: Sequence[OpenSupply] = ()) -> Suggested:
    parts = {name: case[name] for name in ("on_hand", "boms", "items", "calendar")}
    return planned(*case["needs"], *more, supplies=[*case["supplies"], *also], **parts)  # type: ignore[misc,arg-type]


def needs_of_suggestions(case: dict[str, object], got: Suggested) -> list[DatedNeed]:
    boms: dict[int, Bom] = case["boms"]  # type: ignore[assignment]
    return [
        DatedNeed(key(line.sku_id), each.start, gross(each.begin_qty, line, boms[each.key.sku_id].yields), "work", at)
        for at, each in enumerate(got.suggestions)
        if each.means == "make"
        for line in boms[each.key.sku_id].lines
    ]


@given(situations())
@settings(max_examples=150)
def test_stock_never_falls_below_safety_unless_that_is_said(case: dict[str, object]) -> None:
    got = plan_of(case)
    needs = [*case["needs"], *needs_of_suggestions(case, got)]  # type: ignore[misc]
    late_supplies = {each.supply_id: each.day for each in got.advice if each.kind == "bring_forward"}
    for sku_id in SKUS:
        item: PlanItem = case["items"][sku_id]  # type: ignore[index]
        said: list[tuple[date, date]] = [
            (each.short_on, each.due) for each in got.suggestions if each.key == key(sku_id) and each.late_days
        ]
        moves = [(each.day, -each.qty) for each in needs if each.key == key(sku_id)]
        moves += [(each.due, each.qty) for each in got.suggestions if each.key == key(sku_id)]
        for supply in case["supplies"]:  # type: ignore[attr-defined]
            if supply.key == key(sku_id):
                moves.append((supply.day, supply.qty))
                if wanted := late_supplies.get(supply.id):
                    said.append((wanted, supply.day))
        for at in range(90):
            stock = case["on_hand"][sku_id] + sum(qty for when, qty in moves if when <= day(at))  # type: ignore[index]
            assert stock >= item.safety or any(first <= day(at) < last for first, last in said)


@given(situations())
@settings(max_examples=150)
def test_planning_its_own_plan_changes_nothing(case: dict[str, object]) -> None:
    got = plan_of(case)
    approved = [OpenSupply(1000 + at, each.key, each.due, each.qty) for at, each in enumerate(got.suggestions)]

    again = plan_of(case, *needs_of_suggestions(case, got), also=approved)

    assert again.suggestions == ()
    assert not [each for each in again.advice if each.supply_id >= 1000 and each.kind == "not_needed"]


@given(situations())
@settings(max_examples=150)
def test_pegs_add_up_and_no_need_is_pegged_twice(case: dict[str, object]) -> None:
    got = plan_of(case)
    wanted: dict[tuple[object, ...], int] = {}
    for each in case["needs"]:  # type: ignore[attr-defined]
        name = (each.key, each.kind, each.id)
        wanted[name] = wanted.get(name, 0) + each.qty
    pegged: dict[tuple[object, ...], int] = {}
    for suggestion in got.suggestions:
        assert sum(qty for _, _, qty in suggestion.pegs) == suggestion.qty
        assert all(qty > 0 for _, _, qty in suggestion.pegs)
        assert suggestion.start >= TODAY
        for kind, number, qty in suggestion.pegs:
            if kind == "order":
                pegged[suggestion.key, kind, number] = pegged.get((suggestion.key, kind, number), 0) + qty

    assert all(qty <= wanted[name] for name, qty in pegged.items())
