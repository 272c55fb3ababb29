"""Who bought and what people wrote: kept encrypted, merged view by view, shown on request, erased in time."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.operations.fill_notes import DONE, MARK, fill_notes
from erpsync.flows.operations.prune import prune
from erpsync.flows.operations.rotate_keys import rotate_keys
from erpsync.flows.orders.recipient import Revealed, reveal_recipient
from erpsync.sdk.types import Order, Raw
from erpsync.store.db.privacy import PrivacyError, Vault
from erpsync.store.db.sequence import read_mark
from erpsync.store.tables import metadata, order_line, orders, payload
from tests.support import walk
from tests.support.facts import fact, later, line, order, take_in
from tests.support.looking import count, rows, see
from tests.support.shop import SHANGHAI, VAULT, ShopConnector, Town

BUYER, WISH, MEMO, ENGRAVED = "canary-buyer-7", "canary wish", "canary memo", "canary engraving"
NEW = Vault([b"n" * 32, b"k" * 32], b"i" * 32)
ONLY_NEW = Vault([b"n" * 32], b"i" * 32)


def place(town: Town, name: str = "o1", **fields: Any) -> None:
    """Let a buyer order a mug with something engraved."""
    written = {"buyer": BUYER, "buyer_note": WISH, "seller_note": MEMO, "seller_flag": 1}
    town.shop.place(name, ("MUG", 1), **(written | fields))
    town.shop.orders[name]["lines"][0]["properties"] = [["刻字", ENGRAVED]]


def shown(town: Town, name: str = "o1") -> Revealed:
    return reveal_recipient(town.ctx, name, actor="ana")


def changes(town: Town, name: str = "o1") -> list[str]:
    """Return what the last event of an order says that changed."""
    found: list[str] = see(town, name)["events"][-1]["detail"].get("changes", [])
    return found


def forget(town: Town) -> None:
    """Leave the database as an older version did: nothing kept of what people wrote."""
    with town.store.begin() as tx:
        tx.execute(update(orders).values(notes=None, buyer_index=None, seller_flag=None))
        tx.execute(update(order_line).values(properties=None))


# -- kept


def test_what_people_wrote_is_kept_and_shown_to_who_asks_for_it(town: Town) -> None:
    place(town)
    walk.read(town)

    assert shown(town).notes == {"buyer": BUYER, "buyer_note": WISH, "seller_note": MEMO}
    assert shown(town).properties == {"o1-1": [{"name": "刻字", "value": ENGRAVED}]}
    assert see(town, "o1")["seller_flag"] == 1
    assert see(town, "o1")["events"][-1]["kind"] == "order.recipient_shown"


def test_other_orders_of_the_same_buyer_on_the_same_channel_are_found(make_town: Callable[..., Town]) -> None:
    town = make_town(names=("shop", "mall"))
    for name in ("o1", "o2", "o3"):
        place(town, name, buyer="somebody else" if name == "o3" else BUYER)
    town.shops["mall"].place("m1", ("MUG", 1), buyer=BUYER)
    for name in ("shop", "mall"):
        walk.read(town, name=name)

    assert shown(town).same_buyer == [see(town, "o2")["number"]]


def test_nothing_of_it_stands_anywhere_in_clear(town: Town) -> None:
    place(town)
    with capture_logs() as records:
        walk.read(town)
        town.shop.change("o1", seller_note=f"{MEMO} 2", buyer_note=f"{WISH} 2")
        walk.read(town)
        forget(town)
        fill_notes(town.ctx)
        prune(town.ctx, 180)

    with town.store.read() as connection:
        stored = [tuple(row) for table in metadata.sorted_tables for row in connection.execute(select(table))]
    told = json.dumps([see(town, "o1"), records], default=str, ensure_ascii=False)
    assert "canary" not in told
    bytes_of = [value if isinstance(value, bytes) else str(value).encode() for row in stored for value in row]
    assert b"canary" not in b"".join(bytes_of)


def test_an_order_without_any_keeps_nothing(town: Town) -> None:
    town.shop.place("o1", ("MUG", 1), buyer_note="", seller_note="")
    walk.read(town)

    assert rows(town, select(orders.c.notes, orders.c.buyer_index)) == [(None, None)]


# -- merged


def test_a_thinner_view_erases_nothing(town: Town) -> None:
    written = order(
        "o1", line(properties=(("刻字", ENGRAVED),)), buyer=BUYER, buyer_note=WISH, seller_note=MEMO, seller_flag=1
    )
    take_in(town, fact(written))
    before = shown(town)

    take_in(town, fact(order("o1", line(), version_at=later(5)), digest="b", read=(5, 6)))

    assert (shown(town), see(town, "o1")["seller_flag"]) == (before, 1)


def test_a_changed_note_is_a_change_of_the_order_that_names_the_field_and_never_the_text(town: Town) -> None:
    place(town)
    walk.read(town)
    kept = count(town, "payload")

    town.shop.change("o1", seller_note="send by SF", seller_flag=3)
    walk.read(town)

    assert changes(town) == ["seller_flag", "seller_note"]
    assert shown(town).notes["seller_note"] == "send by SF"
    assert count(town, "payload") == kept + 1
    assert "send by SF" not in str(see(town, "o1"))


def test_a_note_that_was_taken_back_is_gone(town: Town) -> None:
    place(town)
    walk.read(town)

    town.shop.change("o1", seller_note="")
    walk.read(town)

    assert shown(town).notes == {"buyer": BUYER, "buyer_note": WISH}


def test_another_engraving_is_a_change_of_what_is_to_be_sent(town: Town) -> None:
    place(town)
    walk.read(town)

    other = [town.shop.orders["o1"]["lines"][0] | {"properties": [["刻字", "小红"]]}]
    town.shop.change("o1", lines=other)
    walk.read(town)

    assert changes(town) == ["line o1-1 changed"]
    assert shown(town).properties == {"o1-1": [{"name": "刻字", "value": "小红"}]}


def test_the_same_view_again_writes_nothing(town: Town) -> None:
    place(town)
    walk.read(town)
    before = rows(town, select(orders.c.notes, order_line.c.properties).join(order_line))

    town.shop.change("o1", total=999)
    walk.read(town)

    assert rows(town, select(orders.c.notes, order_line.c.properties).join(order_line)) == before


def test_texts_without_end_are_cut_and_refuse_no_order(town: Town) -> None:
    place(town, buyer_note="x" * 100_000)
    town.shop.orders["o1"]["lines"][0]["properties"] = [["a", "y" * 100_000]] * 1000
    walk.read(town)

    assert len(shown(town).notes["buyer_note"]) == 2000
    assert {len(each["value"]) for each in shown(town).properties["o1-1"]} == {2000}


# -- kept no longer than needed, under the keys of today


def test_it_is_erased_with_the_recipient(town: Town) -> None:
    place(town)
    town.shop.orders["o1"] |= {"state": "completed"}
    town.shop.place("o2", ("MUG", 1), name="", phone="", address="", state="completed")
    town.shop.orders["o2"]["lines"][0]["properties"] = [["刻字", ENGRAVED]]  # nothing else of it is personal
    walk.read(town)
    town.advance(timedelta(days=181).total_seconds())

    prune(town.ctx, 180)

    erased = select(orders.c.recipient, orders.c.notes, orders.c.buyer_index, order_line.c.properties)
    assert rows(town, erased.join(order_line)) == [(None, None, None, None)] * 2
    assert (shown(town).notes, shown(town).properties, shown(town).same_buyer) == ({}, {}, [])
    assert see(town, "o1")["seller_flag"] == 1


def test_after_a_rotation_the_old_key_can_be_thrown_away(town: Town) -> None:
    place(town)
    walk.read(town)
    before = shown(town)
    town.store.vault = NEW
    rotate_keys(town.store)

    town.store.vault = ONLY_NEW
    assert shown(town) == before
    town.store.vault = VAULT
    with pytest.raises(PrivacyError):
        shown(town)


def test_notes_moved_to_another_order_do_not_open(town: Town) -> None:
    place(town, "o1")
    place(town, "o2")
    walk.read(town)
    with town.store.begin() as tx:
        (mine,) = tx.execute(select(orders.c.notes).where(orders.c.external_id == "o1")).one()
        tx.execute(update(orders).where(orders.c.external_id == "o2").values(notes=mine))

    with pytest.raises(PrivacyError):
        shown(town, "o2")


# -- filled in


def filled(town: Town) -> list[str]:
    """Return which orders' notes are known."""
    query = select(orders.c.external_id).where(orders.c.notes.is_not(None)).order_by(orders.c.external_id)
    return [name for (name,) in rows(town, query)]


