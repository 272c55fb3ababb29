"""In which order releases are picked, in how many waves, and what was scanned."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from math import factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.waves import Scan, WaveRelease, chunk, order, picks, place, read_scan

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CUP, PLATE, FISH, SCARF = 1, 2, 3, 4
SHELVES = {CUP: "A-10", PLATE: "A-2", FISH: "B-1", SCARF: " "}


def release(number: int, *, due: int = 0, **units: int) -> WaveRelease:
    names = {"cup": CUP, "plate": PLATE, "fish": FISH, "scarf": SCARF}
    return WaveRelease(
        number=f"R{number}", units={names[n]: q for n, q in units.items()}, due_at=NOON + timedelta(minutes=due)
    )


def numbers(*releases: WaveRelease) -> list[str]:
    return [each.number for each in order(releases, SHELVES)]


@pytest.mark.parametrize(
    "shelves",
    [
        ["A-2", "A-10", "B-1"],
        ["a-2", "A-10"],
        ["A-02", "A-10"],
        ["A2-9", "A2-10", "A10-1"],
        ["2-1", "10-1", "A-1"],
        ["A", "A-1"],
        ["Ａ－２", "A-3"],
        ["A-" + "9" * 5000, "A-1" + "0" * 5000],
        ["冷库2", "冷库10"],
    ],
)
def test_shelves_are_walked_by_the_numbers_in_them(shelves: list[str]) -> None:
    assert [sorted(each, key=place) for each in permutations(shelves)] == [shelves] * factorial(len(shelves))


def test_a_zero_before_a_number_is_no_other_shelf() -> None:
    assert place("A-02") == place("A-2") == place("ａ－2 ")


def test_releases_of_one_sku_come_first_and_those_of_one_shelf_together() -> None:
    releases = (
        release(1, cup=1, fish=1),
        release(2, cup=1),
        release(3, fish=1),
        release(4, plate=1),
        release(5, cup=1),
        release(6, plate=1, fish=2),
    )

    assert numbers(*releases) == ["R4", "R2", "R5", "R3", "R6", "R1"]


def test_goods_without_a_shelf_are_picked_last() -> None:
    assert numbers(release(1, scarf=1), release(2, fish=1), release(3, cup=1, scarf=1), release(4, cup=1, fish=1)) == [
        "R2", "R1", "R4", "R3",
    ]  # fmt: skip


def test_releases_of_the_same_goods_stand_by_units_then_by_who_is_older_due() -> None:
    releases = (release(1, cup=2), release(2, cup=1, due=5), release(3, cup=1, due=1), release(4, cup=1, due=1))

    assert numbers(*releases) == ["R3", "R4", "R2", "R1"]
    assert {tuple(numbers(*each)) for each in permutations(releases)} == {("R3", "R4", "R2", "R1")}


def test_two_goods_on_one_shelf_do_not_mix() -> None:
    shelves = {CUP: "A-1", PLATE: "A-1"}
    releases = [release(1, plate=1), release(2, cup=1), release(3, plate=1), release(4, cup=1)]

    assert [each.number for each in order(releases, shelves)] == ["R2", "R4", "R1", "R3"]


def test_a_wave_holds_no_more_releases_than_it_may_and_the_oldest_due_is_picked_first() -> None:
    releases = [release(number, due=9 - number, cup=1) for number in range(5)]

    waves = chunk(releases, 2)
    assert [[each.number for each in wave] for wave in waves] == [["R4"], ["R2", "R3"], ["R0", "R1"]]
    assert chunk([], 2) == []


def test_a_wave_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 release, not 0"):
        chunk([release(1, cup=1)], 0)


def test_what_is_taken_off_a_shelf_is_said_for_each_release() -> None:
    wave = [release(1, cup=2, fish=1), release(2, cup=1), release(3, scarf=4), release(4, plate=1)]

    assert [(pick.shelf, pick.sku_id, pick.qty, dict(pick.units)) for pick in picks(wave, SHELVES)] == [
        ("A-2", PLATE, 1, {"R4": 1}),
        ("A-10", CUP, 3, {"R1": 2, "R2": 1}),
        ("B-1", FISH, 1, {"R1": 1}),
        ("", SCARF, 4, {"R3": 4}),
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            WaveRelease,
            number=st.integers(0, 99).map(str),
            units=st.dictionaries(st.integers(1, 9), st.integers(1, 5), min_size=1, max_size=3),
            due_at=st.integers(0, 9).map(lambda minutes: NOON + timedelta(minutes=minutes)),
        ),
        max_size=20,
        unique_by=lambda each: each.number,
    ),
    st.dictionaries(st.integers(1, 9), st.sampled_from(["A-1", "A-2", "A-10", "B-1", ""])),
    st.integers(1, 7),
)
def test_every_unit_of_every_release_is_picked_once(
    releases: list[WaveRelease], shelves: dict[int, str], most: int
) -> None:
    waves = chunk(order(releases, shelves), most)

    assert sorted(each.number for wave in waves for each in wave) == sorted(each.number for each in releases)
    assert all(1 <= len(wave) <= most for wave in waves)
    picked = [(n, pick.sku_id, qty) for wave in waves for pick in picks(wave, shelves) for n, qty in pick.units.items()]
    assert sorted(picked) == sorted((each.number, s, qty) for each in releases for s, qty in each.units.items())


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("R20260302000017", "release", "R20260302000017"),
        ("r20260302000017\r\n", "release", "R20260302000017"),
        ("Ｒ２０２６０３０２００００１７", "release", "R20260302000017"),
        ("R202603021000000", "release", "R202603021000000"),
        ("SF1234567890123", "waybill", "SF1234567890123"),
        ("sf 1234 5678 90123", "waybill", "SF1234567890123"),
        ("73123456789012", "waybill", "73123456789012"),
        ("JDVA00012345678-1-1-", None, ""),
        ("JDVA00012345678-1-1", "waybill", "JDVA00012345678-1-1"),
        ("R2026030200017", "waybill", "R2026030200017"),
        ("SF1\nSF2", None, ""),
        ("HELLO-WORLD", None, ""),
        ("https://example.test/1", None, ""),
        ("12345", None, ""),
        ("1" * 41, None, ""),
        ("", None, ""),
    ],
)
def test_a_scanned_code_is_a_release_or_a_waybill(text: str, kind: str | None, number: str) -> None:
    assert read_scan(text) == (None if kind is None else Scan(kind=kind, number=number))  # type: ignore[arg-type]
