"""Checks of what may be told again: another number for a parcel that the platform has."""

from dataclasses import replace
from typing import Any

from erpsync.sdk.errors import ConnectorError
from erpsync.sdk.roles import ShipmentCorrector, ShipmentSink
from erpsync.sdk.testing.checks import NewHarness, attempt, check, plays
from erpsync.sdk.testing.findings import Finding, fail
from erpsync.sdk.types import Repeat


@check(plays(ShipmentSink), plays(ShipmentCorrector))
def corrected_number_takes_the_place_of_the_first(new: NewHarness) -> None:
    """A parcel is told, corrected, and corrected once more in the same way, as after a lost answer."""
    harness = new()
    sink: Any = harness.connector()
    first, other = harness.new_shipment(), harness.new_shipment()
    right = replace(first, carrier=other.carrier, tracking=other.tracking)
    sink.push_shipment(first)
    for where in ("correct_shipment", "correct_shipment a second time"):
        error: ConnectorError | None = attempt(harness, where, lambda: sink.correct_shipment(right))
        if error is not None:
            fail(Finding.WRONG_ERROR_CLASS, f"{where}: {error!r}")
        numbers = list(harness.shipments())
        if right.tracking not in numbers or first.tracking in numbers:
            fail(Finding.EFFECT_CLAIMED, f"{where}: the platform still has {first.tracking}")
        if numbers.count(right.tracking) > 1:
            fail(Finding.DOUBLED_EFFECT, f"{where}: the platform has the parcel {numbers.count(right.tracking)} times")
    if sink.correction_repeat is Repeat.LOOK_FIRST and not sink.find_shipment(right):
        fail(Finding.CANNOT_LOOK, "find_shipment does not find the corrected number")
