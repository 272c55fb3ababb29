"""Checks of couriers: one key is one waybill, whatever is lost on the way, and only the courier says what is void.

Why the books of the courier are looked into after each step: a second number costs money, an unproven cancel costs a
parcel that leaves all the same, and neither shows in what the connector returns. What bookings share with all that is
told once is checked in `effects`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    PayloadError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.labels import demand_label
from erpsync.sdk.roles import Connector, CourierSink, WaybillSource
from erpsync.sdk.sandbox import TRANSPORT_FAULTS, Fault
from erpsync.sdk.testing.checks import Need, NewHarness, attempt, check, plays, requests_of, speaks_http
from erpsync.sdk.testing.effects import declares
from erpsync.sdk.testing.findings import Finding, fail
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.testing.inspect import inspect
from erpsync.sdk.types import Booking, BookingRequest, Cursor, LabelKind, Region, Repeat, Waybill

SEVERAL = 3
NOBODY = "conformance-nobody"


def _is_idempotent(_: Harness, connector: Connector) -> bool:
    return getattr(connector, "idempotent", False) is True


def _refuses(sample: Harness, _: Connector) -> bool:
    return sample.refused_booking() is not None


def _has_limits(sample: Harness, _: Connector) -> bool:
    return sample.unserved_booking() is not None


def _plays(fault: Fault) -> Need:
    return lambda sample, _: fault in sample.courier_faults


def _numbers(harness: Harness, key: str) -> list[str]:
    return [number for known, number in harness.bookings() if known == key]


def book(harness: Harness, sink: Any, request: BookingRequest, where: str) -> Waybill:
    """Book without faults, look at the waybill and return it."""
    made: list[Waybill | None] = []
    error = attempt(harness, where, lambda: made.append(sink.book(request)))
    if error is not None:
        fail(Finding.WRONG_ERROR_CLASS, f"{where}: a booking without fault ended with {error!r}")
    waybill = made[0] or _followed(harness, sink, request, where)
    _judge_waybill(harness, sink, request, waybill, where)
    return waybill


def _followed(harness: Harness, sink: Any, request: BookingRequest, where: str) -> Waybill:
    """Return the waybill of what was handed over, once the courier has told its number."""
    if not isinstance(sink, WaybillSource):
        fail(Finding.EMPTY_NUMBER, f"{where}: handed over, and there is no way for a number to follow")
    harness.give_numbers()
    told = [each.waybill for page in sink.pull_waybills(Cursor()) for each in page.booked]
    mine = [waybill for waybill in told if waybill.key == request.key]
    if not mine:
        fail(Finding.EMPTY_NUMBER, f"{where}: handed over, and no number of it has followed")
    return mine[-1]


def _judge_waybill(harness: Harness, sink: Any, request: BookingRequest, waybill: Waybill, where: str) -> None:
    inspect(waybill)
    if not waybill.number:
        fail(Finding.EMPTY_NUMBER, where)
    if waybill.key != request.key or [waybill.number] != _numbers(harness, request.key):
        fail(Finding.WRONG_NUMBER, f"{where}: {waybill.number} of {waybill.key}, the courier has another")
    numbers = {waybill.number, *waybill.children}
    if len(waybill.children) != len(request.parcels) - 1 or len(numbers) != len(request.parcels):
        fail(Finding.WRONG_NUMBER, f"{where}: {len(request.parcels)} parcels, {len(numbers)} numbers")
    if waybill.carrier not in sink.carriers():
        fail(Finding.UNKNOWN_KEY, f"{where}: carrier {waybill.carrier!r} is none that it books")
    if waybill.label:
        _demand(waybill.label, waybill.label_kind, where)


def _demand(label: object, kind: LabelKind, where: str) -> None:
    try:
        demand_label(label if isinstance(label, bytes) else b"", kind)
    except PayloadError as error:
        fail(Finding.BAD_LABEL, f"{where}: {error.problem}")


def _must_raise(
    harness: Harness, wanted: type[ConnectorError], where: str, call: Callable[[], object], swallowed: Finding
) -> ConnectorError:
    error = attempt(harness, where, call)
    if error is None:
        fail(swallowed, f"{where}: the call returned")
    if not isinstance(error, wanted):
        fail(Finding.WRONG_ERROR_CLASS, f"{where}: {error!r} is not {wanted.__name__}")
    return error


@check(plays(CourierSink))
def waybill_has_the_numbers_that_the_courier_gave(new: NewHarness) -> None:
    """One parcel, and several where one booking takes them."""
    harness = new()
    sink: Any = harness.connector()
    for parcels in sorted({1, min(sink.most_parcels, SEVERAL)}):
        book(harness, sink, harness.new_booking(parcels=parcels), f"book, {parcels} parcels")


@check(plays(CourierSink), declares(Repeat.LOOK_FIRST), speaks_http)
def waybill_of_a_lost_answer_is_found_by_its_key(new: NewHarness) -> None:
    """The call that a second waybill comes from: accepted, and the answer lost; a neighbour's is not taken for it."""
    harness = new()
    sink: Any = harness.connector()
    request = harness.new_booking()
    count = requests_of(harness, lambda: sink.book(harness.new_booking()))
    for index in range(count):
        request = harness.new_booking()
        harness.faults.force(Fault.TIMEOUT_AFTER, after=index)
        attempt(harness, "book, the answer lost", lambda: sink.book(request))  # noqa: B023
        harness.faults.clear()
        where = f"find_booking after the answer to request {index + 1} was lost"
        if not _numbers(harness, request.key):
            continue
        found = sink.find_booking(request)
        if found is None:
            fail(Finding.CANNOT_LOOK, f"{where}: not found")
        _judge_waybill(harness, sink, request, found, where)


