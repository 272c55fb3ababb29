"""The warehouse system under the conformance suite."""

from collections.abc import Sequence
from itertools import count

from connectors.warehouse_json.connector import WarehouseJsonConnector
from connectors.warehouse_json.sandbox import SECRET, JsonWarehouse
from connectors.warehouse_json.settings import WarehouseJsonSettings
from erpsync.sdk.testing import ConnectorSuite, Harness
from erpsync.sdk.types import Release
from tests.connectors.warehouse_json.orders import PERSON, release


class SystemHarness(Harness):
    """A warehouse system."""

    page_size = 2
    personal_data = PERSON

    def __init__(self) -> None:
        super().__init__()
        self.warehouse = JsonWarehouse(clock=self.clock)
        self.sandbox = self.warehouse
        self._numbers = count(1)

    def connector(self) -> WarehouseJsonConnector:
        values = {"url": "http://warehouse.invalid/erpsync", "secret": SECRET, "page_size": self.page_size}
        return WarehouseJsonConnector(WarehouseJsonSettings.model_validate(values), self.http(), self.clock)

    def state(self) -> object:
        return (sorted(self.warehouse.releases), sorted(self.warehouse.stopped), len(self.warehouse.feed))

    def new_release(self) -> Release:
        return release(f"R20260302{next(self._numbers):06}")

    def releases(self) -> Sequence[str]:
        return list(self.warehouse.releases)

    def release_attempts(self) -> Sequence[str]:
        return self.warehouse.release_attempts

    def waybills_taken(self, number: str) -> Sequence[str]:
        return list(self.warehouse.releases.get(number, {}).get("waybills", ()))

    def stopped(self) -> Sequence[str]:
        return sorted(self.warehouse.stopped)

    def add_count(self) -> str:
        sku = f"SKU-{next(self._numbers)}"
        self.warehouse.count_stock(sku, 3)
        return sku


class TestWarehouseSystem(ConnectorSuite):
    """Releases are calls, reports are a feed."""

    def harness(self) -> SystemHarness:
        return SystemHarness()
