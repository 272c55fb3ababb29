"""The conformance suite as a pytest class.

Why one parametrised test: each check shows as a test with its own name, and a check added to the SDK runs for every
connector without a change in its tests.
"""

import pytest

from erpsync.sdk.testing import effects, records, scans, streams
from erpsync.sdk.testing.checks import CHECKS, Check, NotPlayed
from erpsync.sdk.testing.harness import Harness

__all__ = ["ConnectorSuite", "effects", "records", "scans", "streams"]


class ConnectorSuite:
    """Inherit, name the class `Test...`, and return a fresh harness from `harness`."""

    def harness(self) -> Harness:
        """Return a fresh platform with its clock; called many times."""
        raise NotImplementedError(f"{type(self).__name__} must override harness")

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_conforms(self, check: Check) -> None:
        """Run one check; skipped where the connector does not play the role."""
        try:
            check.run(self.harness)
        except NotPlayed as reason:
            pytest.skip(str(reason))
