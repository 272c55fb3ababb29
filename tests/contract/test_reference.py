"""A connector that keeps every promise passes the whole suite."""

from erpsync.sdk.testing import ConnectorSuite, audit
from erpsync.sdk.types import Repeat
from tests.contract.reference import ShopConnector, ShopHarness


class TestReference(ConnectorSuite):
    def harness(self) -> ShopHarness:
        return ShopHarness()


class SafeShop(ShopConnector):
    """The shop takes one tracking number once, so sending it again is safe too."""

    repeat = Repeat.SAFE


def test_a_shipment_that_is_safe_to_repeat_passes_too() -> None:
    names = ["shipment_declared_safe_may_be_sent_twice", "shipment_is_repeated_only_as_declared"]

    assert audit(lambda: ShopHarness(SafeShop), only=names) == {}
