"""What our SKUs are: loaded from a file, as often as one likes; bad rows are named and stop no other."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import IntegrityError

from erpsync.core.policy import WarehousePolicy
from erpsync.core.suggestions import Suggestion
from erpsync.flows.imports import ImportResult
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.sdk.types import ListingRow
from erpsync.store.goods import LACKS, list_goods, skus_with_barcode
from erpsync.store.tables import sku, sku_place
from erpsync.store.views.goods import find_goods
from erpsync.store.views.listing_page import ListingFilter, page_of_listings
from erpsync.store.views.shelves import ShelfFilter, page_of_shelves
from erpsync.store.views.suggestions import suggestions_for
from tests.support import looking, walk
from tests.support.shop import Town

MakeTown = Callable[..., Town]
TWO = (WarehousePolicy(id="SH", priority=1), WarehousePolicy(id="GZ", priority=2))
EAN = "6901234567892"
UNKNOWN = {
    "title": "",
    "barcode": "",
    "weight_g": None,
    "volume_cm3": None,
    "floor_minor": None,
    "floor_currency": "",
    "tags": [],
    "shelves": [],
}


def row(code: str, line: int = 2, *, warehouse: str = "", **cells: str) -> GoodsRow:
    return GoodsRow(sku=code, warehouse=warehouse, cells=cells, source=f"g.csv:{line}")


def put(town: Town, *rows: GoodsRow) -> ImportResult:
    return import_goods(town.ctx, rows, actor="me")


def known(town: Town, **only: Any) -> list[dict[str, Any]]:
    with town.store.read() as connection:
        return list_goods(connection, **only)


def codes(town: Town, **only: Any) -> list[str]:
    return [goods["sku"] for goods in known(town, **only)]


def told(town: Town) -> list[tuple[str, dict[str, Any]]]:
    return looking.events(town, "goods.")


def test_all_that_a_row_says_is_kept_and_an_event_tells_what_changed(town: Town) -> None:
    cells = {
        "title": "亚麻衬衫",
        "barcode": EAN,
        "weight_g": "0.24kg",
        "volume_cm3": "30x20x3",
        "floor": "99",
        "tags": "夏,新",
    }
    result = put(town, row("A", warehouse="SH", currency="CNY", shelf="A-03", **cells))

    assert (result.taken, result.refused, result.notes) == (1, [], [])
    assert known(town) == [
        {
            "sku": "A",
            "title": "亚麻衬衫",
            "barcode": EAN,
            "weight_g": 240,
            "volume_cm3": 1800,
            "floor_minor": 9900,
            "floor_currency": "CNY",
            "tags": ["夏", "新"],
            "shelves": [{"warehouse": "SH", "shelf": "A-03"}],
        }
    ]
    assert told(town) == [
        (
            "goods.changed",
            {
                "title": ["", "亚麻衬衫"],
                "barcode": ["", EAN],
                "weight_g": [None, 240],
                "volume_cm3": [None, 1800],
                "floor_minor": [None, 9900],
                "floor_currency": ["", "CNY"],
                "tags": ["", "夏, 新"],
            },
        ),
        ("goods.changed", {"warehouse_id": town.ctx.warehouse_id("SH"), "shelf": ["", "A-03"]}),
        ("goods.imported", {"rows": 1, "skus": 1}),
    ]


def test_the_same_file_again_changes_nothing_and_tells_nothing(town: Town) -> None:
    rows = [row("A", warehouse="SH", title="x", weight_g="5", shelf="1"), row("B", 3, tags="t")]
    put(town, *rows)
    before, events = known(town), told(town)

    assert put(town, *rows).taken == 2
    assert known(town) == before
    assert told(town) == events


def test_an_empty_cell_changes_nothing_and_a_dash_unsets(town: Town) -> None:
    put(town, row("A", warehouse="SH", title="x", weight_g="5", floor="1", currency="CNY", tags="t", shelf="1"))
    put(town, row("A", title="", weight_g="6"))
    assert (known(town)[0]["title"], known(town)[0]["weight_g"]) == ("x", 6)

    unset = dict.fromkeys(("title", "weight_g", "floor", "tags", "shelf"), "-")
    put(town, row("A", warehouse="SH", **unset))
    assert known(town) == [{"sku": "A", **UNKNOWN}]
    assert looking.count(town, "sku_place") == 0


def test_rows_of_one_sku_name_its_shelf_in_each_warehouse(make_town: MakeTown) -> None:
    town = make_town(warehouses=TWO)
    put(town, row("A", warehouse="GZ", shelf="7"), row("A", 3, warehouse="SH", shelf="A-1"))
    put(town, row("A", warehouse="GZ", shelf="8"))

    assert known(town)[0]["shelves"] == [{"warehouse": "SH", "shelf": "A-1"}, {"warehouse": "GZ", "shelf": "8"}]


def test_bad_rows_are_named_by_file_and_line_and_the_others_are_taken(town: Town) -> None:
    result = put(
        town,
        row("A", 2, weight_g="5"),
        row("B", 3, weight_g="-5", volume_cm3="5 gal"),
        row("C", 4, floor="9.90"),
        row("D", 5, warehouse="XX", shelf="1"),
        row("E", 6, shelf="1"),
        row(" ", 7, weight_g="5"),
        row("F", 8, title="f"),
    )

    assert (result.taken, codes(town)) == (2, ["A", "F"])
    assert [(source, problem.partition(",")[0]) for source, problem in result.refused] == [
        ("g.csv:3", "weight_g must be a number from 0"),
        ("g.csv:3", "the unit of volume_cm3 must be cm3"),
        ("g.csv:4", "the floor price needs a currency"),
        ("g.csv:5", "warehouse XX is not configured"),
        ("g.csv:6", "a shelf needs its warehouse"),
        ("g.csv:7", "sku is empty"),
    ]


def test_a_row_that_contradicts_an_earlier_one_is_refused_with_its_place(make_town: MakeTown) -> None:
    town = make_town(warehouses=TWO)
    result = put(
        town,
        row("A", 2, warehouse="SH", title="one", weight_g="5", shelf="1"),
        row("A", 3, warehouse="GZ", title="two", weight_g="5", shelf="2"),
        row("A", 4, weight_g="5"),
    )

    assert result.refused == [("g.csv:3", "title of A is another one on g.csv:2")]
    assert [place["warehouse"] for place in known(town)[0]["shelves"]] == ["SH"]


def test_a_wrong_check_digit_and_a_shared_barcode_are_notes(town: Town) -> None:
    put(town, row("A", barcode=EAN))
    result = put(town, row("B", 2, barcode=EAN), row("C", 3, barcode="6901234567893"))

    assert (result.taken, result.refused) == (2, [])
    assert sorted(result.notes) == [
        ("g.csv:2", f"barcode {EAN} is that of A too"),
        ("g.csv:3", "the check digit of barcode 6901234567893 is wrong: a digit may be mistyped"),
    ]
    with town.store.read() as connection:
        assert skus_with_barcode(connection, [EAN, "nothing"]) == {EAN: ["A", "B"]}


def test_a_sku_that_becomes_known_frees_the_order_that_waits_for_its_code(town: Town) -> None:
    town.shop.place("o1", ("NEW", 1))
    walk.read(town)
    assert looking.see(town, "o1")["hold_reason"] == "unmapped_sku"

    put(town, row("NEW", title="x"))
    assert looking.see(town, "o1")["status"] == "backordered"


def test_units_and_holds_are_left_alone(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    before = looking.on_shelf(town)

    put(town, row("A", warehouse="SH", weight_g="5", shelf="1"))
    assert looking.on_shelf(town) == before
    assert looking.promised(town) == {"o1": 2}


def test_goods_are_listed_by_tag_and_by_what_they_lack(town: Town) -> None:
    full = {"title": "t", "barcode": EAN, "weight_g": "0", "volume_cm3": "1", "floor": "0", "currency": "CNY"}
    put(town, row("FULL", warehouse="SH", tags="Cold", shelf="1", **full), row("BARE", 3, tags="cold,colder"))

    assert codes(town, tag="cold") == ["BARE"]
    assert codes(town, tag="Cold") == ["FULL"]
    assert codes(town, tag="old") == []
    for name in LACKS:
        assert codes(town, lacks=name) == ([] if name == "tags" else ["BARE"]), name
    assert codes(town, limit=1) == ["BARE"]
    assert codes(town, after="BARE") == ["FULL"]
    assert codes(town, sku_code="FULL") == ["FULL"]


def test_a_large_file_takes_no_more_statements_than_a_small_one_for_each_commit(town: Town) -> None:
    ran: list[str] = []

    def note(*said: Any) -> None:
        ran.append(str(said[2]))

    def load(first: int, count: int) -> int:
        ran.clear()
        cells = {"title": "t", "weight_g": "5", "shelf": "1", "tags": "x"}
        rows = [row(f"S{n}", n, warehouse="SH", barcode=f"B{n}", **cells) for n in range(first, first + count)]
        assert put(town, *rows).taken == count
        return len(ran)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        small, large, two = load(0, 5), load(100, 500), load(1000, 1000)
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert large == small
    assert two == 2 * small
    assert len(known(town)) == 1505


def test_the_database_itself_refuses_a_floor_without_currency_and_a_shelf_without_name(town: Town) -> None:
    put(town, row("A", title="x"))
    [(id,)] = looking.rows(town, select(sku.c.id))
    for statement in (
        sku.update().values(floor_minor=5),
        sku.update().values(floor_currency="CNY"),
        sku.update().values(weight_g=-1),
        sku_place.insert().values(sku_id=id, warehouse_id=town.ctx.warehouse_id("SH"), shelf=""),
    ):
        with pytest.raises(IntegrityError), town.store.begin() as tx:
            tx.execute(statement)


def test_a_search_finds_our_own_title_and_barcode(town: Town) -> None:
    put(town, row("A", title="亚麻短袖衬衫", barcode=EAN), row("B", 3, title="羊毛围巾"))

    with town.store.read() as connection:
        found = {text: page_of_shelves(connection, ShelfFilter(text=text), 9) for text in ("短袖", EAN, "围巾", "丝")}
        exact = find_goods(connection, EAN).exact.skus
    assert {text: [shelf["sku"] for shelf in shelves] for text, shelves in found.items()} == {
        "短袖": ["A"],
        EAN: ["A"],
        "围巾": ["B"],
        "丝": [],
    }
    assert found[EAN][0]["title"] == "亚麻短袖衬衫"
    assert len(exact) == 1


def test_what_nobody_has_mapped_is_suggested_by_barcode_right_after_the_equal_code_and_by_our_title(town: Town) -> None:
    put(town, row("SHIRT", barcode=EAN), row(EAN, 3, title="x"), row("POT", 4, title="手冲咖啡壶 600ml 细口"))
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="other", sku="POT")], actor="me")
    town.shop.catalogue += [
        ListingRow(channel_sku="4006381333931", item_ref="1", title=""),
        ListingRow(channel_sku="k-1", item_ref="2", title="细口手冲咖啡壶 600ml"),
    ]
    walk.poll(town, "listings")
    put(town, row("MUG", barcode="4006381333931"))

    with town.store.read() as connection:
        rows = page_of_listings(connection, ListingFilter(state="unmapped"), 50)
        ranked = {each["channel_sku"]: suggestions_for(connection, [each])[each["id"]] for each in rows}
        wanted = suggestions_for(connection, [{"id": 1, "channel_sku": EAN, "title": ""}])[1]
    assert ranked == {
        "4006381333931": (Suggestion(sku="MUG", why="barcode"),),
        "k-1": (Suggestion(sku="POT", why="title"),),
    }
    assert [(each.sku, each.why) for each in wanted] == [(EAN, "equal"), ("SHIRT", "barcode")]
