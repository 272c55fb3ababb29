"""Stock at the console: pages of SKUs, many counts at once, one SKU with why it shows its number."""

import re
from collections.abc import Iterator

import pytest
import requests

from erpsync.core.policy import BrakePolicy, StockPolicy, WarehousePolicy
from erpsync.flows.inventory.believed_counts import believed
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.counts import Count, set_stock
from erpsync.store.views import list_tasks
from tests.support import looking, walk
from tests.support.goods_room import CHINESE, Room, open_room, words_of
from tests.support.visitor import visitor


@pytest.fixture
def room(database_url: str) -> Iterator[Room]:
    """A is counted in both warehouses and sold in `shop`; B is known and counted nowhere."""
    with open_room(database_url) as room:
        put(room, "A", 9)
        put(room, "A", 5, "GZ")
        room.sell("A", title="亚麻短袖衬衫", sku="A")
        room.sell("B", sku="B")
        room.read_catalogues()
        yield room


def put(room: Room, code: str, on_hand: int, place: str = "SH") -> None:
    set_stock(room.town.ctx, warehouse=place, sku=code, on_hand=on_hand, actor="me")


def later(room: Room) -> None:
    """Let a minute go by, with all that is due in it."""
    room.town.advance(60)
    walk.run(room.town)


def shelf(room: Room, code: str = "A", place: str = "SH") -> int:
    return looking.on_shelf(room.town)[place, code][0]


def row_of(room: Room, code: str, path: str = "stock") -> str:
    """Return what the row of a SKU says."""
    [row] = [row for row in re.findall(r"<tr data-row>.*?</tr>", room.text(path), re.DOTALL) if f">{code}</a>" in row]
    return words_of(row)


def test_stock_shows_each_warehouse_what_is_free_and_what_shops_were_told(room: Room) -> None:
    room.town.shop.place("o1", ("A", 4))
    later(room)

    assert row_of(room, "A").startswith("A 亚麻短袖衬衫 9 4 reserved 5 8 0 shop 8")
    assert row_of(room, "B") == "B – – unknown 0 shop –"


def test_stock_shows_what_is_owed_and_is_narrowed_to_it(room: Room) -> None:
    room.town.shop.place("o1", ("A", 40))
    later(room)

    assert re.search(r"0 28 1 order shop 0", row_of(room, "A", "stock?only=owed"))
    assert "B" not in re.findall(r"data-open [^>]*>([^<]*)<", room.text("stock?only=owed"))


def test_an_empty_stock_says_how_skus_are_made(database_url: str) -> None:
    with open_room(database_url) as room:
        assert "No SKU is known yet." in room.said("stock")
        assert "No SKU fits." in room.said("stock?text=zzz")


def test_many_warehouses_stand_in_one_cell(database_url: str) -> None:
    places = [WarehousePolicy(id=f"W{n}") for n in range(6)]
    with open_room(database_url, warehouses=places) as room:
        put(room, "A", 7, "W4")

        assert "W4 7" in row_of(room, "A")


def test_pages_of_stock_follow_one_another(room: Room) -> None:
    for number in range(60):
        put(room, f"N{number:02}", 1)
    [more] = re.findall(r'href="(/stock\?after=[^"]*)"', room.text("stock"))

    assert re.findall(r"data-open [^>]*>([^<]*)<", room.text(more.lstrip("/")))[-1] == "N59"


def test_counts_that_are_pasted_are_taken_and_bad_lines_named_by_their_number(room: Room) -> None:
    counts = "A\t12\n\nB，３\nA,4\nC,5\nno number\nB2\tx\n"
    said = room.do("stock/import", warehouse="SH", counts=counts, reason="盘点")

    assert said.startswith("2 counts of SH were taken.")
    assert "in line 4: A stands in line 1 already" in said
    assert "in line 5: there is no SKU C" in said
    assert "in line 6: between SKU and number a tab or a comma is needed" in said
    assert "in line 7: a whole number from 0 is needed, not “x”" in said
    assert (shelf(room, "A"), shelf(room, "B")) == (12, 3)
    assert ("SH", "C") not in looking.on_shelf(room.town)


def test_a_new_sku_is_counted_when_the_box_is_ticked(room: Room) -> None:
    assert room.do("stock/import", warehouse="SH", counts="C,5", new="yes") == "1 count of SH was taken."
    assert shelf(room, "C") == 5


def test_nothing_pasted_and_an_unknown_warehouse_are_said(room: Room) -> None:
    assert "paste at least one line" in room.do("stock/import", warehouse="SH", counts=" \n")
    assert "in line 1: warehouse XX is not configured" in room.do("stock/import", warehouse="XX", counts="A,1")


def test_a_sku_says_why_it_shows_its_number_step_by_step_with_file_and_line(room: Room) -> None:
    room.town.shop.place("o1", ("A", 4))
    later(room)
    page = room.said("stock/A")

    assert "shop shows 8 for A, as it should" in page
    assert "9 on hand in SH, counted last at" in page
    assert "-2 safety stock that SH never promises of any SKU erpsync.yaml:12" in page
    number = looking.see(room.town, "o1")["number"]
    assert f'href="/orders/{number}"' in room.text("stock/A")
    assert "as it should be" in page


