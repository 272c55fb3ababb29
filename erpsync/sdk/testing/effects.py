"""Checks of what is told once: shipments to a shop, releases to a warehouse, bookings to a courier.

Why the platform's own books are compared with what the connector said: an effect is only right when the error, or its
absence, tells the truth about it.
"""

from collections.abc import Callable, Iterator, Sequence
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
from erpsync.sdk.roles import Connector, CourierSink, ShipmentSink, WarehouseSink
from erpsync.sdk.sandbox import TRANSPORT_FAULTS, Fault
from erpsync.sdk.testing.checks import (
    Need,
    NewHarness,
    attempt,
    check,
    check_each,
    plays,
    requests_of,
    speaks_http,
)
from erpsync.sdk.testing.findings import Finding, fail, judge_error
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.types import Repeat

DENIALS = (TransientError, RateLimitedError, RejectedError, AuthError, PayloadError)
"""Errors that say that nothing happened."""

FINAL_DENIALS = (RejectedError, AuthError, PayloadError)
"""Of those, the ones after which nobody tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One kind of thing that is told once, and the harness methods that look into the platform's books.

    `done` and `asked` name what was accepted, and what was asked for, by `key`; twice stands there twice.
    """

    name: str
    role: type
    fresh: Callable[[Harness], Any]
    key: Callable[[Any], str]
    send: Callable[[Any, Any], None]
    look: Callable[[Any, Any], bool]
    done: Callable[[Harness], Sequence[str]]
    asked: Callable[[Harness], Sequence[str]]


SHIPMENT = Effect(
    name="shipment",
    role=ShipmentSink,
    fresh=lambda harness: harness.new_shipment(),
    key=lambda item: str(item.tracking),
    send=lambda sink, item: sink.push_shipment(item),
    look=lambda sink, item: sink.find_shipment(item),
    done=lambda harness: harness.shipments(),
    asked=lambda harness: harness.shipment_attempts(),
)
RELEASE = Effect(
    name="release",
    role=WarehouseSink,
    fresh=lambda harness: harness.new_release(),
    key=lambda item: str(item.number),
    send=lambda sink, item: sink.release(item),
    look=lambda sink, item: sink.find_release(item.number),
    done=lambda harness: harness.releases(),
    asked=lambda harness: harness.release_attempts(),
)
BOOKING = Effect(
    name="booking",
    role=CourierSink,
    fresh=lambda harness: harness.new_booking(),
    key=lambda item: str(item.key),
    send=lambda sink, item: sink.book(item),
    look=lambda sink, item: sink.find_booking(item) is not None,
    done=lambda harness: [key for key, _ in harness.bookings()],
    asked=lambda harness: harness.booking_attempts(),
)

Run = Callable[[NewHarness, Effect], None]


def per_effect(*needs: Need) -> Callable[[Run], Run]:
    """Register one check per kind of effect, named EFFECT_NAME."""
    return check_each((SHIPMENT, RELEASE, BOOKING), lambda effect: plays(effect.role), *needs)


def declares(repeat: Repeat) -> Need:
    """Ask whether the connector says this of an effect whose outcome is unknown."""
    return lambda _, connector: getattr(connector, "repeat", None) is repeat


def _refuses_a_shipment(sample: Harness, _: Connector) -> bool:
    return sample.refused_shipment() is not None


def _takes_waybills(sample: Harness, _: Connector) -> bool:
    return sample.waybills_taken("") is not None


@dataclass(slots=True, kw_only=True)
class Push:
    """An effect sent under one fault, and how it ended."""

    effect: Effect
    harness: Harness
    sink: Any
    item: Any
    where: str
    error: ConnectorError | None = None

    def send(self) -> None:
        """Send it and keep the error."""
        self.error = attempt(self.harness, self.where, lambda: self.effect.send(self.sink, self.item))

    @property
    def done(self) -> int:
        """How many times the platform has accepted it."""
        return list(self.effect.done(self.harness)).count(self.effect.key(self.item))

    @property
    def attempts(self) -> int:
        """How many times the platform was asked for it."""
        return list(self.effect.asked(self.harness)).count(self.effect.key(self.item))


def push_under(new: NewHarness, effect: Effect, kind: Fault | None, index: int) -> Push:
    """Send a fresh one while request number `index` suffers `kind`."""
    harness = new()
    sink, item = harness.connector(), effect.fresh(harness)
    where = f"{effect.name}, request {index + 1}, {kind}"
    push = Push(effect=effect, harness=harness, sink=sink, item=item, where=where)
    if kind is not None:
        harness.faults.force(kind, after=index)
    push.send()
    harness.faults.clear()
    return push


def pushes_under_faults(new: NewHarness, effect: Effect) -> Iterator[Push]:
    """Yield one push per request of a normal push and kind of fault."""
    harness = new()
    sink, item = harness.connector(), effect.fresh(harness)
    count = requests_of(harness, lambda: effect.send(sink, item))
    for index in range(count):
        for kind in TRANSPORT_FAULTS:
            yield push_under(new, effect, kind, index)


@per_effect()
def is_on_the_platform_once_the_call_returns(new: NewHarness, effect: Effect) -> None:
    """A push without faults."""
    push = push_under(new, effect, None, 0)
    if push.error is not None:
        fail(Finding.WRONG_ERROR_CLASS, f"{push.where}: a {effect.name} without fault ended with {push.error!r}")
    if push.done != 1:
        fail(Finding.EFFECT_CLAIMED, f"{push.where}: the platform has it {push.done} times")


