"""The one way facts about orders and refunds come in, whether polled, pushed, dropped as a file or replayed.

Why one function: whatever brought a record, the same merge, the same holds and the same stock plan follow, in one
transaction with whatever says how far we have read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog

from erpsync.core.orders import (
    KnownOrder,
    Merged,
    carries,
    first_seen,
    hold_reasons,
    merge,
    ordered,
    phase,
    with_shipped,
)
from erpsync.core.readings import Reading, Verdict, is_further, judge
from erpsync.core.refunds import KnownRefund, with_refunds
from erpsync.core.some_lines import adds, completed, with_added
from erpsync.flows.allocation.allocate import allocate, take_detail
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.changed import order_change
from erpsync.flows.orders.edits import ask_about_edits
from erpsync.flows.orders.hold_reasons import asks_for_address, free_shipments, frees
from erpsync.flows.orders.late_refunds import ask_about_late
from erpsync.flows.orders.numbering import free_numbers
from erpsync.flows.orders.refunds import ask_what_for, keep_prices, priced, store_refunds
from erpsync.flows.records.ahead import believed, note_lowered
from erpsync.flows.records.batch import Batch, OrderRecord, read_by
from erpsync.flows.records.same_version import Disputed, ask_which
from erpsync.flows.records.unread import bury_lines, named, nothing_wanted, take_unread, unread_of
from erpsync.flows.records.unshown import unshown_letters
from erpsync.sdk.roles import OrderSource, playing
from erpsync.sdk.types import Recipient
from erpsync.store.db.bulk import new_ids, update_many
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import DeadLetter, open_line_letters
from erpsync.store.encrypted import recipient_columns, recipient_index, recipient_row
from erpsync.store.events import Event, write_events
from erpsync.store.orders import (
    await_rivals,
    insert_orders,
    lock_orders,
    new_line_ids,
    refunds_of,
    update_orders,
)
from erpsync.store.outbox.dirty import Cause
from erpsync.store.payloads import keep_payloads
from erpsync.store.sku_mapping import Thing, map_line, map_things, note_listings
from erpsync.store.tables import orders
from erpsync.store.unread import tie
from erpsync.store.windows import MOST_NAMED, reopen

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Applied:
    """What became of a batch. `read_again` are orders whose two readings cannot be put in order."""

    new: int = 0
    changed: int = 0
    same: int = 0
    read_again: list[str] = field(default_factory=list)


def apply(tx: Tx, ctx: Context, channel: Channel, batch: Batch, *, cause: Cause | None = None) -> Applied:
    """Apply facts about a channel's orders and refunds.

    Args:
        cause: the pass of this channel that brought them, so that its own sales ask for no further pass.
    """
    batch, lowered = believed(tx, channel, read_by(batch, tx.now))
    records = _latest(batch.orders)
    letters = named(tx, channel, batch.letters)
    concerned = {record.refund.order_external_id for record in batch.refunds}
    concerned |= {each.order_external_id for each in letters if each.order_external_id}
    await_rivals(tx, channel.id, records.keys() | concerned)
    known = lock_orders(tx, channel.id, records.keys() | concerned)
    refunded, disputed = store_refunds(tx, channel, batch.refunds)
    desk = _Desk(tx, ctx, channel, known)
    applied = desk.read(records)
    applied.changed += len(refunded)
    ask_which(tx, channel, [*disputed, *desk.disputed], known)
    touched = take_unread(tx, channel, batch, [*letters, *desk.letters], known, desk.readings())
    desk.settle((refunded | touched | desk.unread()) & known.keys(), cause)
    bury_lines(tx, channel, desk.orders_read(), late=desk.late_read())
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


class _Desk:
    """One batch of one channel's orders on the desk: read, decided, written."""

    def __init__(self, tx: Tx, ctx: Context, channel: Channel, known: Mapping[str, KnownOrder]) -> None:
        self.tx, self.ctx, self.channel = tx, ctx, channel
        self.known = known
        self.merged: dict[str, Merged] = {}
        self.records: dict[str, OrderRecord] = {}
        self.late: dict[str, OrderRecord] = {}
        self.unshown: Mapping[int, Sequence[str]] = {}
        self.first_listed: set[int] = set()
        self.refunded: set[str] = set()
        self.news: set[str] = set()
        self.disputed: list[Disputed] = []
        self.letters: list[DeadLetter] = []

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
                back=before is not None and is_further(before.state, record.order.state),
            )
            if verdict is Verdict.DISPUTED and before is not None:
                self.disputed.append(Disputed(record=record, known=before.reading, state=before.state))
                applied.same += 1
            elif before is None and not ordered(record.order):
                self.letters.append(nothing_wanted(self.channel, record))
            elif verdict is Verdict.OLDER and before is not None and adds(before, record.order):
                self.late[external_id] = record
            elif verdict in (Verdict.SAME, Verdict.OLDER):
                applied.same += 1
            elif verdict is Verdict.READ_AGAIN:
                applied.read_again.append(external_id)
            else:
                fresh[external_id] = record
        self._merge(fresh)
        self._add_late()
        applied.new = sum(1 for external_id in fresh if external_id not in self.known)
        applied.changed = len(fresh) - applied.new + len(self.late)
        return applied

    def _add_late(self) -> None:
        """Take lines out of older views that show some lines only: another part of the order came first."""
        ids = iter(new_line_ids(self.tx, self._count_new_lines(self.late)))
        for external_id, record in self.late.items():
            self.merged[external_id] = with_added(self.known[external_id], record.order, ids)

    def _merge(self, fresh: Mapping[str, OrderRecord]) -> None:
        new = [external_id for external_id in fresh if external_id not in self.known]
        ids = dict(zip(new, new_ids(self.tx, orders, len(new)), strict=True))
        line_ids = iter(new_line_ids(self.tx, self._count_new_lines(fresh)))
        numbers = free_numbers(self.tx, self.ctx, self.channel, len(new))
        for external_id, record in fresh.items():
            before = self.known.get(external_id)
            if before is not None:
                merged = merge(before, completed(before, record.order), record.reading, line_ids)
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

    def readings(self) -> dict[str, Reading]:
        """Return the readings of the orders that counted."""
        return {key: record.reading for key, record in self.records.items()}

    def unread(self) -> set[str]:
        """Return the known orders that are held for a view that was not understood; it may be settled by now."""
        return {key for key, order in self.known.items() if "unread_update" in order.holds}

    def late_read(self) -> list[tuple[OrderRecord, KnownOrder | None, int]]:
        """Return each older record of which lines were taken, as `orders_read`."""
        return [(r, self.known.get(key), self.merged[key].order.id) for key, r in self.late.items()]

    def order_ids(self) -> dict[str, int]:
        """Return the row ids of the orders on the desk by external id."""
        ids = {key: order.id for key, order in self.known.items()}
        return ids | {key: merged.order.id for key, merged in self.merged.items()}

    def settle(self, refunded: Iterable[str], cause: Cause | None) -> None:
        """Decide mapping, refunds, holds and stock of every order that changed, and write it all."""
        self.refunded = set(refunded)
        for external_id in self.refunded:
            self.merged.setdefault(external_id, Merged(order=self.known[external_id]))
        if not self.merged:
            return
        refunds = self._refunds()
        self._map()
        bad = open_line_letters(self.tx, [order.id for order in self.known.values()])
        self.unshown = unshown_letters(self.tx, self.channel.id, self.orders_read()) if bad else {}
        unread = unread_of(self.tx, [merged.order for merged in self.merged.values()])
        changes = []
        for external_id, merged in self.merged.items():
            of_it, mine = merged.order.id, refunds.get(external_id, ())
            changes.append(self._decide(external_id, merged, mine, of_it in bad, unread.get(of_it, "")))
        self._write(changes)
        new = {c.after.external_id: c.after.id for c in changes if c.before is None and c.after.id in unread}
        tie(self.tx, self.channel.id, new)
        outcome = allocate(self.tx, self.ctx, changes, cause=cause, also=self.first_listed)
        self._note(changes, outcome.takes, outcome.short)
        ask_about_late(self.tx, changes, refunds)
        ask_what_for(self.tx, self.channel, changes, refunds, news=self.news)
        self._reopen([change.after for change in changes if change.before is None])

    def _refunds(self) -> dict[str, list[KnownRefund]]:
        """Return the refunds of the orders, what was to pay kept with those granted now."""
        stored = refunds_of(self.tx, self.channel.id, self.merged)
        now = {key: priced(self.merged[key].order, refunds) for key, refunds in stored.items()}
        self.news = keep_prices(self.tx, stored, now)
        return now

    def _reopen(self, new: Sequence[KnownOrder]) -> None:
        """Take back the proof of hours that were sealed without these orders."""
        sealable = self.tx.now - timedelta(seconds=self.ctx.sealing.after_s)
        old = {order.external_id: order.placed_at for order in new if order.placed_at < sealable}
        width = timedelta(seconds=self.ctx.sealing.window_s)
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

    def _decide(
        self, external_id: str, merged: Merged, refunds: Sequence[KnownRefund], has_bad_line: bool, unread: str
    ) -> Change:
        before = self.known.get(external_id)
        departed = with_shipped(merged.order, merged.left_behind)
        order = with_refunds(departed, refunds, net=self.channel.nets_refunds)
        record, late = self.records.get(external_id), self.late.get(external_id)
        bad = bool(record.order.bad_lines) if record is not None else has_bad_line
        bad = bad or merged.order.id in self.unshown or bool(late and late.order.bad_lines)
        holds = hold_reasons(
            order,
            refunds=refunds,
            bad_lines=bad,
            needs_address=asks_for_address(self.channel, order),
            operator=order.holds.get("operator"),
            unread=unread,
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
        free_shipments(self.tx, [c.after.id for c in changes if frees(c) or self._asks_otherwise(c)])

    def _asks_otherwise(self, change: Change) -> bool:
        """Whether refunds that hold the order may be about other lines than before."""
        before, after = change.before, change.after
        if before is None or "refund_open" not in before.holds:
            return False
        return after.external_id in self.refunded or before.refund_asked != after.refund_asked

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
