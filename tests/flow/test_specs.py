"""Goods that are made as buyers want them: each wish is a SKU of its own, read again where something was written."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from erpsync.flows.audit.looks import judge_due
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.items import ItemRow, import_items
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations.upkeep import relook
from erpsync.flows.orders.actions import hold_order
from erpsync.flows.own_orders.create import create_order
from erpsync.flows.shipments import record
from tests.support import walk
from tests.support.engraved import RULES, SIZE, awaited, made_of, makes, place, wants, write
from tests.support.facts import fact, line, order, take_in
from tests.support.looking import count, events, held, rows, see, status
from tests.support.own_orders import TEA, form
from tests.support.shop import Town


@pytest.fixture
def shop(town: Town) -> Town:
    """A shop that sells mugs and engraves them."""
    makes(town)
    return town


def held_for(town: Town) -> str:
    """Return what the only hold for a spec says."""
    [told] = rows(town, "SELECT detail FROM order_hold WHERE reason = 'bad_spec'")
    return str(told[0])


def test_an_engraved_mug_is_a_sku_of_its_own_and_waits_until_it_is_made(shop: Town) -> None:
    counts.set_stock(shop.ctx, warehouse="SH", sku="MUG", on_hand=10, actor="me")
    place(shop, "o1", "小明")
    walk.read(shop)

    [(code, spec)] = wants(shop).items()
    assert (code[:4], len(code), spec) == ("MUG~", 12, {"text": "小明", "size": "M"})
    assert (status(shop, "o1"), held(shop, "o1")) == (("backordered", None), {})
    assert see(shop, "o1")["lines"][0]["sku"] == "MUG"


def test_two_orders_that_want_the_same_share_a_sku_and_another_wish_is_another(shop: Town) -> None:
    place(shop, "o1", "小明", "小明")
    place(shop, "o2", " 小明 ")
    place(shop, "o3", "小红")
    walk.read(shop)

    assert sorted(spec["text"] for spec in wants(shop).values()) == ["小明", "小红"]
    assert made_of(shop, "o1") == made_of(shop, "o2") * 2 != made_of(shop, "o3") * 2


def test_the_event_names_where_each_parameter_was_read_and_never_the_text(shop: Town) -> None:
    place(shop, "o1", "", buyer_note="请快一点\n刻: 小明")
    walk.read(shop)

    [(_, detail)] = events(shop, "order.imported")
    assert detail["specs"] == {"o1-1": {"text": "buyer_note", "size": "default"}}
    assert "小明" not in str(events(shop))


@pytest.mark.parametrize(
    ("text", "fields", "why"),
    [
        ("", {}, "line o1-1: text is missing, looked for in property 刻字, buyer_note, seller_note"),
        ("小明小明小明小", {}, "line o1-1: text is longer than it may be, in property 刻字"),
        ("小明!", {}, "line o1-1: text holds a character that is not allowed, in property 刻字"),
        (
            "",
            {"buyer_note": "刻:小明\n刻:小红"},
            "line o1-1: text has several values in buyer_note, and all units of a line are made alike",
        ),
        (
            "小明",
            {"seller_note": "刻:小红"},
            "line o1-1: text is another one to the buyer than to the seller, in property 刻字, seller_note",
        ),
    ],
)
def test_what_cannot_be_made_as_it_was_written_is_held_and_says_why_without_the_text(
    shop: Town, text: str, fields: dict[str, str], why: str
) -> None:
    place(shop, "o1", text, **fields)
    walk.read(shop)

    assert (status(shop, "o1"), held_for(shop)) == (("held", "bad_spec"), why)
    assert made_of(shop, "o1") == ["MUG"]


def test_a_note_that_names_the_text_ends_the_hold(shop: Town) -> None:
    place(shop, "o1", "")
    walk.read(shop)
    shop.shop.change("o1", seller_note="刻:小红")
    walk.read(shop)

    assert (status(shop, "o1"), made_of(shop, "o1")) == (("backordered", None), [{"text": "小红", "size": "M"}])


def test_another_text_is_another_sku_and_nobody_waits_for_the_old_one(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)
    write(shop, "o1", "小红")
    walk.read(shop)

    assert made_of(shop, "o1") == [{"text": "小红", "size": "M"}]
    assert awaited(shop, "o1") == {"小红": 1}


def test_a_text_that_was_taken_away_holds_the_order_and_frees_what_was_made_for_it(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)
    write(shop, "o1", "")
    walk.read(shop)

    assert (status(shop, "o1"), made_of(shop, "o1")) == (("held", "bad_spec"), ["MUG"])


def test_an_order_keeps_its_sku_when_the_rules_change_as_long_as_nothing_was_written(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)
    shop.ctx = replace(shop.ctx, specs={"engraving": (SIZE,)})
    judge_due(shop.ctx)
    hold_order(shop.ctx, "o1", reason="ask", actor="me")
    lines = [line | {"qty": 3} for line in shop.shop.orders["o1"]["lines"]]
    shop.shop.change("o1", lines=lines)
    walk.read(shop)

    assert made_of(shop, "o1") == [{"text": "小明", "size": "M"}]
    assert see(shop, "o1")["lines"][0]["qty"] == 3


def test_changed_rules_look_again_at_orders_that_are_held_for_them(shop: Town) -> None:
    place(shop, "o1", "小明小明小明小")
    walk.read(shop)
    judge_due(shop.ctx)
    text = replace(RULES["engraving"][0], max_chars=9)
    shop.ctx = replace(shop.ctx, specs={"engraving": (text, SIZE)})
    judge_due(shop.ctx)

    assert (status(shop, "o1"), made_of(shop, "o1")) == (
        ("backordered", None),
        [{"text": "小明小明小明小", "size": "M"}],
    )


def test_a_hold_lasts_where_the_rules_are_gone(shop: Town) -> None:
    place(shop, "o1", "")
    walk.read(shop)
    shop.ctx = replace(shop.ctx, specs={})
    judge_due(shop.ctx)
    hold_order(shop.ctx, "o1", reason="ask", actor="me")

    assert held_for(shop).startswith("line o1-1: text is missing")


def test_an_item_whose_rules_are_not_configured_holds_its_orders(shop: Town) -> None:
    shop.ctx = replace(shop.ctx, specs={"embroidery": (SIZE,)})
    place(shop, "o1", "小明")
    walk.read(shop)

    assert held_for(shop) == "line o1-1: its item is read by engraving, which production.specs does not have"


def test_a_wish_that_may_be_left_out_leaves_the_plain_mug(shop: Town) -> None:
    optional = replace(RULES["engraving"][0], required=False)
    shop.ctx = replace(shop.ctx, specs={"engraving": (optional,)})
    counts.set_stock(shop.ctx, warehouse="SH", sku="MUG", on_hand=1, actor="me")
    place(shop, "o1", "")
    walk.read(shop)

    assert (status(shop, "o1"), held(shop, "o1"), wants(shop)) == (("allocated", None), {"MUG": 1}, {})


def test_what_of_a_bundle_is_made_is_made_as_the_buyer_wants_it_and_the_rest_comes_from_the_shelf(shop: Town) -> None:
    counts.set_stock(shop.ctx, warehouse="SH", sku="TEA", on_hand=5, actor="me")
    parts = [BundlePart(bundle="SET", sku="MUG", qty=1), BundlePart(bundle="SET", sku="TEA", qty=2)]
    import_bundles(shop.ctx, parts, actor="me")
    import_listings(shop.ctx, [ListingMapping(channel="shop", channel_sku="SET", sku="SET")], actor="me")
    place(shop, "o1", "小明", sku="SET")
    walk.read(shop)

    assert made_of(shop, "o1") == [{"text": "小明", "size": "M"}, "TEA"]


def test_orders_that_wait_are_read_once_their_sku_is_made(town: Town) -> None:
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="MUG", sku="MUG")], actor="me")
    place(town, "o1", "小明")
    place(town, "o2", "")
    walk.read(town)
    makes(town)

    assert made_of(town, "o1") == [{"text": "小明", "size": "M"}]
    assert status(town, "o2") == ("held", "bad_spec")
    assert relook(town.ctx) == 0


def test_a_code_that_is_mapped_later_is_read_then(town: Town) -> None:
    place(town, "o1", "小明", sku="杯子")
    makes(town)
    walk.read(town)
    assert status(town, "o1") == ("held", "unmapped_sku")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="杯子", sku="MUG")], actor="me")

    assert made_of(town, "o1") == [{"text": "小明", "size": "M"}]


def test_a_mapping_that_is_looked_at_again_leaves_the_wish(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)
    told = len(events(shop))
    import_listings(shop.ctx, [ListingMapping(channel="shop", channel_sku="MUG", sku="MUG", factor=2)], actor="me")

    assert made_of(shop, "o1") == [{"text": "小明", "size": "M"}]
    assert awaited(shop, "o1") == {"小明": 2}
    import_listings(shop.ctx, [ListingMapping(channel="shop", channel_sku="MUG", sku="MUG", factor=2)], actor="me")
    assert relook(shop.ctx) == 0
    assert [kind for kind, _ in events(shop)[told:] if kind == "order.remapped"] == ["order.remapped"]


def test_an_order_that_is_made_here_is_read_by_its_notes(shop: Town) -> None:
    made = create_order(shop.ctx, form(lines=[TEA | {"sku": "MUG"}], buyer_note="刻：小明"), actor="me")

    assert see(shop, made.number)["status"] == "backordered"
    assert [spec["text"] for spec in wants(shop).values()] == ["小明"]


def test_a_line_of_which_some_has_left_stays_as_it_was_made(shop: Town) -> None:
    place(shop, "o1", "小明", qty=2)
    walk.read(shop)
    [code] = wants(shop)
    counts.set_stock(shop.ctx, warehouse="SH", sku=code, on_hand=1, actor="me")
    first = [record.ShipLine(line="o1-1", qty=1)]
    record.ship(shop.ctx, order="o1", carrier="SF", tracking="SF1", lines=first, actor="me")
    write(shop, "o1", "小红")
    walk.read(shop)

    assert made_of(shop, "o1") == [{"text": "小明", "size": "M"}]


def test_what_is_made_cannot_be_a_bundle_nor_the_other_way_round(shop: Town) -> None:
    import_bundles(shop.ctx, [BundlePart(bundle="SET", sku="TEA", qty=2, source="b.csv:2")], actor="me")

    made = import_items(shop.ctx, [ItemRow(sku="SET", cells={"supply": "make"}, source="i.csv:2")], actor="me")
    taken_apart = import_bundles(shop.ctx, [BundlePart(bundle="MUG", sku="TEA", qty=1, source="b.csv:3")], actor="me")

    assert made.refused == [("i.csv:2", "SET is a bundle, which is taken apart and never made")]
    assert taken_apart.refused == [("b.csv:3", "it is made, and a bundle is taken apart and never made")]
    assert (made.taken, taken_apart.taken) == (0, 0)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"supply": "buy"}, "supply must be make or none, is buy"),
        ({"make_for": "fun"}, "make_for must be order or stock, is fun"),
        ({"warehouse": "XX"}, "warehouse XX is not configured"),
        ({"supply": "make", "spec": "engravin"}, "no engravin in production.specs; known are engraving"),
        ({"spec": "engraving"}, "what is read as a buyer wants it has to be made: supply must be make"),
        ({"offer": "-1"}, "offer must be a whole number from 0, is -1"),
        ({"lead_days": "1.5"}, "lead_days must be a whole number from 0, is 1.5"),
    ],
)
def test_a_row_of_items_that_cannot_be_taken_says_why_and_stops_no_other(
    shop: Town, cells: dict[str, str], why: str
) -> None:
    rows = [ItemRow(sku="CUP", cells=cells, source="i.csv:2"), ItemRow(sku="PEN", cells={}, source="i.csv:3")]

    got = import_items(shop.ctx, rows, actor="me")

    assert (got.refused, got.taken) == ([("i.csv:2", why)], 1)


def test_items_that_are_loaded_twice_change_nothing(shop: Town) -> None:
    rows = [ItemRow(sku="PEN", cells={"supply": "make", "warehouse": "SH", "offer": "5"}, source="i.csv:2")]
    import_items(shop.ctx, rows, actor="me")
    told = count(shop, "event")

    assert import_items(shop.ctx, rows, actor="me").taken == 1
    assert count(shop, "event") == told


def test_a_sku_that_stands_twice_in_a_file_counts_once(shop: Town) -> None:
    rows = [ItemRow(sku="PEN", cells={}, source="i.csv:2"), ItemRow(sku="PEN", cells={}, source="i.csv:3")]

    assert import_items(shop.ctx, rows, actor="me").refused == [("i.csv:3", "PEN stands on i.csv:2 already")]


def test_a_variant_is_planned_as_its_base_is(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)
    [code] = wants(shop)

    [(_, why)] = import_items(shop.ctx, [ItemRow(sku=code, cells={}, source="i.csv:2")], actor="me").refused
    assert why == f"{code} is made as a buyer wants MUG: say it of that"


def test_two_shops_that_make_the_same_wish_have_one_sku(make_town: Callable[..., Town]) -> None:
    town = make_town(names=("shop", "mall"))
    makes(town)
    import_listings(town.ctx, [ListingMapping(channel="mall", channel_sku="MUG", sku="MUG")], actor="me")
    place(town, "o1", "小明")
    town.shops["mall"].place("m1", ("MUG", 1), buyer_note="刻:小明")
    for name in ("shop", "mall"):
        walk.read(town, name=name)

    assert len(wants(town)) == 1
    assert made_of(town, "o1") == made_of(town, "m1")


def statements_for(town: Town, name: str, orders: int) -> list[str]:
    """Return the statements by which so many orders of a mug are taken in at once."""
    told = [fact(order(f"{name}{nth}", line("MUG", properties=(("刻字", f"{name}{nth}"),)))) for nth in range(orders)]
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    event.listen(town.store.engine, "before_cursor_execute", note)
    take_in(town, *told)
    event.remove(town.store.engine, "before_cursor_execute", note)
    return statements


def about_specs(statements: list[str]) -> list[str]:
    """Return the statements that are about what is made and nothing else."""
    tables = ("JOIN variant", "FROM variant, ", "INTO variant", "UPDATE variant", "line_spec", "JOIN item")
    asked = [each for each in statements if each.startswith("SELECT variant") or any(name in each for name in tables)]
    return [each for each in asked if "NOT (EXISTS" not in each]


def test_who_makes_nothing_runs_no_statement_for_it(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="MUG", on_hand=99, actor="me")

    assert about_specs(statements_for(town, "o", 9)) == []


def test_as_many_statements_read_one_wish_as_forty(shop: Town) -> None:
    statements_for(shop, "first", 1)

    few, many = (about_specs(statements_for(shop, name, orders)) for name, orders in (("few", 1), ("many", 40)))
    assert len(few) == len(many) > 0
