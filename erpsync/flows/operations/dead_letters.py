"""Moving dead letters on: tried again as they are, or dropped, by a person."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select, update

from erpsync.core import advice
from erpsync.core.order_holds import HoldReason
from erpsync.core.orders import KnownOrder
from erpsync.flows.blame import is_of_record
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import Refused, defect_text
from erpsync.flows.messages.letters import MESSAGE, send_again
from erpsync.flows.orders.apply import apply
from erpsync.flows.orders.decide import redecide
from erpsync.flows.orders.normalise import read_orders, read_refunds
from erpsync.flows.records.ahead import believed, note_lowered
from erpsync.flows.records.batch import Batch, OrderRecord, raw_of
from erpsync.flows.records.unread import ask_about_statuses
from erpsync.flows.shipments.record import Parcel, parcel_of, record_parcels
from erpsync.sdk.errors import ConnectorError
from erpsync.sdk.roles import OrderSource, playing
from erpsync.sdk.types import Raw
from erpsync.store.db.store import Stage, Tx
from erpsync.store.encrypted import dead_letter_row
from erpsync.store.events import Event, write_events
from erpsync.store.orders import await_rivals, lock_order_ids, lock_orders
from erpsync.store.outbox.queue import CORRECTION, IS_LEASED, IS_OPEN, RELEASE, SHIPMENT
from erpsync.store.remedies import letter_remedy
from erpsync.store.tables import dead_letter, inbox, orders, outbox, shipment
from erpsync.store.tasks import close_tasks

_RECORDS = ("order", "refund", "line")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """A dead letter that is open. `body` is sealed; `outbox_id` is set where it is an effect that was given up."""

    id: int
    channel_id: int
    kind: str
    key: str
    error: str
    received_at: datetime | None
    body: bytes | None
    order_id: int | None
    order_external_id: str | None
    unknown_status: str | None
    of_line: bool
    outbox_id: int | None
    remedy: str


def replay_letter(ctx: Context, letter_id: int, *, actor: str) -> None:
    """Try a dead letter again; raises `Refused` when it still cannot be applied, which leaves an event."""
    letter = _open_letter(ctx, letter_id)
    try:
        _replay(ctx, letter, actor)
    except Refused as error:
        why = str(error)
        ctx.store.retrying(lambda tx: write_events(tx, [_event(letter, "replay_failed", actor, why=why)]))
        raise


def _replay(ctx: Context, letter: _Letter, actor: str) -> None:
    channel = ctx.channels.get(letter.channel_id)
    if channel is None:
        raise Refused(f"dead letter {letter.id} belongs to a channel that is not configured")
    if letter.remedy != "replay":
        said = advice.fill(advice.letter(letter.kind, letter.remedy), id=letter.id)
        raise Refused(f"trying dead letter {letter.id} again cannot help; {said}")
    again = _way_again(ctx, channel, letter, actor)

    def replay(tx: Tx) -> None:
        _lock_order(tx, letter)
        if letter.kind in _RECORDS:
            _mark(tx, letter, "replayed")
            again(tx)
        else:  # parcels and effects lock their own rows first, as everywhere
            again(tx)
            _mark(tx, letter, "replayed")
        _note_end(tx, ctx, letter, "replayed", actor)

    try:
        ctx.store.retrying(replay)
    except Refused:
        raise
    except Exception as error:
        if letter.kind not in _RECORDS or not is_of_record(error):
            raise
        raise Refused(f"it still cannot be applied: {defect_text(error)}") from error


def reader_of(ctx: Context, letter_id: int) -> Channel | None:
    """Return the channel whose connector reads or sends a dead letter anew; None where a replay needs none."""
    letter = _open_letter(ctx, letter_id)
    is_read = letter.remedy == "replay" and letter.outbox_id is None and letter.kind in (*_RECORDS, MESSAGE)
    return ctx.channels.get(letter.channel_id) if is_read else None


def _way_again(ctx: Context, channel: Channel, letter: _Letter, actor: str) -> Callable[[Tx], None]:
    if letter.outbox_id is not None:
        return partial(_resend, letter=letter)
    if letter.kind in _RECORDS:
        batch = _read_anew(ctx, channel, letter)
        return lambda tx: _apply_anew(tx, ctx, channel, batch)
    if letter.kind == "shipment_report":
        parcel = _parcel(ctx, letter, actor)
        return lambda tx: _record_again(tx, ctx, parcel)
    if letter.kind == "inbox":
        return partial(_take_in_again, letter=letter)
    if letter.kind == MESSAGE:
        send_again(channel, _body(ctx, letter))
        return lambda tx: None
    raise Refused(f"a dead letter of kind {letter.kind} cannot be replayed; drop it")


def drop_letter(ctx: Context, letter_id: int, *, actor: str, reason: str = "") -> None:
    """Give a dead letter up; an order that was held for it is looked at again.

    Where the letter told of a line that was changed or taken out, nobody knows of what: the order stays held, by hand.

    Args:
        reason: why, for whoever asks later; kept with the event.
    """
    letter = _open_letter(ctx, letter_id)

    def drop(tx: Tx) -> None:
        _lock_order(tx, letter)
        _mark(tx, letter, "dropped")
        _note_end(tx, ctx, letter, "dropped", actor, reason=reason)

    ctx.store.retrying(drop)


def _open_letter(ctx: Context, letter_id: int) -> _Letter:
    with ctx.store.read() as connection:
        query = select(dead_letter, letter_remedy().label("remedy")).where(dead_letter.c.id == letter_id)
        row = connection.execute(query).first()
    if row is None:
        raise Refused(f"dead letter {letter_id} is not known")
    if row.state != "open":
        raise Refused(f"dead letter {letter_id} was {row.state} already")
    return _Letter(**{field.name: getattr(row, field.name) for field in fields(_Letter)})


def _body(ctx: Context, letter: _Letter) -> dict[str, Any]:
    if letter.body is None or ctx.store.vault is None:
        raise Refused(f"dead letter {letter.id} cannot be opened here; run with the encryption keys")
    sealed_for = dead_letter_row(letter.channel_id, letter.kind, letter.key)
    body: dict[str, Any] = ctx.store.vault.decrypt(letter.body, row=sealed_for)
    return body


def _resend(tx: Tx, letter: _Letter) -> None:
    """Put a dead effect back into the queue as if it were new."""
    row = tx.execute(select(outbox).where(outbox.c.id == letter.outbox_id)).first()
    if row is None or row.state != "dead":
        raise Refused("the effect of this dead letter is gone; a newer one took its place")
    same = (outbox.c.destination_id == row.destination_id, outbox.c.kind == row.kind, outbox.c.key == row.key)
    leased = select(outbox.c.id).where(*same, outbox.c.serial_key == row.serial_key, IS_LEASED)
    if tx.execute(select(outbox.c.id).where(*same, IS_OPEN).union_all(leased)).first() is not None:
        return
    values = {"state": "pending", "done_at": None, "attempts": 0, "run_at": tx.now, "error": ""}
    tx.execute(update(outbox).where(outbox.c.id == row.id).values(**values))
    if row.kind == SHIPMENT:
        tx.execute(update(shipment).where(shipment.c.id == row.ref_id).values(state="pending"))
    tx.wake(Stage.PUSH)


def _take_in_again(tx: Tx, letter: _Letter) -> None:
    """Let a webhook that was given up be applied as if it had just come."""
    same = (inbox.c.channel_id == letter.channel_id) & (inbox.c.delivery_key == letter.key)
    kept = same & (inbox.c.state == "dead") & inbox.c.body.is_not(None)
    values = {"state": "pending", "attempts": 0, "run_at": tx.now, "error": ""}
    if tx.execute(update(inbox).where(kept).values(**values)).rowcount != 1:
        raise Refused("what this webhook said is not kept any more")
    tx.wake(Stage.INBOX)


def _read_anew(ctx: Context, channel: Channel, letter: _Letter) -> Batch:
    """Return the record as today's connector and settings read it."""
    if channel.connector is None:
        raise Refused("replaying records needs the connector; run it where the channels are configured with secrets")
    body = _body(ctx, letter)
    raw = _first_received(raw_of(body), letter)
    source = playing(channel.connector, OrderSource)
    if source is not None and not body.get("whole", True):
        raw = _asked(source, raw)
    batch = (read_refunds if letter.kind == "refund" else read_orders)(channel, [raw])
    if batch.letters:
        raise Refused(f"it still cannot be read: {batch.letters[0].error}")
    bad = [bad for record in batch.orders for bad in record.order.bad_lines]
    if bad:
        raise Refused(f"line {bad[0].key} still cannot be read: {bad[0].error}")
    return batch


