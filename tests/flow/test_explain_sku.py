"""Why a shop shows a number: each step from what lies on the shelf to what is told, and what keeps it from that."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from erpsync.core.policy import BrakePolicy, OrderPolicy, StockPolicy, WarehousePolicy
from erpsync.flows.channels.control import pause_channel
from erpsync.flows.explain.explain import explain_sku
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.inventory.policies import PolicyRow, import_policies
from erpsync.flows.orders.actions import hold_order
from erpsync.sdk.errors import OutcomeUnknownError, TransientError
from erpsync.store.db.bulk import insert_many
from erpsync.store.tables import hold, stock
from erpsync.store.views.sku_story import MOST_HOLDS
from tests.support import looking, walk
from tests.support.explaining import Written, amounts, codes, flat, named, one, wrong_sums
from tests.support.shop import Town

MakeTown = Callable[..., Town]
TWO = (WarehousePolicy(id="SH", priority=1, safety_stock=2), WarehousePolicy(id="GZ", priority=2))


def put(town: Town, on_hand: int, code: str = "A", *, warehouse: str = "SH") -> None:
    counts.set_stock(town.ctx, warehouse=warehouse, sku=code, on_hand=on_hand, actor="me")


def sell(town: Town, code: str = "A", *, factor: int = 1, channel: str = "shop", sku: str = "") -> None:
    rows = [ListingMapping(channel=channel, channel_sku=code, sku=sku or code, factor=factor)]
    import_listings(town.ctx, rows, actor="me")


def set_for(town: Town, code: str = "A", **cells: str) -> None:
    where = {name: cells.pop(name) for name in ("channel", "warehouse") if name in cells}
    row = PolicyRow(sku=code, cells=cells, source="p.csv:2", **where)
    assert import_policies(town.ctx, [row], actor="ana").refused == []


def level(town: Town, code: str = "A", *, channel: str = "shop") -> dict[str, Any]:
    """Return the explanation of a SKU's listing on a channel."""
    found = explain_sku(town.ctx, code, Written())
    assert wrong_sums([step for each in found["levels"] for step in each["steps"]]) == []
    (mine,) = [each for each in found["levels"] if each["channel"] == channel]
    return dict(mine)


def number(town: Town, order: str) -> str:
    return str(looking.see(town, order)["number"])


def test_a_number_is_what_is_on_hand_less_what_is_held_kept_and_not_paid_yet(make_town: MakeTown) -> None:
    town = make_town(warehouses=TWO, stock=StockPolicy(buffer=3))
    put(town, 20)
    put(town, 5, warehouse="GZ")
    sell(town)
    town.shop.place("o1", ("A", 4))
    town.shop.place("o2", ("A", 2))
    town.shop.place("o3", ("A", 1), paid=False)
    walk.run(town)

    got = level(town)

    assert (got["amount"], town.shop.shown) == (13, {"A": 13})
    assert got["text"] == "shop shows 13 for A, as it should"
    assert [(step["what"], step["amount"]) for step in got["steps"]] == [("share", 13), ("level", 13), ("told", 13)]
    share = got["steps"][0]
    assert [(step["what"], step["amount"]) for step in share["steps"]] == [
        ("warehouse", 12),
        ("warehouse", 5),
        ("buffer", -3),
        ("unpaid", -1),
    ]
    here = share["steps"][0]
    assert amounts([here], "on_hand", "held", "safety") == {"on_hand": 20, "held": -6, "safety": -2}
    assert named(one([here], "allocated")) == [(number(town, "o1"), 4), (number(town, "o2"), 2)]
    assert named(one([share], "unpaid")) == [(number(town, "o3"), 1)]


def test_each_setting_that_counts_is_named_with_its_file_and_line(make_town: MakeTown) -> None:
    town = make_town(warehouses=TWO, stock=StockPolicy(buffer=1, ratio=0.5, cap=3))
    put(town, 20)
    sell(town)
    walk.run(town)

    steps = level(town)["steps"]

    assert amounts(steps, "ratio", "buffer", "cap", "level") == {"ratio": -9, "buffer": -1, "cap": -5, "level": 3}
    places = {
        step["what"]: (step["setting"]["file"], step["setting"]["line"]) for step in flat(steps) if step["setting"]
    }
    assert places == {
        "safety": ("erpsync.yaml", len("safety_stock")),
        "ratio": ("shop.yaml", len("stock.ratio")),
        "buffer": ("shop.yaml", len("stock.buffer")),
        "cap": ("shop.yaml", len("stock.cap")),
    }


def test_what_people_set_for_one_sku_is_named_with_who_and_when(town: Town) -> None:
    put(town, 20)
    sell(town)
    set_for(town, channel="shop", safety="4", buffer="2", cap="9")
    set_for(town, warehouse="SH", safety="3")
    walk.run(town)

    steps = level(town)["steps"]

    assert amounts(steps, "safety", "kept_back", "buffer", "cap") == {
        "safety": -3,
        "kept_back": -4,
        "buffer": -2,
        "cap": -2,
    }
    said = [step["text"] for step in flat(steps) if step["what"] == "set_for_sku"]
    assert len(said) == 4
    assert all(text.startswith("set for A by ana at 2026-03-02T") for text in said)
    assert [step["setting"] for step in flat(steps) if step["setting"]] == []


