"""A connector that keeps every promise passes the whole suite."""

from erpsync.sdk.testing import ConnectorSuite
from tests.contract.reference import ShopHarness


class TestReference(ConnectorSuite):
    def harness(self) -> ShopHarness:
        return ShopHarness()
