"""Orders are found by what people have in hand."""

import importlib.util
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from erpsync.flows.errors import Refused
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.orders.find_by_phone import find_by_phone
from erpsync.flows.shipments import record
from erpsync.sdk.types import OrderState, Recipient
from erpsync.store import tables
from erpsync.store.names import PART_ORDERS
from erpsync.store.views.find import MIDDLE_PARTS, Found, search_orders
from erpsync.store.views.orders import list_orders
from tests.support.facts import fact, later, line, order, take_in
from tests.support.looking import rows
from tests.support.shop import NOON, Town
from tests.support.web_shop import order_row

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with 24 TEA in SH and an order 2910-Ab77 of it, shipped by SF1400022331."""
    town = make_town()
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=24, actor="keeper")
    take_in(town, fact(order("2910-Ab77", line("TEA", 2, title="龙井茶 Long Jing, 250g"))))
    record.ship(town.ctx, order="2910-Ab77", carrier="SF", tracking="SF1400-022331", actor="keeper")
    return town


def look(town: Town, text: str, limit: int = 100) -> Found:
    with town.store.read() as connection:
        return search_orders(connection, text, limit)


def found(town: Town, text: str, limit: int = 100) -> list[str]:
    return [each["external_id"] for each in look(town, text, limit).orders]


def grow_old(town: Town) -> None:
    """Let an order come in before which there are more than searches look through for middle parts."""
    with town.store.begin() as tx:
        [row] = [order_row(town.channel().id, 1, external_id="later", number="LATER", placed_at=NOON)]
        tx.execute(tables.orders.insert().values(row | {"id": (MIDDLE_PARTS + 1) * PART_ORDERS}))


@pytest.mark.parametrize(
    "text",
    [
        *("2910-Ab77", "2910ab77", "2910", "291", "AB77", "b77", "0-a", "10ab", " 2910 – AB77 ", "２９１０"),
        *("SF1400-022331", "sf1400022331", "sf 1400 022 331", "2331", "SF1400", "4000223", "ＳＦ１４００"),
        *("TEA", "te", "龙井", "long jing", "jing 龙井", "LongJing,250", "250G", "Ｌｏｎｇ"),
    ],
)
def test_an_order_is_found_by_any_part_of_what_it_is_called_and_holds(town: Town, text: str) -> None:
    assert found(town, text) == ["2910-Ab77"]


@pytest.mark.parametrize("text", ["2911", "ab78", "coffee", "%", "_", "2910%", "龙_茶", "*", "\x00b", "jing coffee"])
def test_what_no_order_has_finds_none_whatever_signs_are_in_it(town: Town, text: str) -> None:
    assert found(town, text) == []


@pytest.mark.parametrize("text", ["", "  ", "---"])
def test_a_text_without_letters_and_digits_is_refused(town: Town, text: str) -> None:
    with pytest.raises(ValueError, match="nothing to look for"):
        look(town, text)


def test_our_own_number_is_found_by_its_end(town: Town) -> None:
    [(number,)] = rows(town, "SELECT number FROM orders")

    assert found(town, number.lower()) == found(town, number[-6:]) == found(town, number[:10]) == ["2910-Ab77"]
    assert look(town, number[-6:]).matched == {number: "number"}


def test_a_search_tells_by_what_it_found_each_order(town: Town) -> None:
    take_in(town, fact(order("TEA-1", line("COFFEE"))))

    told = look(town, "tea")

    assert [told.matched[each["number"]] for each in told.orders] == ["goods", "channel's id"]


def test_what_fits_exactly_comes_first_and_the_rest_newest_first(town: Town) -> None:
    for minute, name in enumerate(("77", "771", "277", "772"), 1):
        take_in(town, fact(order(name, line("COFFEE"), placed_at=NOON + timedelta(minutes=minute))))

    assert found(town, "77") == ["77", "772", "277", "771", "2910-Ab77"]
    assert found(town, "77", limit=2) == ["77", "772"]


def test_orders_that_are_over_are_found_as_the_list_shows_them(town: Town) -> None:
    take_in(town, fact(order("done", line("X"), state=OrderState.COMPLETED)))
    take_in(town, fact(order("gone", line("X"), state=OrderState.CANCELLED)))

    with town.store.read() as connection:
        listed = {each["external_id"]: each for each in list_orders(connection)}

    assert {each["external_id"]: each for each in look(town, "x").orders} == {
        name: listed[name] for name in ("done", "gone")
    }


def test_the_newest_orders_of_goods_are_told_however_many_things_fit(town: Town) -> None:
    for number in range(9):
        take_in(town, fact(order(f"o{number}", line(f"CUP-{number % 3}"), placed_at=later(60 * number))))

    assert found(town, "cup", limit=4) == ["o8", "o7", "o6", "o5"]
    assert found(town, "cup-1", limit=4) == ["o7", "o4", "o1"]


def test_goods_are_found_in_bundles_and_while_nobody_knows_their_sku(town: Town) -> None:
    import_bundles(town.ctx, [BundlePart(bundle="KIT", sku="TEA", qty=2)], actor="ana")
    take_in(town, fact(order("kit", line("KIT", 1))), fact(order("cup", line("CUP", 1, title="白瓷杯"))))

    assert found(town, "TEA") == ["kit", "2910-Ab77"]
    assert (found(town, "白瓷杯"), look(town, "cup").orders[0]["status"]) == (["cup"], "held")


def test_goods_listed_by_an_import_are_found_by_the_title_they_are_sold_under(town: Town) -> None:
    row = ListingMapping(channel="shop", channel_sku="T-2", sku="TEA", factor=2)
    assert import_listings(town.ctx, [row], actor="ana").refused == []

    take_in(town, fact(order("o2", line("T-2", title="碧螺春"))))

    assert "o2" in found(town, "碧螺春")


def test_beginnings_and_ends_are_found_in_any_order_and_middles_in_the_newest(town: Town) -> None:
    assert look(town, "10ab").notes == []

    grow_old(town)

    assert found(town, "2910") == found(town, "ab77") == found(town, "2910ab77") == found(town, "022331")
    assert found(town, "2910") == ["2910-Ab77"]
    told = look(town, "10ab")
    assert (told.orders, told.notes) == (
        [],
        ["parts from the middle of a number are looked for among the newest 8,192 orders only"],
    )


def test_a_database_of_an_older_version_gets_the_same_names(town: Town) -> None:
    grow_old(town)
    take_in(town, fact(order("Ｗ–1 ", line("TEA"))))
    query = "SELECT part, name, order_id FROM order_name ORDER BY part, name, order_id"
    written = rows(town, query)
    with town.store.read() as connection:
        made = [(row["part"], row["name"], row["order_id"]) for part in migration()._names(connection) for row in part]

    assert {row for row in made if row[2] != (MIDDLE_PARTS + 1) * PART_ORDERS} == set(written)


def migration() -> ModuleType:
    """Return the migration that made the table of names."""
    spec = importlib.util.spec_from_file_location("names", ROOT / "migrations/versions/0008_names.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_orders_are_found_by_a_whole_phone_number_and_who_asked_is_on_record(town: Town) -> None:
    home = Recipient(name="李", phone="010-12345678", address="路")
    take_in(town, fact(order("o2", recipient=home, placed_at=later(60))), fact(order("o3", placed_at=later(120))))

    mobile = find_by_phone(town.ctx, "+86 138-0000-1111", actor="ana")
    landline = find_by_phone(town.ctx, "+86 10 1234 5678", actor="ana")
    nobody = find_by_phone(town.ctx, "13900001111", actor="ana")

    assert [[each["external_id"] for each in some] for some in (mobile, landline, nobody)] == [
        ["o3", "2910-Ab77"],
        ["o2"],
        [],
    ]
    assert rows(town, "SELECT detail, actor FROM event WHERE kind = 'phone.searched' ORDER BY id") == [
        ('{"orders": 2}', "ana"),
        ('{"orders": 1}', "ana"),
        ('{"orders": 0}', "ana"),
    ]


@pytest.mark.parametrize("phone", ["138****1111", "1111", "", "王小明"])
def test_a_part_of_a_phone_number_is_refused_without_repeating_it(town: Town, phone: str) -> None:
    with pytest.raises(Refused) as refused:
        find_by_phone(town.ctx, phone, actor="ana")

    assert "needed whole" in str(refused.value)
    assert not phone or phone not in str(refused.value)
    assert rows(town, "SELECT count(*) FROM event WHERE kind = 'phone.searched'") == [(0,)]