def _first_received(raw: Raw, letter: _Letter) -> Raw:
    """Return the raw record read when that body first came, so that its version is judged by then."""
    return raw if letter.received_at is None else replace(raw, read_to=min(raw.read_to, letter.received_at))


def _asked(source: OrderSource, listed: Raw) -> Raw:
    try:
        shown = source.complete([listed.head])
    except ConnectorError as error:
        raise Refused(f"the channel does not show it: {error}") from error
    if not shown:
        raise Refused("the channel does not show it any more; drop it if it is settled there")
    return shown[0]


def _apply_anew(tx: Tx, ctx: Context, channel: Channel, batch: Batch) -> None:
    batch, lowered = believed(tx, channel, batch)
    apply(tx, ctx, channel, _newest(tx, batch))
    note_lowered(tx, channel, lowered, _order_ids(tx, channel, batch))


def _order_ids(tx: Tx, channel: Channel, batch: Batch) -> dict[str, int]:
    wanted = [record.order.external_id for record in batch.orders]
    wanted += [record.refund.order_external_id for record in batch.refunds]
    query = select(orders.c.external_id, orders.c.id).where(orders.c.channel_id == channel.id)
    return {row.external_id: row.id for row in tx.all(query.where(orders.c.external_id.in_(wanted)))}


