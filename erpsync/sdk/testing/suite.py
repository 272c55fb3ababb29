"""The conformance suite as a pytest class.

Why one parametrised test: each check shows as a test with its own name, and a check added to the SDK runs for every
connector that it concerns without a change in its tests.
"""

import pytest

from erpsync.sdk.testing import (
    corrections,
    couriers,
    effects,
    levels,
    messages,
    records,
    reports,
    scans,
    streams,
    tracks,
)
from erpsync.sdk.testing.checks import Check, checks_for
from erpsync.sdk.testing.harness import Harness

__all__ = [
    "ConnectorSuite",
    "corrections",
    "couriers",
    "effects",
    "levels",
    "messages",
    "records",
    "reports",
    "scans",
    "streams",
    "tracks",
]


class ConnectorSuite:
    """Inherit, name the class `Test...`, and return a fresh harness from `harness`."""

    def harness(self) -> Harness:
        """Return a fresh platform with its clock; called many times, first while pytest collects: without fixtures."""
        raise NotImplementedError(f"{type(self).__name__} must override harness")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each check that concerns this connector, and none of the others."""
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", checks_for(self.harness), ids=lambda check: check.name)

    def test_conforms(self, check: Check) -> None:
        """Run one check."""
        check.run(self.harness)
