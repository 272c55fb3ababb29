"""A very small daemon: polls one stream, commits page by page, crashes where it is told to, merges by version.

Why it mirrors the real loop: fetch a page with no transaction open, ask for the details of what is new or different,
normalise, then take records and mark together or not at all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from erpsync.sdk.digest import digest_of
from erpsync.sdk.roles import OrderSource, RefundSource
from erpsync.sdk.testing.findings import Finding, fail
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.testing.inspect import inspect
from erpsync.sdk.types import Cursor, Head, Order, OrderPage, Raw, Refund, RefundPage

OVERLAP = timedelta(seconds=300)

Page = OrderPage | RefundPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream of a connector and the harness methods that feed it."""

    name: str
    role: type
    pull: Callable[[Any, Cursor], Iterator[Page]]
    complete: Callable[[Any, Sequence[Head]], list[Raw]]
    normalise: Callable[[Any, Raw], Order | Refund]
    add: Callable[[Harness, datetime, int], str]
    touch: Callable[[Harness, str, datetime], None]
    truth: Callable[[Harness], Mapping[str, datetime]]
    begins_now: bool

    def played_by(self, connector: object) -> bool:
        """Return whether the connector has this stream."""
        if not isinstance(connector, self.role):
            return False
        own = getattr(type(connector), "backfill_orders", None)
        return self.name != "backfill" or own is not OrderSource.backfill_orders


def _whole_rows(_: object, heads: Sequence[Head]) -> list[Raw]:
    return [Raw(head=head, payload=head.row, read_from=head.read_from, read_to=head.read_to) for head in heads]


def _order_stream(name: str, pull: Callable[[Any, Cursor], Iterator[Page]], *, begins_now: bool) -> Stream:
    return Stream(
        name=name,
        role=OrderSource,
        pull=pull,
        complete=lambda connector, heads: cast(OrderSource, connector).complete(heads),
        normalise=lambda connector, raw: cast(OrderSource, connector).normalise(raw),
        add=lambda harness, at, minor: harness.add_order(at, total_minor=minor),
        touch=lambda harness, key, at: harness.touch_order(key, at),
        truth=lambda harness: harness.orders(),
        begins_now=begins_now,
    )


ORDERS = _order_stream("orders", lambda connector, cursor: connector.pull_orders(cursor), begins_now=True)
BACKFILL = _order_stream("backfill", lambda connector, cursor: connector.backfill_orders(cursor), begins_now=False)
REFUNDS = Stream(
    name="refunds",
    role=RefundSource,
    pull=lambda connector, cursor: connector.pull_refunds(cursor),
    complete=_whole_rows,
    normalise=lambda connector, raw: cast(RefundSource, connector).normalise_refund(raw),
    add=lambda harness, at, minor: harness.add_refund(at, amount_minor=minor),
    touch=lambda harness, key, at: harness.touch_refund(key, at),
    truth=lambda harness: harness.refunds(),
    begins_now=False,
)
STREAMS = (ORDERS, BACKFILL, REFUNDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """Where the reader dies: at page `page` of a pass (from 0), before or after its commit.

    `restart` makes a new connector; otherwise the old object goes on, as after a failed commit.
    """

    page: int
    committed: bool
    restart: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the reader keeps of a record."""

    head: Head
    raw: Raw
    record: Order | Refund


class Reader:
    """Reads one stream of a harness's connector, as the daemon does.

    `stored` holds records by external id, `mark` what was committed last, `unstable` the ids that came again with the
    same version and another digest.
    """

    def __init__(self, harness: Harness, stream: Stream = ORDERS) -> None:
        self.harness = harness
        self.stream = stream
        self.since = harness.clock.now()
        self.mark: str | None = None
        self.stored: dict[str, Stored] = {}
        self.unstable: set[str] = set()
        self.between_pages: Callable[[], None] | None = None
        self.connector: Any = harness.connector()

    def restart(self) -> None:
        """Go on with a new connector, as after a restart of the daemon."""
        self.connector.close()
        self.connector = self.harness.connector()

    def read(self, crash: Crash | None = None) -> int:
        """Read one pass, or up to the crash; return how many pages were met. Errors of the connector pass through."""
        cursor = Cursor(mark=self.mark, overlap=OVERLAP, since=self.since)
        met = 0
        with closing(cast(Any, self.stream.pull(self.connector, cursor))) as pages:
            for page in pages:
                met += 1
                crashes = crash is not None and crash.page == met - 1
                fresh = self._fetch(page.heads)
                if crashes and crash is not None and not crash.committed:
                    break
                self._commit(fresh, page.mark)
                if crashes:
                    break
                if self.between_pages is not None:
                    self.between_pages()
        if crash is not None and crash.restart:
            self.restart()
        return met

    def _fetch(self, heads: Sequence[Head]) -> list[Stored]:
        for head in heads:
            inspect(head)
        wanted = [head for head in heads if self._is_new(head)]
        fresh = []
        for raw in self.stream.complete(self.connector, wanted):
            received = digest_of(raw.payload)
            record = self.stream.normalise(self.connector, raw)
            if digest_of(raw.payload) != received:
                fail(Finding.NOT_PURE, f"{self.stream.name}: normalise changed the payload of {record.external_id}")
            inspect(record)
            if record.external_id != raw.head.external_id:
                fail(Finding.INVENTED_RECORD, f"head {raw.head.external_id} became {record.external_id}")
            fresh.append(Stored(head=raw.head, raw=raw, record=record))
        return fresh

    def _is_new(self, head: Head) -> bool:
        stored = self.stored.get(head.external_id)
        if stored is None or head.version_at > stored.head.version_at:
            return True
        if head.version_at == stored.head.version_at and head.digest != stored.head.digest:
            self.unstable.add(head.external_id)
            return True
        return False

    def _commit(self, fresh: Sequence[Stored], mark: str) -> None:
        for item in fresh:
            stored = self.stored.get(item.head.external_id)
            if stored is None or item.record.version_at >= stored.record.version_at:
                self.stored[item.head.external_id] = item
        self.mark = mark


def compare(reader: Reader, lost: Finding, *, only: Sequence[str] | None = None) -> None:
    """Fail when the reader's store differs from the platform: with `lost` when a record is missing."""
    harness, stream = reader.harness, reader.stream
    truth = stream.truth(harness)
    for key, changed_at in truth.items():
        if only is not None and key not in only:
            continue
        stored = reader.stored.get(key)
        if stored is None:
            fail(lost, f"{stream.name}: {key}, changed at {changed_at.isoformat()}, {len(reader.stored)} others came")
        if harness.version_is_change_time and stream.name != "backfill":
            _compare_version(stream.name, key, stored.head.version_at, changed_at)
    extra = reader.stored.keys() - truth.keys()
    if extra:
        fail(Finding.INVENTED_RECORD, f"{stream.name}: {sorted(extra)[:3]}")


def _compare_version(name: str, key: str, got: datetime, changed_at: datetime) -> None:
    if got == changed_at:
        return
    seconds = (got - changed_at).total_seconds()
    whole_quarters = abs(seconds) >= 900 and seconds % 900 == 0
    finding = Finding.STALE_RECORD if seconds < 0 and not whole_quarters else Finding.WRONG_TIME
    fail(finding, f"{name}: {key} changed at {changed_at.isoformat()}, the connector says {got.isoformat()}")
