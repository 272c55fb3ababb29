"""The warehouse of files under the conformance suite, as far as its roles are in it."""

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from connectors.warehouse_file.connector import WarehouseFileConnector
from connectors.warehouse_file.settings import WarehouseFileSettings
from erpsync.sdk.testing import ConnectorSuite, Harness


class FileHarness(Harness):
    """Two folders."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        (folder / "in").mkdir(parents=True)

    def connector(self) -> WarehouseFileConnector:
        settings = WarehouseFileSettings(folder=self.folder / "in", out_folder=self.folder / "out")
        return WarehouseFileConnector(settings, self.http(), self.clock)

    def state(self) -> object:
        return sorted(str(path) for path in self.folder.rglob("*"))


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
