"""The one way facts about orders and refunds come in, whether polled, pushed, dropped as a file or replayed.

Why one function: whatever brought a record, the same merge, the same holds and the same stock plan follow, in one
transaction with whatever says how far we have read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select

from erpsync.core.orders import (
    KnownOrder,
    Merged,
    carries,
    first_seen,
    hold_reasons,
    merge,
    phase,
    with_refunds,
    with_shipped,
)
from erpsync.core.readings import Reading, Verdict, is_further, is_refund_further, judge
from erpsync.flows.ahead import believed, note_lowered
from erpsync.flows.changed import order_change
from erpsync.flows.edits import ask_about_edits
from erpsync.flows.facts import Batch, OrderRecord, RefundRecord, read_by
from erpsync.flows.fulfil import Change, settle, take_detail
from erpsync.flows.house import Channel, House
from erpsync.flows.late_refunds import ask_about_late
from erpsync.flows.mapping import Thing, map_line, map_things, note_listings
from erpsync.flows.numbering import free_numbers
from erpsync.flows.sealed import recipient_columns, recipient_index, recipient_row
from erpsync.flows.unread import bury_unread
from erpsync.sdk.roles import OrderSource, playing
from erpsync.sdk.types import Recipient, Refund
from erpsync.store.bulk import new_ids, update_many
from erpsync.store.dirty import Cause
from erpsync.store.held import rule_anew
from erpsync.store.notes import (
    Event,
    close_tasks,
    keep_payloads,
    open_line_letters,
    write_events,
)
from erpsync.store.orders import (
    await_rivals,
    insert_orders,
    lock_orders,
    lock_refunds,
    new_line_ids,
    refunds_of,
    update_orders,
    write_refunds,
)
from erpsync.store.seals import MOST_NAMED, reopen
from erpsync.store.store import Tx
from erpsync.store.tables import orders, shipment

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Applied:
    """What became of a batch. `read_again` are orders whose two readings cannot be put in order."""

    new: int = 0
    changed: int = 0
    same: int = 0
    read_again: list[str] = field(default_factory=list)


def apply(tx: Tx, house: House, channel: Channel, batch: Batch, *, cause: Cause | None = None) -> Applied:
    """Apply facts about a channel's orders and refunds.

    Args:
        cause: the pass of this channel that brought them, so that its own sales ask for no further pass.
    """
    batch, lowered = believed(tx, channel, read_by(batch, tx.now))
    records = _latest(batch.orders)
    refund_orders = {record.refund.order_external_id for record in batch.refunds}
    await_rivals(tx, channel.id, records.keys() | refund_orders)
    known = lock_orders(tx, channel.id, records.keys() | refund_orders)
    refunded = _apply_refunds(tx, channel, batch.refunds)
    desk = _Desk(tx, house, channel, known)
    applied = desk.read(records)
    applied.changed += len(refunded)
    desk.settle(refunded & known.keys(), cause)
    bury_unread(tx, channel, batch, desk.orders_read())
    note_lowered(tx, channel, lowered, desk.order_ids())
    return applied


def _latest(incoming: Iterable[OrderRecord]) -> dict[str, OrderRecord]:
    found: dict[str, OrderRecord] = {}
    for record in incoming:
        before = found.get(record.order.external_id)
        if before is None or _turn(record) >= _turn(before):
            found[record.order.external_id] = record
    return found


def _turn(record: OrderRecord) -> tuple[Any, Any]:
    return (record.order.version_at, record.raw.read_from)


def _apply_refunds(tx: Tx, channel: Channel, incoming: Sequence[RefundRecord]) -> set[str]:
    """Store refunds that are new or newer; return the external ids of the orders they concern."""
    if not incoming:
        return set()
    latest = {r.refund.external_id: r for r in sorted(incoming, key=lambda r: (r.refund.version_at, r.raw.read_from))}
    known = lock_refunds(tx, channel.id, latest.keys())
    written: list[tuple[int | None, Refund, Reading]] = []
    for external_id, record in sorted(latest.items()):
        row_id, reading, state = known.get(external_id, (None, None, None))
        further = state is None or is_refund_further(record.refund.state, state)
        verdict = judge(reading, record.reading, further=further, rereads=False)
        if verdict in (Verdict.NEW, Verdict.NEWER):
            written.append((row_id, record.refund, record.reading))
    write_refunds(tx, channel.id, written)
    changed = {item.external_id for _, item, _ in written}
    keep_payloads(tx, channel.id, "refund", [(i, latest[i].raw.payload) for i in sorted(changed)])
    return {item.order_external_id for _, item, _ in written}


class _Desk:
    """One batch of one channel's orders on the desk: read, decided, written."""

    def __init__(self, tx: Tx, house: House, channel: Channel, known: Mapping[str, KnownOrder]) -> None:
        self.tx, self.house, self.channel = tx, house, channel
        self.known = known
        self.merged: dict[str, Merged] = {}
        self.records: dict[str, OrderRecord] = {}
        self.first_listed: set[int] = set()

    def read(self, records: Mapping[str, OrderRecord]) -> Applied:
        """Merge the records that count into what is known."""
        applied = Applied()
        source = playing(self.channel.connector, OrderSource)
        rereads = source is not None and source.rereads
        fresh: dict[str, OrderRecord] = {}
        for external_id, record in records.items():
            before = self.known.get(external_id)
            verdict = judge(
                before.reading if before else None,
                record.reading,
                further=before is not None and is_further(record.order.state, before.state),
                rereads=rereads,
            )
            if verdict in (Verdict.SAME, Verdict.OLDER):
                applied.same += 1
            elif verdict is Verdict.READ_AGAIN:
                applied.read_again.append(external_id)
            else:
                fresh[external_id] = record
        self._merge(fresh)
        applied.new = sum(1 for external_id in fresh if external_id not in self.known)
        applied.changed = len(fresh) - applied.new
        return applied

    def _merge(self, fresh: Mapping[str, OrderRecord]) -> None:
        new = [external_id for external_id in fresh if external_id not in self.known]
        ids = dict(zip(new, new_ids(self.tx, orders, len(new)), strict=True))
        line_ids = iter(new_line_ids(self.tx, self._count_new_lines(fresh)))
        numbers = free_numbers(self.tx, self.house, self.channel, len(new))
        for external_id, record in fresh.items():
            before = self.known.get(external_id)
            if before is not None:
                merged = merge(before, record.order, record.reading, line_ids)
                self.merged[external_id] = self._with_recipient(merged, record.order.recipient)
            else:
                seen = first_seen(
                    record.order,
                    record.reading,
                    id=ids[external_id],
                    channel_id=self.channel.id,
                    number=next(numbers),
                    ids=line_ids,
                )
                self.merged[external_id] = Merged(order=seen)
        self.records = dict(fresh)

    def _with_recipient(self, merged: Merged, recipient: Recipient | None) -> Merged:
        """Note a changed recipient by its keyed hash, so that nothing has to be decrypted to compare."""
        if not carries(recipient) or recipient_index(self.tx.vault, recipient) == merged.order.recipient_index:
            return merged
        return replace(merged, changes=(*merged.changes, "recipient"))

    def _count_new_lines(self, fresh: Mapping[str, OrderRecord]) -> int:
        count = 0
        for external_id, record in fresh.items():
            before = self.known.get(external_id)
            known = {line.external_id for line in before.lines} if before else set()
            count += sum(1 for line in record.order.lines if line.external_id not in known)
        return count

    def orders_read(self) -> list[tuple[OrderRecord, KnownOrder | None, int]]:
        """Return each record that counted, with its order as it was known and its row id."""
        return [(r, self.known.get(key), self.merged[key].order.id) for key, r in self.records.items()]

    def order_ids(self) -> dict[str, int]:
        """Return the row ids of the orders on the desk by external id."""
        ids = {key: order.id for key, order in self.known.items()}
        return ids | {key: merged.order.id for key, merged in self.merged.items()}

    def settle(self, refunded: Iterable[str], cause: Cause | None) -> None:
        """Decide mapping, refunds, holds and stock of every order that changed, and write it all."""
        for external_id in refunded:
            self.merged.setdefault(external_id, Merged(order=self.known[external_id]))
        if not self.merged:
            return
        refunds = refunds_of(self.tx, self.channel.id, self.merged)
        self._map()
        bad = open_line_letters(self.tx, [order.id for order in self.known.values()])
        changes = [
            self._decide(external_id, merged, refunds.get(external_id, ()), merged.order.id in bad)
            for external_id, merged in self.merged.items()
        ]
        self._write(changes)
        outcome = settle(self.tx, self.house, changes, cause=cause, also=self.first_listed)
        self._note(changes, outcome.takes, outcome.short)
        ask_about_late(self.tx, changes, refunds)
        self._reopen([change.after for change in changes if change.before is None])

    def _reopen(self, new: Sequence[KnownOrder]) -> None:
        """Take back the proof of hours that were sealed without these orders."""
        sealable = self.tx.now - timedelta(seconds=self.house.sealing.after_s)
        old = {order.external_id: order.placed_at for order in new if order.placed_at < sealable}
        width = timedelta(seconds=self.house.sealing.window_s)
        for start, late in (reopen(self.tx, self.channel.id, old, width=width) if old else {}).items():
            detail = {"window": start.isoformat(), "late": late[:MOST_NAMED]}
            write_events(self.tx, [Event(kind="window.reopened", channel_id=self.channel.id, detail=detail)])
            log.warning("window.reopened", channel=self.channel.name, window=start.isoformat(), missed=len(late))

    def _map(self) -> None:
        things: dict[Thing, str] = {}
        for merged in self.merged.values():
            for line in merged.order.lines:
                if not line.parts:
                    things[Thing(line.channel_sku, line.item_ref)] = line.title
        if not things:
            return
        mapped = map_things(self.tx, self.channel.id, things)
        views = [(merged.order, self.known.get(external_id)) for external_id, merged in self.merged.items()]
        lines = [line for pair in views for order in pair if order is not None for line in order.lines]
        self.first_listed = note_listings(self.tx, self.channel.id, things, mapped, lines=lines)
        for external_id, merged in self.merged.items():
            now = tuple(map_line(line, mapped) for line in merged.order.lines)
            self.merged[external_id] = replace(merged, order=replace(merged.order, lines=now))

    def _decide(self, external_id: str, merged: Merged, refunds: Sequence[Refund], has_bad_line: bool) -> Change:
        before = self.known.get(external_id)
        departed = with_shipped(merged.order, merged.left_behind)
        order = with_refunds(departed, refunds, net=self.channel.nets_refunds)
        record = self.records.get(external_id)
        bad = bool(record.order.bad_lines) if record is not None else has_bad_line
        holds = hold_reasons(
            order,
            refunds=refunds,
            bad_lines=bad,
            needs_address=asks_for_address(self.channel, order),
            operator=order.holds.get("operator"),
        )
        after = order if order.holds == holds else replace(order, holds=holds)
        return Change(before=before, after=after, left=merged.left_behind)

    def _write(self, changes: Sequence[Change]) -> None:
        insert_orders(self.tx, [(c.after, self._sealed(c.after)) for c in changes if c.before is None])
        update_orders(self.tx, [(c.before, c.after) for c in changes if c.before is not None])
        moved = [c.after for c in changes if c.before is not None and "recipient" in self._changes(c.after)]
        update_many(self.tx, orders, [self._sealed(order) | {"id": order.id} for order in moved], keys=["id"])
        ask_about_edits(self.tx, self.channel, [(c, self._changes(c.after)) for c in changes])
        told = [
            (c.after.external_id, self.records[c.after.external_id].raw.payload)
            for c in changes
            if c.after.external_id in self.records and (c.before is None or self._changes(c.after) or c.left)
        ]
        keep_payloads(self.tx, self.channel.id, "order", told)

    def _changes(self, order: KnownOrder) -> tuple[str, ...]:
        return self.merged[order.external_id].changes

    def _sealed(self, order: KnownOrder) -> dict[str, Any]:
        record = self.records.get(order.external_id)
        if record is None or not carries(record.order.recipient):
            return {"recipient": None, "recipient_index": None, "phone_index": None}
        row = recipient_row(order.channel_id, order.external_id)
        return recipient_columns(self.tx.vault, record.order.recipient, row=row)

    def _note(self, changes: Sequence[Change], takes: Mapping[int, Any], short: Mapping[int, int]) -> None:
        events = []
        for change in changes:
            order, news = change.after, self._news(change, takes)
            detail: dict[str, Any] = {"phase": phase(order), "version_at": order.reading.version_at.isoformat()} | news
            detail |= order_change(change.before, order)
            if order.holds:
                detail["held"] = dict(order.holds)
            if short.get(order.id):
                detail["backordered"] = short[order.id]
            if change.before is None:
                events.append(self._event("order.imported", order, detail))
            elif news or change.before.holds != order.holds:
                events.append(self._event("order.changed", order, detail))
        write_events(self.tx, events)
        free_shipments(self.tx, [c.after.id for c in changes if _frees(c)])

    def _news(self, change: Change, takes: Mapping[int, Any]) -> dict[str, Any]:
        """Return what is worth an event: what the view changed, units given, gone and given up (by line id)."""
        order = change.after
        before = {line.id: line.cancelled_qty for line in change.before.lines} if change.before else {}
        news = {
            "changes": list(self._changes(order)),
            "takes": [take_detail(take) for take in takes.get(order.id, ())],
            "left_behind": {str(line): qty for line, qty in change.left.items()},
            "cancelled": {
                str(line.id): line.cancelled_qty for line in order.lines if line.cancelled_qty != before.get(line.id, 0)
            },
        }
        return {name: value for name, value in news.items() if value}

    def _event(self, kind: str, order: KnownOrder, detail: dict[str, Any]) -> Event:
        return Event(kind=kind, order_id=order.id, channel_id=self.channel.id, detail=detail)


def asks_for_address(channel: Channel, order: KnownOrder) -> bool:
    """Whether the order must have a full recipient before it may leave.

    A process without connectors cannot know whether the channel carries recipients; it keeps what was decided.
    """
    rule = channel.orders.require_address
    if rule != "auto":
        return rule == "always"
    if channel.connector is None:
        return "incomplete_address" in order.holds
    return channel.carries_recipients


def _frees(change: Change) -> bool:
    """Whether the gate has to rule anew: a hold has ended, or the order went on (a cancel drops what waits)."""
    before, after = change.before, change.after
    return before is not None and (before.state is not after.state or bool(before.holds.keys() - after.holds.keys()))


def free_shipments(tx: Tx, order_ids: Iterable[int]) -> None:
    """Have the gate rule anew on parcels of these orders, whose holds have ended or which went on."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return
    refs = list(tx.execute(select(shipment.c.id).where(shipment.c.order_id.in_(wanted))).scalars())
    close_tasks(tx, "gate", [str(ref) for ref in rule_anew(tx, refs)], by="erpsync")