@check(plays(CourierSink), _is_idempotent)
def key_that_is_idempotent_is_one_waybill(new: NewHarness) -> None:
    """Failures row 26: what is declared idempotent may be sent again, and has the first number."""
    harness = new()
    sink: Any = harness.connector()
    request = harness.new_booking()
    first = book(harness, sink, request, "book")
    again: list[Waybill] = []
    error = attempt(harness, "book a second time", lambda: again.append(sink.book(request)))
    if len(_numbers(harness, request.key)) != 1:
        fail(Finding.DOUBLED_EFFECT, f"the courier has it {len(_numbers(harness, request.key))} times")
    if error is not None:
        fail(Finding.WRONG_ERROR_CLASS, f"the same key a second time: {error!r}")
    if again[0].number != first.number:
        fail(Finding.WRONG_NUMBER, "the same key a second time has another number")


@check(plays(CourierSink), declares(Repeat.LOOK_FIRST))
def second_look_waits_for_what_is_late(new: NewHarness) -> None:
    """Where not being found twice hands the matter to a person, a booking has time to show between the two."""
    sink: Any = new().connector()
    if not sink.idempotent and sink.settle_s <= 0:
        fail(Finding.CANNOT_LOOK, f"settle_s is {sink.settle_s}, so that two looks are one")


@check(plays(CourierSink), _refuses)
def booking_that_is_refused_says_why(new: NewHarness) -> None:
    """A refusal is definite and leaves no waybill; a person reads the courier's own reason."""
    harness = new()
    sink: Any = harness.connector()
    request, words = harness.refused_booking() or (harness.new_booking(), "")
    where = "book, refused by the courier"
    error = _must_raise(harness, RejectedError, where, lambda: sink.book(request), Finding.SWALLOWED_ERROR)
    if words not in str(error):
        fail(Finding.WRONG_ERROR_CLASS, f"{where}: {error!r} does not say why")


@check(plays(CourierSink), _has_limits)
def booking_to_where_it_does_not_go_is_refused(new: NewHarness) -> None:
    """Accepted, and out of its area: no waybill, also when it is looked for, and never a label."""
    harness = new()
    sink: Any = harness.connector()
    request = harness.unserved_booking() or harness.new_booking()
    calls: dict[str, Callable[[], object]] = {"book": lambda: sink.book(request)}
    if sink.repeat is Repeat.LOOK_FIRST:
        calls["find_booking"] = lambda: sink.find_booking(request)
    for name, call in calls.items():
        _must_raise(harness, RejectedError, f"{name}, out of its area", call, Finding.SWALLOWED_ERROR)


