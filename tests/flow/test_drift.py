"""Numbers that a channel shows and was not told (failures rows 21 and 20), and parcels it does not show."""

from collections.abc import Callable

import pytest

from erpsync.core.policy import StockPolicy
from erpsync.flows.availability.fan_out import fan_out
from erpsync.flows.availability.push import push_stock
from erpsync.flows.inventory.catalogue import GRACE
from erpsync.flows.inventory.counts import add_stock, set_stock
from erpsync.flows.reconcile.drift import MOST_REPAIRS, find_drift
from erpsync.flows.reconcile.lost_parcels import look_for_shipments
from erpsync.flows.shipments.push import push_shipments
from erpsync.flows.shipments.record import ship
from erpsync.runtime.once import drain
from erpsync.sdk.errors import TransientError
from erpsync.sdk.types import ListingRow
from tests.support.looking import rows, tasks
from tests.support.shop import Town
from tests.support.walk import poll, settle_in

MakeTown = Callable[..., Town]
LATER_S = GRACE.total_seconds() + 1


def opened(town: Town, on_hand: int = 10) -> Town:
    """Let the shop sell TEA, told how many there are."""
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=on_hand, actor="me")
    town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="", shown_qty=0)]
    settle_in(town)
    push(town)
    return town


@pytest.fixture
def town(make_town: MakeTown) -> Town:
    return opened(make_town())


def push(town: Town) -> None:
    """Tell what is due, with the pass it asks for."""
    for _ in range(4):
        town.advance(3)
        while fan_out(town.ctx):
            pass
        push_stock(town.ctx, town.channel())
        poll(town)
        push_stock(town.ctx, town.channel())


def look(town: Town, *, shows: int | None = None) -> dict[str, int]:
    """Read the catalogue and the orders, and compare."""
    town.advance(LATER_S)
    shown = town.shop.shown["TEA"] if shows is None else shows
    town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="", shown_qty=shown)]
    poll(town, "listings")
    poll(town)
    return find_drift(town.ctx, town.channel())


def told_again(town: Town) -> bool:
    before = len(town.shop.stock_calls)
    push(town)
    return len(town.shop.stock_calls) > before


def test_the_echo_of_our_own_number_is_nothing(town: Town) -> None:
    assert town.shop.shown == {"TEA": 10}
    assert look(town) == {}
    assert not told_again(town)


def test_a_number_edited_on_the_channel_is_told_again(town: Town) -> None:
    assert look(town, shows=99) == {"hand_edit": 1}
    assert told_again(town)
    assert town.shop.shown == {"TEA": 10}
    assert rows(town, "SELECT count(*) FROM event WHERE kind = 'stock.drifted'") == [(1,)]


def test_a_push_that_the_channel_took_and_lost_is_told_apart_and_repaired(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=7, actor="me")
    push(town)

    assert look(town, shows=10) == {"lost_push": 1}
    assert told_again(town)


def test_a_sale_that_is_not_imported_yet_is_no_edit(town: Town) -> None:
    """The sale is read before the number is judged, and the ordinary push follows it."""
    town.shop.place("o1", ("TEA", 3))

    assert look(town, shows=7) == {}
    assert told_again(town)
    assert town.shop.shown == {"TEA": 7}


def test_a_number_is_judged_only_after_the_orders_were_read(town: Town) -> None:
    town.advance(LATER_S)
    town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="", shown_qty=99)]
    poll(town, "listings")

    before = find_drift(town.ctx, town.channel())
    poll(town)

    assert (before, find_drift(town.ctx, town.channel())) == ({}, {"hand_edit": 1})


def test_a_number_is_judged_where_the_catalogue_is_read_more_often_than_the_orders(town: Town) -> None:
    """There was always a newer reading than the last pass over the orders, so no edit was ever found."""
    town.advance(LATER_S)
    town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="", shown_qty=99)]
    poll(town, "listings")
    assert find_drift(town.ctx, town.channel()) == {}
    town.advance(20)
    poll(town)
    for _ in range(3):
        town.advance(20)
        poll(town, "listings")

    assert find_drift(town.ctx, town.channel()) == {"hand_edit": 1}


def test_a_sale_shown_behind_the_last_pass_is_not_judged_by_an_earlier_number(town: Town) -> None:
    town.advance(LATER_S)
    town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="", shown_qty=9)]
    poll(town, "listings")
    town.advance(20)
    poll(town)
    town.shop.place("o1", ("TEA", 3))
    town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="", shown_qty=6)]
    poll(town, "listings")

    assert find_drift(town.ctx, town.channel()) == {}


def test_a_reading_is_judged_once(town: Town) -> None:
    look(town, shows=99)

    assert find_drift(town.ctx, town.channel()) == {}


def test_a_number_told_while_the_catalogue_is_read_is_not_compared_with_it(town: Town) -> None:
    town.advance(LATER_S)
    town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="", shown_qty=10)]
    poll(town, "listings")
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=4, actor="me")
    push(town)

    assert find_drift(town.ctx, town.channel()) == {}


@pytest.mark.parametrize("as_a_row", [False, True], ids=["marked", "in the outbox"])
def test_a_number_that_is_about_to_be_told_anew_is_not_compared(town: Town, as_a_row: bool) -> None:
    add_stock(town.ctx, warehouse="SH", sku="TEA", qty=5, reason="arrival", actor="me")
    if as_a_row:
        fan_out(town.ctx)

    assert look(town, shows=3) == {}

    push(town)
    assert look(town, shows=3) == {"hand_edit": 1}


