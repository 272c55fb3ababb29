"""The whole way over real sockets: shop → hook → inbox → stock and parcel → shop."""

import gzip
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from connectors.webhook_json.connector import WebhookJsonConnector
from connectors.webhook_json.sandbox import OwnShop, over_http
from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.availability import fan_out
from erpsync.flows.availability import push as stock_push
from erpsync.flows.context import ChannelSpec, Context, open_context
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.shipments import push as shipment_push
from erpsync.flows.shipments.record import ship
from erpsync.sdk.clock import SystemClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import SandboxServer, serve
from erpsync.store.db.store import Store
from erpsync.store.views import list_orders
from erpsync.web.server import AppServer
from erpsync.web.site import receive
from tests.connectors.webhook_json.shop import settings
from tests.support.shop import SHANGHAI, VAULT
from tests.support.sources import ROOT
from tests.support.web_shop import serve as serve_web

LIMIT = 100_000


class Street:
    """A shop and erpsync, each behind an address of its own."""

    def __init__(self, url: str) -> None:
        self.clock = SystemClock()
        self.shop = OwnShop()
        self.platform: SandboxServer = serve({"shop": self.shop})
        self.store = Store.open(url, clock=self.clock, vault=VAULT)
        made = settings(push_url=f"{self.platform.url('shop')}/push")
        spec = ChannelSpec(
            name="own-shop",
            kind="webhook_json",
            stock=StockPolicy(settle_s=0),
            connector=WebhookJsonConnector(made, HttpClient(clock=self.clock), self.clock),
        )
        self.ctx: Context = open_context(
            self.store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI
        )
        self.web: AppServer
        self.web, _ = serve_web(self.store, self.ctx, receive=receive, max_body_bytes=LIMIT)
        self.hook = f"{self.web.url}hooks/own-shop"

    def close(self) -> None:
        self.web.stop(2)
        self.platform.close()
        self.store.close()

    def settle(self) -> None:
        channel = self.ctx.channel("own-shop")
        while apply_inbox(self.ctx):
            pass
        while fan_out.fan_out(self.ctx):
            pass
        while stock_push.push_stock(self.ctx, channel) + shipment_push.push_shipments(self.ctx, channel):
            pass

    def post(self, body: bytes, headers: dict[str, str], channel: str = "own-shop") -> requests.Response:
        return requests.post(f"{self.web.url}hooks/{channel}", data=body, headers=headers, timeout=60)


@pytest.fixture
def street(sqlite_file: Path) -> Iterator[Street]:
    made = Street(f"sqlite:///{sqlite_file}")
    yield made
    made.close()


def test_a_shop_that_only_knows_the_hook_and_the_secret_sells_and_is_told(street: Street) -> None:
    set_stock(street.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    address = street.platform.url("shop")
    requests.post(f"{address}/hook", json={"url": street.hook}, timeout=60)
    requests.post(f"{address}/orders", json={"lines": [["A", 3]]}, timeout=60)
    street.settle()
    with street.store.read() as connection:
        [order] = list_orders(connection)
    ship(street.ctx, order=order["number"], carrier="YTO", tracking="YT1234567890123", actor="me")
    street.settle()

    assert requests.get(f"{address}/stock", timeout=60).json() == {"A": 7}
    [parcel] = requests.get(f"{address}/shipments", timeout=60).json()
    assert (parcel["order_external_id"], parcel["tracking"]) == ("W000001", "YT1234567890123")


def test_a_bad_signature_and_an_unknown_channel_look_alike_from_outside(street: Street) -> None:
    street.shop.place_order(("A", 1))
    (delivery,) = street.shop.sent
    headers = street.shop.signed(delivery)
    answers = [
        street.post(delivery.body + b" ", headers),
        street.post(delivery.body, {}),
        street.post(delivery.body, headers, channel="nobody"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


def test_a_signed_body_is_answered_200_whatever_it_is(street: Street) -> None:
    shop = street.shop
    for body in (b"", b"junk", b'{"type": "coupon"}', b'{"type": "order", "data": {"title": "\\ud83d"}}'):
        shop.post(body)

    assert over_http(street.hook)(shop.sent[0].body, shop.signed(shop.sent[0])) == 200
    assert {street.post(each.body, shop.signed(each)).status_code for each in shop.sent} == {200}


def test_the_signature_covers_the_body_before_it_was_compressed(street: Street) -> None:
    street.shop.place_order(("A", 1))
    (delivery,) = street.shop.sent
    headers = {**street.shop.signed(delivery), "content-encoding": "gzip"}

    assert street.post(gzip.compress(delivery.body), headers).status_code == 200


def test_a_body_that_grows_beyond_the_limit_is_refused_however_well_it_is_signed(street: Street) -> None:
    street.shop.post(b" " * (LIMIT + 1))
    (delivery,) = street.shop.sent
    headers = {**street.shop.signed(delivery), "content-encoding": "gzip"}

    assert street.post(gzip.compress(delivery.body), headers).status_code == 413
    assert street.post(delivery.body, street.shop.signed(delivery)).status_code == 413


@pytest.mark.concurrent("processes")
def test_the_shell_example_for_shop_developers_is_taken(street: Street) -> None:
    text = (ROOT / "connectors" / "webhook_json" / "README.md").read_text(encoding="utf-8")
    script = (
        text.partition("```sh\n")[2].partition("```")[0].replace("curl ", "curl -s -w '%{http_code}' -o /dev/null ")
    )
    if not all(shutil.which(tool) for tool in ("sh", "curl", "openssl", "od", "base64")):
        pytest.skip("the example needs curl and openssl")
    env = {**os.environ, "HOOK": street.hook, "no_proxy": "127.0.0.1"}
    done = subprocess.run(["sh", "-ec", script], env=env, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("200", "")