@check(plays(CourierSink), _plays(Fault.NO_NUMBER))
def booking_without_a_number_is_looked_for_later(new: NewHarness) -> None:
    """Accepted without a number: neither a waybill nor a refusal, until the number is there."""
    harness = new()
    sink: Any = harness.connector()
    request = harness.new_booking()
    harness.faults.force(Fault.NO_NUMBER)
    where = "book, accepted without a number"
    _must_raise(harness, OutcomeUnknownError, where, lambda: sink.book(request), Finding.EMPTY_NUMBER)
    _demand_struck(harness, Fault.NO_NUMBER)
    if sink.repeat is not Repeat.LOOK_FIRST:
        return
    where = "find_booking, no number yet"
    _must_raise(harness, TransientError, where, lambda: sink.find_booking(request), Finding.EMPTY_NUMBER)
    harness.give_numbers()
    found = sink.find_booking(request)
    if found is None:
        fail(Finding.CANNOT_LOOK, "find_booking, the number given: not found")
    _judge_waybill(harness, sink, request, found, "find_booking, the number given")


def _demand_struck(harness: Harness, fault: Fault) -> None:
    if not harness.faults.struck[fault]:
        fail(Finding.NO_HARNESS, f"the sandbox never plays {fault}")


@check(plays(CourierSink))
def booking_that_it_cannot_make_is_not_sent(new: NewHarness) -> None:
    """Another courier, more parcels than it takes, a person hidden by a platform that it cannot ask."""
    harness = new()
    sink: Any = harness.connector()
    request = harness.new_booking()
    hidden = replace(request.recipient, name="", phone="", address="", ciphertext="ciphertext")
    wishes = {
        "another courier": replace(request, carrier=NOBODY),
        "too many parcels": replace(request, parcels=request.parcels[:1] * (sink.most_parcels + 1)),
        "no parcel": replace(request, parcels=()),
        "a hidden recipient": replace(request, recipient=hidden, platform=NOBODY),
    }
    for name, wish in wishes.items():
        _must_raise(harness, RejectedError, f"book, {name}", lambda: sink.book(wish), Finding.EFFECT_CLAIMED)  # noqa: B023
    if list(harness.booking_attempts()):
        fail(Finding.EFFECT_DENIED, "what it cannot book was sent all the same")


@check(plays(CourierSink), speaks_http)
def booking_that_fails_says_who_acts(new: NewHarness) -> None:
    """Too fast is waited for, refused credentials are an operator's matter."""
    for fault, wanted in ((Fault.THROTTLE, RateLimitedError), (Fault.EXPIRED_TOKEN, AuthError)):
        harness = new()
        sink: Any = harness.connector()
        request = harness.new_booking()
        harness.faults.force(fault, times=12)
        _must_raise(harness, wanted, f"book, {fault}", lambda: sink.book(request), Finding.SWALLOWED_ERROR)  # noqa: B023
        _demand_struck(harness, fault)


def _cancel(harness: Harness, sink: Any, booking: Booking, where: str) -> bool | None:
    """Cancel and return what was said; fails when it is no answer, or the courier will still carry it.

    A refusal that a person has to read says that it is not void.
    """
    answers: list[bool | None] = []
    error = attempt(harness, where, lambda: answers.append(sink.cancel_booking(booking)))
    if error is not None and not isinstance(error, RejectedError):
        raise error
    said = answers[0] if answers else None
    if said not in (True, False, None):
        fail(Finding.EFFECT_CLAIMED, f"{where}: the answer is {said!r}")
    if said is True and _numbers(harness, booking.key):
        fail(Finding.UNPROVEN_CANCEL, f"{where}: the courier still has it")
    return said


