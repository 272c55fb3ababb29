"""From raw records to batches: what is unseen, what it says, what cannot be read, which record spoils a batch."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Table, select

from erpsync.core.readings import Reading, Verdict, is_ahead, judge, reading_of
from erpsync.flows.blame import is_of_record
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import defect_text
from erpsync.flows.orders.apply import apply
from erpsync.flows.records.batch import Batch, OrderRecord, RefundRecord, letter_of
from erpsync.flows.records.bounds import bounded, bounded_refund
from erpsync.sdk.errors import ConnectorError, PayloadError, RejectedError
from erpsync.sdk.money import require_currency
from erpsync.sdk.roles import OrderReader, OrderSource, RefundReader, playing
from erpsync.sdk.text import storable
from erpsync.sdk.types import Head, Order, Raw, Refund
from erpsync.store.dead_letters import DeadLetter, add_dead_letters
from erpsync.store.outbox.dirty import Cause

Normal = TypeVar("Normal")
log = structlog.get_logger()


def unseen(ctx: Context, channel: Channel, heads: Sequence[Head], table: Table) -> list[Head]:
    """Return the heads that are new or different; what is known is not read in detail again."""
    wanted = [head.external_id for head in heads if head.external_id == storable(head.external_id)]
    columns = [table.c[name] for name in ("external_id", "version_at", "digest", "read_from_at", "read_to_at")]
    query = select(*columns).where(table.c.channel_id == channel.id, table.c.external_id.in_(wanted))
    with ctx.store.read() as connection:
        stored = {
            row.external_id: Reading(
                version_at=row.version_at, digest=row.digest, read_from=row.read_from_at, read_to=row.read_to_at
            )
            for row in connection.execute(query)
        }
    nothing = (Verdict.SAME, Verdict.OLDER)
    return [
        head
        for head in heads
        if judge(stored.get(head.external_id), reading_of(head), further=True, rereads=True) not in nothing
        and not _is_known_ahead(head, stored.get(head.external_id))
    ]


def _is_known_ahead(head: Head, stored: Reading | None) -> bool:
    """Whether a head claims to be of the future and is known word for word: it counts as it first came."""
    return stored is not None and stored.digest == head.digest and is_ahead(head.version_at, head.read_to)


def read_orders(channel: Channel, raws: Sequence[Raw]) -> Batch:
    """Return raw orders in normal form; those that cannot be read become dead letters."""
    source = playing(channel.connector, OrderReader)
    if source is None:
        raise LookupError(f"channel {channel.name} has no orders")

    def normalise(raw: Raw) -> Order:
        order = bounded(source.normalise(raw))
        check_size(channel, len(order.lines) + len(order.bad_lines))
        require_currency(order.currency)
        return order

    read, letters = _read_each(channel, "order", raws, normalise)
    return Batch(orders=tuple(OrderRecord(raw=raw, order=order) for raw, order in read), letters=tuple(letters))


def read_refunds(channel: Channel, raws: Sequence[Raw]) -> Batch:
    """Return raw refunds in normal form; those that cannot be read become dead letters."""
    source = playing(channel.connector, RefundReader)
    if source is None:
        raise LookupError(f"channel {channel.name} has no refunds")

    def normalise(raw: Raw) -> Refund:
        refund = bounded_refund(source.normalise_refund(raw))
        check_size(channel, len(refund.lines))
        require_currency(refund.currency, may_be_none=True)
        return refund

    read, letters = _read_each(channel, "refund", raws, normalise)
    return Batch(refunds=tuple(RefundRecord(raw=raw, refund=item) for raw, item in read), letters=tuple(letters))


def check_size(channel: Channel, lines: int) -> None:
    """Raise `PayloadError` for a record of more lines than one of this channel may have."""
    if lines > channel.max_lines:
        raise PayloadError(f"{lines} lines, more than max_lines ({channel.max_lines})", path="lines")


def read_details(
    channel: Channel, source: OrderSource, heads: Sequence[Head], *, at_once: int
) -> tuple[list[Raw], list[DeadLetter], ConnectorError | None]:
    """Return the whole records as far as they could be read, those that never will be, and what ended the reading.

    What was read is stored even so, without the page's mark: where one call in ten fails, a page of a hundred would
    never be read in one go. Where the channel refuses to show any of several, the fault is not theirs.
    """
    raws: list[Raw] = []
    letters: list[DeadLetter] = []
    refusal: ConnectorError | None = None
    try:
        for first in range(0, len(heads), at_once):
            read, refused, why = _complete(channel, source, heads[first : first + at_once])
            raws += read
            letters += refused
            refusal = why or refusal
    except ConnectorError as error:
        return raws, letters if raws else [], error
    if refusal is not None and not raws and len(heads) > 1:
        return [], [], refusal
    return raws, letters, None


def _complete(
    channel: Channel, source: OrderSource, heads: Sequence[Head]
) -> tuple[list[Raw], list[DeadLetter], ConnectorError | None]:
    """Return the whole records of `heads`, a dead letter for each that the channel refuses to show, and its refusal."""
    try:
        return list(source.complete(heads)), [], None
    except (RejectedError, PayloadError) as error:
        if len(heads) == 1:
            listed = Raw(head=heads[0], payload=heads[0].row, read_from=heads[0].read_from, read_to=heads[0].read_to)
            return [], [letter_of(channel, "order", listed, error, whole=False)], error
        answers = [_complete(channel, source, [head]) for head in heads]
        raws = [raw for read, _, _ in answers for raw in read]
        return raws, [letter for _, letters, _ in answers for letter in letters], error


def _read_each(
    channel: Channel, kind: str, raws: Sequence[Raw], normalise: Callable[[Raw], Normal]
) -> tuple[list[tuple[Raw, Normal]], list[DeadLetter]]:
    read: list[tuple[Raw, Normal]] = []
    letters: list[DeadLetter] = []
    for raw in raws:
        try:
            read.append((raw, normalise(raw)))
        except PayloadError as error:
            letters.append(letter_of(channel, kind, raw, error))
        except Exception as error:
            if not is_of_record(error):
                raise
            letters.append(letter_of(channel, kind, raw, error))
            log.error("record.buried", channel=channel.name, key=letters[-1].key, error=defect_text(error))
    return read, letters


def may_be_poison(error: Exception, batch: Batch) -> bool:
    """Whether a failure may be one record's fault: not a lost lease, not a database that is away or busy."""
    return is_of_record(error) and bool(batch.orders or batch.refunds)