def test_a_sku_tells_its_days_as_a_chart_and_as_a_table(room: Room) -> None:
    page = room.said("stock/A")

    assert "14 are on hand; the fewest in 30 days were 0" in page
    assert room.text("stock/A").count('<rect class="s0"') == 30


def test_a_sku_that_nobody_knows_is_not_found(room: Room) -> None:
    answer = room.browser.get(f"{room.server.url}stock/none", timeout=60)

    assert (answer.status_code, "no SKU none" in answer.text) == (404, True)


def test_a_sku_with_a_slash_and_marks_in_its_code_has_a_page(room: Room) -> None:
    code = 'a/b ?#&"<i>'
    put(room, code, 3)
    [address] = [each for each in re.findall(r'data-open href="/([^"]*)"', room.text("stock")) if "a/b" in each]

    assert "<i>" not in room.text(address)
    assert words_of(room.text(address)).count('a/b ?#&"') >= 2


def test_units_are_added_and_taken_away_with_a_reason(room: Room) -> None:
    form = {"sku": "A", "warehouse": "SH", "reason": "破损"}

    assert room.do("stock/adjust", on="stock/A", **form, qty="-3") == "3 of A were taken away in SH."
    assert room.do("stock/adjust", on="stock/A", **form, qty="＋10") == "10 of A were added in SH."
    assert shelf(room) == 16
    assert (-3, "破损") in looking.booked(room.town, "A")
    assert "破损" in room.said("stock/A")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"qty": "-30"}, "A has 9 in SH, cannot take away 30"),
        ({"qty": "many"}, "a whole number is needed, not “many”"),
        ({"qty": ""}, "a number is needed"),
        ({"reason": " "}, "a reason is needed"),
        ({"warehouse": ""}, "a warehouse is needed"),
        ({"sku": "none"}, "there is no SKU none"),
        ({"reason": "x" * 201}, "a field holds 201 characters, more than 200"),
    ],
)
def test_what_cannot_be_changed_is_said_on_the_page_and_nothing_is_done(
    room: Room, form: dict[str, str], said: str
) -> None:
    whole = {"sku": "A", "warehouse": "SH", "qty": "1", "reason": "found"} | form

    assert room.do("stock/adjust", on="stock/A", **whole) == said
    assert shelf(room) == 9


def test_a_count_sets_what_is_on_hand_and_the_shop_is_told(room: Room) -> None:
    said = room.do("stock/count", on="stock/A", sku="A", warehouse="GZ", on_hand="0", reason="盘点")
    walk.run(room.town)

    assert said == "GZ has 0 of A, as counted."
    assert (shelf(room, place="GZ"), room.town.shop.shown["A"]) == (0, 7)


def test_a_count_that_nobody_believes_is_said_and_taken_by_a_click(room: Room) -> None:
    town = room.town
    with town.store.begin() as tx:
        believed(tx, town.ctx, town.channel(), [Count(warehouse="SH", sku="A", on_hand=9000)])

    assert "SH counted 9000 at" in room.said("stock/A")
    assert "a count waits for you" in row_of(room, "A")
    assert room.do("stock/believe", on="stock/A", sku="A", warehouse="SH") == "The count of A in SH is taken."
    assert shelf(room) == 9000
    with town.store.read() as connection:
        assert list_tasks(connection) == []
    assert "no count of A in SH waits any more" in room.do("stock/believe", on="stock/A", sku="A", warehouse="SH")


def test_a_newer_count_takes_the_place_of_one_that_waits(room: Room) -> None:
    town = room.town
    with town.store.begin() as tx:
        believed(tx, town.ctx, town.channel(), [Count(warehouse="SH", sku="A", on_hand=9000)])
    town.advance(1)
    room.do("stock/count", on="stock/A", sku="A", warehouse="SH", on_hand="8", reason="盘点")

    assert shelf(room) == 8
    assert "counted 9000" not in room.said("stock/A")


def test_a_sku_is_paused_in_a_shop_and_sold_again_by_a_click(room: Room) -> None:
    place = {"sku": "A", "place": "channel shop"}

    assert room.do("stock/policy", on="stock/A", **place, paused="yes") == "A is paused on shop."
    walk.run(room.town)
    assert room.town.shop.shown["A"] == 0
    assert "Sell again here" in room.said("stock/A")
    room.do("stock/policy", on="stock/A", **place, paused="-")
    walk.run(room.town)
    assert room.town.shop.shown["A"] == 12


def test_safety_stock_of_a_warehouse_is_set_and_bad_cells_are_said(room: Room) -> None:
    place = {"sku": "A", "place": "warehouse SH"}

    assert room.do("stock/policy", on="stock/A", **place, safety="5") == "What SH keeps of A is set."
    assert room.do("stock/policy", on="stock/A", **place, cap="5") == "cap is of a channel, the row is of a warehouse"
    assert "safety must be a whole number" in room.do("stock/policy", on="stock/A", **place, safety="-4")
    assert "nothing is filled in" in room.do("stock/policy", on="stock/A", **place)
    assert "name either a channel or a warehouse" in room.do("stock/policy", sku="A", place="x y", safety="1")
    walk.run(room.town)
    assert room.town.shop.shown["A"] == 9


