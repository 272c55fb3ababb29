"""What a unit is made of: levels, needs, users and leads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.bom import (
    Bom,
    BomLine,
    CycleError,
    affected,
    cumulative_lead,
    gross,
    levels,
    low_levels,
    more,
    to_start,
    where_used,
)

Z, A, B, C, D, E = range(1, 7)


def made_of(*parts: tuple[int, int], yields: int = 1) -> Bom:
    return Bom(tuple(BomLine(sku_id, qty) for sku_id, qty in parts), yields)


PRODUCT_Z = {Z: made_of((A, 2), (B, 3)), A: made_of((C, 4), (D, 4)), D: made_of((E, 2))}
"""Three levels. Source: tutorsglobe.com 557214."""


def test_low_level_codes_are_one_more_than_those_of_the_lowest_user() -> None:
    assert levels(PRODUCT_Z) == {Z: 0, A: 1, B: 1, C: 2, D: 2, E: 3}
    assert levels({**PRODUCT_Z, Z: made_of((A, 1), (E, 1))})[E] == 3


LAMP = {
    "LA01": ["B100", "S100", "A100"],
    "B100": ["1100", "1200", "1300", "1400"],
    "A100": ["1500", "1600", "1700"],
    "1100": ["2100"],
    "1500": ["1400"],
    "1700": ["2200", "2300"],
}
LAMP_LEADS = {
    "LA01": 2,
    "B100": 1,
    "S100": 2,
    "A100": 1,
    "1100": 2,
    "1200": 3,
    "1300": 2,
    "1400": 1,
    "1500": 2,
    "1600": 2,
    "1700": 1,
    "2100": 3,
    "2200": 2,
    "2300": 1,
}
"""ABC Lamp. Source: SAS/OR User's Guide, Bill of Material Processing, examples 2.1 and 2.2 of the BOM procedure, after
Fogarty, Blackstone and Hoffmann (1991)."""


def test_the_screw_of_the_abc_lamp_stands_at_the_lowest_of_its_two_levels() -> None:
    found = low_levels(LAMP)

    assert {part for part, level in found.items() if level == 1} == {"B100", "S100", "A100"}
    assert {part for part, level in found.items() if level == 2} == {"1100", "1200", "1300", "1500", "1600", "1700"}
    assert {part for part, level in found.items() if level == 3} == {"1400", "2100", "2200", "2300"}


def test_the_longest_way_to_an_abc_lamp_goes_through_its_tubing() -> None:
    """Worked by hand from the leads of the example: 2 (LA01) + 1 (B100) + 2 (1100) + 3 (2100)."""
    ids = {part: at for at, part in enumerate(LAMP_LEADS)}
    boms = {ids[part]: made_of(*[(ids[below], 1) for below in parts]) for part, parts in LAMP.items()}

    assert cumulative_lead(boms, {ids[part]: days for part, days in LAMP_LEADS.items()})[ids["LA01"]] == 8


def test_a_ring_is_named_in_the_order_in_which_things_are_made_of_one_another() -> None:
    with pytest.raises(CycleError, match=r"^A → B → C → A$") as caught:
        low_levels({"A": ["B"], "B": ["C", "X"], "C": ["A"], "X": ["Y"], "Top": ["A"]})
    with pytest.raises(CycleError, match=r"^7 → 7$"):
        levels({7: made_of((7, 1))})

    assert caught.value.ring == ("A", "B", "C", "A")


def test_what_lies_below_a_ring_is_not_part_of_it() -> None:
    with pytest.raises(CycleError, match=r"^B → C → B$"):
        low_levels({"X": ["Y"], "B": ["C", "X"], "C": ["B"]})


@pytest.mark.parametrize(
    ("good", "qty", "scrap_ppm", "yields", "need"),
    [(59, 2, 0, 1, 118), (100, 1, 150_000, 1, 118), (118, 1, 100_000, 1, 132), (10, 3, 0, 4, 8), (0, 5, 500_000, 1, 0)],
)
def test_a_need_is_rounded_up_once(good: int, qty: int, scrap_ppm: int, yields: int, need: int) -> None:
    """Scrap of 15 % and then 10 %, by hand: 100 ÷ 0.85 = 117.6…, 118 ÷ 0.90 = 131.1…"""
    assert gross(good, BomLine(1, qty, scrap_ppm), yields) == need


def test_quantities_beyond_what_floats_hold_are_exact() -> None:
    assert gross(10**17 + 1, BomLine(1, 3)) == 3 * 10**17 + 3


@given(st.lists(st.integers(0, 50), max_size=12), st.integers(1, 40), st.integers(0, 999_999), st.integers(1, 30))
def test_parts_of_a_job_use_exactly_what_the_whole_uses(parts: list[int], qty: int, scrap: int, yields: int) -> None:
    line = BomLine(1, qty, scrap)
    so_far = used = 0
    for part in parts:
        used += more(so_far, part, line, yields)
        so_far += part

    assert used == gross(sum(parts), line, yields)


@given(st.integers(0, 10_000), st.integers(0, 999_999))
def test_what_is_begun_is_the_least_that_brings_enough_good_ones(good: int, scrap: int) -> None:
    begun = to_start(good, scrap)

    assert begun * (1_000_000 - scrap) >= good * 1_000_000
    assert begun == 0 or (begun - 1) * (1_000_000 - scrap) < good * 1_000_000


def test_users_are_found_directly_and_all_the_way_up() -> None:
    assert where_used(PRODUCT_Z) == {A: (Z,), B: (Z,), C: (A,), D: (A,), E: (D,)}
    assert affected(PRODUCT_Z, [E]) == {E, D, A, Z}
    assert affected(PRODUCT_Z, [B, 99]) == {B, Z, 99}


def test_the_cumulative_lead_is_the_longest_way_through_the_tree() -> None:
    assert cumulative_lead(PRODUCT_Z, {Z: 2, A: 1, B: 1, C: 1, D: 1, E: 3})[Z] == 7


def test_what_is_taken_apart_on_the_way_has_no_lead_of_its_own() -> None:
    """Ten days. Source: SAP Business One help, "Examples: Cumulative Lead Time Calculations": PBOM1 of C1, ABOM2 (C4),
    P1 (C5), PBOM3 (C6) and SBOM4 (C7), of which assembly, phantom and sales bills take no time."""
    pbom1, c1, abom2, c4, p1, c5, pbom3, c6, sbom4, c7 = range(10)
    boms = {
        pbom1: made_of((c1, 1), (abom2, 1), (p1, 1), (pbom3, 1), (sbom4, 1)),
        abom2: made_of((c4, 1)),
        p1: made_of((c5, 1)),
        pbom3: made_of((c6, 1)),
        sbom4: made_of((c7, 1)),
    }

    assert cumulative_lead(boms, {pbom1: 1, c1: 1, c4: 4, c5: 5, pbom3: 3, c6: 6, c7: 7}) == {
        pbom1: 10,
        c1: 1,
        abom2: 4,
        c4: 4,
        p1: 5,
        c5: 5,
        pbom3: 9,
        c6: 6,
        sbom4: 7,
        c7: 7,
    }
