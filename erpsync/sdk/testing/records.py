"""Checks of single records and of everything that is not a stream of orders or an effect.

Why every field of a real payload is mutilated in turn: platforms add, drop and retype fields without notice, and the
dead letter has to say which one.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import AuthError, ConnectorError, PayloadError
from erpsync.sdk.roles import CourierSink, ListingSource, OrderSource, StockSink, WebhookSource
from erpsync.sdk.sandbox import TRANSPORT_FAULTS, Fault
from erpsync.sdk.testing.checks import NewHarness, attempt, check, plays, speaks_http
from erpsync.sdk.testing.findings import Finding, fail, judge_error
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.testing.inspect import inspect
from erpsync.sdk.testing.reader import Reader, Stream
from erpsync.sdk.testing.streams import fill, per_feed, start
from erpsync.sdk.types import Cursor, Order, Raw, Refund, TrackPage, WebhookRecord

Record = Order | Refund | TrackPage

DELETED = object()
SPOILERS: tuple[object, ...] = (DELETED, None, {}, [], "☃", -1, True, [None], "")


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a payload: the keys and indices that lead to it."""

    steps: tuple[str | int, ...]

    @property
    def names(self) -> list[str]:
        """The key of the field itself and of what holds it, innermost first, at most two."""
        return [step for step in reversed(self.steps) if isinstance(step, str)][:2]

    def __str__(self) -> str:
        return "$" + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in self.steps)


