"""Checks of messages to people: believed only when accepted, cut to fit, the same id each time, no secret told.

Why the platform's own words count and no status: robots answer HTTP 200 to what they refuse.
"""

from collections.abc import Iterator
from typing import Any

from erpsync.sdk.errors import AuthError, ConnectorError, PayloadError, RateLimitedError, RejectedError
from erpsync.sdk.roles import MessageSink
from erpsync.sdk.sandbox import TRANSPORT_FAULTS, Fault
from erpsync.sdk.testing.checks import NewHarness, attempt, check, plays, speaks_http
from erpsync.sdk.testing.findings import Finding, fail
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.types import Message, MessageLevel

FINAL = (RejectedError, AuthError, PayloadError)
LONG = 40_000
"""Characters of three bytes each: more than any platform takes."""


def message(number: int, text: str = "3 orders wait", level: MessageLevel = MessageLevel.INFO) -> Message:
    """Return a message with an id of its own."""
    return Message(id=f"conformance-{number}", title="Orders 订单", text=text, level=level)


def told(harness: Harness, sent: Message) -> int:
    """Return how often the platform has accepted a message."""
    return sum(sent.id in text for text in harness.messages())


def push(harness: Harness, sink: Any, sent: Message, where: str) -> ConnectorError | None:
    """Send a message and return its error."""
    return attempt(harness, where, lambda: sink.push_message(sent))


@check(plays(MessageSink))
def message_is_on_the_platform_once_the_call_returns(new: NewHarness) -> None:
    """One message of each level, without faults."""
    harness = new()
    sink = harness.connector()
    for number, level in enumerate(MessageLevel):
        sent = message(number, level=level)
        error = push(harness, sink, sent, f"push_message, {level}")
        if error is not None:
            fail(Finding.WRONG_ERROR_CLASS, f"a message without fault ended with {error!r}")
        if told(harness, sent) != 1:
            fail(Finding.EFFECT_CLAIMED, f"the platform has it {told(harness, sent)} times")


def _under_faults(new: NewHarness) -> Iterator[tuple[Harness, Message, Fault, ConnectorError | None]]:
    for kind in (*TRANSPORT_FAULTS, Fault.PLATFORM_ERROR, Fault.EXPIRED_TOKEN):
        harness = new()
        sink = harness.connector()
        harness.faults.force(kind, times=12)
        sent = message(1)
        error = push(harness, sink, sent, f"push_message, {kind}")
        harness.faults.clear()
        yield harness, sent, kind, error


@check(plays(MessageSink), speaks_http)
def message_error_tells_the_truth(new: NewHarness) -> None:
    """What nobody accepted is not counted as told, whatever the status says; what was accepted is never given up."""
    for harness, sent, kind, error in _under_faults(new):
        if error is None and not told(harness, sent):
            fail(Finding.EFFECT_CLAIMED, f"{kind}: the call returned")
        if told(harness, sent) and isinstance(error, FINAL):
            fail(Finding.EFFECT_DENIED, f"{kind}: {error!r}")


@check(plays(MessageSink), speaks_http)
def message_that_fails_says_who_acts(new: NewHarness) -> None:
    """Too fast is waited for, a refusal is a dead letter, refused credentials are an operator's matter."""
    wanted = {
        Fault.THROTTLE: RateLimitedError,
        Fault.PLATFORM_ERROR: RejectedError,
        Fault.EXPIRED_TOKEN: AuthError,
    }
    for harness, _, kind, error in _under_faults(new):
        if kind in wanted and not harness.faults.struck[kind]:
            fail(Finding.NO_HARNESS, f"the sandbox never plays {kind}")
        if kind in wanted and not isinstance(error, wanted[kind]):
            fail(Finding.WRONG_ERROR_CLASS, f"{kind}: {error!r} is not {wanted[kind].__name__}")


@check(plays(MessageSink))
def message_that_is_too_long_is_cut_on_a_character(new: NewHarness) -> None:
    """Whatever stands before the cut, no character is broken, the id stays, and the bytes fit."""
    harness = new()
    sink = harness.connector()
    for number in range(4):
        sent = message(number, "x" * number + "汉" * LONG)
        error = push(harness, sink, sent, f"a long message, {number}")
        if error is not None:
            fail(Finding.WRONG_ERROR_CLASS, f"a message that is too long ended with {error!r}")
        shown = next((text for text in harness.messages() if sent.id in text), None)
        if shown is None:
            fail(Finding.EFFECT_CLAIMED, "a message that is too long does not stand there with its id")
        if "\ufffd" in shown or "x" * number + "汉" not in shown:
            fail(Finding.BROKEN_TEXT, f"{shown[:20]!r}…{shown[-20:]!r}")
        if harness.message_bytes is not None and len(shown.encode()) > harness.message_bytes:
            fail(Finding.BROKEN_TEXT, f"{len(shown.encode())} bytes of at most {harness.message_bytes}")


@check(plays(MessageSink))
def message_sent_again_carries_the_same_id(new: NewHarness) -> None:
    """After a lost answer the same message comes again, and can be known as the same."""
    harness = new()
    sink = harness.connector()
    sent = message(7)
    for where in ("push_message", "push_message a second time"):
        error = push(harness, sink, sent, where)
        if error is not None:
            fail(Finding.WRONG_ERROR_CLASS, f"{where}: {error!r}")
    strange = [text for text in harness.messages() if sent.id not in text]
    if strange or not told(harness, sent):
        fail(Finding.UNKNOWN_KEY, f"a message without the id it was sent with: {strange[:1]}")