@per_effect(speaks_http)
def error_tells_the_truth(new: NewHarness, effect: Effect) -> None:
    """Failures row 16: after each fault, what was said about the effect is compared with the platform's books."""
    for push in pushes_under_faults(new, effect):
        safe = push.sink.repeat is Repeat.SAFE
        if push.error is None and push.done == 0:
            fail(Finding.EFFECT_CLAIMED, push.where)
        if push.done and isinstance(push.error, FINAL_DENIALS if safe else DENIALS):
            fail(Finding.EFFECT_DENIED, f"{push.where}: {push.error!r}")


@per_effect(speaks_http)
def is_repeated_only_as_declared(new: NewHarness, effect: Effect) -> None:
    """Failures row 26: NEVER and LOOK_FIRST are sent once; SAFE may be sent again and happens once."""
    for push in pushes_under_faults(new, effect):
        safe = push.sink.repeat is Repeat.SAFE
        if not safe and push.attempts > 1:
            fail(Finding.REPEATED_NEVER_CALL, f"{push.where}: sent {push.attempts} times")
        if safe and push.error is not None:
            push.send()
            if push.error is not None:
                fail(Finding.WRONG_ERROR_CLASS, f"{push.where}, sent again without fault: {push.error!r}")
        if push.done > 1:
            fail(Finding.DOUBLED_EFFECT, f"{push.where}: the platform has it {push.done} times")


@per_effect(declares(Repeat.SAFE))
def declared_safe_may_be_sent_twice(new: NewHarness, effect: Effect) -> None:
    """The daemon died between the answer and its note of it."""
    push = push_under(new, effect, None, 0)
    push.send()
    if push.error is not None:
        fail(Finding.WRONG_ERROR_CLASS, f"the same {effect.name} a second time: {push.error!r}")
    if push.done != 1:
        fail(Finding.DOUBLED_EFFECT, f"sent twice, the platform has it {push.done} times")


@per_effect(declares(Repeat.LOOK_FIRST))
def can_be_looked_for(new: NewHarness, effect: Effect) -> None:
    """LOOK_FIRST: looking says no before, and the truth after each fault."""
    harness = new()
    unsent = Push(effect=effect, harness=harness, sink=harness.connector(), item=effect.fresh(harness), where="before")
    _look(unsent, expected=False)
    if harness.sandbox is None:
        return
    for push in pushes_under_faults(new, effect):
        _look(push, expected=push.done > 0)


def _look(push: Push, *, expected: bool) -> None:
    try:
        seen = push.effect.look(push.sink, push.item)
    except TypeError as error:
        fail(Finding.CANNOT_LOOK, str(error))
    except Exception as error:  # noqa: BLE001 - whatever leaves the connector is what is judged here
        judge_error(error, push.harness.personal_data, "looking")
        fail(Finding.CANNOT_LOOK, f"{push.where}: looking without fault: {error!r}")
    if seen is not expected:
        fail(Finding.CANNOT_LOOK, f"{push.where}: looking says {seen!r}, the platform {expected}")


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


@check(plays(WarehouseSink))
def wish_to_stop_may_come_twice_and_for_what_never_came(new: NewHarness) -> None:
    """A warehouse may not have got a release; asked to stop it, it says yes, no or later, and means it."""
    harness = new()
    sink: Any = harness.connector()
    sent, unsent = harness.new_release(), harness.new_release()
    sink.release(sent)
    for number in (sent.number, sent.number, unsent.number):
        _stop(harness, sink, number, "cancel without fault")


@check(plays(WarehouseSink), speaks_http)
def wish_to_stop_is_told_as_it_ended(new: NewHarness) -> None:
    """Failures row 6: what is said of a stop under each fault is what the warehouse does; then it is asked again."""
    for kind in TRANSPORT_FAULTS:
        harness = new()
        sink: Any = harness.connector()
        order = harness.new_release()
        sink.release(order)
        harness.faults.force(kind, times=12)
        attempt(harness, f"cancel, {kind}", lambda: _stop(harness, sink, order.number, f"cancel, {kind}"))  # noqa: B023
        harness.faults.clear()
        _stop(harness, sink, order.number, f"cancel, {kind}, asked again")


@check(plays(WarehouseSink), _takes_waybills)
def release_takes_its_waybills_along(new: NewHarness) -> None:
    """Parcels are to leave with the numbers that we booked: a warehouse that never hears of them uses others."""
    harness = new()
    sink: Any = harness.connector()
    bare, ours = harness.new_release(), replace(harness.new_release(), carrier="SF", waybills=("SF1", "SF2"))
    for order in (bare, ours):
        sink.release(order)
    harness.releases()
    for order in (bare, ours):
        taken = tuple(harness.waybills_taken(order.number) or ())
        if taken != order.waybills:
            fail(Finding.EFFECT_CLAIMED, f"release with waybills {order.waybills}: the warehouse has {taken}")


def _stop(harness: Harness, sink: Any, number: str, where: str) -> None:
    said = sink.cancel(number)
    if said not in (True, False, None):
        fail(Finding.EFFECT_CLAIMED, f"{where}: the answer is {said!r}")
    if said is True and number not in harness.stopped():
        fail(Finding.EFFECT_CLAIMED, f"{where}: told to be stopped, but the warehouse will send it")