def test_what_a_sku_is_is_set_and_shown_and_what_stays_empty_is_kept(room: Room) -> None:
    assert "Nobody has said what it is" in room.said("stock/A")
    cells = {"title": "马克杯", "barcode": "6901234567892", "weight_g": "0.35kg", "floor": "19.9", "currency": "CNY"}

    done = room.do("stock/goods", on="stock/A", sku="A", warehouse="GZ", shelf="B-7", tags="易碎,新", **cells)
    assert done == "The goods data of A is set."
    said = room.said("stock/A")
    for shown in ("马克杯", "6901234567892", "350 g", "19.90", "易碎", "Shelf in GZ B-7"):
        assert shown in said
    assert "goods changed" in said
    room.do("stock/goods", on="stock/A", sku="A", warehouse="GZ", volume_cm3="1.5L", tags="-", currency="CNY")
    said = room.said("stock/A")
    assert "1,500 cm³" in said
    assert "350 g" in said
    assert "Tags 易碎" not in said
    assert row_of(room, "A", "stock?text=6901234567892").startswith("A 马克杯")
    assert looking.events(room.town, "goods.changed")[0][0] == "goods.changed"


def test_bad_goods_data_is_said_and_a_doubtful_barcode_is_taken_with_a_note(room: Room) -> None:
    assert "weight_g must be a number from 0" in room.do("stock/goods", on="stock/A", sku="A", weight_g="-4")
    assert "needs a currency" in room.do("stock/goods", on="stock/A", sku="A", floor="4")
    assert "nothing is filled in" in room.do("stock/goods", on="stock/A", sku="A", currency="CNY")
    assert "there is no SKU X" in room.do("stock/goods", sku="X", title="x")
    assert "the check digit of barcode 6901234567893 is wrong" in room.do(
        "stock/goods", on="stock/A", sku="A", barcode="6901234567893"
    )
    assert "6901234567893" in room.said("stock/A")


def test_a_refused_number_is_shown_and_told_again_by_a_click(room: Room) -> None:
    shop = room.town.shop
    shop.refused["A"] = "商品已锁定"
    put(room, "A", 20)
    walk.run(room.town)
    page = room.text("stock/A")
    assert "商品已锁定" in page
    [letter] = re.findall(r'name="letter" value="(\d+)"', page)
    del shop.refused["A"]

    assert room.do("stock/retry", on="stock/A", letter=letter) == "The number goes to the shop once more."
    walk.run(room.town)
    assert shop.shown["A"] == 23
    assert room.do("stock/retry", on="stock/A", letter="x") == "this number is not refused any more"


def test_zeros_that_the_brake_holds_back_go_by_a_click(database_url: str) -> None:
    brake = StockPolicy(brake=BrakePolicy(zero_share=0.1, min_listings=1))
    with open_room(database_url, stock=brake, names=("shop",)) as room:
        for code in ("A", "B", "C"):
            put(room, code, 9)
            room.sell(code, sku=code)
        room.read_catalogues()
        for code in ("A", "B", "C"):
            put(room, code, 0)
        walk.run(room.town)
        assert "Let all zeros of shop go" in room.said("stock/A")

        said = room.do("stock/confirm", on="stock/A", channel="shop")
        walk.run(room.town)

    assert re.fullmatch(r"[123] numbers? goe?s? to shop now\.", said)
    assert room.town.shop.shown == {"A": 0, "B": 0, "C": 0}


def test_a_bundle_names_its_parts_and_is_not_counted(room: Room) -> None:
    import_bundles(room.town.ctx, [BundlePart(bundle="SET", sku="A", qty=2)], actor="me")

    page = room.said("stock/SET")
    assert "2 in one of it: A" in page
    assert "Count…" not in page
    assert "2 in one of SET" in room.said("stock/A")
    assert row_of(room, "SET").startswith("SET bundle")


def test_who_may_only_read_sees_no_form_and_does_nothing(room: Room) -> None:
    room.browser = visitor(room.town.store, "xu", role="read")

    for path in ("stock", "stock/A", "listings", "bundles"):
        main = room.text(path).partition("<main")[2].partition("</main>")[0]
        assert main
        assert 'method="post"' not in main
    answer = room.browser.post(f"{room.server.url}stock/adjust", data={"csrf": "x"}, timeout=60)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["stock?after=zzz&only=x", "stock?text=%E2%80%8B", "listings?after=x&state=y"])
def test_addresses_that_make_no_sense_show_a_page(room: Room, path: str) -> None:
    assert requests.codes.ok == room.browser.get(f"{room.server.url}{path}", timeout=60).status_code


def test_what_came_of_it_is_said_in_chinese(room: Room) -> None:
    room.browser.headers.update(CHINESE)
    said = room.do("stock/import", warehouse="SH", counts="A,12\nC,5\n")

    assert said == "已采用SH的1行盘点数。 第2行：没有商家编码C"
