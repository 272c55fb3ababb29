"""The example shop by itself: what a person who tries it over HTTP meets."""

import json
from typing import Any

import pytest

from connectors.webhook_json.sandbox import OwnShop
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.sandbox import Fault, FaultPlan, SandboxRequest, SandboxResponse
from erpsync.sdk.sandbox.shop import SoldOut
from tests.connectors.webhook_json.shop import NOW, connector, level


def ask(shop: OwnShop, method: str, path: str, body: Any = None) -> SandboxResponse:
    text = b"" if body is None else json.dumps(body).encode()
    return shop.handle(SandboxRequest(method=method, path=path, body=text))


@pytest.fixture
def shop() -> OwnShop:
    return OwnShop(clock=ManualClock(NOW))


def test_an_order_placed_over_http_waits_until_the_shop_knows_where_to_send_it(shop: OwnShop) -> None:
    answer = ask(shop, "POST", "/orders", {"lines": [["A", 2]]})

    assert json.loads(answer.body) == {"id": "W000001"}
    assert (shop.orders["W000001"].status, shop.waiting()) == ("paid", 1)


@pytest.mark.parametrize("wish", [None, [], {}, {"lines": ["A"]}, {"lines": [["A", "x"]]}])
def test_a_wish_that_cannot_be_read_is_refused(shop: OwnShop, wish: Any) -> None:
    assert ask(shop, "POST", "/orders", wish).status == 400


def test_a_buyer_cannot_have_more_than_the_shop_was_told(shop: OwnShop) -> None:
    connector(shop, ManualClock(NOW)).push_stock([level("A", 1)])
    shop.place_order(("A", 1))

    assert json.loads(ask(shop, "GET", "/stock").body) == {"A": 0}
    assert ask(shop, "POST", "/orders", {"lines": [["A", 1]]}).status == 409
    with pytest.raises(SoldOut):
        shop.place_order(("A", 1))


def test_the_shop_takes_no_unsigned_call(shop: OwnShop) -> None:
    assert ask(shop, "POST", "/push", {"type": "stock", "data": {}}).status == 401


def test_an_unknown_address_is_none_of_the_shop_s(shop: OwnShop) -> None:
    assert ask(shop, "GET", "/admin").status == 404


def test_a_delivery_that_is_not_taken_is_sent_again_with_its_id_and_body() -> None:
    heard: list[tuple[str, bytes]] = []
    answers = [0, 503, 200]

    def deliver(body: bytes, headers: Any) -> int:
        heard.append((headers["webhook-id"], body))
        return answers.pop(0)

    shop = OwnShop(clock=ManualClock(NOW), deliver=deliver, eager=False)
    shop.place_order(("A", 1))

    assert [shop.send(), shop.send(), shop.send()] == [1, 1, 0]
    assert len(heard) == 3
    assert len(set(heard)) == 1


def test_late_deliveries_are_overtaken_and_doubled_ones_come_twice() -> None:
    faults = FaultPlan()
    heard: list[str] = []

    def deliver(body: bytes, headers: Any) -> int:
        heard.append(json.loads(body)["data"]["status"])
        return 200

    shop = OwnShop(clock=ManualClock(NOW), deliver=deliver, faults=faults, eager=False)
    faults.force(Fault.LATE)
    faults.force(Fault.DUPLICATE)
    id = shop.place_order(("A", 1))
    shop.pay(id)
    shop.send()
    shop.send()

    assert heard == ["paid", "paid", "unpaid"]


def test_two_changes_at_one_instant_have_different_times() -> None:
    shop = OwnShop(clock=ManualClock(NOW))
    id = shop.place_order(("A", 1))
    first = shop.orders[id].updated_at
    shop.pay(id)

    assert shop.orders[id].updated_at > first
