"""Checks of stock: absolute numbers, refused one by one, and told as they are.

Why the platform's own books are compared with what the connector said: a number is only set when the platform shows it.
"""

from dataclasses import replace
from typing import Any

from erpsync.sdk.errors import AuthError, RateLimitedError
from erpsync.sdk.roles import Connector, StockSink
from erpsync.sdk.sandbox import TRANSPORT_FAULTS, Fault
from erpsync.sdk.testing.checks import NewHarness, attempt, check, plays, requests_of, speaks_http
from erpsync.sdk.testing.findings import Finding, fail, judge_error
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.types import StockLevel


def _refuses_a_listing(sample: Harness, _: Connector) -> bool:
    return sample.bad_listing() is not None


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
