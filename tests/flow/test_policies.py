"""What people set for single SKUs: kept back, capped, buffered, paused; on a channel or in a warehouse."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.core.policy import BrakePolicy, StockPolicy, WarehousePolicy
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.inventory.policies import PolicyRow, import_policies
from erpsync.store.policies import list_policies
from erpsync.store.tables import event, sku_policy
from tests.support import looking, walk
from tests.support.shop import Town

MakeTown = Callable[..., Town]


def known(town: Town, code: str = "A", *, on_hand: int = 100, factor: int = 1, warehouse: str = "SH") -> None:
    """Have a SKU counted, listed and told."""
    counts.set_stock(town.ctx, warehouse=warehouse, sku=code, on_hand=on_hand, actor="me")
    rows = [ListingMapping(channel="shop", channel_sku=code, sku=code, factor=factor)]
    import_listings(town.ctx, rows, actor="me")
    walk.run(town)


def put(town: Town, code: str = "A", *, channel: str = "", warehouse: str = "", **cells: str) -> list[tuple[str, str]]:
    """Import one row and let the daemon work; return what was refused."""
    row = PolicyRow(sku=code, channel=channel, warehouse=warehouse, cells=cells, source="p.csv:2")
    refused = import_policies(town.ctx, [row], actor="me").refused
    walk.run(town)
    return refused


def set_now(town: Town) -> list[dict[str, Any]]:
    with town.store.read() as connection:
        return list_policies(connection)


def test_a_channel_is_told_no_more_than_its_cap(make_town: MakeTown) -> None:
    town = make_town(stock=StockPolicy(cap=50))
    known(town)
    assert town.shop.shown == {"A": 50}

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=7, actor="me")
    walk.run(town)
    assert town.shop.shown == {"A": 7}


def test_a_cap_is_in_the_units_of_the_listing(make_town: MakeTown) -> None:
    town = make_town(stock=StockPolicy(cap=5))
    known(town, factor=6)
    assert town.shop.shown == {"A": 5}


def test_a_sku_s_own_cap_and_buffer_stand_in_place_of_the_channel_s(make_town: MakeTown) -> None:
    town = make_town(stock=StockPolicy(cap=50, buffer=10))
    known(town)
    put(town, channel="shop", cap="95")
    assert town.shop.shown == {"A": 90}

    put(town, channel="shop", buffer="0")
    assert town.shop.shown == {"A": 95}


def test_an_empty_cell_changes_nothing_and_a_dash_unsets(town: Town) -> None:
    known(town)
    put(town, channel="shop", cap="30", buffer="4")
    put(town, channel="shop", cap="", safety="1")
    assert set_now(town) == [
        {"sku": "A", "channel": "shop", "warehouse": None, "safety": 1, "cap": 30, "buffer": 4, "paused": None}
    ]

    put(town, channel="shop", cap="-", buffer="-", safety="-")
    assert set_now(town) == []
    assert town.shop.shown == {"A": 100}


def test_units_kept_from_a_channel_go_off_before_its_ratio(make_town: MakeTown) -> None:
    town = make_town(stock=StockPolicy(ratio=0.5))
    known(town)
    put(town, channel="shop", safety="20")

    assert town.shop.shown == {"A": 40}


def test_a_paused_sku_shows_nothing_although_there_is_plenty_and_its_orders_are_served(town: Town) -> None:
    known(town)
    put(town, channel="shop", paused="yes")
    assert town.shop.shown == {"A": 0}

    town.shop.place("o1", ("A", 2))
    walk.read(town)
    assert looking.promised(town) == {"o1": 2}

    put(town, channel="shop", paused="-")
    assert town.shop.shown == {"A": 98}


def test_a_pause_is_no_wave_of_zeros_that_nobody_can_explain(make_town: MakeTown) -> None:
    town = make_town(stock=StockPolicy(brake=BrakePolicy(zero_share=0.1, min_listings=2)))
    codes = ["A", "B", "C"]
    for code in codes:
        known(town, code)
    rows = [PolicyRow(sku=code, channel="shop", cells={"paused": "yes"}) for code in codes]
    import_policies(town.ctx, rows, actor="me")
    walk.run(town)

    assert town.shop.shown == {"A": 0, "B": 0, "C": 0}
    assert looking.tasks(town) == []


def test_a_bundle_is_paused_with_its_part_and_capped_by_its_own(town: Town) -> None:
    known(town, "A")
    import_bundles(town.ctx, [BundlePart(bundle="BOX", sku="A", qty=2)], actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="BOX", sku="BOX")], actor="me")
    walk.run(town)
    put(town, "A", channel="shop", cap="5")
    assert town.shop.shown == {"A": 5, "BOX": 50}

    put(town, "BOX", channel="shop", cap="8")
    assert town.shop.shown == {"A": 5, "BOX": 8}
    put(town, "A", channel="shop", paused="yes")
    assert town.shop.shown == {"A": 0, "BOX": 0}


def test_a_warehouse_keeps_units_of_one_sku_in_place_of_its_own_safety_stock(make_town: MakeTown) -> None:
    town = make_town(warehouses=[WarehousePolicy(id="SH", safety_stock=3)])
    known(town, on_hand=10)
    known(town, "B", on_hand=10)
    put(town, warehouse="SH", safety="8")
    assert town.shop.shown == {"A": 2, "B": 7}

    town.shop.place("o1", ("A", 3))
    walk.read(town)
    assert (looking.promised(town), looking.owed(town)) == ({"o1": 2}, {"o1": 1})


def test_what_is_no_longer_kept_serves_at_once_who_waits_for_it(town: Town) -> None:
    known(town, on_hand=10)
    put(town, warehouse="SH", safety="10")
    town.shop.place("o1", ("A", 4))
    walk.read(town)
    assert looking.owed(town) == {"o1": 4}

    put(town, warehouse="SH", safety="0")

    assert (looking.promised(town), looking.owed(town)) == ({"o1": 4}, {})
    assert not looking.problems(town)


def test_nothing_new_is_promised_from_a_warehouse_that_is_paused_for_a_sku(make_town: MakeTown) -> None:
    town = make_town(warehouses=[WarehousePolicy(id="SH", priority=1), WarehousePolicy(id="GZ", priority=2)])
    known(town, on_hand=10)
    known(town, on_hand=6, warehouse="GZ")
    town.shop.place("o1", ("A", 1))
    walk.read(town)
    put(town, warehouse="SH", paused="yes")
    assert town.shop.shown == {"A": 6}

    town.shop.place("o2", ("A", 2))
    walk.read(town)
    assert looking.on_shelf(town) == {("SH", "A"): (10, 1), ("GZ", "A"): (6, 2)}


@pytest.mark.parametrize(
    ("row", "problems"),
    [
        ({"channel": "shop", "cells": {"cap": "x", "safety": "-1"}}, ["safety must be a", "cap must be a"]),
        ({"channel": "shop", "cells": {"paused": "maybe"}}, ["paused must be yes or no, is maybe"]),
        ({"warehouse": "SH", "cells": {"cap": "1", "buffer": "2"}}, ["cap is of a channel", "buffer is of a channel"]),
        ({"cells": {"cap": "1"}}, ["name either a channel or a warehouse, there is neither"]),
        ({"channel": "shop", "warehouse": "SH"}, ["name either a channel or a warehouse, there are both"]),
        ({"channel": "shopp"}, ["channel shopp is not configured"]),
        ({"warehouse": "XX"}, ["warehouse XX is not configured"]),
        ({"sku": "TYPO", "channel": "shop"}, ["sku TYPO is not known"]),
    ],
)
def test_one_bad_cell_refuses_the_whole_file_and_each_has_its_line(
    town: Town, row: dict[str, Any], problems: list[str]
) -> None:
    known(town)
    good = PolicyRow(sku="A", channel="shop", cells={"cap": "1"}, source="p.csv:2")
    bad = PolicyRow(**{"sku": "A", "source": "p.csv:3", **row})
    done = import_policies(town.ctx, [good, bad], actor="me")

    assert (done.taken, set_now(town)) == (0, [])
    assert [source for source, _ in done.refused] == ["p.csv:3"] * len(problems)
    assert all(said.startswith(wanted) for (_, said), wanted in zip(done.refused, problems, strict=True))


def test_what_was_changed_is_told_from_what_to_what_and_a_repetition_changes_nothing(town: Town) -> None:
    known(town)
    put(town, channel="shop", cap="5")
    put(town, channel="shop", cap="5")
    put(town, channel="shop", cap="6")

    told = select(event.c.detail, event.c.actor).where(event.c.kind == "policy.changed").order_by(event.c.id)
    assert looking.rows(town, told) == [('{"cap": [null, 5]}', "me"), ('{"cap": [5, 6]}', "me")]
    assert looking.rows(town, select(sku_policy.c.cap)) == [(6,)]


def test_it_holds_after_a_restart(make_town: MakeTown, town: Town) -> None:
    known(town)
    put(town, channel="shop", cap="5")
    again = make_town(town=town)
    counts.set_stock(again.ctx, warehouse="SH", sku="A", on_hand=90, actor="me")
    walk.run(again)

    assert town.shop.shown == {"A": 5}