def test_where_the_policy_is_to_report_a_person_is_asked_and_nothing_is_told(make_town: MakeTown) -> None:
    town = opened(make_town(stock=StockPolicy(drift="report")))

    assert look(town, shows=99) == {"hand_edit": 1}
    assert not told_again(town)
    assert tasks(town) == ["stock_drift"]


def test_the_task_ends_when_the_channel_shows_our_number_again(make_town: MakeTown) -> None:
    town = opened(make_town(stock=StockPolicy(drift="report")))
    look(town, shows=99)

    look(town, shows=10)

    assert tasks(town) == []


def test_a_listing_that_never_takes_our_number_is_left_to_a_person(town: Town) -> None:
    for _ in range(MOST_REPAIRS):
        assert look(town, shows=99) == {"hand_edit": 1}
        assert told_again(town)

    look(town, shows=99)

    assert not told_again(town)
    assert tasks(town) == ["stock_drift"]


def test_listings_that_oversell_most_are_looked_at_first(make_town: MakeTown) -> None:
    town = make_town()
    for sku, on_hand in (("TEA", 10), ("CUP", 10)):
        set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=on_hand, actor="me")
    town.shop.catalogue = [ListingRow(channel_sku=sku, item_ref="", shown_qty=0) for sku in ("TEA", "CUP")]
    settle_in(town)
    push(town)
    town.advance(LATER_S)
    shown = {"TEA": 2, "CUP": 50}
    town.shop.catalogue = [ListingRow(channel_sku=sku, item_ref="", shown_qty=qty) for sku, qty in shown.items()]
    poll(town, "listings")
    poll(town)

    find_drift(town.ctx, town.channel(), most=1)

    query = "SELECT channel_sku FROM drift JOIN listing ON listing.id = listing_id"
    assert rows(town, query) == [("CUP",)]


def shipped(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    poll(town)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")
    push_shipments(town.ctx, town.channel())
    assert len(town.shop.parcels) == 1


def test_an_order_that_goes_on_as_unshipped_after_its_parcel_was_accepted_is_told_once(town: Town) -> None:
    shipped(town)
    early = look_for_shipments(town.ctx, town.channel())
    town.advance(601)

    late = [look_for_shipments(town.ctx, town.channel()) for _ in range(2)]

    assert (early, late) == (0, [1, 0])
    assert tasks(town) == ["shipment_missing"]


def test_an_order_that_the_channel_shows_as_shipped_by_then_is_no_task(town: Town) -> None:
    shipped(town)
    town.advance(601)
    town.shop.change("o1", state="shipped")

    assert look_for_shipments(town.ctx, town.channel()) == 0
    assert tasks(town) == []
    assert rows(town, "SELECT count(*) FROM ledger WHERE reason = 'shipped_elsewhere'") == [(0,)]


def test_an_order_that_the_channel_does_not_show_any_more_is_told_and_hides_no_other(town: Town) -> None:
    """failures.md row 14: it would be the first to be looked for, every minute, and nothing behind it would be."""
    shipped(town)
    town.shop.place("o2", ("TEA", 1))
    poll(town)
    ship(town.ctx, order="o2", carrier="SF", tracking="SF2", actor="me")
    push_shipments(town.ctx, town.channel())
    town.advance(601)
    town.shop.hidden = {"o1"}

    late = [look_for_shipments(town.ctx, town.channel()) for _ in range(2)]

    assert late == [2, 0]
    assert tasks(town) == ["shipment_missing"] * 2


def test_a_channel_that_cannot_be_read_is_looked_at_later(town: Town) -> None:
    shipped(town)
    town.advance(601)
    town.shop.trouble["complete"] = [TransientError("away")]

    assert [look_for_shipments(town.ctx, town.channel()) for _ in range(2)] == [0, 1]


def test_a_parcel_that_nobody_looked_for_within_three_days_is_looked_for_no_more(town: Town) -> None:
    shipped(town)
    town.advance(3 * 86_400 + 1)

    assert look_for_shipments(town.ctx, town.channel()) == 0
    assert tasks(town) == []


def test_edits_of_one_listing_in_a_hundred_are_all_found_by_the_next_reading(make_town: MakeTown) -> None:
    """Failures row 21: nothing on our side moved, so no push of ours would ever have put them right."""
    town = make_town(stock=StockPolicy(settle_s=0))
    skus = [f"S{number:03}" for number in range(300)]
    for sku in skus:
        set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=10, actor="me")
    town.shop.catalogue = [ListingRow(channel_sku=sku, item_ref="", shown_qty=0) for sku in skus]
    settle_in(town)
    drain(town.ctx)
    assert set(town.shop.shown.values()) == {10}

    town.shop.shown |= {"S007": 99, "S123": 3, "S299": 0}
    town.advance(LATER_S)
    town.shop.catalogue = [ListingRow(channel_sku=sku, item_ref="", shown_qty=town.shop.shown[sku]) for sku in skus]
    poll(town, "listings")
    poll(town)
    found = find_drift(town.ctx, town.channel())
    drain(town.ctx)

    assert found == {"hand_edit": 3}
    assert set(town.shop.shown.values()) == {10}


def test_a_catalogue_that_comes_back_empty_moves_nothing(town: Town) -> None:
    """Failures row 20: what is missing from an answer is unknown, not 0."""
    town.advance(LATER_S)
    town.shop.catalogue = []
    poll(town, "listings")
    poll(town)

    assert find_drift(town.ctx, town.channel()) == {}
    assert not told_again(town)