def test_orders_of_an_older_version_are_filled_from_kept_payloads(town: Town) -> None:
    for name in ("o1", "o2", "gone"):
        place(town, name)
    walk.read(town)
    before = shown(town)
    forget(town)
    with town.store.begin() as tx:
        tx.execute(payload.delete().where(payload.c.external_id == "gone"))

    assert fill_notes(town.ctx) == 2
    assert fill_notes(town.ctx) == 0

    assert filled(town) == ["o1", "o2"]
    assert (shown(town).notes, shown(town).properties) == (before.notes, before.properties)
    assert see(town, "o1")["seller_flag"] == 1


def test_what_a_newer_view_said_is_not_undone_by_a_payload_from_before(town: Town) -> None:
    place(town)
    walk.read(town)
    forget(town)
    take_in(town, fact(order("o1", line("MUG", id="o1-1"), version_at=later(60), seller_note="newer")))

    fill_notes(town.ctx)

    assert shown(town).notes == {"buyer": BUYER, "buyer_note": WISH, "seller_note": "newer"}


class Mortal(ShopConnector):
    """Reads so many orders and dies."""

    lives = 0

    def normalise(self, raw: Raw) -> Order:
        """Return the order, or die."""
        self.lives -= 1
        if self.lives < 0:
            raise KeyboardInterrupt
        return super().normalise(raw)


def test_filling_that_dies_goes_on_where_it_stopped_newest_first(town: Town) -> None:
    for n in range(5):
        place(town, f"o{n}")
    walk.read(town)
    forget(town)
    connector = Mortal(town.shop, town.clock)
    spec = ChannelSpec(name="shop", kind="shop", connector=connector)
    ctx = open_context(town.store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI)

    connector.lives = 3
    with pytest.raises(KeyboardInterrupt):
        fill_notes(ctx, at_once=2)
    assert filled(town) == ["o3", "o4"]

    connector.lives = 3
    assert fill_notes(ctx, at_once=2) == 3
    assert filled(town) == ["o0", "o1", "o2", "o3", "o4"]


def test_where_nothing_was_kept_before_filling_is_over_at_once(town: Town) -> None:
    assert fill_notes(town.ctx) == 0

    with town.store.read() as connection:
        assert read_mark(connection, MARK) == DONE