def apply_bisected(
    ctx: Context, channel: Channel, batch: Batch, error: Exception, *, cause: Cause | None = None
) -> list[str]:
    """Apply a batch that failed as a whole in halves, until the record at fault is alone and becomes a dead letter.

    Returns the orders to be read again.
    """
    halves = batch.halves()
    if halves is None:
        orders = [letter_of(channel, "order", record.raw, error) for record in batch.orders]
        refunds = [
            letter_of(channel, "refund", record.raw, error, of_order=record.refund.order_external_id)
            for record in batch.refunds
        ]
        _bury_safely(ctx, channel, [*batch.letters, *orders, *refunds])
        for letter in (*orders, *refunds):
            log.error("record.buried", channel=channel.name, key=letter.key, error=letter.error)
        return []
    return [external_id for half in halves for external_id in apply_safely(ctx, channel, half, cause=cause)]


def _bury_safely(ctx: Context, channel: Channel, letters: list[DeadLetter]) -> None:
    """Store letters and hold their orders; where even that fails, the letters alone, so that reading goes on."""
    try:
        ctx.store.retrying(lambda tx: apply(tx, ctx, channel, Batch(letters=tuple(letters))))
    except Exception as error:
        if not is_of_record(error):
            raise
        ctx.store.retrying(lambda tx: add_dead_letters(tx, letters))
        log.error("order.not_held", channel=channel.name, key=letters[-1].key, error=defect_text(error))


def apply_safely(ctx: Context, channel: Channel, batch: Batch, *, cause: Cause | None = None) -> list[str]:
    """Apply a batch whatever single records do to it; return the orders to be read again."""
    try:
        applied = ctx.store.retrying(partial(apply, ctx=ctx, channel=channel, batch=batch, cause=cause))
    except Exception as error:
        if not may_be_poison(error, batch):
            raise
        return apply_bisected(ctx, channel, batch, error, cause=cause)
    return applied.read_again
