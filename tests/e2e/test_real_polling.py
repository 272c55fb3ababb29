"""A month of a real Tmall shop, polled over HTTP: rows move, one call in ten fails, the daemon is killed."""

import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.taobao.sandbox import TaobaoSandbox, TradeLine, trade_of
from erpsync.sdk.sandbox import Fault, FaultPlan, SandboxServer, serve
from tests.crash.process import Daemon, eventually
from tests.e2e.command_desk import Desk
from tests.support.real_data import SOAK, TmallOrder, fen, tmall_orders

BEIJING = ZoneInfo("Asia/Shanghai")
FORMAT = "%Y-%m-%d %H:%M:%S"
DETAIL = "taobao.trade.fullinfo.get"
EVERY = 1 if SOAK else 40
CONFIG = """
database: sqlite:///var/erpsync.db
timezone: Asia/Shanghai
web: {listen: 127.0.0.1:0}
warehouses:
  - {id: SH}
"""
CHANNEL = """
id: tmall
connector: taobao
poll: {orders_s: 1, refunds_s: 1, listings_s: 3600, overlap_s: 10, backfill_days: 60}
stock: {push: false}
limits: {calls_per_s: 100000, burst: 100000}
settings:
  gateway: GATEWAY/router/rest
  app_key: "12345678"
  app_secret: sandbox-secret
  session: 6100000sandbox-session
"""
ONE_IN_TEN = [kind for kind in Fault if kind not in {Fault.EXPIRED_TOKEN, Fault.PLATFORM_ERROR, Fault.THROTTLE}]
"""An expired session needs a person, and each "too many calls" costs a second: those are struck a few times only."""


class TmallMonth:
    """The platform's side: the shop's month, moved so that it ends now, and what buyers still do meanwhile."""

    def __init__(self, orders: list[TmallOrder], seed: int) -> None:
        self.rng = random.Random(seed)
        self.faults = FaultPlan(seed, 0.1, ONE_IN_TEN)
        self.sandbox = TaobaoSandbox(faults=self.faults)
        self.sandbox.late_s = 1.0
        self.orders = {f"{700_000_000_000_000_000 + int(order.number)}": order for order in orders}
        self._item = self.sandbox.add_item(qty=30_000, outer_id="MASK-50")
        last = max(datetime.strptime(order.paid_at or order.placed_at, FORMAT) for order in orders)
        self._shift = (datetime.now(BEIJING).replace(tzinfo=None) - last - timedelta(hours=1)) // timedelta(seconds=1)
        self.sandbox.load([self._trade(tid, order) for tid, order in self.orders.items()])
        self._moves = [("refund", tid) for tid, order in self.orders.items() if order.refunded]
        self._moves += [("touch", tid) for tid in list(self.orders)[::7]]
        self.rng.shuffle(self._moves)
        self._lock = threading.Lock()
        self.sandbox.on_call = self._meanwhile

    def _trade(self, tid: str, order: TmallOrder) -> dict[str, Any]:
        num_iid, _, sku_id = self._item.partition(":")
        line = TradeLine(num_iid=int(num_iid), sku_id=sku_id, num=1, price=str(order.total), outer_iid="MASK-50")
        return trade_of(
            tid=int(tid),
            lines=[line],
            created=self._moved(order.placed_at),
            pay_time=self._moved(order.paid_at),
            status="WAIT_SELLER_SEND_GOODS" if order.paid_at else "WAIT_BUYER_PAY",
        )

    def _moved(self, text: str) -> str:
        return (datetime.strptime(text, FORMAT) + timedelta(seconds=self._shift)).strftime(FORMAT) if text else ""

    def _meanwhile(self, method: str) -> None:
        """Let something happen at every second call."""
        del method
        if self.rng.random() < 0.5:
            self.move()

    def move(self) -> bool:
        """Let one buyer get money back, or an order change; False when nothing is left to happen."""
        with self._lock:
            if not self._moves:
                return False
            what, tid = self._moves.pop()
        if what == "touch":
            self.sandbox.touch(tid, self.sandbox.now())
        else:
            refund = self.sandbox.request_refund(tid, amount=str(self.orders[tid].refunded))
            self.sandbox.grant_refund(refund)
        return True

    def details(self) -> int:
        """Return how many orders were read in detail so far."""
        return self.sandbox.counts[DETAIL]

    def wanted(self) -> dict[str, tuple[str, int, int]]:
        """Return what has to come of it: status, what is to be paid in the end, money given back."""
        return {
            tid: (_status(order), fen(order.paid if order.paid_at else order.total), fen(order.refunded))
            for tid, order in self.orders.items()
        }


