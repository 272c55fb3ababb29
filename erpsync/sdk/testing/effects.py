"""Checks of what is told to a platform: shipments and stock.

Why the platform's own books are compared with what the connector said: an effect is only right when the error, or its
absence, tells the truth about it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    PayloadError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.roles import Connector, ShipmentSink, StockSink
from erpsync.sdk.sandbox import TRANSPORT_FAULTS, Fault
from erpsync.sdk.testing.checks import Need, NewHarness, attempt, check, plays, requests_of, speaks_http
from erpsync.sdk.testing.findings import Finding, fail, judge_error
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.types import Repeat, Shipment, StockLevel

DENIALS = (TransientError, RateLimitedError, RejectedError, AuthError, PayloadError)
"""Errors that say that nothing happened."""

FINAL_DENIALS = (RejectedError, AuthError, PayloadError)
"""Of those, the ones after which nobody tries again."""


def _declares(repeat: Repeat) -> Need:
    return lambda _, connector: getattr(connector, "repeat", None) is repeat


def _refuses_a_shipment(sample: Harness, _: Connector) -> bool:
    return sample.refused_shipment() is not None


def _refuses_a_listing(sample: Harness, _: Connector) -> bool:
    return sample.bad_listing() is not None


@dataclass(slots=True, kw_only=True)
class Push:
    """A shipment sent under one fault, and how it ended."""

    harness: Harness
    sink: Any
    shipment: Shipment
    where: str
    error: ConnectorError | None = None

    def send(self) -> None:
        """Send the shipment and keep the error."""
        self.error = attempt(self.harness, self.where, lambda: self.sink.push_shipment(self.shipment))

    @property
    def done(self) -> int:
        """How many times the platform has accepted it."""
        return list(self.harness.shipments()).count(self.shipment.tracking)

    @property
    def attempts(self) -> int:
        """How many times the platform was asked to ship it."""
        return list(self.harness.shipment_attempts()).count(self.shipment.tracking)


def push_under(new: NewHarness, kind: Fault | None, index: int) -> Push:
    """Send a fresh shipment while request number `index` suffers `kind`."""
    harness = new()
    sink: Any = harness.connector()
    shipment = harness.new_shipment()
    push = Push(harness=harness, sink=sink, shipment=shipment, where=f"push_shipment, request {index + 1}, {kind}")
    if kind is not None:
        harness.faults.force(kind, after=index)
    push.send()
    harness.faults.clear()
    return push


def pushes_under_faults(new: NewHarness) -> Iterator[Push]:
    """Yield one push per request of a normal push and kind of fault."""
    harness = new()
    sink: Any = harness.connector()
    shipment = harness.new_shipment()
    count = requests_of(harness, lambda: sink.push_shipment(shipment))
    for index in range(count):
        for kind in TRANSPORT_FAULTS:
            yield push_under(new, kind, index)


@check(plays(ShipmentSink))
def shipment_is_on_the_platform_once_the_call_returns(new: NewHarness) -> None:
    """A push without faults."""
    push = push_under(new, None, 0)
    if push.error is not None:
        fail(Finding.WRONG_ERROR_CLASS, f"{push.where}: a shipment without fault ended with {push.error!r}")
    if push.done != 1:
        fail(Finding.EFFECT_CLAIMED, f"{push.where}: the platform has it {push.done} times")


@check(plays(ShipmentSink), speaks_http)
def shipment_error_tells_the_truth(new: NewHarness) -> None:
    """Failures row 16: after each fault, what was said about the effect is compared with the platform's books."""
    for push in pushes_under_faults(new):
        safe = push.sink.repeat is Repeat.SAFE
        if push.error is None and push.done == 0:
            fail(Finding.EFFECT_CLAIMED, push.where)
        if push.done and isinstance(push.error, FINAL_DENIALS if safe else DENIALS):
            fail(Finding.EFFECT_DENIED, f"{push.where}: {push.error!r}")


