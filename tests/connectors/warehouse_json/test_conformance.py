"""The warehouse system under the conformance suite, as far as its roles are in it."""

from connectors.warehouse_json.connector import WarehouseJsonConnector
from connectors.warehouse_json.sandbox import SECRET, JsonWarehouse
from connectors.warehouse_json.settings import WarehouseJsonSettings
from erpsync.sdk.testing import ConnectorSuite, Harness


class SystemHarness(Harness):
    """A warehouse system."""

    def __init__(self) -> None:
        super().__init__()
        self.warehouse = JsonWarehouse(clock=self.clock)
        self.sandbox = self.warehouse

    def connector(self) -> WarehouseJsonConnector:
        settings = WarehouseJsonSettings.model_validate({"url": "http://warehouse.invalid/erpsync", "secret": SECRET})
        return WarehouseJsonConnector(settings, self.http(), self.clock)

    def state(self) -> object:
        return (sorted(self.warehouse.releases), sorted(self.warehouse.stopped), len(self.warehouse.feed))


class TestWarehouseSystem(ConnectorSuite):
    """Releases are calls, reports are a feed."""

    def harness(self) -> SystemHarness:
        return SystemHarness()
