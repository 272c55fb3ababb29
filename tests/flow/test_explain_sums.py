"""Whatever a shop is like, the number that is explained is the one that is pushed, and every sum comes out."""

from collections.abc import Callable
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from erpsync.core.policy import OrderPolicy, StockPolicy, WarehousePolicy
from erpsync.flows.availability.levels import load_listed
from erpsync.flows.explain.explain import explain_sku
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.inventory.policies import PolicyRow, import_policies
from erpsync.store.tables import listing
from tests.support import walk
from tests.support.depot import build_depot
from tests.support.explaining import wrong_sums
from tests.support.shop import Town

_turn = count(1)
_towns: dict[str, Town] = {}
PLACES = ("SH", "GZ")
few = st.integers(0, 12)
orders = st.tuples(st.sampled_from(["A", "B", "KIT"]), st.integers(1, 4), st.booleans())
maybe = st.none() | st.integers(0, 9)


@st.composite
def policies(draw: st.DrawFn) -> StockPolicy:
    return StockPolicy(
        buffer=draw(st.integers(0, 3)),
        ratio=draw(st.sampled_from([1.0, 1.0, 0.5, 0.29])),
        cap=draw(maybe),
        warehouses=draw(st.none() | st.just(("SH",))),
    )


@st.composite
def shops(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "stock": draw(policies()),
        "orders": OrderPolicy(reserve=draw(st.sampled_from(["payment", "placement"]))),
        "run": draw(st.booleans()),
        "safety": draw(st.integers(0, 3)),
        "on_hand": draw(st.dictionaries(st.tuples(st.sampled_from("AB"), st.sampled_from(PLACES)), few, max_size=4)),
        "own": draw(st.dictionaries(st.sampled_from("AB"), st.tuples(maybe, maybe, maybe), max_size=2)),
        "kept": draw(st.dictionaries(st.sampled_from("AB"), st.integers(0, 4), max_size=2)),
        "factor": draw(st.integers(1, 4)),
        "parts": draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        "wanted": draw(st.lists(orders, max_size=5)),
    }


def furnish(town: Town, shop: dict[str, Any]) -> list[str]:
    """Fill a town with what a shop is made of, under codes that no other example has; return its SKUs."""
    turn = next(_turn)
    codes = {name: f"{name}{turn}" for name in ("A", "B", "KIT")}
    for (name, place), qty in shop["on_hand"].items():
        counts.set_stock(town.ctx, warehouse=place, sku=codes[name], on_hand=qty, actor="me")
    first, second = shop["parts"]
    parts = [
        BundlePart(bundle=codes["KIT"], sku=codes["A"], qty=first),
        BundlePart(bundle=codes["KIT"], sku=codes["B"], qty=second),
    ]
    import_bundles(town.ctx, parts, actor="me")
    rows = [
        ListingMapping(channel="shop", channel_sku=code, sku=code, factor=shop["factor"] if name == "B" else 1)
        for name, code in codes.items()
    ]
    import_listings(town.ctx, rows, actor="me")
    cells = [
        PolicyRow(sku=codes[name], channel="shop", source="p", cells=_cells(safety=safety, cap=cap, buffer=buffer))
        for name, (safety, cap, buffer) in shop["own"].items()
    ]
    cells += [
        PolicyRow(sku=codes[name], warehouse="SH", source="p", cells=_cells(safety=safety))
        for name, safety in shop["kept"].items()
    ]
    assert import_policies(town.ctx, cells, actor="me").refused == []
    for nth, (name, qty, paid) in enumerate(shop["wanted"]):
        town.shop.place(f"o{turn}-{nth}", (codes[name], qty), paid=paid)
    walk.read(town)
    return list(codes.values())


def _cells(**values: int | None) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


def pushed(town: Town) -> dict[str, int | None]:
    """Return what a push would tell the shop now, by seller code."""
    with town.store.begin() as tx:
        mine = listing.c.channel_id == town.channel().id
        ids = tx.execute(select(listing.c.id).where(mine, listing.c.sku_id.is_not(None))).scalars().all()
        return {each.channel_sku: each.qty for each in load_listed(tx, town.ctx, town.channel(), ids).values()}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shop=shops())
def test_the_number_that_is_explained_is_the_one_that_is_pushed(database_url: str, shop: dict[str, Any]) -> None:
    places = [
        WarehousePolicy(id=id, priority=nth, safety_stock=shop["safety"], channel="wms" if shop["run"] else None)
        for nth, id in enumerate(PLACES)
    ]
    before = _towns.get(database_url)
    town, _ = build_depot(database_url, town=before, warehouses=places, stock=shop["stock"], orders=shop["orders"])
    _towns[database_url] = town  # its clock goes on with the next shop
    try:
        codes = furnish(town, shop)
        right = pushed(town)
        for code in codes:
            (level,) = explain_sku(town.ctx, code)["levels"]
            (last,) = [step for step in level["steps"] if step["what"] == "level"]
            assert level["amount"] == last["amount"] == right[code]
            assert wrong_sums(level["steps"]) == []
            assert _chain(level) == right[code]
    finally:
        town.store.close()


def _chain(level: dict[str, Any]) -> int | None:
    """Return what the steps of a listing come to, one after the other, by nothing but their amounts."""
    number: int | None = None
    for step in level["steps"]:
        match step["what"]:
            case "share" | "factor" | "limit" | "paused":
                number = step["amount"]
            case "cap" | "together":
                assert number is not None
                number += step["amount"]
            case "level":
                return number
    raise AssertionError("no level")


def test_what_is_explained_is_what_the_shop_is_told_in_the_end(make_town: Callable[..., Town]) -> None:
    town = make_town(stock=StockPolicy(buffer=1, ratio=0.5))
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=11, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    before = explain_sku(town.ctx, "A")["levels"][0]["amount"]
    walk.run(town)

    assert town.shop.shown == {"A": before} == {"A": 4}
