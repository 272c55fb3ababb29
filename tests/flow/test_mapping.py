"""Which SKU a channel's thing is; what nobody knows is never guessed. failures.md row 17."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.catalogue import apply_listings
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations.upkeep import relook
from erpsync.sdk.types import ListingPage, ListingRow
from erpsync.store.tables import listing, sku
from tests.support.facts import fact, later, line, order, take_in
from tests.support.looking import count, held, rows, see, status
from tests.support.shop import Town
from tests.support.walk import poll


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with 24 TEA in SH."""
    town = make_town()
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=24, actor="keeper")
    return town


def map_to(town: Town, channel_sku: str, sku: str, factor: int = 1, item_ref: str = "") -> None:
    row = ListingMapping(channel="shop", channel_sku=channel_sku, sku=sku, factor=factor, item_ref=item_ref)
    assert import_listings(town.ctx, [row], actor="ana").refused == []


def test_a_seller_code_that_equals_a_sku_is_that_sku(town: Town) -> None:
    take_in(town, fact(order("o1", line("TEA", 2))))

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 2})


def test_a_seller_code_that_nobody_knows_holds_the_order_and_makes_no_sku(town: Town) -> None:
    take_in(town, fact(order("o1", line("TEA-XL", 2), line("TEA", 3, id="L2"))))

    assert status(town, "o1") == ("held", "unmapped_sku")
    assert held(town, "o1") == {"TEA": 3}  # what is mapped is reserved already
    assert rows(town, "SELECT code FROM sku") == [("TEA",)]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["tea", "Tea", " TEA", "TEA ", "ＴＥＡ", "0TEA", "TEA0", "T EA", "TEÁ", "TEA\u200b", "ТЕА"])
    | st.text(st.sampled_from("TEAtea ０0\u3000"), min_size=1, max_size=5).filter(lambda code: code != "TEA")
)
def test_a_code_that_only_looks_alike_is_another_code(town: Town, code: str) -> None:
    """failures.md row 17: case, width, spaces, leading zeros, look-alike letters."""
    name = f"order-{code}"
    take_in(town, fact(order(name, line(code))))

    assert status(town, name) == ("held", "unmapped_sku")
    assert count(town, "sku") == 1


def test_a_mapping_frees_the_orders_that_waited_for_it(town: Town) -> None:
    take_in(town, fact(order("o1", line("SIX", 2))))

    map_to(town, "SIX", "TEA", factor=6)

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 12})
    assert see(town, "o1")["lines"][0]["qty"] == 2


def test_a_sku_that_appears_frees_the_orders_of_the_same_code(town: Town) -> None:
    take_in(town, fact(order("o1", line("CUP"))))

    set_stock(town.ctx, warehouse="SH", sku="CUP", on_hand=1, actor="keeper")
    relook(town.ctx)

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"CUP": 1})


def test_an_import_that_died_half_way_is_finished_by_upkeep(town: Town) -> None:
    take_in(town, fact(order("o1", line("SIX"))))
    tea = rows(town, "SELECT id FROM sku WHERE code = 'TEA'")[0][0]
    with town.store.begin() as tx:  # the rows are in, the orders were not looked at yet
        tx.execute(listing.update().where(listing.c.channel_sku == "SIX").values(sku_id=tea, factor=6))
    assert status(town, "o1") == ("held", "unmapped_sku")

    relook(town.ctx)

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 6})


def test_two_items_of_one_seller_code_may_mean_different_amounts(town: Town) -> None:
    map_to(town, "BOX", "TEA", factor=2, item_ref="77:1")
    map_to(town, "BOX", "TEA", factor=3, item_ref="77:2")

    take_in(town, fact(order("o1", line("BOX", item_ref="77:2"))))
    take_in(town, fact(order("o2", line("BOX", item_ref="77:9"))))

    assert held(town, "o1") == {"TEA": 3}
    assert status(town, "o2") == ("held", "unmapped_sku")  # the two known items do not agree


def test_a_mapping_without_item_ids_holds_for_every_item_of_that_code(town: Town) -> None:
    take_in(town, fact(order("o1", line("BOX", item_ref="77:1"))))

    map_to(town, "BOX", "TEA", factor=2)

    assert held(town, "o1") == {"TEA": 2}
    assert rows(town, "SELECT count(*) FROM listing WHERE sku_id IS NULL") == [(0,)]


def test_a_bundle_is_held_by_its_components(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="CUP", on_hand=4, actor="keeper")
    parts = [BundlePart(bundle="SET", sku="TEA", qty=3), BundlePart(bundle="SET", sku="CUP", qty=1)]
    import_bundles(town.ctx, parts, actor="ana")

    take_in(town, fact(order("o1", line("SET", 2))))

    assert held(town, "o1") == {"TEA": 6, "CUP": 2}