@check(plays(CourierSink))
def cancel_is_told_as_the_courier_said(new: NewHarness) -> None:
    """Twice void is void; a booking that never came is no void one; a parcel that was picked up stays booked."""
    harness = new()
    sink: Any = harness.connector()
    waybill = book(harness, sink, harness.new_booking(), "book")
    for where in ("cancel_booking", "cancel_booking a second time"):
        if _cancel(harness, sink, waybill, where) is False:
            fail(Finding.EFFECT_DENIED, f"{where}: told to be used, but nobody has the parcel")
    used = book(harness, sink, harness.new_booking(), "book")
    harness.use_booking(used.key)
    _cancel(harness, sink, used, "cancel_booking of a parcel that was picked up")
    if not _numbers(harness, used.key):
        fail(Finding.NO_HARNESS, "the sandbox voids what was picked up")
    unsent = harness.new_booking()
    never = Booking(key=unsent.key, carrier=unsent.carrier)
    if _cancel(harness, sink, never, "cancel_booking of what never came") is True:
        fail(Finding.UNPROVEN_CANCEL, "cancel_booking of what never came: told to be void, but it may still come")


@check(plays(CourierSink), speaks_http)
def cancel_that_fails_is_no_cancel(new: NewHarness) -> None:
    """Failures row 6: what is said under each fault is what the courier does; then it is asked again."""
    for kind in TRANSPORT_FAULTS:
        harness = new()
        sink: Any = harness.connector()
        waybill = book(harness, sink, harness.new_booking(), "book")
        harness.faults.force(kind, times=12)
        where = f"cancel_booking, {kind}"
        attempt(harness, where, lambda: _cancel(harness, sink, waybill, where))  # noqa: B023
        harness.faults.clear()
        _cancel(harness, sink, waybill, f"{where}, asked again")


@check(plays(CourierSink))
def label_is_one_of_its_kind(new: NewHarness) -> None:
    """What the waybill says that the label is, it is, each time it is asked for."""
    harness = new()
    sink: Any = harness.connector()
    waybill = book(harness, sink, harness.new_booking(), "book")
    if waybill.label_kind is LabelKind.NONE:
        return
    for where in ("label", "label a second time"):
        _demand(sink.label(waybill), waybill.label_kind, where)


@check(plays(CourierSink), _plays(Fault.LATE_LABEL))
def label_that_is_late_is_asked_for_again(new: NewHarness) -> None:
    """The waybill is there before its label."""
    harness = new()
    sink: Any = harness.connector()
    waybill = book(harness, sink, harness.new_booking(), "book")
    harness.faults.force(Fault.LATE_LABEL, times=12)
    _must_raise(harness, TransientError, "label, not made yet", lambda: sink.label(waybill), Finding.BAD_LABEL)
    _demand_struck(harness, Fault.LATE_LABEL)
    harness.faults.clear()
    _demand(sink.label(waybill), waybill.label_kind, "label, made at last")


@check(plays(CourierSink), _plays(Fault.BAD_LABEL))
def label_that_is_none_costs_no_waybill(new: NewHarness) -> None:
    """Bytes that are no label are refused, whichever they are; the waybill stays, and the label is asked for again."""
    harness = new()
    sink: Any = harness.connector()
    harness.faults.force(Fault.BAD_LABEL, times=24)
    for where in ("label that is none", "another label that is none"):
        waybill = book(harness, sink, harness.new_booking(), f"book, {where}")
        _must_raise(harness, PayloadError, where, lambda: sink.label(waybill), Finding.BAD_LABEL)  # noqa: B023
    _demand_struck(harness, Fault.BAD_LABEL)
    harness.faults.clear()
    _demand(sink.label(waybill), waybill.label_kind, "label, mended")


@check(plays(CourierSink))
def area_and_balance_are_told_or_not_known(new: NewHarness) -> None:
    """Whether it goes to a place, and how many waybills are left."""
    harness = new()
    sink: Any = harness.connector()
    served, left = sink.covers(Region(province="上海市", city="上海市", district="浦东新区")), sink.balance()
    if served not in (True, False, None):
        fail(Finding.EFFECT_CLAIMED, f"covers: the answer is {served!r}")
    if left is not None and (isinstance(left, bool) or not isinstance(left, int) or left < 0):
        fail(Finding.BAD_QUANTITY, f"balance is {left!r}")
