"""A person says how a line is to be made; what was written is shown to who may see it, and is erased in time."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from erpsync.flows.audit.specify import reveal_specs, specify, unspecify
from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.flows.operations.keys import open_samples
from erpsync.flows.operations.prune import prune
from erpsync.flows.operations.rotate_keys import rotate_keys
from erpsync.flows.orders.actions import cancel_order
from erpsync.store.db.privacy import Vault
from erpsync.store.goods import goods_of, list_goods, shelves_of
from erpsync.store.tables import metadata
from erpsync.store.views import list_stock
from tests.support import walk
from tests.support.engraved import made_of, makes, place, wants, write
from tests.support.looking import events, rows, see, status
from tests.support.shop import Town

CANARY = "canary"
NEW = Vault([b"n" * 32, b"k" * 32], b"i" * 32)
ONLY_NEW = Vault([b"n" * 32], b"i" * 32)


@pytest.fixture
def shop(town: Town) -> Town:
    """A shop that sells mugs and engraves them."""
    makes(town)
    return town


def variant_id(town: Town) -> int:
    """Return the only variant there is."""
    [(id,)] = rows(town, "SELECT sku_id FROM variant")
    return int(id)


# -- said


def test_what_a_person_says_ends_the_hold_and_wins_over_what_the_channel_tells_later(shop: Town) -> None:
    place(shop, "o1", "")
    walk.read(shop)
    specify(shop.ctx, "o1", "o1-1", {"text": "小明"}, actor="ana")
    assert (status(shop, "o1"), made_of(shop, "o1")) == (("backordered", None), [{"text": "小明", "size": "M"}])
    write(shop, "o1", "小红")
    walk.read(shop)

    assert made_of(shop, "o1") == [{"text": "小明", "size": "M"}]
    unspecify(shop.ctx, "o1", "o1-1", actor="ana")
    assert made_of(shop, "o1") == [{"text": "小红", "size": "M"}]


def test_what_was_said_before_of_another_parameter_stays(shop: Town) -> None:
    place(shop, "o1", "")
    walk.read(shop)
    specify(shop.ctx, "o1", "o1-1", {"text": "小明"}, actor="ana")
    specify(shop.ctx, "o1", "o1-1", {"size": "大"}, actor="ana")

    assert made_of(shop, "o1") == [{"text": "小明", "size": "L"}]


def test_the_event_names_line_and_parameters_and_never_the_text(shop: Town) -> None:
    place(shop, "o1", "")
    walk.read(shop)
    specify(shop.ctx, "o1", "o1-1", {"text": "小明"}, actor="ana")

    [(_, detail)] = events(shop, "order.specified")
    assert (detail["line"], detail["names"]) == ("o1-1", ["text"])
    assert detail["specs"] == {"o1-1": {"text": "specified", "size": "default"}}


@pytest.mark.parametrize(
    ("line", "values", "why"),
    [
        ("o1-9", {"text": "小明"}, "has no line o1-9; its lines are o1-1, o1-2"),
        ("o1-1", {"txt": "小明"}, "line o1-1 has no parameter txt; it has text, size"),
        ("o1-1", {"text": "小明小明小明小明"}, "line o1-1: text is longer than it may be, in specified"),
        ("o1-1", {"size": "XXL"}, "line o1-1: size is none of its choices, in specified"),
        ("o1-2", {"text": "小明"}, "line o1-2 is not made as a buyer wants it; `items list` says what is"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Town, line: str, values: dict[str, str], why: str) -> None:
    counts.set_stock(shop.ctx, warehouse="SH", sku="TEA", on_hand=5, actor="me")
    shop.shop.place("o1", ("MUG", 1), ("TEA", 1))
    walk.read(shop)

    with pytest.raises(Refused, match=re.escape(why)):
        specify(shop.ctx, "o1", line, values, actor="ana")


def test_nothing_that_nobody_said_is_taken_back(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)

    with pytest.raises(Refused, match="nobody has said how line o1-1 is to be made"):
        unspecify(shop.ctx, "o1", "o1-1", actor="ana")


# -- shown and kept


def test_who_asks_how_lines_are_made_is_on_record(shop: Town) -> None:
    place(shop, "o1", "小明", "小红")
    walk.read(shop)

    shown = reveal_specs(shop.ctx, "o1", actor="ana")

    assert {line: spec["text"] for line, spec in shown.items()} == {"o1-1": "小明", "o1-2": "小红"}
    assert see(shop, "o1")["events"][-1]["kind"] == "order.spec_shown"


def test_nothing_of_it_stands_anywhere_in_clear(shop: Town) -> None:
    with capture_logs() as records:
        place(shop, "o1", CANARY, "canary too long", buyer_note="刻:canary")
        walk.read(shop)
        specify(shop.ctx, "o1", "o1-2", {"text": CANARY}, actor="ana")
        with pytest.raises(Refused) as refused:
            specify(shop.ctx, "o1", "o1-2", {"text": "canary!"}, actor="ana")
        reveal_specs(shop.ctx, "o1", actor="ana")
        cancel_order(shop.ctx, "o1", reason="x", actor="ana")

    with shop.store.read() as connection:
        stored = [tuple(row) for table in metadata.sorted_tables for row in connection.execute(select(table))]
    told = json.dumps([see(shop, "o1"), records, str(refused.value)], default=str, ensure_ascii=False)
    bytes_of = [value if isinstance(value, bytes) else str(value).encode() for row in stored for value in row]
    assert "canary" not in told
    assert b"canary" not in b"".join(bytes_of)


def test_a_spec_is_erased_with_the_last_order_that_has_it(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)
    specify(shop.ctx, "o1", "o1-1", {"size": "L"}, actor="ana")
    specify(shop.ctx, "o1", "o1-1", {"size": "M"}, actor="ana")
    cancel_order(shop.ctx, "o1", reason="x", actor="ana")
    shop.advance(timedelta(days=100).total_seconds())
    place(shop, "o2", "小明")
    walk.read(shop)
    shop.advance(timedelta(days=100).total_seconds())
    prune(shop.ctx, 180)
    assert rows(shop, "SELECT count(*) FROM line_spec") == [(0,)]
    assert [spec["size"] for spec in wants(shop).values()] == ["M"]  # o2 has it still; nobody has L any more

    cancel_order(shop.ctx, "o2", reason="x", actor="ana")
    shop.advance(timedelta(days=100).total_seconds())
    prune(shop.ctx, 180)
    assert wants(shop) == {}


def test_a_spec_that_was_erased_is_kept_again_when_somebody_wants_it(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)
    cancel_order(shop.ctx, "o1", reason="x", actor="ana")
    shop.advance(timedelta(days=200).total_seconds())
    prune(shop.ctx, 180)
    place(shop, "o2", "小明")
    walk.read(shop)

    assert made_of(shop, "o2") == [{"text": "小明", "size": "M"}]
    assert rows(shop, "SELECT count(*) FROM variant") == [(1,)]


def test_new_keys_seal_what_is_to_be_made_again_and_equal_wishes_stay_one_sku(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)
    specify(shop.ctx, "o1", "o1-1", {"size": "L"}, actor="ana")
    shop.store.vault = NEW
    rotate_keys(shop.store)
    shop.store.vault = ONLY_NEW

    assert open_samples(shop.store, ONLY_NEW) > 0
    place(shop, "o2", "小明")
    walk.read(shop)
    specify(shop.ctx, "o2", "o2-1", {"size": "大"}, actor="ana")
    assert made_of(shop, "o1") == made_of(shop, "o2")


# -- what a variant is


def test_a_variant_is_what_its_base_is_unless_it_is_said_of_it_alone(shop: Town) -> None:
    cells = {"title": "Mug", "barcode": "4006381333931", "weight_g": "300", "volume_cm3": "900", "floor": "9.90"}
    said = GoodsRow(sku="MUG", warehouse="SH", cells=cells | {"currency": "CNY", "tags": "glass", "shelf": "A-03"})
    import_goods(shop.ctx, [said], actor="me")
    place(shop, "o1", "小明")
    walk.read(shop)
    id, [code] = variant_id(shop), wants(shop)

    with shop.store.read() as connection:
        [as_base] = goods_of(connection, [id]).values()
        assert as_base == goods_of(connection, [variant_base(shop)])[variant_base(shop)]
        assert list(shelves_of(connection, [id]).values()) == ["A-03"]
    import_goods(shop.ctx, [GoodsRow(sku=code, cells={"weight_g": "310", "tags": "gift"})], actor="me")
    with shop.store.read() as connection:
        [own] = goods_of(connection, [id]).values()
        assert (own["weight_g"], own["tags"], own["title"]) == (310, ("gift",), "Mug")
        assert [row["sku"] for row in list_goods(connection)] == ["MUG"]
        [shown] = list_goods(connection, sku_code=code)
        assert (shown["title"], shown["shelves"]) == ("Mug", [{"warehouse": "SH", "shelf": "A-03"}])


def variant_base(town: Town) -> int:
    """Return the base of the only variant there is."""
    [(id,)] = rows(town, "SELECT base_id FROM variant")
    return int(id)


def test_stock_of_what_is_made_for_one_buyer_is_listed_only_for_who_asks_for_it(shop: Town) -> None:
    counts.set_stock(shop.ctx, warehouse="SH", sku="MUG", on_hand=5, actor="me")
    place(shop, "o1", "小明")
    walk.read(shop)
    [code] = wants(shop)
    counts.set_stock(shop.ctx, warehouse="SH", sku=code, on_hand=1, actor="me")

    with shop.store.read() as connection:
        assert [row["sku"] for row in list_stock(connection)] == ["MUG"]
        assert [row["sku"] for row in list_stock(connection, variants=True)] == ["MUG", code]
        assert [row["sku"] for row in list_stock(connection, sku_code=code)] == [code]


def test_no_seller_code_means_a_variant(shop: Town) -> None:
    place(shop, "o1", "小明")
    walk.read(shop)
    [code] = wants(shop)
    shop.shop.place("o2", (code, 1))
    walk.read(shop)

    assert status(shop, "o2") == ("held", "unmapped_sku")


def test_upkeep_drops_the_empty_shelf_of_what_was_made_and_nobody_elses(shop: Town) -> None:
    counts.set_stock(shop.ctx, warehouse="SH", sku="MUG", on_hand=0, actor="me")
    place(shop, "o1", "小明")
    walk.read(shop)
    [code] = wants(shop)
    counts.set_stock(shop.ctx, warehouse="SH", sku=code, on_hand=1, actor="me")
    prune(shop.ctx, 180)
    assert rows(shop, "SELECT count(*) FROM stock") == [(2,)]
    cancel_order(shop.ctx, "o1", reason="x", actor="ana")
    counts.set_stock(shop.ctx, warehouse="SH", sku=code, on_hand=0, actor="me")
    prune(shop.ctx, 180)

    assert rows(shop, "SELECT sku.code FROM stock JOIN sku ON sku.id = stock.sku_id") == [("MUG",)]
