"""Pages of SKUs: what lies where, what is owed, what was told, and what they can be narrowed to."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.bundles import BundlePart, drop_bundle, import_bundles
from erpsync.flows.inventory.counts import add_stock, set_stock
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.inventory.policies import PolicyRow, import_policies
from erpsync.sdk.errors import OutcomeUnknownError
from erpsync.store.views.bundle_page import page_of_bundles
from erpsync.store.views.shelves import ShelfFilter, page_of_shelves
from erpsync.store.views.sku_page import moved_between, refused_numbers, unknown_skus
from erpsync.store.views.values import Json
from tests.support import looking, walk
from tests.support.shop import Town

TWO = (WarehousePolicy(id="SH", priority=1, safety_stock=2), WarehousePolicy(id="GZ", priority=2))


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """Two warehouses; A is counted in both, B in one, C in none and sold, D is a bundle of A."""
    town = make_town(warehouses=TWO)
    put(town, "A", 9)
    put(town, "A", 5, "GZ")
    put(town, "B", 1)
    sell(town, "A", "B", "C")
    import_bundles(town.ctx, [BundlePart(bundle="D", sku="A", qty=2)], actor="me")
    return town


def put(town: Town, code: str, on_hand: int, place: str = "SH") -> None:
    set_stock(town.ctx, warehouse=place, sku=code, on_hand=on_hand, actor="me")


def sell(town: Town, *codes: str) -> None:
    rows = [ListingMapping(channel="shop", channel_sku=f"x-{code}", sku=code) for code in codes]
    import_listings(town.ctx, rows, actor="me")


def page(town: Town, limit: int = 50, after: str | None = None, **wanted: str) -> list[Json]:
    with town.store.read() as connection:
        return page_of_shelves(connection, ShelfFilter(**wanted), limit, after)


def codes(town: Town, **wanted: str) -> list[str]:
    return [row["sku"] for row in page(town, **wanted)]


def test_each_sku_has_one_row_with_its_numbers_by_warehouse(town: Town) -> None:
    town.shop.place("o1", ("x-A", 4))
    walk.run(town)
    a, b, c, d = page(town)

    shelves = {place: (row["on_hand"], row["reserved"], row["available"]) for place, row in a["places"].items()}
    assert shelves == {"SH": (9, 4, 3), "GZ": (5, 0, 5)}
    assert list(b["places"]) == ["SH"]
    assert (c["sku"], c["places"], c["parts"]) == ("C", {}, [])
    assert (d["sku"], d["places"], d["parts"]) == ("D", {}, [{"sku": "A", "qty": 2}])
    [told] = a["told"]
    assert (told["channel"], told["channel_sku"], told["told_qty"], told["told_sure"]) == ("shop", "x-A", 8, True)


def test_what_is_owed_is_summed_with_the_orders_that_wait(town: Town) -> None:
    town.shop.place("o1", ("x-B", 4))
    town.shop.place("o2", ("x-B", 2))
    walk.run(town)

    [row] = page(town, only="owed")
    assert (row["sku"], row["owed"], row["orders"]) == ("B", sum(looking.owed(town).values()), 2)


def test_skus_are_narrowed_to_what_needs_somebody(town: Town) -> None:
    town.shop.refused["x-A"] = "item is locked"
    town.shop.place("o1", ("x-B", 1))
    walk.run(town)

    assert codes(town, only="low") == ["B"]
    assert codes(town, only="out") == ["B"]
    assert codes(town, only="unknown") == ["C"]
    assert codes(town, only="unsure") == ["A"]
    assert codes(town, only="paused") == []
    assert codes(town, only="nonsense") == ["A", "B", "C", "D"]


def test_a_number_that_had_no_answer_is_in_doubt(town: Town) -> None:
    walk.run(town)
    town.shop.trouble["stock after"] = [OutcomeUnknownError("no answer")]
    add_stock(town.ctx, warehouse="SH", sku="A", qty=1, reason="found", actor="me")
    town.advance(10)
    walk.read(town)
    walk.push_due(town)

    assert codes(town, only="unsure") == ["A"]


def test_a_paused_sku_is_marked_and_found(town: Town) -> None:
    import_policies(town.ctx, [PolicyRow(sku="B", channel="shop", cells={"paused": "yes"})], actor="me")

    assert [(row["sku"], row["paused"]) for row in page(town) if row["paused"]] == [("B", True)]
    assert codes(town, only="paused") == ["B"]


def test_a_safety_stock_of_its_own_says_when_a_sku_is_low(town: Town) -> None:
    import_policies(town.ctx, [PolicyRow(sku="A", warehouse="GZ", cells={"safety": "6"})], actor="me")

    assert codes(town, only="low") == ["A", "B"]


def test_skus_are_found_by_code_seller_code_and_warehouse(town: Town) -> None:
    assert codes(town, text="x-b") == ["B"]
    assert codes(town, text="--") == ["A", "B", "C", "D"]
    assert codes(town, warehouse="GZ") == ["A"]
    assert list(page(town, warehouse="GZ")[0]["places"]) == ["GZ"]


def test_pages_of_skus_follow_one_another(town: Town) -> None:
    assert [row["sku"] for row in page(town, limit=3)] == ["A", "B", "C"]
    assert [row["sku"] for row in page(town, limit=3, after="C")] == ["D"]


def test_movements_are_summed_between_instants(town: Town) -> None:
    first = town.clock.now() - timedelta(seconds=1)
    town.advance(86_400)
    add_stock(town.ctx, warehouse="GZ", sku="A", qty=-3, reason="broken", actor="me")
    bounds = [first + timedelta(days=day) for day in range(-1, 3)]

    with town.store.read() as connection:
        assert moved_between(connection, "A", bounds) == [0, 14, -3]
        assert moved_between(connection, "none", bounds) == [0, 0, 0]
        assert moved_between(connection, "A", bounds[:1]) == []


def test_a_refused_number_names_its_dead_letter(town: Town) -> None:
    town.shop.refused["x-A"] = "item is locked"
    walk.run(town)

    with town.store.read() as connection:
        letters = refused_numbers(connection, "A")
        assert refused_numbers(connection, "B") == {}

    assert list(letters) == [("shop", "x-A", "")]
    assert letters["shop", "x-A", ""] == looking.rows(town, "SELECT id FROM dead_letter")[0][0]


def test_codes_that_are_no_sku_are_told(town: Town) -> None:
    with town.store.read() as connection:
        assert unknown_skus(connection, ["A", "Z", "B", "Y", "Z"]) == ["Z", "Y"]


def test_bundles_are_found_by_their_own_code_and_by_a_part(town: Town) -> None:
    import_bundles(town.ctx, [BundlePart(bundle="SET-1", sku="B", qty=1)], actor="me")
    with town.store.read() as connection:
        pages = {text: [row["bundle"] for row in page_of_bundles(connection, text, 50)] for text in ("", "set", "b")}
        [second] = page_of_bundles(connection, "", 1, after="D")

    assert pages == {"": ["D", "SET-1"], "set": ["SET-1"], "b": ["SET-1"]}
    assert second == {"bundle": "SET-1", "parts": [{"sku": "B", "qty": 1}]}


def test_a_bundle_that_is_dropped_is_counted_by_itself_and_what_waits_wants_itself(town: Town) -> None:
    sell(town, "D")
    town.shop.place("o1", ("x-D", 1))
    walk.run(town)
    held = looking.held(town, "o1")
    put(town, "D", 5)
    drop_bundle(town.ctx, "D", actor="ana")
    walk.run(town)

    assert (held, looking.held(town, "o1")) == ({"A": 2}, {"D": 1})
    assert looking.told(town)["x-D"] == (2, True)
    [(actor,)] = looking.rows(town, "SELECT actor FROM event WHERE kind = 'bundle.changed' AND actor = 'ana'")
    assert actor == "ana"


def test_what_is_no_bundle_is_not_dropped(town: Town) -> None:
    for code in ("A", "none"):
        with pytest.raises(Refused, match="is no bundle"):
            drop_bundle(town.ctx, code, actor="ana")
