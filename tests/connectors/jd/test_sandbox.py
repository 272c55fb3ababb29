"""The sandbox itself: it refuses what the platform refuses, also over real sockets and from many threads."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest
from pydantic import SecretStr

from connectors.jd.client import sign
from connectors.jd.connector import JdConnector
from connectors.jd.sandbox import JdSandbox, OrderItem, SoldOut, order_info
from erpsync.sdk.clock import ManualClock, SystemClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import SandboxRequest, serve
from erpsync.sdk.types import Cursor
from tests.connectors.jd.shop import NOW, Shop, settings

PARAMS = {
    "method": "jingdong.seller.vender.info.get",
    "app_key": "0A1B2C3D4E5F6071",
    "access_token": "sandbox-access-token",
    "timestamp": "2026-11-20 12:00:00",
    "v": "2.0",
    "360buy_param_json": "{}",
}


def code_of(sandbox: JdSandbox, changes: Mapping[str, str], *, secret: str = "sandbox-secret") -> str:
    """Return the refusal's code for a signed call in which some parameters are changed; empty when it is answered."""
    params = {**PARAMS, **changes}
    signed = {**params, "sign": sign(params, SecretStr(secret), params.get("sign_method", "md5"))}
    document = json.loads(sandbox.handle(SandboxRequest(method="POST", path="/routerjson", query=signed)).body)
    return str(document.get("error_response", {}).get("code", ""))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"timestamp": "2026-11-20 12:00:00.683+0800"}, ""),
        ({"timestamp": "2026-11-20 12:05:59"}, ""),
        ({"timestamp": "2026-11-20 12:06:01"}, "8"),
        ({"timestamp": "yesterday"}, "8"),
        ({"timestamp": ""}, "7"),
        ({"method": ""}, "14"),
        ({"method": "jingdong.other"}, "15"),
        ({"app_key": "another"}, "21"),
        ({"access_token": ""}, "18"),
        ({"access_token": "another"}, "19"),
        ({"sign_method": "hmacsha256"}, ""),
        ({"360buy_param_json": "{"}, "60"),
    ],
)
def test_public_parameters_are_checked_as_the_platform_checks_them(changes: Mapping[str, str], code: str) -> None:
    assert code_of(JdSandbox(clock=ManualClock(NOW)), changes) == code


def test_a_wrong_secret_is_a_wrong_signature() -> None:
    assert code_of(JdSandbox(clock=ManualClock(NOW)), {}, secret="other") == "12"


def test_a_buyer_cannot_order_more_than_is_shown() -> None:
    shop = Shop()
    sku = shop.item(qty=3)

    with pytest.raises(SoldOut):
        shop.sandbox.place_order([("A-1", 2), ("A-1", 2)])
    assert shop.sandbox.stock() == {sku: 3}


def test_units_of_a_cancelled_order_are_shown_again_unless_they_have_left() -> None:
    shop = Shop()
    sku = shop.item(qty=10)
    first, second = (shop.sandbox.place_order([("A-1", 2)], pay=True) for _ in range(2))
    shop.sandbox.ship_by_hand(first, "467", "SF1")
    for order_id in (first, second):
        shop.sandbox.cancel(order_id)

    assert shop.sandbox.stock() == {sku: 8}


def test_an_unpaid_order_is_in_no_list_until_it_is_paid() -> None:
    shop = Shop()
    shop.item()
    order_id = shop.sandbox.place_order([("A-1", 1)])
    before = shop.changed()
    shop.sandbox.pay(order_id)

    assert (before, [order.external_id for order in shop.changed()]) == ([], [order_id])


def test_many_orders_are_loaded_and_listed_by_time() -> None:
    shop = Shop()
    items = [OrderItem(sku_id="100000000001", num=1, price="10.00")]
    times = [f"2026-11-20 11:{n // 60:02}:{n % 60:02}" for n in range(1500)]
    shop.sandbox.load([order_info(order_id=str(9000 + n), items=items, created=t, paid=t) for n, t in enumerate(times)])

    assert len(shop.changed(Cursor(overlap=timedelta(hours=2)))) == 1500


@pytest.mark.concurrent("threads")
def test_many_buyers_at_once_never_buy_the_same_unit() -> None:
    shop = Shop()
    sku = shop.item(qty=50)

    def buy(_: int) -> int:
        try:
            shop.sandbox.place_order([("A-1", 1)], pay=True)
        except SoldOut:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(buy, range(80))) == 50
    assert shop.sandbox.stock() == {sku: 0}


def test_a_connector_reaches_the_sandbox_over_real_sockets() -> None:
    sandbox = JdSandbox()
    sandbox.ahead = timedelta(seconds=90)
    sandbox.add_item(code="A-1", qty=5)
    order_id = sandbox.place_order([("A-1", 1)], pay=True)
    with serve({"jd": sandbox}) as server:
        own = settings(gateway=f"{server.url('jd')}/routerjson", oauth=f"{server.url('jd')}/oauth2")
        connector = JdConnector(own, HttpClient(clock=SystemClock(), rng=Random(0)), SystemClock())
        report = connector.check()
        heads = [head.external_id for page in connector.pull_orders(Cursor()) for head in page.heads]
        connector.close()

    assert heads == [order_id]
    assert report.clock_ahead_s == pytest.approx(90, abs=3)
