"""Checks of `OrderScan`: a window of the past names every order placed in it, once or twice, and no other.

Why windows that touch: an order on the seam that is named by both or by none makes the proof of completeness wrong.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from erpsync.sdk.errors import ConnectorError
from erpsync.sdk.roles import OrderScan, OrderSource
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.testing.checks import NewHarness, attempt, check, plays, speaks_http
from erpsync.sdk.testing.findings import Finding, fail
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.types import Head

HOUR = timedelta(hours=1)
HOURS = 3
CROWD = 3
"""So many full pages share one second."""


@check(plays(OrderScan), plays(OrderSource))
def scan_names_every_order_of_its_window_and_no_other(new: NewHarness) -> None:
    """Hours that touch, orders on the seams, more than a page in one second, and rows that change while one pages."""
    harness = new()
    first, placed = _fill(harness)
    stirred = list(placed)
    harness.before_request = lambda: harness.touch_order(stirred.pop(), harness.clock.now()) if stirred else None
    for start in (first + HOUR * hour for hour in range(HOURS)):
        end = start + HOUR
        named = _scan(harness, start, end)
        wanted = {key for key, at in placed.items() if start <= at < end}
        if wanted - named:
            fail(Finding.LOST_PAGE, f"the scan of {start} to {end} lacks {len(wanted - named)} of {len(wanted)} orders")
        if named - wanted:
            fail(Finding.INVENTED_RECORD, f"the scan of {start} to {end} names {len(named - wanted)} orders of others")


@check(plays(OrderScan), plays(OrderSource), speaks_http)
def scan_that_fails_is_no_short_list(new: NewHarness) -> None:
    """Failures row 3: a request without an answer ends the scan with an error; a short list would be proof."""
    for index in range(2):
        harness = new()
        first, _ = _fill(harness)
        harness.faults.force(Fault.TIMEOUT_BEFORE, after=index, times=12)
        error: ConnectorError | None = attempt(harness, "scan", lambda: _scan(harness, first, first + HOUR))  # noqa: B023
        harness.faults.clear()
        if error is None:
            fail(Finding.SWALLOWED_ERROR, f"request {index + 1} of a scan got no answer and the scan ended as if whole")


def _fill(harness: Harness) -> tuple[datetime, Mapping[str, datetime]]:
    """Add orders over some whole hours; return the first of them, and when each order was placed."""
    harness.clock.advance(seconds=86_400)
    first = harness.clock.now().replace(minute=0, second=0, microsecond=0) - 6 * HOUR
    stamps = [first + timedelta(minutes=7 * index) for index in range(int(HOURS * HOUR / timedelta(minutes=7)))]
    stamps += [first + HOUR * hour for hour in range(HOURS + 1)]
    stamps += [first + timedelta(minutes=30)] * (CROWD * harness.page_size)
    connector: Any = harness.connector()
    try:
        keys = [harness.add_order(at, total_minor=1990) for at in stamps]
        heads = _heads(connector, first - HOUR, first + (HOURS + 1) * HOUR)
        raws = connector.complete(list({head.external_id: head for head in heads}.values()))
        placed = {raw.head.external_id: connector.normalise(raw).placed_at for raw in raws}
    finally:
        connector.close()
    if missing := set(keys) - placed.keys():
        fail(Finding.LOST_PAGE, f"a scan of all hours at once lacks {len(missing)} of {len(keys)} orders")
    return first, placed


def _scan(harness: Harness, start: datetime, end: datetime) -> set[str]:
    connector = harness.connector()
    try:
        return {head.external_id for head in _heads(connector, start, end)}
    finally:
        connector.close()


def _heads(connector: object, start: datetime, end: datetime) -> list[Head]:
    if not isinstance(connector, OrderScan):
        raise TypeError(f"{type(connector).__name__} is no OrderScan")
    return [head for heads in connector.scan_orders(start, end) for head in heads]
