"""The drop folder under the conformance suite: orders and replies, and parcels that are reported."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from connectors.csv_drop.connector import CsvDropConnector
from connectors.csv_drop.sandbox import DropLine, DropOrder, DropShop
from connectors.csv_drop.settings import CsvDropSettings
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import Shipment, ShipmentLine, StockLevel


class DropHarness(Harness):
    """A shop on two folders; every change of an order is a file of its own, so a page is a file."""

    personal_data = ("王小明", "13800138000", "世纪大道1号")
    page_size = 2
    reads = "orders"

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.home, self.folder, self.out = home, home / "in", home / "out"
        self.folder.mkdir(parents=True)
        self.shop = DropShop(self.folder, self.out, self.clock)
        self._orders: dict[str, DropOrder] = {}
        self._numbers = count(1)
        self._stock: tuple[int, dict[str, int]] = (0, {})

    def connector(self) -> CsvDropConnector:
        settings = CsvDropSettings(folder=self.folder, out_folder=self.out, reads=self.reads, settle_s=0)
        return CsvDropConnector(settings, self.http(), self.clock)

    def state(self) -> object:
        files = [path for path in self.home.rglob("*") if path.is_file()]
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    def add_order(self, changed_at: datetime, *, total_minor: int) -> str:
        order = DropOrder(
            external_id=f"D{next(self._numbers):06}",
            lines=[DropLine(channel_sku="A", price_minor=total_minor)],
            placed_at=changed_at,
            paid_at=changed_at,
            updated_at=changed_at,
        )
        return self._drop(order)

    def touch_order(self, external_id: str, changed_at: datetime) -> None:
        known = self._orders[external_id]
        newest = max(changed_at, known.updated_at or changed_at)
        self._drop(DropOrder(external_id=external_id, lines=known.lines, placed_at=known.placed_at, updated_at=newest))

    def orders(self) -> Mapping[str, datetime]:
        return {key: order.updated_at for key, order in self._orders.items() if order.updated_at}

    def new_shipment(self) -> Shipment:
        order = self.add_order(self.clock.now(), total_minor=990)
        line = ShipmentLine(external_id="1", qty=1, ordered_qty=1)
        return Shipment(number=f"P{order}", order_external_id=order, carrier="SF", tracking=f"SF{order}", lines=(line,))

    def shipments(self) -> Sequence[str]:
        return [row["tracking"] for row in self.shop.shipments()]

    def shipment_attempts(self) -> Sequence[str]:
        return self.shipments()

    def add_listing(self) -> StockLevel:
        number = next(self._numbers)
        return StockLevel(key=str(number), channel_sku=f"SKU-{number}", item_ref="", qty=3)

    def shown(self, level: StockLevel) -> int | None:
        files = len(list(self.out.glob("stock-*.csv")))
        if files != self._stock[0]:
            self._stock = files, self.shop.stock()
        return self._stock[1].get(level.channel_sku)

    def add_report(self) -> str:
        number = next(self._numbers)
        self.shop.report_shipments([(f"S{number}", "SF", f"SF{number:012}", "", "")])
        return f"SF{number:012}"

    def _drop(self, order: DropOrder) -> str:
        self._orders[order.external_id] = order
        self.shop.place_orders([order])
        return order.external_id


class ReportHarness(DropHarness):
    """The same folders, into which a warehouse drops the parcels that left."""

    reads = "shipments"


class InFolders(ConnectorSuite):
    """Each harness of a check gets a home of its own; there is no `tmp_path` yet while pytest collects."""

    @pytest.fixture(autouse=True)
    def _homes_below(self, tmp_path: Path) -> None:
        self._homes = (tmp_path / str(number) for number in count())

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        with TemporaryDirectory() as home:
            self._homes = (Path(home) / str(number) for number in count())
            super().pytest_generate_tests(metafunc)

    def home(self) -> Path:
        return next(self._homes)


class TestOrderDrop(InFolders):
    """Orders come in, stock and shipments go out."""

    def harness(self) -> DropHarness:
        return DropHarness(self.home())


class TestShipmentDrop(InFolders):
    """Parcels that left come in, stock and shipments go out."""

    def harness(self) -> ReportHarness:
        return ReportHarness(self.home())
