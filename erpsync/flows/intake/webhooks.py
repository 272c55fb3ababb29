"""Webhooks: stored before they are answered, applied by the same function as polled pages.

Why nothing is applied inline: the sender's patience must not depend on locks, and what is stored can be applied again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from sqlalchemy import select, text, update

from erpsync.core.readings import is_ahead
from erpsync.flows.channels.streams import streams_of
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import error_repr, error_text
from erpsync.flows.intake.track_messages import keep_tracks, read_tracks
from erpsync.flows.intake.unknown_messages import note_unknown
from erpsync.flows.orders.apply import apply
from erpsync.flows.orders.normalise import apply_bisected, apply_safely, may_be_poison, read_orders, read_refunds
from erpsync.flows.records.batch import LINES_AT_ONCE, Batch
from erpsync.flows.retry import Again, Dead, after_delivery
from erpsync.flows.shipments.tracks import Told
from erpsync.sdk.errors import AuthError, PayloadError, TransientError
from erpsync.sdk.roles import OrderSource, WebhookSource, playing
from erpsync.sdk.text import storable
from erpsync.sdk.types import (
    Head,
    OrderState,
    Raw,
    UnknownMessage,
    WebhookReply,
    WebhookRequest,
    WebhookResult,
)
from erpsync.store.cursors import want_pass
from erpsync.store.db.store import Stage, Tx
from erpsync.store.dead_letters import DeadLetter, add_dead_letters
from erpsync.store.encrypted import inbox_row
from erpsync.store.tables import EPOCH, inbox

AT_ONCE = 50
LANE_STOP, LANE_ORDER, LANE_TRACK = 0, 1, 2
WRITTEN = EPOCH
"""When what a webhook says was read over there: some time before it came. So no two of them are told apart by their
arrival, and one that overtook another of the same version does not count as the later reading."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of a webhook: `stored` or `duplicate`, and what to answer."""

    status: str
    reply: WebhookReply


def store_webhook(ctx: Context, channel: Channel, request: WebhookRequest) -> Received:
    """Check a webhook's signature and store what it says; durable when this returns. Raises `AuthError`."""
    source = playing(channel.connector, WebhookSource)
    if source is None or not channel.enabled:
        raise AuthError(f"channel {channel.name} takes no webhooks")
    result = _as_applied(source.read_webhook(request))
    lane = _lane(channel, result)
    stored = ctx.store.retrying(partial(_insert, channel=channel, result=result, request=request, lane=lane))
    log.info("webhook.stored" if stored else "webhook.repeated", channel=channel.name, key=result.key)
    return Received(status="stored" if stored else "duplicate", reply=source.webhook_reply(result))


def _as_applied(result: WebhookResult) -> WebhookResult:
    """Return what a delivery says, records of kinds that nobody here applies as messages of an unknown type."""
    strange = tuple(
        UnknownMessage(type=record.kind, payload=record.raw.payload)
        for record in result.records
        if record.kind not in KINDS
    )
    applied = tuple(record for record in result.records if record.kind in KINDS)
    return replace(result, records=applied, unknown=(*result.unknown, *strange)) if strange else result


def _lane(channel: Channel, result: WebhookResult) -> int:
    """Return whose turn it is: refunds and cancels overtake every order that waits, and orders where parcels are."""
    if result.records and not result.hints and all(record.kind == "track" for record in result.records):
        return LANE_TRACK
    if "refunds" in result.hints or any(record.kind == "refund" for record in result.records):
        return LANE_STOP
    raws = [record.raw for record in result.records if record.kind == "order"]
    read = read_orders(channel, raws).orders if raws else ()
    return LANE_STOP if any(record.order.state is OrderState.CANCELLED for record in read) else LANE_ORDER