def places(value: object, steps: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """Yield every field of a payload, holders before what they hold."""
    pairs: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, item in pairs:
        yield Place((*steps, key))
        yield from places(item, (*steps, key))


def spoiled(payload: Any, place: Place, spoiler: object) -> Any:
    """Return a copy of the payload with one field replaced, or deleted."""
    fresh = copy.deepcopy(payload)
    holder = fresh
    for step in place.steps[:-1]:
        holder = holder[step]
    if spoiler is DELETED:
        del holder[place.steps[-1]]
    else:
        holder[place.steps[-1]] = copy.deepcopy(spoiler)
    return fresh


def one_raw(new: NewHarness, stream: Stream) -> tuple[Reader, Raw]:
    """Return a reader and the raw record of one record it has read."""
    reader = start(new, stream)
    key = fill(reader, 1)[0]
    reader.read()
    if key not in reader.stored:
        fail(Finding.LOST_PAGE, f"{stream.name}: {key} did not arrive, so nothing can be said of it")
    return reader, reader.stored[key].raw


@per_feed()
def normalise_depends_on_its_argument_alone(new: NewHarness, stream: Stream) -> None:
    """Same raw record, later, by another object: the same order, no call, no trace."""
    reader, raw = one_raw(new, stream)
    harness = reader.harness
    before, digest, requests = copy.deepcopy(raw), digest_of(raw.payload), harness.requests
    first = stream.normalise(reader.connector, raw)
    harness.clock.advance(seconds=86_400)
    second = stream.normalise(harness.connector(), raw)
    if first != second:
        fail(Finding.NOT_PURE, f"{stream.name}: two readings of {raw.head.external_id} differ")
    if harness.requests != requests:
        fail(Finding.NOT_PURE, f"{stream.name}: normalise calls the platform")
    if raw != before or digest_of(raw.payload) != digest:
        fail(Finding.NOT_PURE, f"{stream.name}: normalise changed its argument")


@per_feed()
def mutilated_payload_names_the_field(new: NewHarness, stream: Stream) -> None:
    """Every field missing, empty, of another kind: read all the same, or PayloadError that names it."""
    reader, raw = one_raw(new, stream)
    mutilate(reader.harness, raw, lambda damaged: stream.normalise(reader.connector, damaged), stream.name)


@check(plays(WebhookSource))
def mutilated_webhook_record_names_the_field(new: NewHarness) -> None:
    """As in a stream: what is sent to us is no better than what we ask for."""
    harness = new()
    connector: Any = harness.connector()
    for item in connector.read_webhook(harness.webhook()).records:
        mutilate(harness, item.raw, normaliser(connector, item), f"webhook {item.kind}")


def normaliser(connector: Any, record: WebhookRecord) -> Callable[[Raw], Record]:
    """Return what reads a record of a webhook."""
    by_kind = {"order": "normalise", "refund": "normalise_refund", "track": "normalise_track"}
    if record.kind not in by_kind:
        fail(Finding.UNREAD_WEBHOOK, f"a record of the kind {record.kind!r}, which is none")
    normalise: Callable[[Raw], Record] = getattr(connector, by_kind[record.kind])
    return normalise


def mutilate(harness: Harness, raw: Raw, normalise: Callable[[Raw], Record], where: str) -> None:
    """Normalise a record with each field damaged in turn, in each way."""
    for place, damaged, told in damages(raw):
        judge_damaged(harness, damaged, normalise, place, f"{where}: {told}")


def damages(raw: Raw) -> Iterator[tuple[Place, Raw, str]]:
    """Yield the record with each field damaged in turn, in each way, and where and how."""
    for place in places(raw.payload):
        for spoiler in SPOILERS:
            damaged = replace(raw, payload=spoiled(raw.payload, place, spoiler))
            yield place, damaged, f"{place} {'deleted' if spoiler is DELETED else repr(spoiler)}"


def judge_damaged(harness: Harness, damaged: Raw, normalise: Callable[[Raw], Record], place: Place, where: str) -> None:
    """Normalise a damaged record; only a sound record or a PayloadError with the right path may come out."""
    try:
        record = normalise(damaged)
    except PayloadError as error:
        judge_error(error, harness.personal_data, where)
        check_path(harness, error, place, where)
    except ConnectorError as error:
        fail(Finding.WRONG_ERROR_CLASS, f"{where}: {error!r} is not PayloadError")
    except Exception as error:  # noqa: BLE001 - whatever leaves the connector is what is judged here
        fail(Finding.UNMAPPED_PAYLOAD, f"{where}: {error!r}")
    else:
        check_record(harness, record, where)


def check_record(harness: Harness, record: Record, where: str) -> None:
    """Fail when a record made of a damaged payload is itself unsound."""
    inspect(record)
    for bad in (*getattr(record, "bad_lines", ()), *getattr(record, "bad", ())):
        judge_error(bad.error, harness.personal_data, where)


def check_path(harness: Harness, error: PayloadError, place: Place, where: str) -> None:
    """Fail when the error's path names neither the damaged field nor what holds it."""
    names = [harness.field_names.get(name, name) for name in place.names]
    if not error.path or not any(name in error.path for name in names):
        fail(Finding.WRONG_PATH, f"{where}: the error names {error.path!r}")


@check()
def making_a_connector_calls_nobody(new: NewHarness) -> None:
    """A configuration is checked, and a daemon starts, while platforms are down."""
    harness = new()
    harness.connector()
    if harness.requests:
        fail(Finding.IO_IN_INIT, f"{harness.requests} requests")


@check()
def closing_twice_is_allowed(new: NewHarness) -> None:
    """A reload and a stop may meet."""
    harness = new()
    connector = harness.connector()
    for _ in range(2):
        error = attempt(harness, "close", connector.close)
        if error is not None:
            fail(Finding.UNMAPPED_ERROR, f"close: {error!r}")


@check()
def check_changes_nothing(new: NewHarness) -> None:
    """`check` proves address and credentials; run twice it leaves the platform as it was."""
    harness = new()
    connector = harness.connector()
    if isinstance(connector, OrderSource):
        harness.add_order(harness.clock.now(), total_minor=1990)
    if isinstance(connector, StockSink | ListingSource):
        harness.add_listing()
    if isinstance(connector, CourierSink):
        connector.book(harness.new_booking())
    before = copy.deepcopy(harness.state())
    for _ in range(2):
        error = attempt(harness, "check", connector.check)
        if error is not None:
            fail(Finding.WRONG_ERROR_CLASS, f"check without fault: {error!r}")
    if harness.state() != before:
        fail(Finding.CHECK_CHANGES, "state() differs after check")


@check(speaks_http)
def check_says_what_is_wrong(new: NewHarness) -> None:
    """Every kind of failure reaches the operator, as an error of a known class; bad credentials as AuthError."""
    for kind in (*TRANSPORT_FAULTS, Fault.EXPIRED_TOKEN):
        harness = new()
        connector = harness.connector()
        harness.faults.force(kind, times=100)
        error = attempt(harness, f"check, {kind}", connector.check)
        if error is None:
            fail(Finding.SWALLOWED_ERROR, f"check returned in spite of {kind}")
        if kind is Fault.EXPIRED_TOKEN and not isinstance(error, AuthError):
            fail(Finding.WRONG_ERROR_CLASS, f"check, {kind}: {error!r} is not AuthError")


@check(plays(ListingSource))
def catalogue_is_read_to_its_end(new: NewHarness) -> None:
    """Several pages of listings, broken off after every page in turn and continued from the mark."""
    harness = new()
    levels = [harness.add_listing() for _ in range(2 * harness.page_size + 1)]
    stop, met = 0, 1
    while met > stop:
        seen: set[tuple[str, str]] = set()
        met, mark = _read_listings(harness, None, seen, stop=stop)
        _read_listings(harness, mark, seen, stop=None)
        for level in levels:
            if (level.channel_sku, level.item_ref) not in seen:
                fail(Finding.LOST_LISTING, f"{level.channel_sku} {level.item_ref}, broken off after page {stop + 1}")
        stop += 1


def _read_listings(
    harness: Harness, mark: str | None, seen: set[tuple[str, str]], *, stop: int | None
) -> tuple[int, str | None]:
    """Read the catalogue from `mark`, at most to page `stop`; return how many pages were met and the last mark."""
    connector: Any = harness.connector()
    met = 0
    for page in connector.pull_listings(Cursor(mark=mark)):
        for row in page.rows:
            inspect(row)
            seen.add((row.channel_sku, row.item_ref))
        met, mark = met + 1, page.mark
        if stop is not None and met > stop:
            break
    connector.close()
    return met, mark


@check(plays(ListingSource), speaks_http)
def failed_catalogue_page_is_no_end(new: NewHarness) -> None:
    """Failures row 20: a truncated catalogue must not look like a short one."""
    harness = new()
    for _ in range(2 * harness.page_size + 1):
        harness.add_listing()
    before = harness.requests
    _read_listings(harness, None, set(), stop=None)
    for index in range(harness.requests - before):
        harness.faults.force(Fault.TIMEOUT_BEFORE, after=index, times=12)
        error = attempt(harness, "pull_listings", lambda: _read_listings(harness, None, set(), stop=None))
        harness.faults.clear()
        if error is None:
            fail(Finding.SWALLOWED_ERROR, f"pull_listings ended although request {index + 1} failed")


@check(plays(WebhookSource))
def genuine_webhook_is_read(new: NewHarness) -> None:
    """The same delivery twice has one key; its records can be normalised."""
    harness = new()
    connector: Any = harness.connector()
    request = harness.webhook()
    error = attempt(harness, "read_webhook", lambda: connector.read_webhook(request))
    if error is not None:
        fail(Finding.UNREAD_WEBHOOK, f"read_webhook of a genuine delivery: {error!r}")
    result, again = connector.read_webhook(request), connector.read_webhook(request)
    if not result.key or result.key != again.key:
        fail(Finding.UNREAD_WEBHOOK, f"key {result.key!r}, the second time {again.key!r}")
    if not (result.records or result.hints):
        fail(Finding.UNREAD_WEBHOOK, "neither records nor hints")
    for item in result.records:
        inspect(normaliser(connector, item)(item.raw))
    if not isinstance(connector.webhook_reply(result).body, bytes):
        fail(Finding.UNREAD_WEBHOOK, "webhook_reply has no body of bytes")


@check(plays(WebhookSource))
def forged_webhook_is_refused(new: NewHarness) -> None:
    """The signature covers the raw bytes: one changed byte, or no signature at all, is AuthError.

    A platform that signs nothing can be told from others by the address alone.
    """
    harness = new()
    connector: Any = harness.connector()
    genuine = harness.webhook()
    body, path = genuine.body, genuine.path
    forgeries = {"no headers, query and path": replace(genuine, headers={}, query={}, path="")}
    if path:
        forgeries["another path"] = replace(genuine, path=path[:-1] + chr(ord(path[-1]) ^ 1))
    if harness.webhooks_signed:
        forgeries |= {
            "a byte more": replace(genuine, body=body + b" "),
            "a byte changed": replace(genuine, body=bytes([body[0] ^ 1]) + body[1:]),
            "an empty body": replace(genuine, body=b""),
        }
    for name, request in forgeries.items():
        if request == genuine:
            continue  # all of it stands in the body
        error = attempt(harness, f"read_webhook with {name}", lambda: connector.read_webhook(request))  # noqa: B023
        if error is None:
            fail(Finding.FORGED_WEBHOOK, name)
        if not isinstance(error, AuthError):
            fail(Finding.WRONG_ERROR_CLASS, f"read_webhook with {name}: {error!r} is not AuthError")
