"""What channels are told about stock, and when."""

from collections.abc import Callable
from datetime import timedelta

from erpsync.core.policy import OrderPolicy, StockPolicy, WarehousePolicy
from erpsync.flows.availability import push
from erpsync.flows.availability.unpaid import age_unpaid
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import reservations
from erpsync.sdk.types import ListingRow
from tests.support import looking, walk
from tests.support.shop import Town

# -- the number


def test_a_listing_is_told_as_soon_as_it_is_known(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    walk.run(town)
    assert town.shop.shown == {}

    town.shop.catalogue = [ListingRow(channel_sku="A", item_ref="1-1")]
    walk.read(town, "listings")
    walk.run(town)

    assert town.shop.shown == {"A": 5}


def test_the_first_order_makes_its_listing_known(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2))
    walk.run(town)

    assert town.shop.shown == {"A": 3}


def test_a_listing_of_six_packs_shows_whole_packs(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="C", on_hand=17, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="6C", sku="C", factor=6)], actor="me")
    walk.run(town)

    assert town.shop.shown == {"6C": 2}


def test_a_bundle_shows_what_its_scarcest_part_allows(town: Town) -> None:
    """failures.md row 29."""
    import_bundles(
        town.ctx, [BundlePart(bundle="KIT", sku="A", qty=2), BundlePart(bundle="KIT", sku="B", qty=1)], actor="me"
    )
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=7, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="KIT", sku="KIT")], actor="me")
    walk.run(town)
    assert town.shop.shown == {}  # the stock of B is unknown, which is not zero

    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=9, actor="me")
    walk.run(town)
    assert town.shop.shown == {"KIT": 3}

    town.shop.place("o1", ("KIT", 1))
    walk.read(town, "orders")
    walk.run(town)
    assert (town.shop.shown["KIT"], looking.promised(town)) == (2, {"o1": 3})


def test_channels_are_told_their_own_share_of_their_own_warehouses(make_town: Callable[..., Town]) -> None:
    policies = {"jd": StockPolicy(warehouses=("SH",), ratio=0.5), "tmall": StockPolicy(buffer=2)}
    places = [WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", safety_stock=1)]
    town = make_town(names=("jd", "tmall"), warehouses=places, stock=policies)
    for place in ("SH", "GZ"):
        counts.set_stock(town.ctx, warehouse=place, sku="A", on_hand=5, actor="me")
    rows = [ListingMapping(channel=name, channel_sku="A", sku="A") for name in policies]
    import_listings(town.ctx, rows, actor="me")
    walk.run(town)

    assert (town.shops["jd"].shown, town.shops["tmall"].shown) == ({"A": 2}, {"A": 7})


def test_unpaid_orders_of_a_channel_lower_its_own_number_for_three_days(make_town: Callable[..., Town]) -> None:
    town = make_town(names=("jd", "tmall"))
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="tmall", channel_sku="A", sku="A")], actor="me")
    town.shops["jd"].place("o1", ("A", 2), paid=False)
    walk.run(town)
    assert (town.shops["jd"].shown, town.shops["tmall"].shown) == ({"A": 3}, {"A": 5})

    town.advance(timedelta(days=3).total_seconds())
    reservations.expire_reservations(town.ctx)
    walk.run(town)
    assert town.shops["jd"].shown == {"A": 5}
    assert reservations.expire_reservations(town.ctx) == 0


def test_the_skus_of_an_unpaid_order_that_grew_old_are_marked_once(town: Town) -> None:
    """Not at every look: it comes round every five seconds."""
    walk.make_known(town)
    town.shop.place("o1", ("A", 2), paid=False)
    walk.read(town, "orders")
    town.advance(timedelta(days=3).total_seconds())

    assert [age_unpaid(town.ctx) for _ in range(3)] == [1, 0, 0]


def test_an_unpaid_order_that_is_held_lowers_the_number_too(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2), ("nobody knows", 1), paid=False)
    walk.run(town)

    assert town.shop.shown == {"A": 3}


def test_an_unpaid_order_that_holds_units_lowers_the_number_once(make_town: Callable[..., Town]) -> None:
    town = make_town(orders=OrderPolicy(reserve="placement", reserve_minutes=30))
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2), paid=False)
    walk.run(town)
    assert (town.shop.shown, looking.promised(town)) == ({"A": 3}, {"o1": 2})

    town.advance(1801)
    assert reservations.expire_reservations(town.ctx) == 1
    walk.run(town)
    assert (town.shop.shown, looking.promised(town)) == ({"A": 3}, {})


# -- when it is told


def test_marks_coalesce_and_settling_runs_from_the_first(town: Town) -> None:
    """failures.md row 5."""
    walk.make_known(town, on_hand=50)
    before = len(town.shop.stock_calls)
    for _ in range(10):
        walk.arrive(town, 1)
        town.advance(0.15)
    walk.fan(town)
    walk.read(town, "orders")

    assert push.push_stock(town.ctx, town.channel()) == 0
    town.advance(0.7)
    walk.push_due(town)
    assert (len(town.shop.stock_calls) - before, town.shop.shown) == (1, {"A": 60})


def test_a_scarce_sku_is_told_at_once(town: Town) -> None:
    """failures.md row 5: from 5 units down nothing settles."""
    walk.make_known(town, on_hand=50)
    town.shop.place("o1", ("A", 46))
    walk.read(town, "orders")
    walk.fan(town)

    assert push.push_stock(town.ctx, town.channel(), urgent_only=True) == 1
    assert town.shop.shown == {"A": 4}


def test_urgent_only_brings_forward_what_settles_already(town: Town) -> None:
    walk.make_known(town, on_hand=50)
    walk.arrive(town, 10)
    walk.fan(town)
    town.shop.place("o1", ("A", 56))
    walk.read(town, "orders")
    walk.fan(town)

    assert push.push_stock(town.ctx, town.channel(), urgent_only=True) == 1
    assert len(looking.effects(town)) == 0


def test_a_number_that_was_told_surely_costs_no_call(town: Town) -> None:
    walk.make_known(town)
    before = len(town.shop.stock_calls)
    walk.arrive(town, 1)
    walk.arrive(town, -1)
    walk.run(town)

    assert len(town.shop.stock_calls) == before
    assert looking.effects(town) == []


def test_goods_that_make_up_for_a_sale_still_correct_what_the_channel_took_off_itself(town: Town) -> None:
    """The channel showed 5 and took its sale off: 4. With one unit come in 5 is right again, and was told before."""
    walk.make_known(town)
    town.shop.place("o1", ("A", 1))
    town.shop.shown["A"] -= 1
    walk.arrive(town, 1)
    walk.run(town)

    assert town.shop.shown == {"A": 5}
    assert looking.told(town) == {"A": (5, True)}


def test_a_sale_that_is_read_while_a_number_is_on_its_way_leaves_it_unsure(town: Town) -> None:
    walk.make_known(town)
    walk.arrive(town, 1)
    walk.fan(town)
    town.advance(3)
    walk.read(town, "orders")

    def sell() -> None:
        town.shop.place("o1", ("A", 1))
        walk.read(town, "orders")

    town.shop.during = sell
    push.push_stock(town.ctx, town.channel())
    assert looking.told(town) == {"A": (6, False)}

    walk.arrive(town, 1)
    walk.run(town)
    assert looking.told(town) == {"A": (6, True)}