def test_a_sku_that_people_have_paused_shows_nothing_and_says_so(town: Town) -> None:
    put(town, 20)
    sell(town)
    set_for(town, channel="shop", paused="yes")
    walk.run(town)

    got = level(town)

    assert got["amount"] == 0
    assert got["steps"][0]["text"] == "people have paused A on shop: it shows 0, whatever there is"
    assert codes(got["steps"])[:3] == ["paused", "set_for_sku", "level"]


def test_a_listing_of_six_is_divided_and_a_set_is_limited_by_its_scarcest_part(town: Town) -> None:
    put(town, 20)
    put(town, 7, "B")
    import_bundles(
        town.ctx, [BundlePart(bundle="KIT", sku="A", qty=2), BundlePart(bundle="KIT", sku="B", qty=1)], actor="me"
    )
    sell(town, "SIX", factor=6, sku="A")
    sell(town, "KIT")
    walk.run(town)

    six, kit = level(town), level(town, "KIT")

    assert (six["amount"], six["factor"], one(six["steps"], "factor")["amount"]) == (3, 6, 3)
    assert kit["amount"] == 7
    assert [step["amount"] for step in kit["steps"] if step["what"] == "part"] == [10, 7]
    assert one(kit["steps"], "limit")["text"] == "B allows the least of KIT"


def test_units_that_are_reserved_on_hold_or_gone_to_the_warehouse_are_told_apart(make_town: MakeTown) -> None:
    town = make_town(orders=OrderPolicy(reserve="placement"))
    put(town, 20)
    sell(town)
    town.shop.place("o1", ("A", 1))
    town.shop.place("o2", ("A", 2))
    town.shop.place("o3", ("A", 3), paid=False)
    walk.run(town)
    hold_order(town.ctx, "o2", reason="the buyer calls back", actor="ana")

    steps = level(town)["steps"]

    assert amounts(steps, "allocated", "kept", "reserved") == {"allocated": -1, "kept": -2, "reserved": -3}


def test_units_that_are_held_and_not_counted_as_reserved_are_a_defect_that_is_named(town: Town) -> None:
    put(town, 20)
    sell(town)
    ((sku_id, place),) = looking.rows(town, select(stock.c.sku_id, stock.c.warehouse_id))
    owner = {"owner_kind": "work", "owner_id": 7, "sku_id": sku_id, "warehouse_id": place}
    with town.store.begin() as tx:
        tx.execute(update(stock).values(reserved=2))
        insert_many(tx, hold, [owner | {"qty": 3}])

    steps = level(town)["steps"]

    assert amounts(steps, "held", "other", "unaccounted") == {"held": -2, "other": -3, "unaccounted": 1}


def test_of_many_orders_the_five_biggest_are_named(town: Town) -> None:
    put(town, 100)
    sell(town)
    for nth in range(1, 9):
        town.shop.place(f"o{nth}", ("A", nth))
    walk.run(town)

    step = one(level(town)["steps"], "allocated")

    assert [qty for _, qty in named(step)] == [8, 7, 6, 5, 4]
    assert (step["amount"], step["more_orders"]) == (-36, 3)


def test_what_lies_where_nothing_is_sold_from_is_named_and_counts_nothing(make_town: MakeTown) -> None:
    places = (WarehousePolicy(id="SH"), WarehousePolicy(id="GZ"), WarehousePolicy(id="BAD", sellable=False))
    town = make_town(warehouses=places, stock=StockPolicy(warehouses=("SH",)))
    for place in ("SH", "GZ", "BAD"):
        put(town, 5, warehouse=place)
    sell(town)

    got = level(town)

    assert got["amount"] == 5
    assert [step["text"] for step in flat(got["steps"]) if step["what"] == "elsewhere"] == [
        "5 units more lie in GZ, which does not feed shop",
        "5 units more lie in BAD, of which nothing is sold",
    ]


def test_what_is_not_counted_is_told_to_nobody(town: Town) -> None:
    sell(town)
    walk.run(town)

    got = level(town)

    assert (got["amount"], got["told"]) == (None, None)
    assert got["text"] == "shop is told nothing for A: how many there are is not known"
    assert "unknown is not zero" in one(got["steps"], "unknown")["text"]


def test_what_orders_wait_for_is_named_in_the_order_in_which_they_are_served(town: Town) -> None:
    put(town, 1)
    sell(town)
    town.shop.place("o1", ("A", 3))
    town.shop.place("o2", ("A", 4))
    walk.run(town)

    step = one(level(town)["steps"], "owed")

    assert step["text"] == "6 units are owed to 2 orders; what arrives goes there first"
    assert named(step) == [(number(town, "o1"), 2), (number(town, "o2"), 4)]


