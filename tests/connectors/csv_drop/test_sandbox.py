"""The shop of the demo: what it drops is read, what it is told it knows."""

import random
from pathlib import Path

from connectors.csv_drop.connector import CsvDropConnector, OrderDropWithReplies
from connectors.csv_drop.sandbox import DropLine, DropOrder, DropShop
from connectors.csv_drop.settings import CsvDropSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import OrderState, Shipment, ShipmentLine, StockLevel
from tests.connectors.csv_drop.builders import read


def shop_and_channel(folder: Path) -> tuple[DropShop, OrderDropWithReplies, ManualClock]:
    clock = ManualClock()
    shop = DropShop(folder / "in", folder / "out", clock)
    channel = CsvDropConnector(CsvDropSettings.model_validate(shop.settings()), HttpClient(clock=clock), clock)
    assert isinstance(channel, OrderDropWithReplies)
    return shop, channel, clock


def test_orders_that_the_shop_drops_are_read_as_it_knows_them(tmp_path: Path) -> None:
    shop, channel, clock = shop_and_channel(tmp_path)
    lines = [DropLine(channel_sku="A", qty=2, price_minor=1990), DropLine(channel_sku="B")]
    placed = DropOrder(external_id="D1", lines=lines, placed_at=clock.now(), paid_at=clock.now(), freight_minor=600)
    shop.place_orders([placed, *shop.random_orders(random.Random(1), ["A", "B", "C"], 30)])
    clock.advance(seconds=2)

    orders, refused = read(channel)

    assert refused == []
    assert len(orders) == 31
    order = orders["D1"]
    assert (order.state, order.total_minor, order.recipient.complete) == (OrderState.PAID, placed.total_minor, True)
    assert [(line.external_id, line.channel_sku, line.qty) for line in order.lines] == [("1", "A", 2), ("2", "B", 1)]


def test_the_shop_knows_the_stock_and_the_parcels_it_was_told(tmp_path: Path) -> None:
    shop, channel, clock = shop_and_channel(tmp_path)
    for qty in (9, 4):
        channel.push_stock([StockLevel(key="1", channel_sku="A", item_ref="", qty=qty)])
        clock.advance(seconds=1)
    parcel = ShipmentLine(external_id="1", qty=1, ordered_qty=1)
    channel.push_shipment(Shipment(number="P1", order_external_id="D1", carrier="SF", tracking="SF1", lines=(parcel,)))

    assert shop.stock() == {"A": 4}
    assert [(row["order"], row["tracking"]) for row in shop.shipments()] == [("D1", "SF1")]
