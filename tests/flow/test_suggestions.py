"""What a page of listings that nobody has mapped may be, out of the database; and which orders wait for them."""

from collections.abc import Callable

import pytest

from erpsync.core.suggestions import Suggestion
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.sdk.types import ListingRow
from erpsync.store.views.listing_page import (
    ListingFilter,
    listings_of,
    orders_without_sku,
    page_of_listings,
    still_unmapped,
    waiting_orders,
)
from erpsync.store.views.suggestions import suggestions_for
from tests.support import walk
from tests.support.shop import Town

UNMAPPED = ListingFilter(state="unmapped")


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """Two shops; three SKUs, one of them sold with a title in the first shop."""
    town = make_town(names=("shop", "other"))
    for code in ("LINEN-W-L", "TEA", "KETTLE-600"):
        set_stock(town.ctx, warehouse="SH", sku=code, on_hand=9, actor="me")
    map_to(town, "77", "KETTLE-600", factor=2)
    town.shop.catalogue += [ListingRow(channel_sku="77", item_ref="", title="手冲咖啡壶 600ml 细口")]
    return town


def map_to(town: Town, code: str, sku: str, *, factor: int = 1, channel: str = "shop") -> None:
    import_listings(town.ctx, [ListingMapping(channel=channel, channel_sku=code, sku=sku, factor=factor)], actor="me")


def listed(town: Town, *rows: tuple[str, str], channel: str = "other") -> None:
    town.shops[channel].catalogue += [ListingRow(channel_sku=code, item_ref="", title=title) for code, title in rows]
    for name in town.shops:
        walk.poll(town, "listings", name=name)


def suggested(town: Town) -> dict[str, list[tuple[str, str, int]]]:
    with town.store.read() as connection:
        rows = page_of_listings(connection, UNMAPPED, 50)
        ranked = suggestions_for(connection, rows)
    return {row["channel_sku"]: [told(each) for each in ranked[row["id"]]] for row in rows}


def told(each: Suggestion) -> tuple[str, str, int]:
    return each.sku, each.why, each.factor


def test_codes_spellings_twins_and_titles_are_found_for_a_whole_page_at_once(town: Town) -> None:
    listed(town, ("linen w_l", ""), ("77", ""), ("LINEN-W-L-NEW", ""), ("k-1", "细口手冲咖啡壶 600ml"), ("?", "蓝"))

    assert suggested(town) == {
        "linen w_l": [("LINEN-W-L", "spelling", 1)],
        "77": [("KETTLE-600", "twin", 2)],
        "LINEN-W-L-NEW": [("LINEN-W-L", "part", 1)],
        "k-1": [("KETTLE-600", "title", 1)],
        "?": [],
    }


def test_a_page_without_listings_asks_for_nothing(town: Town) -> None:
    with town.store.read() as connection:
        assert suggestions_for(connection, []) == {}


@pytest.mark.parametrize(
    ("state", "codes"),
    [
        ("unmapped", ["other new", "shop new"]),
        ("mapped", ["shop 77"]),
        ("no_goods", ["other post"]),
        ("refused", []),
        ("all", ["other new", "other post", "shop 77", "shop new"]),
    ],
)
def test_listings_are_shown_by_shop_and_code_and_by_their_state(town: Town, state: str, codes: list[str]) -> None:
    listed(town, ("new", ""), ("post", "邮费"))
    listed(town, ("new", ""), channel="shop")
    post = ListingMapping(channel="other", channel_sku="post", sku="", no_stock=True)
    import_listings(town.ctx, [post], actor="me")

    with town.store.read() as connection:
        rows = page_of_listings(connection, ListingFilter(state=state), 50)

    assert [f"{row['channel']} {row['channel_sku']}" for row in rows] == codes


def test_pages_of_listings_follow_one_another_over_the_border_of_a_shop(town: Town) -> None:
    listed(town, ("a", ""), ("b", ""))
    listed(town, ("c", ""), ("d", ""), channel="shop")
    codes, after = [], 0
    while True:
        with town.store.read() as connection:
            rows = page_of_listings(connection, UNMAPPED, 3, after)
        if not rows:
            break
        codes.append([row["channel_sku"] for row in rows])
        after = rows[-1]["id"]

    assert codes == [["a", "b", "c"], ["d"]]


def test_listings_are_found_by_a_word_of_their_title_and_in_one_shop(town: Town) -> None:
    listed(town, ("a", "龙井茶 250g"), ("b", "雨衣"))
    listed(town, ("a", "龙井茶 250g"), channel="shop")
    wanted = ListingFilter(state="unmapped", text="龙井 250", channel="other")

    with town.store.read() as connection:
        [row] = page_of_listings(connection, wanted, 50)
        assert listings_of(connection, [row["id"]]) == {row["id"]: row}

    assert (row["channel"], row["channel_sku"]) == ("other", "a")


def test_orders_wait_for_a_code_of_their_own_shop_only_and_until_all_their_codes_are_mapped(town: Town) -> None:
    town.shop.place("o1", ("new", 1), ("new2", 1))
    town.shop.place("o2", ("new", 1))
    town.shops["other"].place("o3", ("new", 1))
    walk.run(town)

    with town.store.read() as connection:
        waiting = waiting_orders(connection, ["new", "new2", "TEA"])
        ours = orders_without_sku(connection, [("shop", "new")])
    map_to(town, "new", "TEA")

    assert waiting == {("shop", "new"): 2, ("shop", "new2"): 1, ("other", "new"): 1}
    assert len(ours) == 2
    with town.store.read() as connection:
        assert len(still_unmapped(connection, ours)) == 1
