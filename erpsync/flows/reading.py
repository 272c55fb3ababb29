"""From raw records to batches: what is unseen, what it says, what cannot be read, which record spoils a batch."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Table, select
from sqlalchemy.exc import OperationalError

from erpsync.core.readings import Reading, Verdict, judge, reading_of
from erpsync.flows.facts import Batch, OrderRecord, RefundRecord
from erpsync.flows.house import Channel, House
from erpsync.flows.ingest import apply
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.roles import OrderSource, RefundSource, playing
from erpsync.sdk.types import Head, Raw
from erpsync.store.dirty import Cause
from erpsync.store.leases import LeaseLostError
from erpsync.store.notes import DeadLetter, bury

log = structlog.get_logger()


def unseen(house: House, channel: Channel, heads: Sequence[Head], table: Table) -> list[Head]:
    """Return the heads that are new or different; what is known is not read in detail again."""
    wanted = [head.external_id for head in heads]
    columns = [table.c[name] for name in ("external_id", "version_at", "digest", "read_from_at", "read_to_at")]
    query = select(*columns).where(table.c.channel_id == channel.id, table.c.external_id.in_(wanted))
    with house.store.read() as connection:
        known = {
            row.external_id: Reading(
                version_at=row.version_at, digest=row.digest, read_from=row.read_from_at, read_to=row.read_to_at
            )
            for row in connection.execute(query)
        }
    nothing = (Verdict.SAME, Verdict.OLDER)
    return [
        head
        for head in heads
        if judge(known.get(head.external_id), reading_of(head), further=True, rereads=True) not in nothing
    ]


def read_orders(channel: Channel, raws: Sequence[Raw]) -> Batch:
    """Return raw orders in normal form; those that cannot be read become dead letters."""
    source = playing(channel.connector, OrderSource)
    if source is None:
        raise LookupError(f"channel {channel.name} has no orders")
    records: list[OrderRecord] = []
    letters: list[DeadLetter] = []
    for raw in raws:
        try:
            records.append(OrderRecord(raw=raw, order=source.normalise(raw)))
        except PayloadError as error:
            letters.append(letter_of(channel, "order", raw, error))
    return Batch(orders=tuple(records), letters=tuple(letters))


def read_refunds(channel: Channel, raws: Sequence[Raw]) -> Batch:
    """Return raw refunds in normal form; those that cannot be read become dead letters."""
    source = playing(channel.connector, RefundSource)
    if source is None:
        raise LookupError(f"channel {channel.name} has no refunds")
    records: list[RefundRecord] = []
    letters: list[DeadLetter] = []
    for raw in raws:
        try:
            records.append(RefundRecord(raw=raw, refund=source.normalise_refund(raw)))
        except PayloadError as error:
            letters.append(letter_of(channel, "refund", raw, error))
    return Batch(refunds=tuple(records), letters=tuple(letters))


def letter_of(channel: Channel, kind: str, raw: Raw, error: Exception) -> DeadLetter:
    """Return the dead letter of a record that cannot be read, with all it takes to try again."""
    head = raw.head
    body = {
        "payload": dict(raw.payload),
        "external_id": head.external_id,
        "version_at": head.version_at.isoformat(),
        "digest": head.digest,
        "read_from": raw.read_from.isoformat(),
        "read_to": raw.read_to.isoformat(),
        "source": head.source,
    }
    source = error.source if isinstance(error, PayloadError) and error.source else head.source
    return DeadLetter(
        channel_id=channel.id, kind=kind, key=head.external_id, error=str(error), source=source, body=body
    )


def raw_of(body: Mapping[str, Any]) -> Raw:
    """Return the raw record kept in a dead letter by `letter_of`."""
    read_from, read_to = datetime.fromisoformat(body["read_from"]), datetime.fromisoformat(body["read_to"])
    head = Head(
        external_id=body["external_id"],
        version_at=datetime.fromisoformat(body["version_at"]),
        digest=body["digest"],
        read_from=read_from,
        read_to=read_to,
        row=body["payload"],
        source=body["source"],
    )
    return Raw(head=head, payload=body["payload"], read_from=read_from, read_to=read_to)


def may_be_poison(error: Exception, batch: Batch) -> bool:
    """Whether a failure may be one record's fault: not a lost lease, not a database that is away."""
    if isinstance(error, LeaseLostError | OperationalError):
        return False
    return bool(batch.orders or batch.refunds)


def apply_bisected(
    house: House, channel: Channel, batch: Batch, error: Exception, *, cause: Cause | None = None
) -> list[str]:
    """Apply a batch that failed as a whole in halves, until the record at fault is alone and becomes a dead letter.

    Returns the orders to be read again.
    """
    halves = batch.halves()
    if halves is None:
        letters = [letter_of(channel, kind, raw, error) for kind, raw in batch.raws()]
        with house.store.begin() as tx:
            bury(tx, [*batch.letters, *letters])
        log.error("record.buried", channel=channel.name, key=letters[0].key, error=repr(error))
        return []
    again: list[str] = []
    for half in halves:
        try:
            again += house.store.retrying(
                partial(apply, house=house, channel=channel, batch=half, cause=cause)
            ).read_again
        except OperationalError:
            raise
        except Exception as inner:  # noqa: BLE001 whatever one record does must not block the others
            again += apply_bisected(house, channel, half, inner, cause=cause)
    return again
