"""Which other orders of a recipient a parcel tells of, and why they are not in it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from erpsync.core.parcels import Candidate, HeldKey, OrderMarks, PackingPolicy, PartMark, siblings
from tests.unit.core.parcels.builders import (
    CUP,
    GOODS,
    GZ,
    JD,
    LI,
    PLATE,
    SCARF,
    SH,
    TMALL,
    WANG,
    Desk,
    all_held,
    candidate,
    desk,
    gift,
    line,
    order,
    packing,
)


def told(made: Desk) -> dict[int, list[tuple[int, str]]]:
    """Return the siblings of each parcel, by its place, as (order, reason)."""
    found = siblings(made.candidates, made.plan(), made.marks, made.policy)
    return {at: [(each.order_id, each.because.code.value) for each in family] for at, family in found.items()}


def beside(*others: Candidate, **more: object) -> dict[int, list[tuple[int, str]]]:
    """Return the siblings of a parcel of order 1, of which all is held, as of the others."""
    return told(desk(candidate(order(1), WANG), *others, **more))  # type: ignore[arg-type]


def test_a_parcel_tells_of_an_order_that_is_held() -> None:
    assert beside(candidate(order(2, holds={"operator": "ask"}), WANG)) == {0: [(2, "held")]}


def test_a_parcel_tells_of_an_order_that_is_short() -> None:
    held = all_held(candidate(order(1)))

    assert beside(candidate(order(2, line(20), line(21)), WANG), held=held) == {0: [(2, "short")]}


def test_what_keeps_a_whole_order_counts_more_than_what_is_missing_of_it() -> None:
    held = {HeldKey(10, CUP, SH): 1, HeldKey(21, CUP, SH): 1}

    assert beside(candidate(order(2, line(20), line(21)), WANG), held=held) == {0: [(2, "not_whole")]}


def test_two_parcels_of_one_recipient_tell_of_each_other() -> None:
    assert beside(candidate(order(2), WANG), marks={1: OrderMarks(no_merge=True)}) == {
        0: [(2, "sealed")],
        1: [(1, "sealed")],
    }


@pytest.mark.parametrize(
    ("fields", "marks", "policy", "reason"),
    [
        ({"kind": "cod"}, OrderMarks(), PackingPolicy(), "other_kind"),
        ({"currency": "USD"}, OrderMarks(), PackingPolicy(), "other_currency"),
        ({}, OrderMarks(carrier=("SF",)), PackingPolicy(), "other_carrier"),
        ({}, OrderMarks(), packing(merge_orders=1), "full"),
    ],
)
def test_an_order_that_leaves_by_itself_says_why(
    fields: Mapping[str, str], marks: OrderMarks, policy: PackingPolicy, reason: str
) -> None:
    currency, kind = fields.get("currency", "CNY"), fields.get("kind", "channel")
    other = candidate(order(2, currency=currency), WANG, kind=kind)

    assert beside(other, marks={2: marks}, policy=policy)[0] == [(2, reason)]


def test_an_order_that_leaves_elsewhere_says_so() -> None:
    held = {HeldKey(10, CUP, SH): 1, HeldKey(20, CUP, GZ): 1}

    assert beside(candidate(order(2), WANG), held=held)[0] == [(2, "other_warehouse")]


def test_an_order_that_leaves_in_part_says_what_is_missing() -> None:
    held = {HeldKey(10, CUP, SH): 1, HeldKey(20, CUP, SH): 1}
    partly = candidate(order(2, line(20, CUP, 2)), WANG)

    assert beside(partly, held=held, policy=packing(partial="ready")) == {0: [(2, "short")], 1: [(1, "partial")]}


def test_an_order_that_leaves_in_other_parts_says_so() -> None:
    frozen = {2: OrderMarks(parts=(PartMark(name="frozen", by="sku", words=("CUP",)),))}

    assert beside(candidate(order(2), WANG), marks=frozen) == {0: [(2, "other_part")], 1: [(1, "other_part")]}


def test_an_order_that_needs_two_parcels_says_so() -> None:
    big = candidate(order(2, line(20, CUP, 3)), WANG)

    assert beside(big, policy=packing(max_units=2))[0] == [(2, "split")]


def test_an_order_that_nobody_has_weighed_says_so_where_weight_is_limited() -> None:
    unweighed = candidate(order(2, line(20, PLATE)), WANG)
    goods = {**GOODS, PLATE: replace(GOODS[PLATE], weight_g=None)}

    for limit in ({"merge_weight_g": 9000}, {"max_weight_g": 9000}):
        assert beside(unweighed, goods=goods, policy=packing(**limit))[0] == [(2, "unknown_weight")]
    assert beside(unweighed, goods=goods, policy=packing(merge_orders=1))[0] == [(2, "full")]


def test_an_order_that_a_release_has_already_says_so() -> None:
    under_way = candidate(order(2), WANG, under_way={(20, CUP): 1})

    assert beside(under_way, held=all_held(candidate(order(1)))) == {0: [(2, "under_way")]}


def test_a_gift_that_stays_is_no_reason_for_an_order_that_leaves() -> None:
    held = {HeldKey(10, CUP, SH): 1, HeldKey(20, CUP, SH): 1, HeldKey(21, SCARF, GZ): 1}
    other = candidate(order(2, line(20), gift(21)), WANG)

    assert beside(other, held=held, policy=packing(merge_orders=1))[0] == [(2, "full")]


@pytest.mark.parametrize(
    "other",
    [
        candidate(order(2, holds={"operator": "ask"}), LI),
        candidate(order(2, holds={"operator": "ask"})),
        candidate(order(2, ready_at=None, paid_at=None), WANG),
        candidate(order(2, line(20, CUP, 1, shipped_qty=1)), WANG),
        candidate(order(2, channel_id=JD, holds={"operator": "ask"}), WANG),
    ],
    ids=["another's", "nobody knows whose", "not paid", "left already", "another shop's"],
)
def test_nobody_is_told_of(other: Candidate) -> None:
    assert beside(other) == {}


def test_an_order_that_is_paid_but_not_due_is_told_of() -> None:
    assert beside(candidate(order(2, ready_at=None), WANG)) == {0: [(2, "not_ready")]}


@pytest.mark.parametrize(
    ("fields", "marks", "reason"),
    [
        ({"ready_at": None}, OrderMarks(), "not_ready"),
        ({"holds": {"operator": "ask"}}, OrderMarks(), "held"),
        ({}, OrderMarks(void=True), "void"),
        ({}, OrderMarks(), "short"),
    ],
)
def test_what_keeps_an_order_back_is_said_also_where_nothing_of_it_is_held(
    fields: Mapping[str, object], marks: OrderMarks, reason: str
) -> None:
    held = all_held(candidate(order(1)))

    assert beside(candidate(order(2, **fields), WANG), held=held, marks={2: marks}) == {0: [(2, reason)]}


def test_an_order_that_is_paid_at_the_door_is_told_of() -> None:
    assert beside(candidate(order(2, paid_at=None), WANG, kind="cod"))[0] == [(2, "other_kind")]


def test_an_order_of_a_shop_that_shares_parcels_is_told_of() -> None:
    shared = PackingPolicy(across=(frozenset({TMALL, JD}),))

    assert beside(candidate(order(2, channel_id=JD, holds={"operator": "ask"}), WANG), policy=shared) == {
        0: [(2, "held")]
    }


def test_orders_are_told_of_oldest_due_first() -> None:
    others = [candidate(order(id, holds={"operator": "ask"}), WANG) for id in (3, 2)]

    assert beside(*others) == {0: [(2, "held"), (3, "held")]}


def test_a_parcel_of_a_reseller_tells_of_the_fifty_that_wait_longest() -> None:
    others = [candidate(order(id, holds={"operator": "ask"}), WANG) for id in range(60, 1, -1)]

    assert beside(*others) == {0: [(id, "held") for id in range(2, 52)]}


def test_where_nobody_knows_the_recipient_nobody_is_told_of() -> None:
    assert told(desk(candidate(order(1)), candidate(order(2, holds={"operator": "ask"})))) == {}
