"""Facts on their way in: records in normal form with the raw records they came from, applied in batches.

What cannot be read becomes a dead letter that holds the raw record with its reading, so that trying it again is the
same as having read it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from erpsync.core.readings import Reading, is_ahead
from erpsync.flows.context import Channel
from erpsync.flows.errors import defect_text
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import ConnectorError, PayloadError
from erpsync.sdk.text import storable
from erpsync.sdk.types import Head, Order, Raw, Refund
from erpsync.store.dead_letters import DeadLetter

LINES_AT_ONCE = 5_000
"""So many lines are applied in one transaction, which takes a second or two; one record may have more."""

SLACK = timedelta(seconds=10)
"""Connectors may round: readings so little in the future are put in order as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order in normal form with the raw record it came from."""

    raw: Raw
    order: Order

    @property
    def reading(self) -> Reading:
        """Which version was read, and when."""
        head = self.raw.head
        return Reading(
            version_at=self.order.version_at, digest=head.digest, read_from=self.raw.read_from, read_to=self.raw.read_to
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRecord:
    """A refund in normal form with the raw record it came from."""

    raw: Raw
    refund: Refund

    @property
    def reading(self) -> Reading:
        """Which version was read, and when."""
        head = self.raw.head
        return Reading(
            version_at=self.refund.version_at,
            digest=head.digest,
            read_from=self.raw.read_from,
            read_to=self.raw.read_to,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Facts to be applied together, and what could not be read."""

    orders: tuple[OrderRecord, ...] = ()
    refunds: tuple[RefundRecord, ...] = ()
    letters: tuple[DeadLetter, ...] = ()

    def raws(self) -> list[tuple[str, Raw]]:
        """Return the raw records with their kind."""
        return [("order", record.raw) for record in self.orders] + [("refund", record.raw) for record in self.refunds]

    def halves(self) -> tuple["Batch", "Batch"] | None:
        """Return the batch in two, None when it holds a single record."""
        records: list[OrderRecord | RefundRecord] = [*self.orders, *self.refunds]
        if len(records) < 2:
            return None
        middle = len(records) // 2
        first, second = records[:middle], records[middle:]
        return _batch_of(first, self.letters), _batch_of(second, ())

    @property
    def lines(self) -> int:
        """How many lines it has in all."""
        return sum(map(lines_of, self.orders)) + sum(map(lines_of, self.refunds))

    def parts(self, most_lines: int) -> list["Batch"]:
        """Return the batch in parts of so many lines, or of one record that has more; what is unread is in the first.

        A transaction is then over in seconds, whatever a channel says in one go.
        """
        parts: list[list[OrderRecord | RefundRecord]] = [[]]
        room = most_lines
        records: list[OrderRecord | RefundRecord] = [*self.orders, *self.refunds]
        for record in records:
            lines = lines_of(record)
            if parts[-1] and lines > room:
                parts.append([])
                room = most_lines
            parts[-1].append(record)
            room -= lines
        return [_batch_of(part, () if number else self.letters) for number, part in enumerate(parts)]


def lines_of(record: OrderRecord | RefundRecord) -> int:
    """Return how many lines a record has, good and bad."""
    if isinstance(record, RefundRecord):
        return len(record.refund.lines)
    return len(record.order.lines) + len(record.order.bad_lines)


def _batch_of(records: Iterable[OrderRecord | RefundRecord], letters: tuple[DeadLetter, ...]) -> Batch:
    kept = list(records)
    return Batch(
        orders=tuple(r for r in kept if isinstance(r, OrderRecord)),
        refunds=tuple(r for r in kept if isinstance(r, RefundRecord)),
        letters=letters,
    )


def read_by(batch: Batch, now: datetime) -> Batch:
    """Return the batch; what was read by a clock that was set back since, and so later than now, was read now."""
    if all(raw.read_to <= now + SLACK for _, raw in batch.raws()):
        return batch
    return replace(
        batch,
        orders=tuple(replace(record, raw=_raw_by(record.raw, now)) for record in batch.orders),
        refunds=tuple(replace(record, raw=_raw_by(record.raw, now)) for record in batch.refunds),
    )


def _raw_by(raw: Raw, now: datetime) -> Raw:
    return replace(raw, read_from=min(raw.read_from, now), read_to=min(raw.read_to, now))


def letter_of(
    channel: Channel,
    kind: str,
    raw: Raw,
    error: Exception,
    *,
    key: str = "",
    order_id: int | None = None,
    of_order: str = "",
    whole: bool = True,
) -> DeadLetter:
    """Return the dead letter of a record that cannot be read or applied, with all it takes to try again.

    Args:
        key: what the letter is about, where that is not the whole record.
        order_id: the order that is held until the letter is moved on.
        of_order: the order by its external id, where more is known of it than the head says.
        whole: whether this is the whole record; a list row alone has to be completed before it is tried again.
    """
    head = raw.head
    unread = error if isinstance(error, PayloadError) else None
    order = storable(of_order or head.order_external_id or (head.external_id if kind == "order" else ""))
    body = {
        "payload": dict(raw.payload),
        "external_id": head.external_id,
        "version_at": head.version_at.isoformat(),
        "digest": head.digest,
        "read_from": raw.read_from.isoformat(),
        "read_to": raw.read_to.isoformat(),
        "source": head.source,
        "order_external_id": head.order_external_id,
        "dated": head.dated,
        "whole": whole,
    }
    source = unread.source if unread and unread.source else head.source
    return DeadLetter(
        channel_id=channel.id,
        kind=kind,
        key=storable(key or head.external_id),
        error=str(error) if isinstance(error, ConnectorError) else defect_text(error),
        source=source,
        broken=bool(unread and unread.broken),
        digest=storable(head.digest) or digest_of(raw.payload),
        received_at=raw.read_to,
        body=body,
        order_id=order_id,
        order_external_id=order if order and kind != "line" else None,
        version_at=_version_of(raw),
        unknown_status=storable(unread.unknown_status) if unread else None,
        of_line=bool(unread and unread.of_line),
    )


def _version_of(raw: Raw) -> datetime | None:
    """Return which version a record is of; one that lies in the future counts as received."""
    if not raw.head.dated:
        return None
    return raw.read_to if is_ahead(raw.head.version_at, raw.read_to) else raw.head.version_at


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
        order_external_id=body.get("order_external_id", ""),
        dated=body.get("dated", True),
    )
    return Raw(head=head, payload=body["payload"], read_from=read_from, read_to=read_to)