def _newest(tx: Tx, batch: Batch) -> Batch:
    """Return the batch with its reading told apart from the first one, which had the same version and digest."""
    records = tuple(
        OrderRecord(
            raw=replace(record.raw, head=replace(record.raw.head, digest="replayed"), read_from=tx.now, read_to=tx.now),
            order=record.order,
        )
        for record in batch.orders
    )
    return replace(batch, orders=records)


def _parcel(ctx: Context, letter: _Letter, actor: str) -> Parcel:
    body = _body(ctx, letter)
    if "row" in body:
        raise Refused(f"the row itself cannot be read ({letter.error}); {advice.MENDS[letter.kind]}")
    return parcel_of(body, actor=actor)


def _record_again(tx: Tx, ctx: Context, parcel: Parcel) -> None:
    answer = record_parcels(tx, ctx, [parcel])[0]
    if isinstance(answer, Refused):
        raise answer


def _lock_order(tx: Tx, letter: _Letter) -> None:
    """Lock the order a letter speaks of before the letter, as everywhere; who stores it just now is awaited."""
    if letter.order_external_id is not None:
        await_rivals(tx, letter.channel_id, [letter.order_external_id])
        lock_orders(tx, letter.channel_id, [letter.order_external_id])
    if letter.order_id is not None and letter.kind in _RECORDS:
        lock_order_ids(tx, [letter.order_id])


def _mark(tx: Tx, letter: _Letter, state: str) -> None:
    open_row = (dead_letter.c.id == letter.id) & (dead_letter.c.state == "open")
    if tx.execute(update(dead_letter).where(open_row).values(state=state)).rowcount != 1:
        raise Refused(f"dead letter {letter.id} was moved on by somebody else")


def _event(letter: _Letter, what: str, actor: str, **more: str) -> Event:
    detail = {"dead_letter": letter.id, "kind": letter.kind, "key": letter.key, "error": letter.error} | more
    return Event(
        kind=f"letter.{what}", order_id=letter.order_id, channel_id=letter.channel_id, detail=detail, actor=actor
    )


def _note_end(tx: Tx, ctx: Context, letter: _Letter, state: str, actor: str, *, reason: str = "") -> None:
    write_events(tx, [_event(letter, state, actor, **({"reason": reason} if reason else {}))])
    if letter.kind == "inbox" and state == "replayed":
        return
    if letter.kind in (SHIPMENT, CORRECTION, RELEASE):
        close_tasks(tx, "unknown", [letter.key], by=actor)
    if letter.unknown_status is not None:
        ask_about_statuses(tx, letter.channel_id)
    order = _held_for(tx, letter)
    if order is None:
        return
    if state == "dropped" and letter.of_line and order.open_qty:
        reason = order.holds.get(HoldReason.OPERATOR) or (
            f"dead letter {letter.id} was dropped, and with it a change of lines ({letter.error}): compare them with "
            "the channel before this is released"
        )
        held = replace(order, holds={**order.holds, HoldReason.OPERATOR.value: reason})
        redecide(tx, ctx, [(order, held)], event="order.held", actor=actor, detail={"reason": reason})
    else:
        redecide(tx, ctx, [(order, order)], event="order.freed", actor=actor)


def _held_for(tx: Tx, letter: _Letter) -> KnownOrder | None:
    """Return the order whose holds the letter's end may change.

    A delivery that is taken in again is judged when it is applied; until then its order stays held.
    """
    if letter.kind == "line" and letter.order_id is not None:
        return lock_order_ids(tx, [letter.order_id])[letter.order_id]
    if letter.order_external_id is None:
        return None
    order = lock_orders(tx, letter.channel_id, [letter.order_external_id]).get(letter.order_external_id)
    return order if order is not None and HoldReason.UNREAD_UPDATE in order.holds else None


def body_text(body: dict[str, Any]) -> str:
    """Return a dead letter's body for people."""
    return json.dumps(body, ensure_ascii=False, indent=2, sort_keys=True)
