"""Checks of everything that is read page by page: orders, their back-fill, refunds.

Why the rows lie hours back and the connector has read an empty platform before: the overlap of a few minutes must not
be what hides a lost page.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from erpsync.sdk.errors import AuthError, ConnectorError, RateLimitedError, TransientError
from erpsync.sdk.roles import Connector, OrderSource
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.testing.checks import Need, NewHarness, attempt, check, check_each, plays, speaks_http
from erpsync.sdk.testing.findings import Finding, fail
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.testing.reader import ORDERS, REFUNDS, STREAMS, Crash, Reader, Stream, compare

SPAN_S = 4 * 3600
MOST_STIRS = 120
AMOUNTS = (1, 10, 29, 1001, 2901, 5785, 199_999, 10_000_001)

READ_FAULTS: dict[Fault, tuple[type[ConnectorError], ...]] = {
    Fault.TIMEOUT_BEFORE: (TransientError,),
    Fault.TIMEOUT_AFTER: (TransientError,),
    Fault.ERROR_5XX_BEFORE: (TransientError,),
    Fault.HTML_200: (TransientError,),
    Fault.CUT_BODY: (TransientError,),
    Fault.THROTTLE: (RateLimitedError,),
}
"""What a failed reading call has to become: nothing happened on the platform, whatever went wrong."""


Run = Callable[[NewHarness, Stream], None]


def per_stream(*needs: Need) -> Callable[[Run], Run]:
    """Register one check per stream, named STREAM_NAME."""
    return check_each(STREAMS, _is_played, *needs)


def per_feed(*needs: Need) -> Callable[[Run], Run]:
    """As `per_stream`, without the back-fill, which never repeats and shares its records with the orders."""
    return check_each((ORDERS, REFUNDS), _is_played, *needs)


def _is_played(stream: Stream) -> Need:
    return lambda _, connector: stream.played_by(connector)


def start(new: NewHarness, stream: Stream) -> Reader:
    """Return a reader that has read an empty platform four hours ago, so that nothing is saved by the overlap."""
    harness = new()
    reader = Reader(harness, stream)
    if stream.begins_now:
        reader.read()
    harness.clock.advance(seconds=SPAN_S)
    return reader


def fill(reader: Reader, count: int, *, crowd: int = 0) -> list[str]:
    """Add `count` records spread over the last hours, then `crowd` that share one second; return their ids."""
    harness, now = reader.harness, reader.harness.clock.now()
    step_s = (SPAN_S - 1200) // max(1, count)
    stamps = [now - timedelta(seconds=SPAN_S - 600 - step_s * index) for index in range(count)]
    stamps += [now - timedelta(seconds=SPAN_S // 2)] * crowd
    return [reader.stream.add(harness, at, 1990 + index) for index, at in enumerate(stamps)]


def many(reader: Reader) -> int:
    """Return a number of records that fills three pages and begins a fourth."""
    return 3 * reader.harness.page_size + 1


class Stirrer:
    """Moves rows while a connector pages: touches some, lets others come in, new or a little late."""

    def __init__(self, reader: Reader, seed: int, *, late: bool) -> None:
        self.reader = reader
        self.rng = random.Random(seed)  # noqa: S311 - repeatable chance is the point
        self.late = late
        self.touched: set[str] = set()
        self.left = MOST_STIRS
        reader.harness.before_request = self.stir
        reader.between_pages = self.stir

    def stir(self) -> None:
        """Move one row or two."""
        if self.left <= 0:
            return
        self.left -= 1
        harness, stream = self.reader.harness, self.reader.stream
        harness.clock.advance(seconds=self.rng.randint(0, 2))
        now = harness.clock.now().replace(microsecond=0)
        rows = sorted(stream.truth(harness))
        if rows and self.rng.random() < 0.8:
            row = self.rng.choice(rows)
            stream.touch(harness, row, now)
            self.touched.add(row)
        if self.rng.random() < 0.3:
            late_s = self.rng.randint(0, harness.late_s) if self.late else 0
            self.touched.add(stream.add(harness, now - timedelta(seconds=late_s), 990))

    def stop(self) -> None:
        """Let the platform rest."""
        self.reader.harness.before_request = None
        self.reader.between_pages = None


@per_stream()
def hands_over_every_record(new: NewHarness, stream: Stream) -> None:
    """A platform at rest, several pages: everything arrives, with its own change time."""
    reader = start(new, stream)
    fill(reader, many(reader))
    reader.read()
    compare(reader, Finding.LOST_PAGE)


@per_stream()
def survives_more_records_in_one_second_than_fit_a_page(new: NewHarness, stream: Stream) -> None:
    """Failures row 2: equal time stamps over page boundaries."""
    reader = start(new, stream)
    fill(reader, reader.harness.page_size, crowd=2 * reader.harness.page_size + 1)
    reader.read()
    compare(reader, Finding.LOST_PAGE)


@per_stream()
def loses_nothing_while_rows_move(new: NewHarness, stream: Stream) -> None:
    """Failures row 2: rows leave the window and enter it between any two requests."""
    for seed in range(3):
        reader = start(new, stream)
        before = fill(reader, many(reader), crowd=(2 * reader.harness.page_size + 1) * (seed % 2))
        stirrer = Stirrer(reader, seed, late=False)
        reader.read()
        stirrer.stop()
        compare_ids(reader, [key for key in before if key not in stirrer.touched])
        settle(reader)


@per_feed()
def finds_records_that_become_visible_late(new: NewHarness, stream: Stream) -> None:
    """Failures row 2: late commits are found by the overlap, pass after pass."""
    reader = start(new, stream)
    fill(reader, reader.harness.page_size)
    stirrer = Stirrer(reader, 7, late=True)
    for _ in range(6):
        reader.read()
        reader.harness.clock.advance(seconds=30)
    stirrer.stop()
    settle(reader)


def compare_ids(reader: Reader, keys: list[str]) -> None:
    """Fail when one of these records, which nobody touched, did not arrive."""
    lost = [key for key in keys if key not in reader.stored]
    if lost:
        fail(Finding.LOST_PAGE, f"{reader.stream.name}, rows moving: {len(lost)} of {len(keys)}, such as {lost[0]}")


def settle(reader: Reader, lost: Finding = Finding.LOST_PAGE) -> None:
    """Read on while the platform rests and compare; a back-fill does not repeat."""
    if reader.stream.name == "backfill":
        return
    reader.harness.clock.advance(seconds=2)
    reader.read()
    compare(reader, lost)


@per_stream()
def mark_of_a_page_covers_no_more_than_the_page(new: NewHarness, stream: Stream) -> None:
    """Failures row 3: the daemon dies right after the commit of any page and goes on from its mark."""
    page = 0
    while crash_at(new, stream, Crash(page=page, committed=True), Finding.CURSOR_TOO_EARLY):
        page += 1


@per_stream()
def page_that_was_not_committed_is_read_again(new: NewHarness, stream: Stream) -> None:
    """Failures row 3: a commit fails; the same object, or a new one, starts from the mark before.

    Either way at the first two pages, then by turns: a long back-fill has dozens.
    """
    page, met = 0, True
    while met:
        for restart in (True, False) if page < 2 else (page % 2 == 0,):
            met = crash_at(new, stream, Crash(page=page, committed=False, restart=restart), Finding.HIDDEN_PROGRESS)
        page += 1


def crash_at(new: NewHarness, stream: Stream, crash: Crash, lost: Finding) -> bool:
    """Read up to the crash, then to the end: nothing may be missing. Return whether the stream has that page."""
    reader = start(new, stream)
    fill(reader, many(reader), crowd=reader.harness.page_size + 1)
    if reader.read(crash) <= crash.page:
        return False
    reader.read()
    compare(reader, lost)
    return True


@per_stream(speaks_http)
def failed_request_is_no_end_of_data(new: NewHarness, stream: Stream) -> None:
    """Failures row 3: every request in turn gets no answer; the pass must break off, and the next one make it good."""
    for index in range(quiet_requests(new, stream)):
        fail_request(new, stream, Fault.TIMEOUT_BEFORE, index)


@per_stream(speaks_http)
def failures_get_the_class_that_says_who_acts(new: NewHarness, stream: Stream) -> None:
    """Failures rows 13 and 16: each kind of failure, at the first request and in the middle."""
    count = quiet_requests(new, stream)
    for kind in READ_FAULTS:
        for index in {0, count // 2}:
            fail_request(new, stream, kind, index)


def quiet_requests(new: NewHarness, stream: Stream) -> int:
    """Return how many requests a pass over the usual records makes when nothing fails."""
    reader = start(new, stream)
    fill(reader, many(reader))
    before = reader.harness.requests
    reader.read()
    return reader.harness.requests - before


def fail_request(new: NewHarness, stream: Stream, kind: Fault, index: int) -> None:
    """Let the request number `index` of a pass fail, and the ones after it, until the connector gives up."""
    reader = start(new, stream)
    fill(reader, many(reader))
    harness = reader.harness
    harness.faults.force(kind, after=index, times=12)
    where = f"{stream.name}, request {index + 1}, {kind}"
    error = attempt(harness, where, reader.read)
    harness.faults.clear()
    if error is None:
        compare(reader, Finding.SWALLOWED_ERROR)
    elif not isinstance(error, READ_FAULTS[kind]):
        names = " or ".join(item.__name__ for item in READ_FAULTS[kind])
        fail(Finding.WRONG_ERROR_CLASS, f"{where}: {error!r} is not {names}")
    reader.read()
    compare(reader, Finding.SWALLOWED_ERROR)


@per_stream(speaks_http)
def expired_credentials_are_an_operator_s_matter(new: NewHarness, stream: Stream) -> None:
    """Failures row 10: a token that ends in the middle is told as AuthError, and nothing is skipped."""
    reader = start(new, stream)
    fill(reader, many(reader))
    harness = reader.harness
    harness.faults.force(Fault.EXPIRED_TOKEN, after=1, times=100)
    error = attempt(harness, f"{stream.name}, expired token", reader.read)
    if not harness.faults.struck[Fault.EXPIRED_TOKEN]:
        fail(Finding.NO_HARNESS, "the sandbox never asks for Fault.EXPIRED_TOKEN")
    if error is None:
        fail(Finding.SWALLOWED_ERROR, f"{stream.name}: the pass ended although the token had expired")
    if not isinstance(error, AuthError):
        fail(Finding.WRONG_ERROR_CLASS, f"{stream.name}, expired token: {error!r} is not AuthError")
    harness.faults.clear()
    reader.read()
    compare(reader, Finding.SWALLOWED_ERROR)


@per_stream(speaks_http)
def gets_through_a_storm_of_faults(new: NewHarness, stream: Stream) -> None:
    """Failures rows 2, 3, 7, 13, 16: faults of every kind, moving and late rows; then all is there, once."""
    for seed in range(2):
        reader = start(new, stream)
        harness = reader.harness
        fill(reader, many(reader))
        stirrer = Stirrer(reader, seed, late=stream.name != "backfill")
        harness.faults.rng.seed(seed)
        harness.faults.rate = 0.15
        for _ in range(25):
            attempt(harness, f"{stream.name} in a storm, seed {seed}", reader.read)
            harness.clock.advance(seconds=10)
        stirrer.stop()
        harness.faults.clear()
        if stream.name == "backfill":
            reader.read()
            compare_ids(reader, [key for key in stream.truth(harness) if key not in stirrer.touched])
            continue
        harness.clock.advance(seconds=2)
        reader.read()
        settle(reader)


@per_feed()
def unchanged_record_looks_unchanged(new: NewHarness, stream: Stream) -> None:
    """Failures row 7: equal version and digest on every reading, so that nothing is applied twice."""
    reader = start(new, stream)
    now = reader.harness.clock.now()
    for index in range(3):
        stream.add(reader.harness, now - timedelta(seconds=20 + index), 1990)
    for _ in range(3):
        reader.read()
        reader.harness.clock.advance(seconds=15)
    compare(reader, Finding.LOST_PAGE)
    if reader.unstable:
        fail(Finding.UNSTABLE_DIGEST, f"{stream.name}: {min(reader.unstable)}")


@per_stream()
def amounts_arrive_to_the_cent(new: NewHarness, stream: Stream) -> None:
    """Failures row 25: amounts that binary fractions cannot hold."""
    reader = start(new, stream)
    harness = reader.harness
    base = harness.clock.now() - timedelta(seconds=3600)
    ids = {stream.add(harness, base + timedelta(seconds=i), minor): minor for i, minor in enumerate(AMOUNTS)}
    reader.read()
    compare(reader, Finding.LOST_PAGE)
    for key, minor in ids.items():
        record = reader.stored[key].record
        got = getattr(record, "total_minor", None) or getattr(record, "amount_minor", None)
        if got != minor:
            fail(Finding.WRONG_MONEY, f"{stream.name}: {key} is worth {minor}, the connector says {got}")


@per_stream()
def the_machine_s_time_zone_changes_nothing(new: NewHarness, stream: Stream) -> None:
    """Failures row 12: UTC+14, UTC-12, and a zone with summer time."""
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "America/New_York"):
        with machine_zone(zone):
            reader = start(new, stream)
            fill(reader, many(reader))
            reader.read()
            compare(reader, Finding.WRONG_TIME)


@contextmanager
def machine_zone(zone: str) -> Iterator[None]:
    """Let this process live in `zone` for a while."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def _moves_the_platform_s_clock(sample: Harness, _: Connector) -> bool:
    return sample.set_platform_ahead(0)


@check(plays(OrderSource), _moves_the_platform_s_clock)
def windows_follow_the_platform_s_clock(new: NewHarness) -> None:
    """Failures row 12: the platform's clock is ten minutes behind ours, or ahead."""
    for ahead_s in (-600, 600):
        harness = new()
        harness.set_platform_ahead(ahead_s)
        reader = Reader(harness, ORDERS)
        for _ in range(3):
            reader.read()
            harness.clock.advance(seconds=60)
            harness.add_order(platform_now(harness, ahead_s), total_minor=1990)
            harness.clock.advance(seconds=2)
        reader.read()
        compare(reader, Finding.OWN_CLOCK)


def platform_now(harness: Harness, ahead_s: int) -> datetime:
    """Return the platform's time in whole seconds."""
    return (harness.clock.now() + timedelta(seconds=ahead_s)).replace(microsecond=0)