@pytest.mark.parametrize("at_once", [True, False])
def test_a_bundle_in_a_bundle_is_refused_whichever_of_them_comes_first(town: Town, at_once: bool) -> None:
    """A line is taken apart once: the inner bundle would be waited for and never come."""
    outer = BundlePart(bundle="HAMPER", sku="SET", qty=1, source="row 2")
    inner = BundlePart(bundle="SET", sku="TEA", qty=3, source="row 3")
    if at_once:
        assert import_bundles(town.ctx, [outer, inner], actor="ana").refused == [
            ("row 2", "a bundle cannot hold a bundle")
        ]
        return
    assert import_bundles(town.ctx, [inner], actor="ana").taken == 1
    assert import_bundles(town.ctx, [outer], actor="ana").refused == [("row 2", "a bundle cannot hold a bundle")]
    take_in(town, fact(order("o1", line("HAMPER"))))
    assert status(town, "o1") == ("held", "unmapped_sku")


def test_what_another_bundle_holds_cannot_become_a_bundle(town: Town) -> None:
    import_bundles(town.ctx, [BundlePart(bundle="HAMPER", sku="SET", qty=1)], actor="ana")
    found = import_bundles(town.ctx, [BundlePart(bundle="SET", sku="TEA", qty=3, source="row 2")], actor="ana")

    assert (found.taken, found.refused) == (
        0,
        [("row 2", "it is part of another bundle; a bundle cannot hold a bundle")],
    )


def test_a_line_whose_seller_code_changes_is_mapped_anew(town: Town) -> None:
    take_in(town, fact(order("o1", line("TEA", 2))))

    take_in(town, fact(order("o1", line("RED", 2), version_at=later(5)), digest="b", read=(5, 6)))

    assert (status(town, "o1"), held(town, "o1")) == (("held", "unmapped_sku"), {})


def test_an_order_that_waits_gets_the_amount_of_a_corrected_listing(town: Town) -> None:
    map_to(town, "SIX", "TEA", factor=6)
    take_in(town, fact(order("o1", line("SIX"))))

    map_to(town, "SIX", "TEA", factor=5)
    take_in(town, fact(order("o1", line("SIX"), version_at=later(5), total_minor=1), digest="b", read=(5, 6)))

    assert held(town, "o1") == {"TEA": 5}


# -- the channel's own catalogue


def listed(town: Town) -> list[tuple[object, ...]]:
    query = (
        "SELECT channel_sku, item_ref, code, shown_qty FROM listing LEFT JOIN sku ON sku.id = listing.sku_id "
        "ORDER BY channel_sku, item_ref"
    )
    return rows(town, query)


def test_a_catalogue_makes_listings_known_before_the_first_order(town: Town) -> None:
    town.shop.catalogue = [
        ListingRow(channel_sku="TEA", item_ref="77:1", shown_qty=3),
        ListingRow(channel_sku="TEA", item_ref="77:2", shown_qty=5),
        ListingRow(channel_sku="RED", item_ref="78:1"),
    ]

    poll(town, "listings")

    assert listed(town) == [("RED", "78:1", None, None), ("TEA", "77:1", "TEA", 3), ("TEA", "77:2", "TEA", 5)]


def test_a_catalogue_read_again_brings_the_numbers_up_to_date_and_doubles_nothing(town: Town) -> None:
    for shown in (3, 2):
        town.shop.catalogue = [ListingRow(channel_sku="TEA", item_ref="77:1", shown_qty=shown)]
        poll(town, "listings")

    assert listed(town) == [("TEA", "77:1", "TEA", 2)]


def test_a_catalogue_changes_no_mapping_that_a_person_made(town: Town) -> None:
    map_to(town, "RED", "TEA", factor=4, item_ref="78:1")
    town.shop.catalogue = [ListingRow(channel_sku="RED", item_ref="78:1", shown_qty=9)]

    poll(town, "listings")

    assert rows(town, "SELECT factor, shown_qty FROM listing") == [(4, 9)]


def test_an_item_that_was_mapped_by_its_own_id_stays_so_beside_its_seller_code(town: Town) -> None:
    """One seller code on two items: the file names one of them, and the rest by the code alone."""
    things = tuple(ListingRow(channel_sku="A", item_ref=ref) for ref in ("red", "blue"))
    page = ListingPage(rows=things, mark="1")
    town.store.retrying(lambda tx: apply_listings(tx, ctx=town.ctx, channel=town.channel(), page=page))
    named = [
        ListingMapping(channel="shop", channel_sku="A", sku="BLUE"),
        ListingMapping(channel="shop", channel_sku="A", item_ref="red", sku="RED"),
    ]

    import_listings(town.ctx, named, actor="me")

    mapped = select(listing.c.item_ref, sku.c.code).join(sku, sku.c.id == listing.c.sku_id)
    assert dict(rows(town, mapped)) == {"": "BLUE", "red": "RED", "blue": "BLUE"}
