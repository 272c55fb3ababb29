"""The warehouse of files under the conformance suite."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from connectors.warehouse_file.connector import WarehouseFileConnector
from connectors.warehouse_file.sandbox import FileWarehouse
from connectors.warehouse_file.settings import WarehouseFileSettings
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import Release
from tests.connectors.warehouse_json.orders import PERSON, release


class FileHarness(Harness):
    """Two folders."""

    page_size = 2
    personal_data = PERSON

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.warehouse = FileWarehouse(folder / "in", folder / "out", self.clock)
        self._numbers = count(1)

    def connector(self) -> WarehouseFileConnector:
        settings = WarehouseFileSettings.model_validate({**self.warehouse.settings(), "settle_s": 0})
        return WarehouseFileConnector(settings, self.http(), self.clock)

    def state(self) -> object:
        return sorted(str(path) for path in self.folder.rglob("*"))

    def new_release(self) -> Release:
        return release(f"R20260302{next(self._numbers):06}")

    def releases(self) -> Sequence[str]:
        self.warehouse.take_in()
        return list(self.warehouse.released)

    def waybills_taken(self, number: str) -> Sequence[str]:
        [row, *_] = self.warehouse.released.get(number, [{}])
        return row.get("tracking", "").split()

    def stopped(self) -> Sequence[str]:
        self.warehouse.take_in()
        return sorted(self.warehouse.stopped)

    def add_count(self) -> str:
        sku = f"SKU-{next(self._numbers)}"
        self.warehouse.count_stock([(sku, 3)])
        return sku


class TestWarehouseFiles(ConnectorSuite):
    """Releases go out as files, reports come in."""

    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path) -> None:
        self.folders = (tmp_path / str(number) for number in count(1))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        with TemporaryDirectory() as home:  # there is no `tmp_path` yet while pytest collects
            self.folders = (Path(home) / str(number) for number in count(1))
            super().pytest_generate_tests(metafunc)

    def harness(self) -> FileHarness:
        return FileHarness(next(self.folders))