def test_a_number_that_was_not_told_yet_says_what_it_waits_for(town: Town) -> None:
    put(town, 20)
    sell(town)
    assert codes(level(town)["steps"])[-2:] == ["told", "changed"]

    walk.fan(town)
    assert one(level(town)["steps"], "settling")["until"] is not None
    town.advance(10)
    assert one(level(town)["steps"], "first_reading")

    walk.run(town)
    put(town, 30)
    walk.fan(town)
    town.advance(10)
    got = level(town)
    assert got["text"] == "shop should show 30 for A and was told 20 last"
    assert one(got["steps"], "fresh")["since"] is not None


def test_a_number_whose_outcome_is_unknown_is_not_sure(town: Town) -> None:
    put(town, 20)
    sell(town)
    walk.run(town)
    put(town, 30)
    town.shop.trouble["stock before"] = [OutcomeUnknownError("no answer")]
    walk.fan(town)
    town.advance(10)
    walk.read(town)
    walk.push_due(town)

    got = level(town)

    assert (got["amount"], got["told"], got["sure"]) == (30, 20, False)
    assert "30" in one(got["steps"], "told")["text"]
    assert "30" in one(got["steps"], "late")["text"]
    assert one(got["steps"], "late")["until"] is not None


def test_a_shop_that_is_paused_or_does_not_answer_is_named_with_what_ends_it(town: Town) -> None:
    put(town, 20)
    sell(town)
    walk.run(town)
    put(town, 30)
    town.shop.trouble["stock before"] = [TransientError("504")]
    walk.fan(town)
    town.advance(10)
    walk.read(town)
    walk.push_due(town)
    pause_channel(town.ctx, "shop", reason="stocktaking", actor="ana")

    steps = level(town)["steps"]

    assert "1 try failed" in one(steps, "back_off")["text"]
    assert one(steps, "paused")["text"] == "shop is paused by ana: stocktaking"
    assert one(steps, "down")["since"] is not None
    assert "`erpsync channels resume shop` ends the pause" in [each["text"] for each in one(steps, "paused")["steps"]]


def test_a_zero_that_the_brake_holds_back_says_who_ends_that(make_town: MakeTown) -> None:
    town = make_town(stock=StockPolicy(brake=BrakePolicy(zero_share=0.1, min_listings=2)))
    for code in "ABC":
        put(town, 20, code)
        sell(town, code)
    walk.run(town)
    for code in "ABC":
        put(town, 0, code)
    walk.run(town)

    waiting = [code for code in "ABC" if town.shop.shown[code]]
    got = level(town, waiting[0])

    assert (got["amount"], got["told"]) == (0, 20)
    assert "`erpsync stock confirm shop`" in one(got["steps"], "brake")["steps"][0]["text"]


def test_a_number_that_is_refused_names_its_dead_letter(town: Town) -> None:
    town.shop.refused["A"] = "item is delisted"
    put(town, 20)
    sell(town)
    walk.run(town)

    step = one(level(town)["steps"], "refused")

    assert "item is delisted" in step["text"]
    assert f"(dead letter {looking.rows(town, 'SELECT id FROM dead_letter')[0][0]})" in step["text"]


@pytest.mark.parametrize(("change", "what"), [({"enabled": False}, "disabled"), ({"push": False}, "not_pushed")])
def test_a_shop_that_is_told_no_numbers_says_by_which_setting(town: Town, change: dict[str, bool], what: str) -> None:
    put(town, 20)
    sell(town)
    shop = town.channel()
    changed = replace(shop, stock=StockPolicy(push=False)) if "push" in change else replace(shop, enabled=False)
    town = replace(town, ctx=replace(town.ctx, channels={shop.id: changed}))

    got = level(town)

    assert got["text"] == "shop is told no numbers for A"
    assert one(got["steps"], what)["setting"]["file"] == "shop.yaml"


def test_a_sku_on_several_shops_says_how_many_wait(make_town: MakeTown) -> None:
    town = make_town(names=("shop", "other"))
    put(town, 20)
    sell(town)
    sell(town, channel="other")
    walk.run(town)
    assert explain_sku(town.ctx, "A")["summary"] == "A stands on 2 listings, and each shows what it should"

    put(town, 30)
    assert explain_sku(town.ctx, "A")["summary"] == "A stands on 2 listings; 2 wait for the right number"


def test_of_very_many_holders_the_first_are_named_and_the_others_counted(town: Town) -> None:
    put(town, 1000)
    ((sku_id, place),) = looking.rows(town, select(stock.c.sku_id, stock.c.warehouse_id))
    owner = {"owner_kind": "work", "sku_id": sku_id, "warehouse_id": place, "qty": 1}
    with town.store.begin() as tx:
        insert_many(tx, hold, [owner | {"owner_id": at} for at in range(MOST_HOLDS + 3)])

    told = explain_sku(town.ctx, "A", Written())

    assert (len(told["holds"]), told["more_holds"]) == (MOST_HOLDS, 3)
