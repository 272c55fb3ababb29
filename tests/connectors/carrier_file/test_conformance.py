"""A courier of files under the conformance suite."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from connectors.carrier_file.connector import CarrierFileConnector
from connectors.carrier_file.sandbox import FileCourier
from connectors.carrier_file.settings import CarrierFileSettings
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import BookingRequest
from tests.connectors.bookings import PERSON, booking


class FileHarness(Harness):
    """Two folders."""

    page_size = 2
    personal_data = PERSON
    courier_faults = ()

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.courier = FileCourier(folder / "in", folder / "out", self.clock)
        self._numbers = count(1)

    def connector(self) -> CarrierFileConnector:
        settings = CarrierFileSettings.model_validate({**self.courier.settings(), "settle_s": 0})
        return CarrierFileConnector(settings, self.http(), self.clock)

    def state(self) -> object:
        return sorted(str(path) for path in self.folder.rglob("*"))

    def new_booking(self, *, parcels: int = 1) -> BookingRequest:
        return booking(f"R{next(self._numbers)}/1/1", carrier="YTO", parcels=parcels)

    def bookings(self) -> Sequence[tuple[str, str]]:
        self.courier.take_in()
        return [(key, self.courier.told.get(key, "")) for key, _ in self.courier.taken]

    def booking_attempts(self) -> Sequence[str]:
        return [key for key, _ in self.bookings()]

    def use_booking(self, key: str) -> None:
        """Nobody tells when it is."""

    def give_numbers(self) -> None:
        self.courier.give_numbers()

    def add_spare(self) -> str:
        return self.courier.sell(1)[0]


class TestCarrierFile(ConnectorSuite):
    """Bookings go out as files, numbers come in."""

    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path) -> None:
        self.folders = (tmp_path / str(number) for number in count(1))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        with TemporaryDirectory() as home:  # there is no `tmp_path` yet while pytest collects
            self.folders = (Path(home) / str(number) for number in count(1))
            super().pytest_generate_tests(metafunc)

    def harness(self) -> FileHarness:
        return FileHarness(next(self.folders))
