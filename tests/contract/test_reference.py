"""A connector that keeps every promise passes the whole suite."""

from erpsync.sdk.roles import Connector
from erpsync.sdk.testing import ConnectorSuite, Harness, audit, checks_for
from erpsync.sdk.types import CheckReport, Repeat, Shipment
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


class Bare(Connector):
    """Plays no role."""

    def check(self) -> CheckReport:
        return CheckReport()


class BareHarness(Harness):
    def connector(self) -> Connector:
        return Bare(None, self.http(), self.clock)


def test_a_connector_is_asked_only_about_the_roles_it_plays() -> None:
    names = [check.name for check in checks_for(BareHarness)]

    assert names == ["making_a_connector_calls_nobody", "closing_twice_is_allowed", "check_changes_nothing"]


def test_a_situation_that_cannot_be_played_is_no_check() -> None:
    class NeverRefuses(ShopHarness):
        def refused_shipment(self) -> Shipment | None:  # type: ignore[override]
            return None

    all_names = {check.name for check in checks_for(ShopHarness)}
    names = {check.name for check in checks_for(NeverRefuses)}

    assert all_names - names == {"shipment_the_platform_refuses_is_an_operator_s_matter"}


def test_a_harness_that_breaks_while_checks_are_chosen_is_found_out_by_the_check() -> None:
    class Stumbles(ShopHarness):
        def refused_shipment(self) -> Shipment:
            raise RuntimeError("stumbled")

    name = "shipment_the_platform_refuses_is_an_operator_s_matter"

    assert "stumbled" in str(audit(Stumbles, only=[name])[name])
