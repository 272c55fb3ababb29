"""By what orders of one recipient are found: made when they come, anew when they change, gone when they are erased."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import ChannelSpec, Context, open_context
from erpsync.flows.inventory import counts
from erpsync.flows.operations.fill_recipients import MARK, fill_recipients
from erpsync.flows.operations.prune import prune
from erpsync.flows.operations.rotate_keys import rotate_keys
from erpsync.flows.own_orders.form import read_recipient
from erpsync.flows.own_orders.recipient import edit_recipient
from erpsync.sdk.types import Order, OrderState, Raw, Recipient
from erpsync.store.db.privacy import Vault
from erpsync.store.db.sequence import read_mark
from erpsync.store.tables import orders
from tests.support import walk
from tests.support.looking import rows
from tests.support.own_orders import ELSEWHERE, make
from tests.support.shop import SHANGHAI, ShopConnector, Town

AT_HOME = {"province": "浙江省", "city": "杭州市", "district": "余杭区", "address": "文一西路1号"}


def place(town: Town, id: str, *, shop: str = "shop", **fields: Any) -> None:
    """Let somebody order, for his home unless told otherwise."""
    town.shops[shop].place(id, ("A", 1), **(AT_HOME | fields))


def index(town: Town, id: str) -> bytes | None:
    """Return what an order is found by."""
    [(found,)] = rows(town, select(orders.c.merge_index).where(orders.c.external_id == id))
    return None if found is None else bytes(found)


def test_orders_of_one_recipient_have_one_whatever_shop_they_are_of(make_town: Callable[..., Town]) -> None:
    town = make_town(names=("shop", "mall"))
    place(town, "o1")
    place(town, "o2", name=" 王 小明", phone="+86 138-0000-1111", province="浙江", city="杭州", address="文一西路１号")
    place(town, "o3", shop="mall")
    place(town, "o4", address="文一西路2号")
    for name in ("shop", "mall"):
        walk.read(town, name=name)

    assert index(town, "o1") == index(town, "o2") == index(town, "o3") != None  # noqa: E711 - all of them are one
    assert index(town, "o4") not in (None, index(town, "o1"))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "王**"},
        {"phone": "138****1111"},
        {"address": ""},
        {"province": "", "city": "", "district": ""},
        {"name": "", "phone": "", "address": "", "province": "", "city": "", "district": ""},
    ],
)
def test_who_is_masked_or_missing_has_none(town: Town, fields: dict[str, str]) -> None:
    place(town, "o1", **fields)
    walk.read(town)

    assert index(town, "o1") is None


def test_another_address_makes_another_one_and_a_mask_ends_it(town: Town) -> None:
    place(town, "o1")
    walk.read(town)
    before = index(town, "o1")

    town.shop.change("o1", address="文一西路3号")
    walk.read(town)
    after = index(town, "o1")
    town.shop.change("o1", phone="138****1111")
    walk.read(town)

    assert None not in (before, after)
    assert before != after
    assert index(town, "o1") is None


def test_an_order_made_here_has_one_and_another_when_it_is_edited(town: Town) -> None:
    place(town, "o1", name="李四", phone="13900002222", province="上海市", city="上海市", district="", address="路2号")
    walk.read(town)
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=9, actor="me")
    there = ELSEWHERE | {"province": "上海市", "city": "上海市", "address": "路 2 号"}
    number = make(town, recipient=there | {"address": "路 9 号"}).number
    [(own,)] = rows(town, select(orders.c.external_id).where(orders.c.number == number))
    before = index(town, own)

    edit_recipient(town.ctx, number, read_recipient(there), actor="me")

    assert before not in (None, index(town, "o1"))
    assert index(town, own) == index(town, "o1")


def test_new_keys_change_nothing_of_it(town: Town) -> None:
    place(town, "o1")
    walk.read(town)
    before = index(town, "o1")
    town.store.vault = Vault([b"n" * 32, b"k" * 32], b"i" * 32)

    rotate_keys(town.store)
    place(town, "o2")
    walk.read(town)

    assert before == index(town, "o1") == index(town, "o2")


def test_it_is_erased_with_the_recipient(town: Town) -> None:
    place(town, "o1")
    walk.read(town)
    town.shop.change("o1", state="completed")
    walk.read(town)
    town.advance(200 * 86_400)

    prune(town.ctx, 180)

    assert index(town, "o1") is None


class Hiding(ShopConnector):
    """Hides who gets the parcel; its ciphertext says it for a week."""

    def normalise(self, raw: Raw) -> Order:
        """Return the order with a ciphertext of its own or, as `phone`, one that others have too."""
        order = super().normalise(raw)
        hidden = Recipient(
            name="王**", phone="138****1111", ciphertext=order.recipient.phone if order.recipient else ""
        )
        return replace(order, recipient=hidden)

    def same_recipient(self, recipient: Recipient, placed_at: datetime) -> str:
        """Return the week and the ciphertext; nothing for one that says nothing."""
        week = placed_at.isocalendar().week
        return f"{week}:{recipient.ciphertext}" if recipient.ciphertext != "says nothing" else ""


def hiding(town: Town) -> Context:
    specs = [
        ChannelSpec(name=name, kind="shop", connector=Hiding(shop, town.clock)) for name, shop in town.shops.items()
    ]
    return open_context(town.store, warehouses=[WarehousePolicy(id="SH")], channels_=specs, timezone=SHANGHAI)


def test_a_hidden_recipient_has_one_as_the_platform_says_within_a_shop(make_town: Callable[..., Town]) -> None:
    town = make_town(names=("shop", "mall"))
    town.ctx = hiding(town)
    for id, phone in (("o1", "cipher"), ("o2", "cipher"), ("o3", "other"), ("o4", "says nothing")):
        place(town, id, phone=phone)
    place(town, "o5", phone="cipher", placed_at=town.clock.now() + timedelta(days=7))
    place(town, "m1", shop="mall", phone="cipher")
    for name in ("shop", "mall"):
        walk.read(town, name=name)

    assert index(town, "o1") == index(town, "o2")
    assert index(town, "o4") is None
    assert len({index(town, id) for id in ("o1", "o3", "o5", "m1")} - {None}) == 4


# -- orders of older versions


def forget(town: Town) -> None:
    """Leave the database as an older version did."""
    with town.store.begin() as tx:
        tx.execute(update(orders).values(merge_index=None))


def known(town: Town) -> int:
    [(found,)] = rows(town, select(func.count(orders.c.merge_index)))
    return int(found)


def test_open_orders_of_an_older_version_get_theirs_and_those_that_left_do_not(town: Town) -> None:
    for n in range(5):
        place(town, f"o{n}", paid=n != 4)
    place(town, "masked", name="王**")
    place(town, "gone", state=OrderState.COMPLETED.value)
    walk.read(town)
    before = {id: index(town, id) for id in ("o0", "o4")}
    forget(town)

    assert fill_recipients(town.ctx, at_once=2) == 5
    assert fill_recipients(town.ctx) == 0

    assert {id: index(town, id) for id in ("o0", "o4")} == before
    assert index(town, "gone") is None


def test_hidden_recipients_of_an_older_version_get_theirs_too(town: Town) -> None:
    town.ctx = hiding(town)
    place(town, "o1", phone="cipher")
    place(town, "o2", phone="cipher")
    walk.read(town)
    before = index(town, "o1")
    forget(town)

    assert fill_recipients(town.ctx) == 2
    assert index(town, "o1") == index(town, "o2") == before


def test_filling_that_ends_half_way_goes_on_where_it_stopped(town: Town) -> None:
    for n in range(5):
        place(town, f"o{n}")
    walk.read(town)
    forget(town)
    vault, town.store.vault = town.store.vault, None
    assert fill_recipients(town.ctx) == 0
    town.store.vault = vault
    with town.store.begin() as tx:
        tx.execute(update(orders).where(orders.c.external_id == "o4").values(recipient=b"torn"))

    assert fill_recipients(town.ctx, at_once=2) == 4
    assert known(town) == 4
    with town.store.read() as connection:
        assert read_mark(connection, MARK) == 0
