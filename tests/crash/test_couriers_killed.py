"""The real process, killed at random while it releases, books and tells: a courier that loses answers, and a desk."""

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.csv_drop.sandbox import DropShop
from connectors.sf.sandbox import SfSandbox
from erpsync.cli.build import Built, open_built
from erpsync.flows.desk.scans import leave
from erpsync.flows.desk.waves import make_wave
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.counts import set_stock
from erpsync.sdk.clock import SystemClock
from erpsync.sdk.sandbox import Fault, FaultPlan, serve
from erpsync.settings import installed, load
from erpsync.store.tables import orders, release, release_order, shipment, waybill
from tests.crash.process import Daemon, Shop, eventually

pytestmark = pytest.mark.concurrent("processes")
LOSES = (Fault.TIMEOUT_AFTER, Fault.ERROR_5XX_AFTER, Fault.CUT_BODY, Fault.TIMEOUT_BEFORE)
ROUNDS = 4
MAIN = """\
web: {listen: '127.0.0.1:0'}
warehouses:
  - {id: SH, desk: true, sender: {name: 上海仓, phone: 021-60000000, province: 上海, city: 上海市, address: 解放路1号}}
"""
DROP = """\
id: drop
connector: csv_drop
poll: {orders_s: 1}
settings: {folder: in, out_folder: out, profile: generic, settle_s: 0}
"""
ACCOUNT = """\
id: sf
connector: sf
settings:
  gateway: "{url}/std/service"
  partner_id: SANDBOX
  checkword: sandbox-checkword
  monthly_card: "7551234567"
"""


@pytest.fixture
def platform() -> SfSandbox:
    return SfSandbox(faults=FaultPlan(11, 0.15, kinds=LOSES))


@pytest.fixture
def shop(tmp_path: Path, platform: SfSandbox) -> Iterator[Shop]:
    """A shop of files with a desk and an account with SF."""
    shop = Shop(tmp_path / "shop")
    (shop.folder / "in").mkdir()
    with closing(serve({"sf": platform})) as server:
        shop.write("erpsync.yaml", MAIN)
        shop.write("channels/drop.yaml", DROP)
        shop.write("channels/sf.yaml", ACCOUNT.format(url=server.url("sf")))
        yield shop


def pack(built: Built) -> None:
    """Pick what is released, and scan what has its number."""
    make_wave(built.ctx, warehouse="SH", most=50, actor="li")
    with built.store.read() as connection:
        numbers = connection.execute(select(waybill.c.number).where(waybill.c.state == "booked")).scalars().all()
    for number in numbers:
        try:
            leave(built.ctx, number, actor="li")
        except Refused:  # its wave is made next time
            continue


def all_told(built: Built, wanted: int) -> bool:
    """Pack, and say whether every order's parcel has left and is told."""
    pack(built)
    with built.store.read() as connection:
        sent = connection.execute(select(shipment.c.id).where(shipment.c.state == "sent")).all()
    return len(sent) == wanted


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_again_and_again_it_pays_no_label_twice_and_tells_each_parcel_once(
    shop: Shop, platform: SfSandbox
) -> None:
    """Rows 15 and 26: killed while bookings are under way whose answers may be lost, with people packing beside it."""
    rng, pause, placed = random.Random(20261130), threading.Event(), 0
    drop = DropShop(shop.folder / "in", shop.folder / "out", SystemClock())
    config = load(shop.folder, registry=installed(), environ={}).require()
    with closing(open_built(config, registry=installed(), load=lambda: None)) as built:
        set_stock(built.ctx, warehouse="SH", sku="A", on_hand=500, actor="li")
        for _ in range(ROUNDS):
            with Daemon(shop) as daemon:
                daemon.wait("daemon.started")
                bought = drop.random_orders(rng, ["A"], 5)
                drop.place_orders(bought)
                placed += len(bought)
                daemon.wait("waybill.booked")
                pack(built)
                pause.wait(rng.uniform(0, 0.5))
                daemon.signal(signal.SIGKILL)
                assert daemon.ended() == -signal.SIGKILL
        with Daemon(shop) as daemon:
            daemon.wait("daemon.started")
            platform.faults.clear()
            assert eventually(lambda: all_told(built, placed), every_s=1), daemon.records[-20:]

        with built.store.read() as connection:
            stored = connection.execute(select(orders.c.external_id)).scalars().all()
            members = connection.execute(select(release_order.c.order_id).join(release)).scalars().all()
            used = connection.execute(select(waybill.c.number, waybill.c.state)).all()
    paid = sorted(number for order in platform.orders.values() for number in order.numbers)
    assert (len(stored), len(set(stored))) == (placed, placed)
    assert (len(members), len(set(members))) == (placed, placed)
    assert (sorted(row.number for row in used), {row.state for row in used}) == (paid, {"used"})
    told = drop.parcels()
    assert (len(told), {order for order, _ in told}) == (placed, set(stored))
