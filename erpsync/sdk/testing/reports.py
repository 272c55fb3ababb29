"""Checks of what is reported to us page by page: parcels that left, a warehouse's feed, waybill numbers, hints.

Why each page is died at twice, before and after its commit: a report that is taken off a queue too early is gone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from erpsync.sdk.roles import HintSource, ShipmentSource, WarehouseSource, WaybillSource
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.testing.checks import Need, NewHarness, attempt, check, check_each, plays, speaks_http
from erpsync.sdk.testing.findings import Finding, fail
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.testing.inspect import inspect
from erpsync.sdk.types import Cursor

HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One kind of reports; `add` lets one be made and returns what `names` finds of it in a page."""

    name: str
    role: type
    pull: Callable[[Any, Cursor], Iterator[Any]]
    add: Callable[[Harness], str]
    names: Callable[[Any], Iterable[str]]


PARCELS = Feed(
    name="parcels",
    role=ShipmentSource,
    pull=lambda connector, cursor: connector.pull_shipments(cursor),
    add=lambda harness: harness.add_report(),
    names=lambda page: [report.tracking for report in page.reports],
)
WAREHOUSE = Feed(
    name="warehouse",
    role=WarehouseSource,
    pull=lambda connector, cursor: connector.pull_warehouse(cursor),
    add=lambda harness: harness.add_count(),
    names=lambda page: [count.sku for count in page.counts],
)
WAYBILLS = Feed(
    name="waybills",
    role=WaybillSource,
    pull=lambda connector, cursor: connector.pull_waybills(cursor),
    add=lambda harness: harness.add_spare(),
    names=lambda page: [spare.number for spare in page.spare],
)

Run = Callable[[NewHarness, Feed], None]


def per_feed_of_reports(*needs: Need) -> Callable[[Run], Run]:
    """Register one check per kind of reports, named FEED_NAME."""
    return check_each((PARCELS, WAREHOUSE, WAYBILLS), lambda feed: plays(feed.role), *needs)


@dataclass(slots=True)
class _Clerk:
    """Takes reports in page by page, each with its mark or not at all."""

    harness: Harness
    feed: Feed
    wanted: set[str]
    mark: str | None = None

    def read(self, *, until: int | None = None, committed: bool = True) -> int:
        """Read with a new connector, at most to page `until`; return how many pages were met."""
        connector = self.harness.connector()
        met = 0
        for page in self.feed.pull(connector, Cursor(mark=self.mark)):
            inspect(page)
            met += 1
            if met - 1 != until or committed:
                self.wanted -= set(self.feed.names(page))
                self.mark = page.mark
            if met - 1 == until:
                break
        connector.close()
        return met

    def miss(self, where: str) -> None:
        """Fail when a report did not arrive."""
        if self.wanted:
            fail(Finding.LOST_REPORT, f"{self.feed.name}, {where}: {len(self.wanted)}, such as {min(self.wanted)}")


def _clerk(new: NewHarness, feed: Feed) -> _Clerk:
    harness = new()
    return _Clerk(harness, feed, {feed.add(harness) for _ in range(2 * harness.page_size + 1)})


@per_feed_of_reports()
def reports_arrive_whatever_page_the_daemon_dies_at(new: NewHarness, feed: Feed) -> None:
    """Failures rows 3 and 15: what was not committed comes again, what was is not stepped over."""
    for committed in (False, True):
        page, met = 0, 1
        while met > page:
            clerk = _clerk(new, feed)
            met = clerk.read(until=page, committed=committed)
            for _ in range(2):
                clerk.read()
            clerk.miss(f"dead at page {page + 1} {'behind' if committed else 'before'} its commit")
            page += 1


@per_feed_of_reports(speaks_http)
def reports_that_fail_are_no_end(new: NewHarness, feed: Feed) -> None:
    """Failures row 3: a request without an answer ends the reading with an error, and nothing is skipped."""
    quiet = _clerk(new, feed)
    before = quiet.harness.requests
    quiet.read()
    for index in range(quiet.harness.requests - before):
        clerk = _clerk(new, feed)
        clerk.harness.faults.force(Fault.TIMEOUT_BEFORE, after=index, times=12)
        where = f"{feed.name}, request {index + 1} without an answer"
        error = attempt(clerk.harness, where, clerk.read)
        clerk.harness.faults.clear()
        if error is None:
            fail(Finding.SWALLOWED_ERROR, f"{where}: the reading ended as if whole")
        clerk.read()
        clerk.miss(where)


@check(plays(HintSource))
def hints_come_again_until_the_wish_is_committed(new: NewHarness) -> None:
    """Failures row 8: a message is taken off the queue only behind the commit, and then for good."""
    harness = new()
    stream = harness.add_hint()
    connector: Any = harness.connector()
    hints = connector.pull_hints()
    for _ in hints:
        break
    hints.close()
    harness.clock.advance(seconds=HOUR_S)
    connector = harness.connector()
    if stream not in {name for names in connector.pull_hints() for name in names}:
        fail(Finding.LOST_REPORT, f"a wish to poll {stream} that was not committed did not come again")
    harness.clock.advance(seconds=HOUR_S)
    if list(connector.pull_hints()):
        fail(Finding.DOUBLED_EFFECT, "a wish to poll that was committed comes again and again")