def _status(order: TmallOrder) -> str:
    if not order.paid_at:
        return "unpaid"
    return "cancelled" if order.all_refunded else "allocated"


class Shop(Desk):
    """A configuration folder for a daemon."""

    def command(self, *words: str) -> list[str]:
        """Return a command line for this configuration."""
        return [sys.executable, "-m", "erpsync.cli.main", "--config", str(self.folder), *words]

    def found(self) -> dict[str, tuple[str, int, int]]:
        """Return status, total and money given back of every order; each is there once."""
        listed = self.json("orders", "list", "--limit", "0")
        assert len({order["external_id"] for order in listed}) == len(listed)
        return {order["external_id"]: (order["status"], order["total_minor"], _given_back(order)) for order in listed}


def _given_back(order: dict[str, Any]) -> int:
    return sum(refund["amount_minor"] for refund in order["refunds"] if refund["state"] == "granted")


@pytest.fixture
def month() -> TmallMonth:
    return TmallMonth(tmall_orders()[::EVERY], seed=20200229)


@pytest.fixture
def shop(tmp_path: Path, month: TmallMonth) -> Iterator[Shop]:
    """A shop on the platform, served over HTTP; 30,000 masks lie in its warehouse."""
    with serve({"taobao": month.sandbox}) as server:
        yield _set_up(tmp_path, server)


def _set_up(folder: Path, server: SandboxServer) -> Shop:
    shop = Shop(folder)
    shop.write("erpsync.yaml", CONFIG)
    shop.write("channels/tmall.yaml", CHANNEL.replace("GATEWAY", server.url("taobao")))
    counts = shop.write("counts.csv", "warehouse,sku,on_hand\nSH,MASK-50,30000\n")
    assert shop.run("migrate").code == 0
    assert shop.run("stock", "import", counts).code == 0
    return shop


@pytest.mark.concurrent("processes")
@pytest.mark.slow
@pytest.mark.timeout(3600 if SOAK else 900)
def test_a_month_of_orders_survives_moving_rows_faults_and_two_kills(month: TmallMonth, shop: Shop) -> None:
    for share in (0.2, 0.6):
        with Daemon(shop) as daemon:
            assert eventually(lambda share=share: month.details() > share * len(month.orders))
            month.faults.force(Fault.THROTTLE)
            daemon.signal(signal.SIGKILL)
            assert daemon.ended() == -signal.SIGKILL

    with Daemon(shop) as daemon:
        daemon.wait("poll.done", lambda record: record["stream"] == "backfill")
        while month.move():
            pass
        settled = eventually(lambda: shop.found() == month.wanted(), every_s=2)
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0

    found = shop.found()
    assert settled, {tid: (found.get(tid), want) for tid, want in month.wanted().items() if found.get(tid) != want}
    assert sum(total for _, total, _ in found.values()) == sum(total for _, total, _ in month.wanted().values())
    held = Counter(status for status, _, _ in found.values())["allocated"]
    (place,) = shop.json("stock", "list")
    assert (place["on_hand"], place["reserved"]) == (30_000, held)
    assert shop.json("dead", "list") == []
    assert month.faults.struck.total() > len(month.orders) / 20
