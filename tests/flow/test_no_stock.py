"""Seller codes that are no goods, a surcharge or a service: never held, never reserved, and the order goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.flows.inventory.unmapped import unmapped_codes
from erpsync.store.tables import listing
from erpsync.store.views import list_listings
from tests.support.export import Export, make_export

HEADER = "external_id,status,placed_at,paid_at,channel_sku,qty,price,recipient,phone,address"
WHO = "李雷,13800000000,文三路1号"


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Export]:
    shop = make_export(database_url, tmp_path, profile="generic")
    yield shop
    shop.ctx.store.close()


def file(*skus: str, status: str = "paid") -> str:
    rows = [f"S1,{status},2026-11-22 10:01:02,,{sku},1,10,{WHO}" for sku in skus]
    return "\n".join([HEADER, *rows]) + "\n"


def listed(shop: Export) -> dict[str, tuple[Any, bool]]:
    with shop.ctx.store.read() as connection:
        return {row["channel_sku"]: (row["sku"], row["no_stock"]) for row in list_listings(connection)}


def test_a_surcharge_holds_no_order_and_reserves_nothing(shop: Export) -> None:
    shop.map("补差价", no_stock=True)
    shop.drop(file("CUP", "补差价"))

    assert (shop.status("S1"), shop.reserved()) == (("allocated", None), {"CUP": 1})
    assert listed(shop)["补差价"] == (None, True)
    assert unmapped_codes(shop.ctx) == []


def test_an_order_has_left_when_its_goods_have(shop: Export) -> None:
    shop.map("补差价", no_stock=True)
    shop.drop(file("CUP", "补差价"))
    shop.ship("S1")

    assert shop.status("S1") == ("shipped", None)
    with shop.ctx.store.read() as connection:
        assert connection.exec_driver_sql("SELECT whole FROM shipment").scalar_one()


@pytest.mark.parametrize(
    ("status", "expected"),
    [("unpaid", "unpaid"), ("paid", "shipped"), ("completed", "completed"), ("cancelled", "cancelled")],
)
def test_an_order_of_no_goods_at_all_has_nothing_to_be_sent(shop: Export, status: str, expected: str) -> None:
    shop.map("安装服务", no_stock=True)
    shop.drop(file("安装服务", status=status))

    assert (shop.status("S1"), shop.reserved()) == ((expected, None), {})


def test_orders_held_for_the_code_go_on_as_soon_as_it_is_known_to_be_no_goods(shop: Export) -> None:
    shop.drop(file("CUP", "补差价"))
    assert shop.status("S1") == ("held", "unmapped_sku")

    shop.map("补差价", no_stock=True)
    assert shop.status("S1") == ("allocated", None)


def test_a_code_that_is_goods_after_all_is_reserved(shop: Export) -> None:
    shop.map("TEA-X", no_stock=True)
    shop.drop(file("CUP", "TEA-X"))
    shop.map("TEA-X", "TEA")

    assert (shop.status("S1"), shop.reserved()) == (("allocated", None), {"CUP": 1, "TEA": 1})
    assert listed(shop)["TEA-X"] == ("TEA", False)


def test_goods_that_are_none_after_all_are_given_back(shop: Export) -> None:
    shop.drop(file("CUP", "TEA"))
    assert shop.reserved() == {"CUP": 1, "TEA": 1}

    shop.map("TEA", no_stock=True)
    assert (shop.status("S1"), shop.reserved()) == (("allocated", None), {"CUP": 1})


def test_what_is_no_goods_has_no_number_to_be_told(shop: Export) -> None:
    shop.map("补差价", no_stock=True)
    with shop.ctx.store.read() as connection:
        assert connection.execute(select(listing.c.sku_id, listing.c.factor)).all() == [(None, 1)]