@check(plays(ShipmentSink), speaks_http)
def shipment_is_repeated_only_as_declared(new: NewHarness) -> None:
    """Failures row 26: NEVER and LOOK_FIRST are sent once; SAFE may be sent again and happens once."""
    for push in pushes_under_faults(new):
        safe = push.sink.repeat is Repeat.SAFE
        if not safe and push.attempts > 1:
            fail(Finding.REPEATED_NEVER_CALL, f"{push.where}: sent {push.attempts} times")
        if safe and push.error is not None:
            push.send()
            if push.error is not None:
                fail(Finding.WRONG_ERROR_CLASS, f"{push.where}, sent again without fault: {push.error!r}")
        if push.done > 1:
            fail(Finding.DOUBLED_EFFECT, f"{push.where}: the platform has it {push.done} times")


@check(plays(ShipmentSink), _declares(Repeat.SAFE))
def shipment_declared_safe_may_be_sent_twice(new: NewHarness) -> None:
    """The daemon died between the answer and its note of it."""
    push = push_under(new, None, 0)
    push.send()
    if push.error is not None:
        fail(Finding.WRONG_ERROR_CLASS, f"the same shipment a second time: {push.error!r}")
    if push.done != 1:
        fail(Finding.DOUBLED_EFFECT, f"sent twice, the platform has it {push.done} times")


@check(plays(ShipmentSink), _declares(Repeat.LOOK_FIRST))
def shipment_can_be_looked_for(new: NewHarness) -> None:
    """LOOK_FIRST: `find_shipment` says no before, and the truth after each fault."""
    harness = new()
    sink: Any = harness.connector()
    _look(harness, sink, harness.new_shipment(), expected=False)
    if harness.sandbox is None:
        return
    for push in pushes_under_faults(new):
        _look(push.harness, push.sink, push.shipment, expected=push.done > 0)


def _look(harness: Harness, sink: Any, shipment: Shipment, *, expected: bool) -> None:
    try:
        found = sink.find_shipment(shipment)
    except TypeError as error:
        fail(Finding.CANNOT_LOOK, str(error))
    except Exception as error:  # noqa: BLE001 - whatever leaves the connector is what is judged here
        judge_error(error, harness.personal_data, "find_shipment")
        fail(Finding.CANNOT_LOOK, f"find_shipment without fault: {error!r}")
    if found is not expected:
        fail(Finding.CANNOT_LOOK, f"find_shipment says {found!r}, the platform {expected}")


@check(plays(ShipmentSink), _refuses_a_shipment)
def shipment_the_platform_refuses_is_an_operator_s_matter(new: NewHarness) -> None:
    """Failures row 16: a refusal for good is tried once and told as RejectedError."""
    harness = new()
    shipment: Any = harness.refused_shipment()
    sink: Any = harness.connector()
    error = attempt(harness, "push_shipment of a refused parcel", lambda: sink.push_shipment(shipment))
    if error is None:
        fail(Finding.SWALLOWED_ERROR, "push_shipment of a refused parcel returned")
    if not isinstance(error, RejectedError):
        fail(Finding.WRONG_ERROR_CLASS, f"push_shipment of a refused parcel: {error!r} is not RejectedError")


def levels_for(harness: Harness, count: int = 3) -> list[StockLevel]:
    """Return levels of fresh listings with quantities that differ, zero among them."""
    return [replace(harness.add_listing(), qty=qty) for qty in range(count)]


def check_shown(harness: Harness, levels: list[StockLevel], finding: Finding, where: str) -> None:
    """Fail when the platform shows another number than the one set."""
    for level in levels:
        shown = harness.shown(level)
        if shown != level.qty:
            fail(finding, f"{where}: {level.channel_sku} should show {level.qty}, shows {shown}")


def push_levels(harness: Harness, sink: Any, levels: list[StockLevel], where: str) -> list[StockLevel]:
    """Push and return the levels that the connector says were accepted."""
    answer: dict[str, Exception] = {}
    error = attempt(harness, where, lambda: answer.update(sink.push_stock(levels)))
    if error is not None:
        return []
    strange = answer.keys() - {level.key for level in levels}
    if strange:
        fail(Finding.UNKNOWN_KEY, f"{where}: {min(strange)!r}")
    for refusal in answer.values():
        judge_error(refusal, harness.personal_data, where)
    return [level for level in levels if level.key not in answer]


