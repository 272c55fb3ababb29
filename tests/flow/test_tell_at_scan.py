"""Shops that are told of a parcel at its courier's first scan: it waits for that, and no longer than the shop does."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from erpsync.flows.explain.explain import explain_order
from erpsync.flows.operations import config_change, upkeep
from erpsync.flows.shipments import record
from erpsync.flows.shipments.corrections import correct
from erpsync.store.order_rules import StoredMark, write_marks
from erpsync.store.outbox.queue import SHIPMENT
from tests.support import looking, walk
from tests.support.explaining import Written, one
from tests.support.shop import Town
from tests.support.tracked import SfDesk, ask, build_sf_desk

HOUR_S = 3600
PICKED_UP, ANNOUNCED = "50", "7"


def set_telling(town: Town, **orders: Any) -> None:
    """Configure when the shop is told."""
    channel = replace(town.channel(), orders=replace(town.channel().orders, **orders))
    town.ctx = replace(town.ctx, channels={**town.ctx.channels, channel.id: channel})


@pytest.fixture
def desk(database_url: str) -> Iterator[SfDesk]:
    """A desk of a shop that is told at the scan."""
    made = build_sf_desk(database_url)
    set_telling(made.town, tell="scan")
    yield made
    made.town.store.close()


def waits(town: Town) -> list[tuple[str, str, int]]:
    """Return what parcels that are not told wait for."""
    return looking.effects(town, SHIPMENT)


def tell_all(town: Town) -> None:
    """Tell the shop all that is due."""
    while walk.tell(town):
        pass


def test_a_parcel_that_left_is_not_told_before_a_courier_has_it(desk: SfDesk) -> None:
    """Row 38."""
    number = desk.leave()
    tell_all(desk.town)
    assert (waits(desk.town), looking.told_parcels(desk.town)) == ([("waiting", "scan", 0)], [])
    assert (looking.parcel_state(desk.town), looking.tasks(desk.town)) == ("waiting", [])

    desk.scan(number, PICKED_UP)
    ask(desk.town)
    tell_all(desk.town)

    assert (waits(desk.town), looking.told_parcels(desk.town)) == ([], [number])


def test_an_explanation_says_that_a_parcel_waits_for_its_scan_and_until_when(desk: SfDesk) -> None:
    desk.leave()
    tell_all(desk.town)

    step = one(explain_order(desk.town.ctx, "o1", Written())["steps"], "scan")
    assert step["text"] == "it waits for its courier's first scan; shop is told then"
    assert [each["text"] for each in step["steps"]] == [
        "wait: shop is told at the courier's first scan, or `orders.latest_h` before it wants to know"
    ]


def test_that_a_courier_only_knows_of_it_is_no_scan(desk: SfDesk) -> None:
    number = desk.leave()
    tell_all(desk.town)
    desk.platform.scan(number, desk.town.clock.now(), "", first_status=ANNOUNCED)
    ask(desk.town)
    tell_all(desk.town)

    assert waits(desk.town) == [("waiting", "scan", 0)]


def test_a_parcel_that_was_scanned_before_it_was_said_to_have_left_is_told_at_once(desk: SfDesk) -> None:
    number = desk.book()
    desk.scan(number, PICKED_UP)
    desk.pushed(number)
    tell_all(desk.town)
    assert looking.told_parcels(desk.town) == []  # a scan alone says nothing of units that left

    record.ship(desk.town.ctx, order="o1", carrier="SF", tracking=number, actor="me")
    tell_all(desk.town)
    assert looking.told_parcels(desk.town) == [number]


def test_some_hours_before_its_last_instant_it_is_told_without_a_scan_and_a_person_looks(desk: SfDesk) -> None:
    number = desk.leave()
    tell_all(desk.town)
    desk.town.advance(43 * HOUR_S)
    upkeep.free_fresh(desk.town.ctx)
    tell_all(desk.town)
    assert (waits(desk.town), looking.told_parcels(desk.town)) == ([("waiting", "scan", 0)], [])

    desk.town.advance(1 * HOUR_S)
    upkeep.free_fresh(desk.town.ctx)
    tell_all(desk.town)
    assert (looking.told_parcels(desk.town), looking.tasks(desk.town)) == ([number], ["scan_missing"])

    desk.scan(number, PICKED_UP)
    desk.pushed(number)
    assert looking.tasks(desk.town) == []


def test_an_order_that_is_cancelled_while_its_parcel_waits_for_a_scan_is_never_told(desk: SfDesk) -> None:
    desk.leave()
    tell_all(desk.town)
    desk.town.shop.change("o1", state="cancelled")
    walk.read(desk.town)
    tell_all(desk.town)

    assert (looking.parcel_state(desk.town), looking.told_parcels(desk.town)) == ("dropped", [])


@pytest.mark.parametrize(("shop", "mark", "told"), [("scan", "left", True), ("left", "scan", False)])
def test_what_a_rule_says_of_an_order_counts_more_than_its_shop(desk: SfDesk, shop: str, mark: str, told: bool) -> None:
    set_telling(desk.town, tell=shop)
    desk.leave()
    with desk.town.store.begin() as tx:
        write_marks(tx, {(1, "tell"): StoredMark(value=mark, rule="r")})
    tell_all(desk.town)

    assert bool(looking.told_parcels(desk.town)) is told


def test_a_shop_that_is_told_at_once_from_now_on_hears_of_what_waited(desk: SfDesk) -> None:
    config_change.replan_changed(desk.town.ctx)
    number = desk.leave()
    tell_all(desk.town)
    set_telling(desk.town, tell="left")
    config_change.replan_changed(desk.town.ctx)
    tell_all(desk.town)

    assert looking.told_parcels(desk.town) == [number]


def test_the_scan_of_a_corrected_number_frees_its_parcel(desk: SfDesk) -> None:
    number = desk.book()
    desk.scan(number, PICKED_UP)
    desk.pushed(number)
    record.ship(desk.town.ctx, order="o1", carrier="SF", tracking="SF8", actor="me")
    tell_all(desk.town)
    assert waits(desk.town) == [("waiting", "scan", 0)]

    correct(desk.town.ctx, number=looking.shipments(desk.town)[0][0], tracking=number, actor="me")
    tell_all(desk.town)
    assert looking.told_parcels(desk.town) == [number]


def test_two_nodes_and_a_scan_that_comes_twice_tell_a_parcel_once(database_url: str, desk: SfDesk) -> None:
    number = desk.leave()
    other = build_sf_desk(database_url, town=desk.town, platform=desk.platform)
    set_telling(other.town, tell="scan")
    tell_all(desk.town)
    tell_all(other.town)
    desk.scan(number, PICKED_UP)
    desk.pushed(number)
    other.pushed(number, times=2)
    ask(other.town)
    tell_all(desk.town)
    tell_all(other.town)
    other.town.store.close()

    assert looking.told_parcels(desk.town) == [number]