def _insert(tx: Tx, *, channel: Channel, result: WebhookResult, request: WebhookRequest, lane: int) -> bool:
    body = {
        "hints": list(result.hints),
        "records": [_record(record.kind, record.raw) for record in result.records],
    }
    ended = bool(result.unknown) and not result.records and not result.hints
    row = tx.insert(inbox).values(
        channel_id=channel.id,
        delivery_key=result.key,
        body=None if ended else tx.vault.encrypt(body, row=inbox_row(channel.id, result.key)),
        received_at=request.received_at,
        state="done" if ended else "pending",
        run_at=tx.now,
        lane=lane,
    )
    fresh = row.on_conflict_do_nothing(index_elements=["channel_id", "delivery_key"]).returning(inbox.c.id)
    stored = tx.execute(fresh).first() is not None
    if stored:
        note_unknown(tx, channel, result)
    if stored and not ended:
        tx.wake(Stage.INBOX)
    return stored


def _record(kind: str, raw: Raw) -> dict[str, Any]:
    return {
        "kind": kind,
        "payload": dict(raw.payload),
        "external_id": raw.head.external_id,
        "version_at": raw.head.version_at.isoformat(),
        "digest": raw.head.digest,
        "source": raw.head.source,
        "order_external_id": raw.head.order_external_id,
        "dated": raw.head.dated,
    }


class _Inbox(Protocol):
    """A row of `inbox` that is to be applied, as it was read."""

    id: int
    channel_id: int
    delivery_key: str
    body: bytes
    received_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """A stored webhook, opened and read."""

    row: _Inbox
    batch: Batch
    hints: Sequence[str]
    tracks: Sequence[Told] = ()

    @property
    def names(self) -> set[str]:
        """What it is about: orders and refunds by their external ids, also those that could not be read."""
        refunds = {name for r in self.batch.refunds for name in (r.refund.external_id, r.refund.order_external_id)}
        letters = {
            name for letter in self.batch.letters for name in (letter.key, letter.order_external_id or letter.key)
        }
        return refunds | letters | {r.order.external_id for r in self.batch.orders}


class _ApartError(Exception):
    """These deliveries cannot be applied together; nothing of the transaction stays."""


def apply_inbox(ctx: Context) -> int:
    """Apply stored webhooks, refunds and cancels first, then oldest first; return how many were taken up.

    Those of one channel are applied together, for a transaction per delivery could not follow a flash sale.
    """
    query = (
        select(inbox)
        .where(text("inbox.state = 'pending'"), inbox.c.run_at <= ctx.store.clock.now())
        .order_by(inbox.c.lane, inbox.c.id)
        .limit(AT_ONCE)
    )
    with ctx.store.read() as connection:
        rows: Sequence[Any] = connection.execute(query).all()
    groups: dict[tuple[int, int], list[_Inbox]] = {}
    for row in rows:
        groups.setdefault((row.lane, row.channel_id), []).append(row)
    return sum(_apply_rows(ctx, channel_id, group) for (_, channel_id), group in groups.items())


def _apply_rows(ctx: Context, channel_id: int, rows: Sequence[_Inbox]) -> int:
    """Apply what is about different orders in one commit, or else each by itself; return how many were this node's."""
    channel, taken = ctx.channels.get(channel_id), len(rows)
    if channel is None or channel.connector is None:
        away = TransientError("the channel is not configured")
        for row in rows:
            ctx.store.retrying(partial(_fail, ctx=ctx, channel=None, row=row, error=away))
        return taken
    for group in _groups(_open_all(ctx, channel, rows)):
        try:
            taken -= ctx.store.retrying(partial(_commit, ctx=ctx, channel=channel, deliveries=group))
        except Exception:  # noqa: BLE001 one of them is at fault; by itself each leaves a state behind
            for delivery in group:
                with _leaving_state(ctx, channel, delivery.row):
                    _apply_alone(ctx, channel, delivery)
    return taken