@check(plays(StockSink))
def stock_levels_are_absolute(new: NewHarness) -> None:
    """Set, set again, set lower: the platform shows the last number each time."""
    harness = new()
    sink: Any = harness.connector()
    levels = levels_for(harness)
    for again in (levels, levels, [replace(level, qty=7 - level.qty) for level in levels]):
        accepted = push_levels(harness, sink, again, "push_stock")
        if len(accepted) != len(again):
            fail(Finding.BLOCKED_BY_ONE, "push_stock without fault did not accept every level")
        check_shown(harness, again, Finding.STOCK_NOT_SET, "push_stock")


@check(plays(StockSink))
def stock_takes_a_whole_batch(new: NewHarness) -> None:
    """As many levels in one call as the connector says it takes."""
    harness = new()
    sink: Any = harness.connector()
    levels = levels_for(harness, sink.stock_batch)
    push_levels(harness, sink, levels, "push_stock of a whole batch")
    check_shown(harness, levels, Finding.STOCK_NOT_SET, "push_stock of a whole batch")


@check(plays(StockSink), _refuses_a_listing)
def refused_listing_blocks_no_other(new: NewHarness) -> None:
    """Failures row 14: the bad one first, in the middle, last; the others are set."""
    for position in range(4):
        harness = new()
        bad: Any = harness.bad_listing()
        sink: Any = harness.connector()
        good = levels_for(harness)
        levels = [*good[:position], bad, *good[position:]]
        accepted = push_levels(harness, sink, levels, f"push_stock, refused listing at {position}")
        check_shown(harness, good, Finding.BLOCKED_BY_ONE, f"refused listing at {position}")
        if bad in accepted:
            fail(Finding.SWALLOWED_ERROR, f"refused listing at {position} was reported as accepted")
        if not all(level in accepted for level in good):
            fail(Finding.BLOCKED_BY_ONE, f"refused listing at {position}: good ones are reported as refused")


@check(plays(StockSink), speaks_http)
def stock_reported_as_accepted_is_set(new: NewHarness) -> None:
    """Failures rows 13 and 16: each request of a push suffers each kind of fault; then it is pushed again."""
    harness = new()
    first: Any = harness.connector()
    levels = levels_for(harness)
    count = requests_of(harness, lambda: first.push_stock(levels))
    for index in range(count):
        for kind in TRANSPORT_FAULTS:
            _push_stock_under(new(), kind, index)


def _push_stock_under(harness: Harness, kind: Fault, index: int) -> None:
    sink: Any = harness.connector()
    levels = [replace(level, qty=level.qty + 3) for level in levels_for(harness)]
    where = f"push_stock, request {index + 1}, {kind}"
    harness.faults.force(kind, after=index, times=12)
    accepted = push_levels(harness, sink, levels, where)
    harness.faults.clear()
    check_shown(harness, accepted, Finding.STOCK_NOT_SET, where)
    push_levels(harness, sink, levels, f"{where}, pushed again")
    check_shown(harness, levels, Finding.STOCK_NOT_SET, f"{where}, pushed again")


@check(plays(StockSink), speaks_http)
def stock_throttled_or_locked_out_is_told_so(new: NewHarness) -> None:
    """Failures rows 10 and 13: the class decides whether the daemon waits or an operator is called."""
    for kind, wanted in ((Fault.THROTTLE, RateLimitedError), (Fault.EXPIRED_TOKEN, AuthError)):
        harness = new()
        sink: Any = harness.connector()
        levels = levels_for(harness)
        told: dict[str, Exception] = {}
        harness.faults.force(kind, times=100)
        error = attempt(harness, f"push_stock, {kind}", lambda: told.update(sink.push_stock(levels)))  # noqa: B023
        causes = [error] if error is not None else list(told.values())
        if not causes:
            fail(Finding.SWALLOWED_ERROR, f"push_stock, {kind}: returned as if accepted")
        if not all(isinstance(cause, wanted) for cause in causes):
            fail(Finding.WRONG_ERROR_CLASS, f"push_stock, {kind}: {causes[0]!r} is not {wanted.__name__}")
