"""Lines that only we know go the ordinary way here, and no channel ever hears of them."""

from dataclasses import replace

import pytest

from erpsync.core.orders import KnownLine, Origin
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.orders.decide import redecide
from erpsync.flows.shipments.record import ShipLine, ship
from erpsync.sdk.types import OrderState, RefundState
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_orders, new_line_ids
from erpsync.store.registry import sku_ids
from tests.support import looking, walk
from tests.support.facts import fact, later, line, order, refund, refund_fact, take_in
from tests.support.shop import Town


@pytest.fixture
def given(town: Town) -> Town:
    """Order o1 of two TEA, with a scarf as a gift; ten of each lie in SH, and the refunds are read."""
    for code in ("TEA", "SCARF"):
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=10, actor="me")
    walk.read(town)
    take_in(town, fact(order("o1", line(qty=2))))
    town.store.retrying(lambda tx: add_gift(tx, town))
    return town


def add_gift(tx: Tx, town: Town) -> None:
    (known,) = lock_orders(tx, town.channel().id, ["o1"]).values()
    scarf = sku_ids(tx.connection, ["SCARF"])["SCARF"]
    gift = KnownLine(
        id=new_line_ids(tx, 1)[0],
        external_id="gift-1",
        channel_sku="SCARF",
        qty=1,
        price_minor=0,
        sku_id=scarf,
        parts={scarf: 1},
        origin=Origin.GIFT,
    )
    redecide(tx, town.ctx, [(known, replace(known, lines=(*known.lines, gift)))], event="order.changed")


def again(town: Town, at: int, *lines: object, **fields: object) -> None:
    item = order("o1", *(lines or (line(qty=2),)), version_at=later(at), **fields)  # type: ignore[arg-type]
    take_in(town, fact(item, digest=str(at), read=(at, at + 1)))


def send(town: Town, tracking: str, *lines: str) -> None:
    ship(
        town.ctx, order="o1", carrier="SF", tracking=tracking, lines=[ShipLine(line=each) for each in lines], actor="me"
    )


def test_a_gift_gets_its_units_and_is_marked_as_ours(given: Town) -> None:
    assert looking.held(given, "o1") == {"TEA": 2, "SCARF": 1}
    assert [each["origin"] for each in looking.see(given, "o1")["lines"]] == ["channel", "gift"]
    assert looking.see(given, "o1")["residual_minor"] == 0


def test_no_view_of_the_channel_cancels_it(given: Town) -> None:
    again(given, 5)
    again(given, 9, line(qty=3))

    assert looking.lines(given, "o1") == {"L1": (3, 0, 0), "gift-1": (1, 0, 0)}
    assert looking.held(given, "o1") == {"TEA": 3, "SCARF": 1}


def test_it_goes_and_comes_back_with_the_order(given: Town) -> None:
    again(given, 5, state=OrderState.CANCELLED)
    assert (looking.status(given, "o1"), looking.held(given, "o1")) == (("cancelled", None), {})

    again(given, 9)
    assert (looking.status(given, "o1"), looking.held(given, "o1")) == (("allocated", None), {"TEA": 2, "SCARF": 1})


def test_it_goes_when_all_that_was_sold_is_given_back(given: Town) -> None:
    back = refund("r1", state=RefundState.GRANTED, amount=2000, L1=2)
    take_in(given, refunds=[refund_fact(back)])

    assert (looking.status(given, "o1"), looking.held(given, "o1")) == (("cancelled", None), {})


def test_the_channel_is_told_of_its_own_lines_and_that_they_are_all(given: Town) -> None:
    given.shop.place("o1", ("TEA", 2))
    send(given, "SF1")
    walk.tell(given)

    (parcel,) = given.shop.parcels
    assert ([each.external_id for each in parcel.lines], parcel.whole) == (["L1"], True)
    assert looking.status(given, "o1")[0] == "shipped"


def test_a_parcel_without_the_gift_is_whole_for_the_channel_and_the_order_goes_on_here(given: Town) -> None:
    given.shop.place("o1", ("TEA", 2))
    send(given, "SF1", "L1")
    walk.tell(given)

    assert [parcel.whole for parcel in given.shop.parcels] == [True]
    assert looking.status(given, "o1")[0] == "partially_shipped"


def test_a_parcel_of_the_gift_alone_is_kept_here(given: Town) -> None:
    send(given, "SF1", "gift-1")

    assert walk.tell(given) == 0
    assert (looking.parcel_state(given), given.shop.parcels) == ("kept", [])
    assert looking.on_shelf(given)["SH", "SCARF"] == (9, 0)


def test_a_gift_moves_no_number_that_the_channel_shows_by_itself(given: Town) -> None:
    given.advance(5)
    walk.push_due(given)
    before = looking.told(given)
    assert before["TEA"] == (8, True)

    given.store.retrying(lambda tx: _drop_gift(tx, given))

    assert looking.told(given) == before


def test_a_gift_of_an_unpaid_order_is_not_taken_off_the_number_shown(town: Town) -> None:
    for code in ("TEA", "SCARF"):
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=10, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="SCARF", sku="SCARF")], actor="me")
    walk.read(town)
    take_in(town, fact(order("o1", line(qty=2), state=OrderState.UNPAID)))
    town.store.retrying(lambda tx: add_gift(tx, town))

    town.advance(5)
    walk.push_due(town)

    assert looking.told(town) == {"TEA": (8, True), "SCARF": (10, True)}


def _drop_gift(tx: Tx, town: Town) -> None:
    (known,) = lock_orders(tx, town.channel().id, ["o1"]).values()
    lines = tuple(
        each if each.origin is Origin.CHANNEL else replace(each, dropped_qty=each.qty) for each in known.lines
    )
    redecide(tx, town.ctx, [(known, replace(known, lines=lines))], event="order.changed")
