"""Records that claim to have changed in the future: such a version counts as received when it first came.

Why it is not believed: it would be newer than everything that follows, so the order would be frozen, its cancel dropped
without a word, and it would be sent. Why the first receipt of that very body: a body that comes again would else be
newer than what came in between. It is kept with the payload, and with the dead letter where it could not be read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select, text

from erpsync.core.instants import stamp
from erpsync.core.readings import is_ahead
from erpsync.flows.context import Channel
from erpsync.flows.records.batch import Batch, OrderRecord, RefundRecord
from erpsync.sdk.text import storable
from erpsync.sdk.types import Raw
from erpsync.store import tables
from erpsync.store.db.clock import OFF
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.payloads import keep_payloads
from erpsync.store.tables import dead_letter, orders, payload, refund
from erpsync.store.tasks import Task, open_tasks

TASK = "version_ahead"
Record = OrderRecord | RefundRecord
_Key = tuple[str, str, str]
"""Kind, external id and digest of a body."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A record whose version lies in the future: what it claims, as what it counts, and whether it came before."""

    kind: str
    raw: Raw
    order_external_id: str
    claimed_at: datetime
    counts_at: datetime
    is_first: bool


def believed(tx: Tx, channel: Channel, batch: Batch) -> tuple[Batch, list[Lowered]]:
    """Return the batch with versions more than a day ahead counting as received, and those records.

    While this machine's clock is known to be off nothing can be said to lie in the future, and all is taken as it is.
    """
    ahead = [
        (kind, record) for kind, record in _records(batch) if is_ahead(record.reading.version_at, record.raw.read_to)
    ]
    if not ahead or _clock_is_off(tx, channel):
        return batch, []
    receipts = _receipts(tx, channel, ahead)
    lowered = {id(record): _lowered(kind, record, receipts) for kind, record in ahead}
    lowest = {key: claim.counts_at for key, claim in lowered.items()}
    believed = replace(
        batch,
        orders=tuple(_order_at(record, lowest.get(id(record))) for record in batch.orders),
        refunds=tuple(_refund_at(record, lowest.get(id(record))) for record in batch.refunds),
    )
    return believed, list(lowered.values())


def note_lowered(tx: Tx, channel: Channel, lowered: Sequence[Lowered], order_ids: Mapping[str, int]) -> None:
    """Keep when these bodies first came, and say of each new one that its version was not believed."""
    first = [claim for claim in lowered if claim.is_first]
    for claim in first:
        head = claim.raw.head
        kept = [(storable(head.external_id), claim.raw.payload)]
        keep_payloads(tx, channel.id, claim.kind, kept, at=claim.counts_at, ahead_digest=storable(head.digest))
        name = {"order": claim.order_external_id, "kind": claim.kind, "key": head.external_id}
        detail = name | {"claims": claim.claimed_at.isoformat(), "counts_as": claim.counts_at.isoformat()}
        order_id = order_ids.get(claim.order_external_id)
        write_events(tx, [Event(kind="version.ahead", order_id=order_id, channel_id=channel.id, detail=detail)])
        reason = (
            f"{channel.name} says of {claim.kind} {storable(head.external_id)} that it changed at "
            f"{stamp(claim.claimed_at)}, which lies in the future; it counts as received, at {stamp(claim.counts_at)}: "
            "set the clock over there right, or the field that holds the time of change"
        )
        open_tasks(tx, [Task(kind=TASK, key=channel.name, reason=reason, channel_id=channel.id, order_id=order_id)])
        log.warning("version.ahead", channel=channel.name, kind=claim.kind, key=storable(head.external_id))


def _records(batch: Batch) -> list[tuple[str, Record]]:
    return [("order", order) for order in batch.orders] + [("refund", refund) for refund in batch.refunds]


def _clock_is_off(tx: Tx, channel: Channel) -> bool:
    """Whether the channel's platform says so; where it has no clock of its own, whether any platform does."""
    rows = tx.all(
        select(tables.channel.c.id, tables.channel.c.clock_ahead_s).where(tables.channel.c.clock_ahead_s.is_not(None))
    )
    told = {row.id: row.clock_ahead_s for row in rows}
    said = [told[channel.id]] if channel.id in told else list(told.values())
    return any(abs(lead_s) > OFF.total_seconds() for lead_s in said)


def _key(kind: str, record: Record) -> _Key:
    return (kind, storable(record.raw.head.external_id), storable(record.raw.head.digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receipts:
    """When bodies first came, and which of them are kept as having claimed too much."""

    at: dict[_Key, datetime] = field(default_factory=dict)
    kept: set[_Key] = field(default_factory=set)

    def add(self, kind: str, rows: Sequence[Any], *, kept: bool = False) -> None:
        for row in rows:
            key = (kind, row.external_id, row.digest)
            self.at[key] = min(row.at, self.at.get(key, row.at))
            if kept:
                self.kept.add(key)


def _receipts(tx: Tx, channel: Channel, ahead: Sequence[tuple[str, Record]]) -> _Receipts:
    receipts = _Receipts()
    for kind, table in (("order", orders), ("refund", refund)):
        ids = sorted({_key(kind, record)[1] for record_kind, record in ahead if record_kind == kind})
        if not ids:
            continue
        stored = select(table.c.external_id, table.c.digest, table.c.version_at.label("at"))
        receipts.add(kind, tx.all(stored.where(table.c.channel_id == channel.id, table.c.external_id.in_(ids))))
        kept = select(payload.c.external_id, payload.c.ahead_digest.label("digest"), payload.c.at).where(
            payload.c.channel_id == channel.id, payload.c.kind == kind, payload.c.external_id.in_(ids)
        )
        receipts.add(kind, tx.all(kept.where(text("payload.ahead_digest <> ''"))), kept=True)
        letter = dead_letter.c
        buried = select(letter.key.label("external_id"), letter.digest, letter.received_at.label("at")).where(
            letter.channel_id == channel.id, letter.kind == kind, letter.key.in_(ids), letter.received_at.is_not(None)
        )
        receipts.add(kind, tx.all(buried.where(text("dead_letter.state = 'open'"))))
    return receipts


def _lowered(kind: str, record: Record, receipts: _Receipts) -> Lowered:
    key = _key(kind, record)
    came_at = record.raw.read_to
    return Lowered(
        kind=kind,
        raw=record.raw,
        order_external_id=_order_of(record),
        claimed_at=record.reading.version_at,
        counts_at=min(came_at, receipts.at.get(key, came_at)),
        is_first=key not in receipts.kept,
    )


def _order_of(record: Record) -> str:
    return record.order.external_id if isinstance(record, OrderRecord) else record.refund.order_external_id


def _order_at(record: OrderRecord, at: datetime | None) -> OrderRecord:
    return record if at is None else replace(record, order=replace(record.order, version_at=at))


def _refund_at(record: RefundRecord, at: datetime | None) -> RefundRecord:
    return record if at is None else replace(record, refund=replace(record.refund, version_at=at))
