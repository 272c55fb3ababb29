"""A side amount below zero refuses no order: its stock is held, and the residual shows what does not add up."""

import json
from collections.abc import Iterator

import pytest

from tests.cases.town import INPUTS, town_of
from tests.connectors.taobao.shop import Shop
from tests.support.looking import held, letters, see, status
from tests.support.shop import Town
from tests.support.walk import settle_in

CHANGES = json.loads((INPUTS / "negative_discount/trade-changes.json").read_text("utf-8"))


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def town(database_url: str, shop: Shop) -> Iterator[Town]:
    with town_of(database_url, "taobao", lambda clock: shop.connector, clock=shop.clock, CUP=5) as town:
        yield town


def test_the_order_is_stored_and_its_stock_is_held(town: Town, shop: Shop) -> None:
    ref = shop.item(code="CUP", price="33.80")
    tid = shop.sandbox.place_order([(ref, 1)])
    shop.sandbox.pay(tid)
    shop.sandbox.change_trade_fields(tid, **CHANGES)
    settle_in(town)

    assert (status(town, tid), letters(town)) == (("allocated", None), [])
    assert held(town, tid) == {"CUP": 1}
    assert (see(town, tid)["discount_minor"], see(town, tid)["residual_minor"]) == (None, -800)
