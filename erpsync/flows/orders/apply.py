"""The one way facts about orders and refunds come in, whether polled, pushed, dropped as a file or replayed.

Why one function: whatever brought a record, the same merge, the same holds and the same stock plan follow, in one
transaction with whatever says how far we have read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from erpsync.core.order_holds import HoldReason
from erpsync.core.orders import KnownOrder, Merged, carries, phase
from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.allocation.changes import Change, Outcome
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.decide import Beside, decide, event_detail, map_orders, spec_detail, takes_of, tell_all
from erpsync.flows.orders.edits import ask_about_edits
from erpsync.flows.orders.late_refunds import ask_about_late
from erpsync.flows.orders.refunds import ask_what_for, priced_refunds, store_refunds
from erpsync.flows.orders.views import Use, View, as_read, as_read_late, by_use, latest, merge_views
from erpsync.flows.records.ahead import believed, note_lowered
from erpsync.flows.records.batch import Batch, read_by
from erpsync.flows.records.same_version import Disputed, ask_which
from erpsync.flows.records.unread import bury_lines, named, nothing_wanted, take_unread, unread_of
from erpsync.flows.records.unshown import unshown_letters
from erpsync.flows.rules.judging import rule
from erpsync.flows.specs.reading import Specified, with_specs
from erpsync.sdk.roles import OrderSource, playing
from erpsync.sdk.types import Recipient
from erpsync.store.db.bulk import update_many
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import open_line_letters
from erpsync.store.encrypted import NO_RECIPIENT, recipient_columns, recipient_row
from erpsync.store.events import Event, write_events
from erpsync.store.orders import await_rivals, insert_orders, lock_orders, update_orders
from erpsync.store.outbox.dirty import Cause
from erpsync.store.payloads import keep_payloads
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
    records = latest(batch.orders)
    letters = named(tx, channel, batch.letters)
    concerned = {record.refund.order_external_id for record in batch.refunds}
    concerned |= {letter.order_external_id for letter in letters if letter.order_external_id}
    await_rivals(tx, channel.id, records.keys() | concerned)
    stored = lock_orders(tx, channel.id, records.keys() | concerned)
    refunded, disputed = store_refunds(tx, channel, batch.refunds)
    source = playing(channel.connector, OrderSource)
    used = by_use(stored, records, rereads=source is not None and source.rereads)
    counting, late = used[Use.COUNTS], used[Use.ADDS_LINES]
    views = merge_views(tx, ctx, channel, stored, counting, late)
    disputed += [
        Disputed(record=record, stored=stored[key].reading, state=stored[key].state)
        for key, record in used[Use.DISPUTED].items()
    ]
    ask_which(tx, channel, disputed, stored)
    letters += [nothing_wanted(channel, record) for record in used[Use.NOTHING_WANTED].values()]
    readings = {key: record.reading for key, record in counting.items()}
    touched = take_unread(tx, channel, batch, letters, stored, readings)
    held = {key for key, order in stored.items() if HoldReason.UNREAD_UPDATE in order.holds}  # it may be settled by now
    anew = (refunded | touched | held) & stored.keys()
    views |= {key: View(before=stored[key], merged=Merged(order=stored[key])) for key in anew - views.keys()}
    _settle(tx, ctx, channel, list(views.values()), refunded=anew, cause=cause)
    bury_lines(tx, channel, as_read(views.values()), late=as_read_late(views.values()))
    ids = {key: order.id for key, order in stored.items()} | {key: view.order.id for key, view in views.items()}
    note_lowered(tx, channel, lowered, ids)
    new = sum(1 for key in counting if key not in stored)
    return Applied(
        new=new,
        changed=len(counting) - new + len(late) + len(refunded),
        same=len(used[Use.NO_NEWS]) + len(used[Use.DISPUTED]),
        read_again=list(used[Use.READ_AGAIN]),
    )


def _settle(
    tx: Tx, ctx: Context, channel: Channel, views: Sequence[View], *, refunded: Collection[str], cause: Cause | None
) -> None:
    """Decide mapping, refunds, holds and stock of every order that changed, and write it all."""
    if not views:
        return
    refunds, news = priced_refunds(tx, [view.order for view in views])
    views, listed = _mapped(tx, channel, views)
    specified = with_specs(
        tx, ctx, [view.order for view in views], {it.before.id: it.before for it in views if it.before is not None}
    )
    views = _as_decided(views, specified.orders)
    bad = _with_bad_lines(tx, channel, views)
    unread = unread_of(tx, [view.order for view in views])
    beside = Beside(refunds=refunds, bad_lines=bad, unread=unread, bad_specs=specified.bad)
    decided = [decide(channel, view.wanted, beside) for view in views]
    ruled = rule(tx, ctx, decided, people=_people(views), refunded=refunded)
    changes = ruled.changes
    _write(tx, channel, list(zip(views, changes, strict=True)))
    ruled.write(tx)
    new = [change.after for change in changes if change.before is None]
    tie(tx, channel.id, {order.external_id: order.id for order in new if order.id in unread})
    outcome = allocate(tx, ctx, changes, cause=cause, also=listed)
    seen = {view.order.id: view.merged.changes for view in views}
    tell_all(tx, changes, outcome, partial(_event, seen=seen, specified=specified), refunded=refunded, granted=news)
    by_key = {change.after.external_id: refunds[change.after.id] for change in changes if change.after.id in refunds}
    ask_about_late(tx, changes, by_key)
    ask_what_for(tx, channel, changes, refunds, news=news)
    _reopen(tx, ctx, channel, new)


def _people(views: Sequence[View]) -> dict[int, Recipient]:
    """Return who gets the orders of which a view says so, by order id."""
    told = ((view.order.id, view.record.order.recipient) for view in views if view.record is not None)
    return {id: recipient for id, recipient in told if carries(recipient)}


def _mapped(tx: Tx, channel: Channel, views: Sequence[View]) -> tuple[list[View], set[int]]:
    """Return the views with their lines mapped, and the SKUs that are listed for the first time."""
    before = [view.before for view in views if view.before is not None]
    mapped, listed = map_orders(tx, channel.id, [view.order for view in views], before=before)
    return _as_decided(views, mapped), listed


def _as_decided(views: Sequence[View], orders: Sequence[KnownOrder]) -> list[View]:
    """Return the views with their orders as they are wanted."""
    pairs = zip(views, orders, strict=True)
    return [
        view if order is view.order else replace(view, merged=replace(view.merged, order=order))
        for view, order in pairs
    ]


def _with_bad_lines(tx: Tx, channel: Channel, views: Sequence[View]) -> set[int]:
    """Return the ids of orders of which a line was not understood, and which no view has mended."""
    letters = open_line_letters(tx, [view.before.id for view in views if view.before is not None])
    unshown = unshown_letters(tx, channel.id, as_read(views)) if letters else {}
    bad = {view.order.id for view in views if view.record is None and view.order.id in letters}
    bad |= {id for record, _, id in [*as_read(views), *as_read_late(views)] if record.order.bad_lines}
    return bad | unshown.keys()


def _write(tx: Tx, channel: Channel, decided: Sequence[tuple[View, Change]]) -> None:
    insert_orders(tx, [(c.after, _sealed(tx, channel, view)) for view, c in decided if c.before is None])
    update_orders(tx, [(c.before, c.after) for _, c in decided if c.before is not None])
    moved = [view for view, c in decided if c.before is not None and "recipient" in view.merged.changes]
    update_many(tx, orders, [_sealed(tx, channel, view) | {"id": view.order.id} for view in moved], keys=["id"])
    ask_about_edits(tx, channel, [(c, view.merged.changes) for view, c in decided])
    told = [
        (c.after.external_id, view.record.raw.payload)
        for view, c in decided
        if view.record is not None and (c.before is None or view.merged.changes or c.left)
    ]
    keep_payloads(tx, channel.id, "order", told)


def _sealed(tx: Tx, channel: Channel, view: View) -> dict[str, Any]:
    if view.record is None or not carries(view.record.order.recipient):
        return NO_RECIPIENT
    recipient = view.record.order.recipient
    row = recipient_row(view.order.channel_id, view.order.external_id)
    same = channel.same_recipient(recipient, view.order.placed_at)
    return recipient_columns(tx.vault, recipient, row=row, same=same)


def _event(
    change: Change, outcome: Outcome, *, seen: Mapping[int, Sequence[str]], specified: Specified
) -> Event | None:
    """Return the event of an order, where it is new or something of it is worth one.

    Args:
        seen: by order id, the names of what its views changed.
    """
    before, order = change.before, change.after
    given_up = {line.id: line.cancelled_qty for line in before.lines} if before else {}
    facts: dict[str, Any] = {
        "changes": list(seen[order.id]),
        "takes": takes_of(order, outcome),
        "left_behind": {str(line): qty for line, qty in change.left.items()},
        "cancelled": {
            str(line.id): line.cancelled_qty for line in order.lines if line.cancelled_qty != given_up.get(line.id, 0)
        },
    }
    news = {name: value for name, value in facts.items() if value} | dict(change.ruled)
    news |= spec_detail(specified, order.id)
    if before is not None and not news and before.holds == order.holds:
        return None
    kind = "order.imported" if before is None else "order.changed"
    said = {"phase": phase(order), "version_at": order.reading.version_at.isoformat()} | news
    detail = event_detail(change, outcome, said)
    return Event(kind=kind, order_id=order.id, channel_id=order.channel_id, detail=detail)


def _reopen(tx: Tx, ctx: Context, channel: Channel, new: Sequence[KnownOrder]) -> None:
    """Take back the proof of hours that were sealed without these orders."""
    sealable = tx.now - timedelta(seconds=ctx.sealing.after_s)
    old = {order.external_id: order.placed_at for order in new if order.placed_at < sealable}
    width = timedelta(seconds=ctx.sealing.window_s)
    for start, late in (reopen(tx, channel.id, old, width=width) if old else {}).items():
        detail = {"window": start.isoformat(), "late": late[:MOST_NAMED]}
        write_events(tx, [Event(kind="window.reopened", channel_id=channel.id, detail=detail)])
        log.warning("window.reopened", channel=channel.name, window=start.isoformat(), missed=len(late))
