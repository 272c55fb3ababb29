"""Listings and bundles at the console: what a code may be, mapped by a click, and orders that waited go on."""

import re
from collections.abc import Iterator

import pytest

from erpsync.flows.inventory.counts import set_stock
from erpsync.store.views import list_bundles, list_listings
from tests.support import looking, walk
from tests.support.goods_room import CHINESE, Room, open_room, words_of


@pytest.fixture
def room(database_url: str) -> Iterator[Room]:
    """Two SKUs with stock; in `other` two codes that nobody has mapped, and orders that wait for them."""
    with open_room(database_url) as room:
        for code in ("TEA-250", "KETTLE-600"):
            set_stock(room.town.ctx, warehouse="SH", sku=code, on_hand=20, actor="me")
        room.sell("77", title="手冲咖啡壶 600ml 细口", sku="KETTLE-600")
        room.sell("tea 250", title="龙井茶", channel="other")
        room.sell("K1", title="细口手冲咖啡壶 600ml", channel="other")
        other = room.town.shops["other"]
        other.place("o1", ("tea 250", 1))
        other.place("o2", ("tea 250", 1), ("K1", 1))
        room.read_catalogues()
        yield room


def mapped(room: Room) -> dict[str, tuple[str | None, int, bool]]:
    with room.town.store.read() as connection:
        rows = list_listings(connection, channel_name="other")
    return {row["channel_sku"]: (row["sku"], row["factor"], row["no_stock"]) for row in rows}


def id_of(room: Room, code: str) -> str:
    [id] = looking.rows(room.town, "SELECT id FROM listing WHERE channel_sku = :code", code=code)
    return str(id[0])


def rows_of(room: Room, path: str = "listings") -> list[str]:
    return [words_of(row) for row in re.findall(r"<tr data-row>.*?</tr>", room.text(path), re.DOTALL)]


def chosen(room: Room) -> list[str]:
    """Return what the boxes of the page hold."""
    return re.findall(r'name="listing" value="([^"]*)" form="many"', room.text("listings"))


def test_what_is_not_mapped_comes_first_with_what_it_may_be_and_who_waits(room: Room) -> None:
    first, second = rows_of(room)

    assert first.startswith("K1 other 1 order waits 细口手冲咖啡壶 600ml KETTLE-600 titles are alike")
    assert second.startswith("tea 250 other 2 orders wait 龙井茶 TEA-250 the same code but for case and dashes")


def test_a_click_on_a_suggestion_maps_it_and_says_how_many_orders_go_on(room: Room) -> None:
    said = room.do("listings/map", on="listings", listing=id_of(room, "tea 250"), factor="1", sku="TEA-250")

    mapped_now, gone_on, left = said.split("; ")
    assert mapped_now == "each tea 250 that other sells takes 1 × TEA-250 from now on"
    assert (gone_on, left) == ("1 order that waited goes on", "1 order waits for another code")
    assert looking.status(room.town, "o1") == ("allocated", None)
    assert looking.status(room.town, "o2") == ("held", "unmapped_sku")
    assert "tea 250" not in " ".join(rows_of(room))


def test_many_are_mapped_to_their_first_suggestions_at_once(room: Room) -> None:
    said = room.do("listings/accept", on="listings", listing=chosen(room))

    assert said == "2 listings are mapped; 2 orders that waited go on"
    assert mapped(room) == {"tea 250": ("TEA-250", 1, False), "K1": ("KETTLE-600", 1, False)}
    assert "Every listing is mapped" in room.said("listings")


def test_what_was_suggested_on_the_page_counts_not_what_would_be_now(room: Room) -> None:
    boxes = chosen(room)
    set_stock(room.town.ctx, warehouse="SH", sku="tea-250", on_hand=1, actor="me")
    room.do("listings/accept", on="listings", listing=boxes)

    assert mapped(room)["tea 250"][0] == "TEA-250"


def test_of_many_one_without_a_suggestion_or_mapped_meanwhile_stops_no_other(room: Room) -> None:
    room.sell("zzz", channel="other")
    room.read_catalogues()
    boxes = chosen(room)
    room.do("listings/map", on="listings", listing=id_of(room, "K1"), sku="TEA-250")
    said = room.do("listings/accept", on="listings", listing=boxes)

    assert said.startswith("each tea 250 that other sells takes 1 × TEA-250 from now on;")
    assert "K1 it is mapped already" in said
    assert "zzz nothing was suggested for it: choose a SKU by hand" in said
    assert mapped(room)["K1"][0] == "TEA-250"


def test_a_listing_is_mapped_by_hand_with_how_many_are_in_one(room: Room) -> None:
    said = room.do("listings/map", on="listings", listing=id_of(room, "K1"), sku="TEA-250", factor="6")

    assert said.startswith("each K1 that other sells takes 6 × TEA-250 from now on;")
    assert mapped(room)["K1"] == ("TEA-250", 6, False)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"sku": "NEW"}, "there is no SKU NEW; tick the box to make it a new one"),
        ({"sku": ""}, "a SKU is needed"),
        ({"factor": "0"}, "a whole number from 1 is needed, not “0”"),
        ({"listing": ""}, "choose at least one listing"),
        ({"listing": "999999"}, "this listing is not there any more: load the page again"),
    ],
)
def test_what_cannot_be_mapped_is_said_and_nothing_is_done(room: Room, form: dict[str, str], said: str) -> None:
    whole = {"listing": id_of(room, "K1"), "sku": "TEA-250", "factor": "1"} | form

    assert room.do("listings/map", on="listings", **whole) == said
    assert mapped(room)["K1"] == (None, 1, False)


