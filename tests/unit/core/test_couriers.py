"""Which courier takes a parcel, and why each of the others does not."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.couriers import (
    Choice,
    Consignment,
    Ground,
    NoCourier,
    Offer,
    Refusal,
    Refused,
    choose,
    judge,
)
from erpsync.core.rates import Card, Lack, Rate

PARCEL = Consignment(zones=frozenset({"near"}), weight_g=1500, volume_cm3=6000)


def rate(first_minor: int, **fields: object) -> Rate:
    base = {"account": "", "service": "", "zone": "near", "first_g": 1000, "step_g": 1000, "step_minor": 100}
    return Rate(first_minor=first_minor, **(base | fields))  # type: ignore[arg-type]


def offer(account: str = "sf-1", carrier: str = "SF", **fields: object) -> Offer:
    return Offer(account=account, service="express", carrier=carrier, **fields)  # type: ignore[arg-type]


SF = offer(card=Card.of((rate(1800),)), priority=2)
YTO = offer("yto-1", "YTO", card=Card.of((rate(600),)), priority=3)
EMS = offer("ems-1", "EMS", card=Card.of((rate(900),)), priority=1)


def chosen(*offers: Offer, parcel: Consignment = PARCEL, wishes: tuple[str, ...] = ()) -> Choice:
    got = choose(parcel, offers, wishes)
    assert isinstance(got, Choice)
    return got


def test_the_cheapest_takes_the_parcel_where_nobody_wishes_for_another() -> None:
    got = chosen(SF, YTO, EMS)

    assert (got.account, got.service, got.carrier, got.cost_minor) == ("yto-1", "express", "YTO", 700)
    assert (got.because.ground, got.because.unmet, got.because.lacks, got.because.refused) == (
        Ground.CHEAPEST, (), (), (),
    )  # fmt: skip


def test_the_first_wish_that_is_offered_is_met_whatever_it_costs() -> None:
    got = chosen(YTO, SF, EMS, wishes=("POST", "SF", "EMS"))

    assert (got.carrier, got.cost_minor) == ("SF", 1900)
    assert (got.because.ground, got.because.carrier, got.because.unmet) == (Ground.WISH, "SF", ("POST",))


def test_a_wish_that_does_not_take_the_parcel_is_not_met_and_says_so() -> None:
    got = chosen(replace(SF, covers=False), YTO, wishes=("SF",))

    assert (got.carrier, got.because.ground, got.because.unmet) == ("YTO", Ground.CHEAPEST, ("SF",))
    assert got.because.refused == (Refused(account="sf-1", service="express", reason=Refusal.NOT_COVERED),)


def test_an_account_takes_parcels_only_where_it_fetches_them() -> None:
    here = replace(YTO, warehouses=frozenset({"GZ"}))

    assert chosen(SF, here, parcel=replace(PARCEL, warehouse="GZ")).account == "yto-1"
    got = chosen(SF, here, parcel=replace(PARCEL, warehouse="SH"))
    assert (got.account, got.because.refused[0].reason) == ("sf-1", Refusal.OTHER_WAREHOUSE)


def test_of_the_accounts_of_the_wished_courier_the_cheapest_is_taken() -> None:
    second = offer("sf-2", "SF", card=Card.of((rate(1700),)), priority=9)

    assert chosen(SF, second, YTO, wishes=("SF",)).account == "sf-2"


def test_without_any_card_the_preferred_account_takes_the_parcel() -> None:
    got = chosen(replace(SF, card=Card()), replace(EMS, card=Card()), replace(YTO, card=Card()))

    assert (got.account, got.cost_minor, got.because.ground) == ("ems-1", None, Ground.PRIORITY)
    assert [lack for _, _, lack in got.because.lacks] == [Lack.NO_CARD] * 3


def test_who_has_a_price_comes_before_who_has_none() -> None:
    got = chosen(replace(EMS, card=Card()), SF)

    assert (got.account, got.because.ground) == ("sf-1", Ground.CHEAPEST)
    assert got.because.lacks == (("ems-1", "express", Lack.NO_CARD),)


def test_equal_costs_go_by_priority_and_equal_priorities_by_name() -> None:
    first, second = (
        offer("b", card=Card.of((rate(600),)), priority=2),
        offer("a", card=Card.of((rate(600),)), priority=3),
    )

    assert chosen(first, second).account == "b"
    assert chosen(first, replace(second, priority=2)).account == "a"


@pytest.mark.parametrize(
    ("parcel", "refuses", "reason"),
    [
        ({"carriers": frozenset({"SF"})}, {}, Refusal.CARRIER_NOT_ALLOWED),
        ({"carriers": frozenset()}, {}, Refusal.CARRIER_NOT_ALLOWED),
        ({"waybill_kind": "taobao"}, {}, Refusal.WAYBILL_KIND),
        ({}, {"waybill_kinds": frozenset({"taobao"})}, Refusal.WAYBILL_KIND),
        ({"cod": True}, {}, Refusal.COD),
        ({}, {"covers": False}, Refusal.NOT_COVERED),
        ({}, {"zones": frozenset({"remote"})}, Refusal.ZONE_NOT_SERVED),
        ({"zones": None}, {"zones": frozenset({"near"}), "card": Card()}, Refusal.UNKNOWN_ZONE),
        ({"zones": frozenset({"remote"})}, {}, Refusal.ZONE_NOT_SERVED),
        ({"zones": None}, {}, Refusal.UNKNOWN_ZONE),
        ({}, {"max_weight_g": 1499}, Refusal.TOO_HEAVY),
        ({"weight_g": None}, {"max_weight_g": 30_000}, Refusal.UNKNOWN_WEIGHT),
        ({}, {"max_volume_cm3": 5999}, Refusal.TOO_BIG),
        ({"volume_cm3": None}, {"max_volume_cm3": 90_000}, Refusal.UNKNOWN_VOLUME),
        ({}, {"card": Card.of((rate(600, max_g=1499),))}, Refusal.TOO_HEAVY),
        ({"weight_g": None}, {"card": Card.of((rate(600, max_g=30_000),))}, Refusal.UNKNOWN_WEIGHT),
    ],
)
def test_who_does_not_take_a_parcel_says_why(
    parcel: dict[str, object], refuses: dict[str, object], reason: Refusal
) -> None:
    wanted, offered = replace(PARCEL, **parcel), replace(YTO, **refuses)

    refused = Refused(account="yto-1", service="express", reason=reason)
    assert choose(wanted, [offered], ("YTO",)) == NoCourier(refused=(refused,))


@pytest.mark.parametrize(
    ("parcel", "takes"),
    [
        ({"carriers": frozenset({"YTO", "SF"})}, {}),
        ({"waybill_kind": "taobao"}, {"waybill_kinds": frozenset({"", "taobao"})}),
        ({"cod": True}, {"cod": True}),
        ({}, {"covers": True}),
        ({}, {"zones": frozenset({"near", "remote"})}),
        ({}, {"max_weight_g": 1500, "max_volume_cm3": 6000}),
        ({}, {"card": Card.of((rate(600, max_g=1500),))}),
    ],
)
def test_who_just_takes_a_parcel_takes_it(parcel: dict[str, object], takes: dict[str, object]) -> None:
    assert chosen(replace(YTO, **takes), parcel=replace(PARCEL, **parcel)).cost_minor == 700


def test_what_nobody_has_weighed_goes_with_who_sets_no_limit() -> None:
    unweighed = replace(PARCEL, weight_g=None)
    got = chosen(replace(EMS, card=Card.of((rate(1, max_g=30_000),))), SF, YTO, parcel=unweighed)

    assert (got.account, got.cost_minor, got.because.ground) == ("sf-1", None, Ground.PRIORITY)
    assert got.because.refused == (Refused(account="ems-1", service="express", reason=Refusal.UNKNOWN_WEIGHT),)


def test_volume_counts_where_the_card_counts_it() -> None:
    bulky = replace(PARCEL, volume_cm3=60_000)
    by_volume = replace(YTO, card=Card.of((rate(600, volume_divisor=6000),)))

    assert chosen(by_volume, EMS, parcel=bulky).account == "ems-1"
    assert chosen(by_volume, EMS).account == "yto-1"
    assert chosen(by_volume, EMS, parcel=replace(bulky, volume_cm3=None)).because.lacks == (
        ("yto-1", "express", Lack.UNKNOWN_VOLUME),
    )


def test_a_place_that_two_rows_are_for_has_no_price() -> None:
    both = replace(YTO, card=Card.of((rate(600), rate(100, zone="west"))))
    got = chosen(both, SF, parcel=replace(PARCEL, zones=frozenset({"near", "west"})))

    assert (got.account, got.because.lacks) == ("sf-1", (("yto-1", "express", Lack.TWO_ZONES),))


def test_without_offers_nobody_takes_a_parcel() -> None:
    assert choose(PARCEL, [], ("SF",)) == NoCourier(refused=())


maybe = st.sampled_from
offers = st.builds(
    Offer,
    account=maybe(["a", "b", "c", "d"]),
    service=maybe(["x", "y"]),
    carrier=maybe(["SF", "YTO", "EMS"]),
    priority=st.integers(1, 3),
    zones=maybe([None, frozenset({"near"}), frozenset({"remote"})]),
    covers=maybe([None, True, False]),
    max_weight_g=maybe([None, None, 1000, 3000]),
    max_volume_cm3=maybe([None, None, 5000]),
    cod=st.booleans(),
    waybill_kinds=maybe([frozenset({""}), frozenset({"", "taobao"})]),
    card=st.lists(
        st.builds(
            rate,
            first_minor=maybe([500, 600, 900]),
            zone=maybe(["near", "remote", ""]),
            max_g=maybe([None, 1000, 4000]),
            volume_divisor=maybe([0, 6000]),
        ),
        max_size=3,
    ).map(Card.of),
)
parcels = st.builds(
    Consignment,
    zones=maybe([None, frozenset({"near"}), frozenset({"remote"}), frozenset()]),
    weight_g=maybe([None, 0, 1000, 2500, 5000]),
    volume_cm3=maybe([None, 0, 3000, 9000]),
    carriers=maybe([None, None, frozenset({"SF", "YTO"})]),
    waybill_kind=maybe(["", "", "taobao"]),
    cod=st.booleans(),
)
wishes = st.lists(maybe(["SF", "EMS", "POST"]), max_size=2, unique=True)


def price(parcel: Consignment, offer: Offer) -> tuple[bool, int | None]:
    """Return whether an offer takes a parcel, and its price: written once more, each rule a line of its own."""
    zones = parcel.zones
    takes = [
        parcel.carriers is None or offer.carrier in parcel.carriers,
        parcel.waybill_kind in offer.waybill_kinds,
        offer.cod or not parcel.cod,
        offer.covers is not False,
        offer.zones is None or bool(zones and zones & offer.zones),
        offer.max_weight_g is None or (parcel.weight_g is not None and parcel.weight_g <= offer.max_weight_g),
        offer.max_volume_cm3 is None or (parcel.volume_cm3 is not None and parcel.volume_cm3 <= offer.max_volume_cm3),
    ]
    if not all(takes) or not offer.card.by_zone:
        return all(takes), None
    own = set(offer.card.by_zone) - {""}
    if zones is None and own:
        return False, None
    here = own & set(zones or ())
    rows = offer.card.by_zone.get(next(iter(here)) if here else "", ())
    endless = any(row.max_g is None for row in rows)
    heaviest = max((row.max_g or 0 for row in rows), default=0)
    if not rows or (not endless and (parcel.weight_g is None or parcel.weight_g > heaviest)):
        return False, None
    if parcel.weight_g is None:
        return True, None
    for row in sorted(rows, key=lambda row: (row.max_g is None, row.max_g)):
        if row.volume_divisor and parcel.volume_cm3 is None:
            return True, None
        by_volume = -(-1000 * (parcel.volume_cm3 or 0) // row.volume_divisor) if row.volume_divisor else 0
        grams = max(parcel.weight_g, by_volume)
        if row.max_g is None or grams <= row.max_g:
            return True, row.first_minor + 100 * -(-max(0, grams - 1000) // 1000)
    return False, None


@settings(deadline=None, max_examples=500)
@given(parcels, st.lists(offers, max_size=6, unique_by=lambda offer: (offer.account, offer.service)), wishes)
def test_the_choice_is_the_least_over_all_that_take_the_parcel(
    parcel: Consignment, made: list[Offer], wanted: list[str]
) -> None:
    priced = [(each, price(parcel, each)) for each in made]
    taking = [(each, minor) for each, (takes, minor) in priced if takes]
    got = choose(parcel, made, wanted)

    if not taking:
        assert isinstance(got, NoCourier)
        assert len(got.refused) == len(made)
        return
    assert isinstance(got, Choice)
    met = [wish for wish in wanted if any(each.carrier == wish for each, _ in taking)]
    left = [(each, minor) for each, minor in taking if not met or each.carrier == met[0]]
    known = [(minor, each.priority, each.account, each.service) for each, minor in left if minor is not None]
    least = min(known) if known else min((None, each.priority, each.account, each.service) for each, _ in left)
    best = next(each for each, _ in left if (each.account, each.service) == least[2:])
    assert (got.cost_minor, best.priority, got.account, got.service) == least
    assert {(each.account, each.service) for each in got.because.refused} == {
        (each.account, each.service) for each, (takes, _) in priced if not takes
    }
    assert len(got.because.lacks) == sum(minor is None for _, minor in left)


def test_offers_make_the_same_choice_in_any_order() -> None:
    made = [SF, YTO, EMS, replace(YTO, account="yto-2", covers=False)]

    assert len({repr(choose(PARCEL, each, ("POST",))) for each in permutations(made)}) == 1
    assert judge(PARCEL, YTO) == 700
