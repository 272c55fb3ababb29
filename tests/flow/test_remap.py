"""A corrected listing or a changed bundle reaches the orders that wait; what went out already is for a person."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from erpsync.flows.inventory import counts
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.inventory.remap import remap_wanted, want_remap
from erpsync.flows.operations.upkeep import relook
from erpsync.flows.shipments import record
from erpsync.store.tables import listing, sku
from tests.support import looking, walk
from tests.support.depot import Depot, build_depot, work
from tests.support.shop import Town


def listed(town: Town, sku: str, factor: int = 1) -> None:
    row = ListingMapping(channel="shop", channel_sku="CUP", sku=sku, factor=factor)
    import_listings(town.ctx, [row], actor="me")


def bundled(town: Town, *parts: tuple[str, int]) -> None:
    import_bundles(town.ctx, [BundlePart(bundle="SET", sku=sku, qty=qty) for sku, qty in parts], actor="me")


def fill(town: Town) -> Town:
    for code in ("RED", "BLUE", "LID"):
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=9, actor="me")
    return town


@pytest.fixture
def waiting(town: Town) -> Town:
    """An order of two cups waits, and its cups were taken for red ones."""
    listed(fill(town), "RED")
    town.shop.place("o1", ("CUP", 2))
    walk.read(town)
    assert looking.held(town, "o1") == {"RED": 2}
    return town


def remapped(town: Town) -> list[str]:
    return [row[0] for row in looking.rows(town, "SELECT detail FROM event WHERE kind = 'order.remapped'")]


def test_a_corrected_listing_reaches_an_order_that_waits(waiting: Town) -> None:
    listed(waiting, "BLUE")

    assert (looking.held(waiting, "o1"), looking.status(waiting, "o1")) == ({"BLUE": 2}, ("allocated", None))
    assert (looking.on_shelf(waiting)["SH", "RED"], looking.on_shelf(waiting)["SH", "BLUE"]) == ((9, 0), (9, 2))
    (detail,) = remapped(waiting)
    assert '"o1-1": "1 RED -> 1 BLUE"' in detail


def test_a_corrected_factor_reaches_an_order_that_waits(waiting: Town) -> None:
    listed(waiting, "RED", factor=3)

    assert looking.held(waiting, "o1") == {"RED": 6}


def test_a_mapping_that_stays_the_same_changes_no_order(waiting: Town) -> None:
    listed(waiting, "RED")

    assert (remapped(waiting), looking.held(waiting, "o1")) == ([], {"RED": 2})


def test_a_changed_set_reaches_an_order_that_waits(town: Town) -> None:
    bundled(fill(town), ("RED", 1))
    listed(town, "SET")
    town.shop.place("o1", ("CUP", 2))
    walk.read(town)
    assert looking.held(town, "o1") == {"RED": 2}

    bundled(town, ("BLUE", 1), ("LID", 2))

    assert looking.held(town, "o1") == {"BLUE": 2, "LID": 4}
    assert '"o1-1": "1 RED -> 1 BLUE + 2 LID"' in remapped(town)[0]


def test_an_order_that_is_not_paid_yet_is_mapped_anew_too(town: Town) -> None:
    listed(fill(town), "RED")
    town.shop.place("o1", ("CUP", 2), paid=False)
    walk.read(town)
    listed(town, "BLUE")
    town.shop.change("o1", state="paid")
    walk.read(town)

    assert looking.held(town, "o1") == {"BLUE": 2}


def test_an_order_that_has_ended_keeps_what_it_was(waiting: Town) -> None:
    record.ship(waiting.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")

    listed(waiting, "BLUE")

    assert (remapped(waiting), looking.tasks(waiting)) == ([], [])
    assert looking.on_shelf(waiting)["SH", "RED"] == (7, 0)


def test_a_line_of_which_something_left_is_given_to_a_person_and_the_others_are_mapped_anew(town: Town) -> None:
    listed(fill(town), "RED")
    town.shop.place("o1", ("CUP", 2), ("CUP", 1))
    walk.read(town)
    line = record.ShipLine(line="o1-1", qty=1)
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", lines=[line], actor="me")

    listed(town, "BLUE")

    assert (looking.held(town, "o1"), looking.tasks(town)) == ({"RED": 1, "BLUE": 1}, ["mapping_changed"])


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[Town, Depot]]:
    town, depot = build_depot(database_url)
    yield town, depot
    town.store.close()


def test_what_a_warehouse_was_told_to_send_is_given_to_a_person(pair: tuple[Town, Depot]) -> None:
    town, depot = pair
    listed(fill(town), "RED")
    town.shop.place("o1", ("CUP", 2))
    work(town)
    assert len(depot.got) == 1

    listed(town, "BLUE")

    assert (looking.held(town, "o1"), looking.tasks(town), remapped(town)) == ({"RED": 2}, ["mapping_changed"], [])
    (why,) = looking.rows(town, "SELECT reason FROM task")[0]
    assert why.endswith("line o1-1: 1 RED -> 1 BLUE")


def test_an_import_that_died_before_it_reached_the_orders_is_finished_by_upkeep(waiting: Town) -> None:
    """What it would have committed by then: the listing and the mark."""
    with waiting.store.begin() as tx:
        want_remap(tx)
        blue = select(sku.c.id).where(sku.c.code == "BLUE").scalar_subquery()
        tx.execute(update(listing).values(sku_id=blue))

    relook(waiting.ctx)

    assert looking.held(waiting, "o1") == {"BLUE": 2}
    assert remap_wanted(waiting.ctx) == 0
