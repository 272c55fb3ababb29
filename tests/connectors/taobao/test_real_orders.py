"""A month of real orders through the sandbox, while rows move: every fifth of them, `make soak` takes all."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.taobao.mapping import format_time
from connectors.taobao.sandbox import TradeLine, trade_of
from connectors.taobao.sandbox.builder import yuan
from erpsync.sdk.types import Cursor
from tests.connectors.taobao.shop import Shop
from tests.support.real_data import SOAK, tmall_file

MONTH = datetime(2020, 2, 1, tzinfo=UTC) - timedelta(hours=8)
EVERY = 1 if SOAK else 5
END = datetime(2020, 3, 2, tzinfo=UTC)


def real_trades() -> Iterator[Any]:
    with tmall_file().open(encoding="utf-8-sig", newline="") as file:
        for number, total, _, province, created, paid_at, _ in list(csv.reader(file))[1::EVERY]:
            price = yuan(total)
            yield trade_of(
                tid=700_000_000_000_000_000 + int(number),
                lines=[TradeLine(num_iid=650000000001, num=1, price=price, outer_iid="A-1")],
                created=created,
                pay_time=paid_at,
                status="WAIT_SELLER_SEND_GOODS" if paid_at else "WAIT_BUYER_PAY",
                receiver={"receiver_name": "张小明", "receiver_state": province, "receiver_mobile": "13800001234"},
            )


def test_a_month_of_real_orders_arrives_whole_while_orders_change() -> None:
    shop = Shop()
    shop.sandbox.load(list(real_trades()))
    shop.clock.advance(seconds=(END - shop.clock.now()).total_seconds())
    to_touch = sorted(shop.sandbox.trades.records)[::7]
    found: dict[str, str] = {}
    for page in shop.connector.backfill_orders(Cursor(since=MONTH)):
        found |= {head.external_id: format_time(head.version_at) for head in page.heads}
        shop.clock.advance(seconds=1)
        for _ in range(min(2, len(to_touch))):
            shop.sandbox.touch(to_touch.pop(), shop.clock.now())

    assert len(found) == (28_010 if EVERY == 1 else 5_602)
    assert set(found) == set(shop.sandbox.trades.records)


def test_a_month_of_changes_is_read_without_a_gap_from_an_old_mark() -> None:
    shop = Shop()
    shop.sandbox.load(list(real_trades()))
    shop.clock.advance(seconds=(MONTH - shop.clock.now()).total_seconds())
    (first,) = shop.connector.pull_orders(Cursor())
    shop.clock.advance(seconds=(END - shop.clock.now()).total_seconds())
    cursor, found = Cursor(mark=first.mark), {}
    to_touch = sorted(shop.sandbox.trades.records)[::11]
    calm = False
    while not calm:
        calm = not to_touch
        for page in shop.connector.pull_orders(cursor):
            found |= {head.external_id: format_time(head.version_at) for head in page.heads}
            cursor = Cursor(mark=page.mark)
            shop.clock.advance(seconds=1)
            for _ in range(min(10, len(to_touch))):
                shop.sandbox.touch(to_touch.pop(), shop.clock.now())

    assert {key: trade["modified"] for key, trade in shop.sandbox.trades.records.items()} == found