def test_a_code_becomes_a_new_sku_by_a_click(room: Room) -> None:
    room.do("listings/map", on="listings", listing=id_of(room, "K1"), sku="K1", new="yes")

    assert mapped(room)["K1"] == ("K1", 1, False)
    assert "K1" in room.said("stock?only=unknown")


def test_what_is_no_goods_keeps_no_stock_and_holds_no_order(room: Room) -> None:
    room.do("listings/map", on="listings", listing=id_of(room, "tea 250"), sku="TEA-250")
    said = room.do("listings/no-goods", on="listings", listing=id_of(room, "K1"))

    assert said == "each K1 that other sells takes no stock from now on; 1 order that waited goes on"
    assert looking.status(room.town, "o2") == ("allocated", None)
    assert rows_of(room, "listings?state=no_goods")[0].startswith("K1 other")


def test_a_mapped_listing_is_shown_with_what_its_shop_was_told_and_mapped_otherwise(room: Room) -> None:
    [row] = rows_of(room, "listings?state=mapped")
    assert row.startswith("77 shop 手冲咖啡壶 600ml 细口 KETTLE-600")
    assert " 18 " in row
    said = room.do("listings/map", on="listings?state=mapped", listing=id_of(room, "77"), sku="TEA-250", factor="2")

    assert said == "each 77 that shop sells takes 2 × TEA-250 from now on"
    walk.run(room.town)
    assert room.town.shop.shown["77"] == 9


def test_a_refused_number_is_shown_with_what_the_shop_said(room: Room) -> None:
    room.town.shop.refused["77"] = "商品已锁定"
    set_stock(room.town.ctx, warehouse="SH", sku="KETTLE-600", on_hand=5, actor="me")
    walk.run(room.town)

    [row] = rows_of(room, "listings?state=refused")
    assert "The shop refuses its number: 商品已锁定" in row


def test_listings_are_found_by_title_and_shop_page_by_page(room: Room) -> None:
    assert [row.split()[0] for row in rows_of(room, "listings?text=%E9%BE%99%E4%BA%95")] == ["tea"]
    assert rows_of(room, "listings?channel=shop") == []
    for number in range(60):
        room.sell(f"N{number:02}", channel="shop")
    room.read_catalogues()
    [more] = re.findall(r'href="(/listings\?after=\d+)"', room.text("listings"))
    assert rows_of(room, more.lstrip("/"))[-1].startswith("N59")


def test_what_a_shop_calls_its_goods_is_never_markup(room: Room) -> None:
    room.sell('"><script>x</script>', title="<b>bold</b>", channel="other")
    room.read_catalogues()

    page = room.text("listings")
    assert "<script>x" not in page
    assert "<b>bold" not in page


def test_a_bundle_is_made_changed_and_removed(room: Room) -> None:
    parts = "TEA-250, 2\nKETTLE-600\t1\n"
    said = room.do("bundles/set", on="bundles", bundle="GIFT", parts=parts)
    assert said == "What is in GIFT is set; orders that wait for it are served by that."
    assert "GIFT KETTLE-600 ×1 TEA-250 ×2" in room.said("bundles?text=kettle")

    room.do("bundles/set", on="bundles", bundle="GIFT", parts="TEA-250,3")
    assert bundles(room) == [{"bundle": "GIFT", "sku": "TEA-250", "qty": 3}]

    assert room.do("bundles/drop", on="bundles", bundle="GIFT").startswith("GIFT is no bundle any more")
    assert "There is no bundle." in room.said("bundles")


def bundles(room: Room) -> list[dict[str, object]]:
    with room.town.store.read() as connection:
        return list_bundles(connection)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"parts": "TEA-250,2\nnone,1"}, "in line 2: there is no SKU none"),
        ({"parts": "TEA-250,0"}, "in line 1: a whole number from 1 is needed, not “0”"),
        ({"parts": ""}, "write at least one part: a SKU, then a comma, then how many are in one bundle"),
        ({"bundle": ""}, "the SKU of the bundle is needed"),
        ({"bundle": "TEA-250"}, "in line 1: bundle TEA-250 cannot hold itself"),
    ],
)
def test_a_bundle_with_anything_wrong_is_not_set_at_all(room: Room, form: dict[str, str], said: str) -> None:
    whole = {"bundle": "GIFT", "parts": "TEA-250,2"} | form

    assert room.do("bundles/set", on="bundles", **whole) == said
    assert bundles(room) == []


def test_what_is_no_bundle_cannot_be_removed(room: Room) -> None:
    assert room.do("bundles/drop", on="bundles", bundle="TEA-250") == "TEA-250 is no bundle"


def test_what_came_of_a_mapping_is_said_in_chinese(room: Room) -> None:
    room.browser.headers.update(CHINESE)
    said = room.do("listings/map", on="listings", listing=id_of(room, "tea 250"), sku="TEA-250")

    assert said == "other的1件tea 250现在对应1件TEA-250；1笔等待的订单已继续处理；1笔订单还在等另一个编码"
