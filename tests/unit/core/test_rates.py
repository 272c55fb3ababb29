"""What a parcel costs by rate card, to the last fen, and what is wrong with a card."""

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.rates import ELSEWHERE, Card, Lack, Rate, chargeable_g, cost, least, limit_g, most_g, problems, quote

ZONES = {
    "near": (("上海", ""), ("浙江省", "")),
    "remote": (("新疆", ""), ("西藏", ""), ("海南省", "三沙市")),
    "west": (("新疆维吾尔自治区", ""), ("甘肃", "")),
    "islands": (("海南", "三沙"), ("浙江", "舟山市")),
}


def rate(**fields: object) -> Rate:
    """Return a row: 8.00 for the first kilogram, 2.00 for each further one."""
    base = {"account": "sf-1", "service": "express", "zone": "near", "line": 2}
    steps = {"first_g": 1000, "first_minor": 800, "step_g": 1000, "step_minor": 200}
    return Rate(**(base | steps | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("charged_g", "minor"),
    [(0, 800), (1, 800), (1000, 800), (1001, 1000), (2000, 1000), (2001, 1200), (10_000, 2600)],
)
def test_each_step_that_is_begun_counts(charged_g: int, minor: int) -> None:
    assert cost(rate(), charged_g) == minor


def test_without_a_step_there_is_one_price() -> None:
    assert cost(rate(step_g=0, step_minor=0, max_g=1000), 1000) == 800


@pytest.mark.parametrize(
    ("weight_g", "volume_cm3", "divisor", "charged_g"),
    [
        (500, 6000, 6000, 1000),
        (1500, 6000, 6000, 1500),
        (0, 1, 6000, 1),
        (0, 12_001, 12_000, 1001),
        (500, 99_999, 0, 500),
    ],
)
def test_what_is_bulky_counts_by_its_volume(weight_g: int, volume_cm3: int, divisor: int, charged_g: int) -> None:
    assert chargeable_g(weight_g, volume_cm3, divisor) == charged_g


@settings(deadline=None)
@given(st.integers(0, 10**7), st.integers(0, 10**8), st.integers(0, 20_000), st.integers(1, 5000), st.integers(0, 5000))
def test_a_cost_is_exact(weight_g: int, volume_cm3: int, divisor: int, first_g: int, step_g: int) -> None:
    row = rate(first_g=first_g, step_g=step_g, volume_divisor=divisor)
    charged = max(Fraction(weight_g), ceil(Fraction(volume_cm3 * 1000, divisor)) if divisor else 0)
    steps = max(0, ceil((charged - first_g) / step_g)) if step_g else 0

    assert cost(row, chargeable_g(weight_g, volume_cm3, divisor)) == 800 + 200 * steps


def test_a_parcel_goes_by_the_rows_of_its_zone_and_the_first_that_is_for_its_weight() -> None:
    card = [
        rate(first_minor=700, max_g=3000, line=3),
        rate(first_minor=500, first_g=500, step_g=0, max_g=500, line=2),
        rate(zone="remote", first_minor=2000),
    ]
    rows = Card.of(card).rows(frozenset({"near", "big"}))

    assert not isinstance(rows, Lack)
    assert [row.line for row in rows] == [2, 3]
    assert [quote(rows, grams, None) for grams in (500, 501, 3000, 3001)] == [500, 700, 1100, Lack.TOO_HEAVY]


def test_volume_makes_a_parcel_too_heavy_too() -> None:
    assert quote([rate(max_g=3000, volume_divisor=6000)], 100, 18_001) is Lack.TOO_HEAVY


def test_a_row_for_everywhere_else_is_for_places_that_have_no_row() -> None:
    card = [rate(zone=ELSEWHERE, line=3), rate(line=2)]

    assert Card.of(card).rows(frozenset({"remote"})) == (card[0],)
    assert Card.of(card).rows(frozenset({"near"})) == (card[1],)
    assert Card.of(card).rows(frozenset()) == (card[0],)
    assert Card.of([card[0]]).rows(None) == (card[0],)


def test_a_place_without_a_row_is_not_served_and_one_that_nobody_knows_has_no_price() -> None:
    assert Card.of([rate()]).rows(frozenset({"remote"})) is Lack.ZONE_NOT_SERVED
    assert Card.of([rate()]).rows(frozenset()) is Lack.ZONE_NOT_SERVED
    assert Card.of([rate(), rate(zone=ELSEWHERE)]).rows(None) is Lack.UNKNOWN_ZONE
    assert Card.of([]).rows(frozenset({"near"})) is Lack.NO_CARD
    assert Card.of([rate(), rate(zone="west")]).rows(frozenset({"near", "west"})) is Lack.TWO_ZONES


def test_what_is_not_known_has_no_cost_unless_it_changes_nothing() -> None:
    bulky = rate(volume_divisor=6000, max_g=3000)

    assert quote([rate()], None, 1000) is Lack.UNKNOWN_WEIGHT
    assert quote([rate()], 500, None) == 800
    assert quote([bulky], 500, None) is Lack.UNKNOWN_VOLUME
    assert quote([bulky], 3000, None) is Lack.UNKNOWN_VOLUME
    assert quote([bulky], 3001, None) is Lack.TOO_HEAVY


def test_the_limit_of_rows_is_that_of_the_last() -> None:
    assert most_g(rate()) is None
    assert most_g(rate(max_g=5000)) == 5000
    assert most_g(rate(step_g=0)) == 1000
    assert most_g(rate(step_g=0, max_g=400)) == 400
    assert most_g(rate(step_g=0, max_g=4000)) == 1000
    assert limit_g([rate(max_g=5000), rate()]) is None
    assert limit_g([rate(max_g=500), rate(max_g=5000)]) == 5000


def found(*card: Rate) -> list[tuple[int, str, int, str]]:
    return [(each.line, each.fault.value, each.other, each.what) for each in problems(card, ZONES)]


def test_a_card_without_faults_has_none() -> None:
    assert (
        found(
            rate(line=2, max_g=500, step_g=0, first_g=500),
            rate(line=3, max_g=3000),
            rate(line=4),
            rate(line=5, zone="remote"),
            rate(line=6, zone=ELSEWHERE),
            rate(line=7, service="standard"),
            rate(line=8, account="sf-2"),
            rate(line=9, service="standard", zone="west"),
        )
        == []
    )


def test_a_zone_that_is_none_is_named() -> None:
    assert found(rate(zone="nera", line=7)) == [(7, "unknown_zone", 0, "nera")]


@pytest.mark.parametrize(
    ("field", "value"),
    [("first_g", 0), ("first_minor", -1), ("step_g", -1), ("step_minor", -1), ("volume_divisor", -1), ("max_g", 0)],
)
def test_a_number_that_cannot_be_is_named(field: str, value: int) -> None:
    assert (2, "below_least", 0, field) in found(rate(**{field: value}))
    least = value + 1
    assert all(fault != "below_least" for _, fault, _, _ in found(rate(**{field: least})))


def test_weights_that_no_row_is_for_are_a_gap() -> None:
    assert found(rate(first_g=500, step_g=0, max_g=3000)) == [(2, "gap", 0, "500-3000")]
    assert found(rate(first_g=500, step_g=0, max_g=500)) == []


@pytest.mark.parametrize("max_g", [None, 3000])
def test_two_rows_for_one_weight_are_an_overlap(max_g: int | None) -> None:
    assert found(rate(max_g=max_g, line=9), rate(max_g=max_g, line=4)) == [(9, "overlap", 4, "near")]


def test_two_rows_for_one_place_are_an_overlap_however_it_is_written() -> None:
    assert found(rate(zone="remote", line=9), rate(zone="west", line=4)) == [(9, "overlap", 4, "新疆")]
    assert found(rate(zone="remote", line=2), rate(zone="islands", line=3)) == [(3, "overlap", 2, "海南/三沙")]
    assert found(rate(zone="near", line=2), rate(zone="islands", line=3)) == [(3, "overlap", 2, "浙江/舟山市")]
    assert found(rate(zone="near"), rate(zone="remote")) == []


def test_two_cities_of_one_province_are_two_places() -> None:
    zones = {"a": (("广东", "深圳市"),), "b": (("广东省", "广州市"),)}

    assert problems([rate(zone="a"), rate(zone="b")], zones) == []


def test_faults_stand_in_the_order_of_the_file() -> None:
    card = [rate(zone="none", line=9), rate(first_g=0, line=3), rate(line=5, max_g=0)]

    assert [line for line, *_ in found(*card)] == [3, 5, 9]


@settings(deadline=None)
@given(st.permutations([rate(max_g=grams, line=grams) for grams in (500, 500, 900)] + [rate(zone="west", line=1)]))
def test_rows_have_the_same_faults_in_any_order(card: list[Rate]) -> None:
    assert problems(card, ZONES) == problems(sorted(card, key=lambda row: row.line), ZONES)
    assert replace(card[0]) == card[0]


def test_an_account_takes_what_its_cheapest_service_does() -> None:
    card = [rate(), rate(service="road", first_minor=600), rate(service="far", zone="remote", first_minor=100)]

    assert least(card, frozenset({"near"}), 1500, None) == 800
    assert least(card, frozenset({"west"}), 1500, None) is None
    assert least(card, frozenset({"near"}), None, None) is None
    assert least([], frozenset({"near"}), 1500, None) is None