@contextmanager
def _leaving_state(ctx: Context, channel: Channel, row: _Inbox) -> Iterator[None]:
    """Whatever goes wrong inside with an inbox row, a state stays behind."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 the one place that runs every inbox row
        if not isinstance(error, PayloadError):
            log.warning("inbox.retried", channel=channel.name, key=row.delivery_key, error=error_repr(error))
        ctx.store.retrying(partial(_fail, ctx=ctx, channel=channel, row=row, error=error))


def _open_all(ctx: Context, channel: Channel, rows: Sequence[_Inbox]) -> Iterator[_Delivery]:
    """Yield those of these webhooks that can be opened and read."""
    for row in rows:
        with _leaving_state(ctx, channel, row):
            body = _opened(ctx, row)
            batch, tracks = _read(channel, row, body)
            yield _Delivery(row=row, batch=batch, hints=body["hints"], tracks=tracks)


def _groups(deliveries: Iterable[_Delivery]) -> Iterator[Sequence[_Delivery]]:
    """Yield them in their order, as many at once as a commit may hold and none about what another one is about."""
    group, names, lines = list[_Delivery](), set[str](), 0
    for delivery in deliveries:
        if group and (lines + delivery.batch.lines > LINES_AT_ONCE or names & delivery.names):
            yield group
            group, names, lines = [], set(), 0
        group.append(delivery)
        names |= delivery.names
        lines += delivery.batch.lines
    if group:
        yield group


def _commit(tx: Tx, *, ctx: Context, channel: Channel, deliveries: Sequence[_Delivery]) -> int:
    """Apply them all; return how many were left to another node that is at them."""
    free = _pending(tx, deliveries, skip_locked=True)
    if _apply(tx, ctx, channel, free):
        raise _ApartError
    return len(deliveries) - len(free)


def _apply_alone(ctx: Context, channel: Channel, delivery: _Delivery) -> None:
    """Apply one, in halves if a record of it is at fault; it stays pending until what has to be read again was."""

    def commit(batch: Batch) -> list[str]:
        one = replace(delivery, batch=batch)
        return ctx.store.retrying(lambda tx: _apply(tx, ctx, channel, _pending(tx, [one])))

    try:
        again = commit(delivery.batch)
        if not again:
            return
    except Exception as error:
        if not may_be_poison(error, delivery.batch):
            raise
        again = apply_bisected(ctx, channel, delivery.batch, error)
    if again:
        apply_safely(ctx, channel, _read_again(channel, delivery.batch, again))
    commit(Batch())


def _pending(tx: Tx, deliveries: Sequence[_Delivery], *, skip_locked: bool = False) -> list[_Delivery]:
    """Return those that are still to be applied, locked."""
    ids = inbox.c.id.in_([delivery.row.id for delivery in deliveries])
    query = select(inbox.c.id).where(ids, inbox.c.state == "pending").with_for_update(skip_locked=skip_locked)
    free = set(tx.execute(query).scalars())
    return [delivery for delivery in deliveries if delivery.row.id in free]


def _apply(tx: Tx, ctx: Context, channel: Channel, deliveries: Sequence[_Delivery]) -> list[str]:
    """Apply these (locked) deliveries and end them, unless there are orders to be read again; return those."""
    if not deliveries:
        return []
    batch = Batch(
        orders=tuple(record for delivery in deliveries for record in delivery.batch.orders),
        refunds=tuple(record for delivery in deliveries for record in delivery.batch.refunds),
        letters=tuple(letter for delivery in deliveries for letter in delivery.batch.letters),
    )
    again = apply(tx, ctx, channel, batch).read_again
    if not again:
        for delivery in deliveries:
            if delivery.tracks:
                keep_tracks(tx, channel, delivery.tracks, key=delivery.row.delivery_key)
        done = update(inbox).where(inbox.c.id.in_(sorted(delivery.row.id for delivery in deliveries)))
        tx.execute(done.values(state="done", body=None, applied_at=tx.now))
        want_pass(
            tx, channel.id, {hint for delivery in deliveries for hint in delivery.hints} & set(streams_of(channel))
        )
    return again


def _opened(ctx: Context, row: _Inbox) -> dict[str, Any]:
    if ctx.store.vault is None:
        raise LookupError("this process runs without encryption keys")
    body: dict[str, Any] = ctx.store.vault.decrypt(row.body, row=inbox_row(row.channel_id, row.delivery_key))
    return body


def _read(channel: Channel, row: _Inbox, body: dict[str, Any]) -> tuple[Batch, list[Told]]:
    """Return what a delivery says in normal form: orders and refunds, and what it tells of parcels."""
    raws: dict[str, list[Raw]] = {kind: [] for kind in KINDS}
    for record in body["records"]:
        raws[record["kind"]].append(_raw(row, record))
    read = [KINDS[kind](channel, of_kind) for kind, of_kind in raws.items() if of_kind]
    batches = [batch for batch, _ in read]
    batch = Batch(
        orders=tuple(order for of in batches for order in of.orders),
        refunds=tuple(refund for of in batches for refund in of.refunds),
        letters=tuple(letter for of in batches for letter in of.letters),
    )
    return batch, [told for _, tracks in read for told in tracks]


def _raw(row: _Inbox, record: Mapping[str, Any]) -> Raw:
    head = Head(
        external_id=record["external_id"],
        version_at=datetime.fromisoformat(record["version_at"]),
        digest=record["digest"],
        read_from=WRITTEN,
        read_to=row.received_at,
        row=record["payload"],
        source=f"delivery {row.delivery_key}",
        order_external_id=record.get("order_external_id", ""),
        dated=record.get("dated", True),
    )
    return Raw(head=head, payload=record["payload"], read_from=WRITTEN, read_to=row.received_at)


KINDS: Mapping[str, Callable[[Channel, Sequence[Raw]], tuple[Batch, Sequence[Told]]]] = {
    "order": lambda channel, raws: (read_orders(channel, raws), ()),
    "refund": lambda channel, raws: (read_refunds(channel, raws), ()),
    "track": lambda channel, raws: (Batch(), read_tracks(channel, raws)),
}
"""How the records of each kind are read; those of other kinds are kept, counted and told once."""


def _read_again(channel: Channel, batch: Batch, again: Sequence[str]) -> Batch:
    """Ask the channel about orders whose webhook cannot be put in order with what is known."""
    source = playing(channel.connector, OrderSource)
    if source is None:
        raise LookupError(f"channel {channel.name} cannot be asked for orders")
    return read_orders(channel, source.complete([r.raw.head for r in batch.orders if r.order.external_id in again]))


def _fail(tx: Tx, *, ctx: Context, channel: Channel | None, row: _Inbox, error: Exception) -> None:
    """Leave a state behind for a webhook that was not applied; one that is given up holds the order it speaks of.

    Args:
        channel: None when it is not configured; then nothing is held.
    """
    why = error_text(error)
    match after_delivery(error, attempts=row.attempts, row_id=row.id):
        case Again(wait_s, counts):
            values = {"attempts": row.attempts + int(counts), "run_at": tx.now + timedelta(seconds=wait_s)}
        case Dead():
            source = f"delivery {row.delivery_key}" if isinstance(error, PayloadError) else ""
            letter = DeadLetter(channel_id=row.channel_id, kind="inbox", key=row.delivery_key, error=why, source=source)
            if channel is None:
                add_dead_letters(tx, [letter])
            else:
                apply(tx, ctx, channel, Batch(letters=(replace(letter, **_subject(ctx, row)),)))
            values = {"state": "dead"}
    tx.execute(update(inbox).where(inbox.c.id == row.id, inbox.c.state == "pending").values(error=why, **values))


def _subject(ctx: Context, row: _Inbox) -> dict[str, Any]:
    """Return which order a delivery speaks of, and of which version, as far as it can be opened and says so."""
    try:
        records = _opened(ctx, row)["records"]
    except Exception:  # noqa: BLE001 what cannot be opened names nobody; its letter is written all the same
        return {}
    order = next((record for record in records if record["kind"] == "order"), None)
    if order is not None:
        version_at = datetime.fromisoformat(order["version_at"]) if order.get("dated", True) else None
        if version_at is not None and is_ahead(version_at, row.received_at):
            version_at = row.received_at
        return {"order_external_id": storable(order["external_id"]), "version_at": version_at}
    named = next((record.get("order_external_id") for record in records), None)
    return {"order_external_id": storable(named) if named else None}
