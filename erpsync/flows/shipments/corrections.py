"""Another number for a parcel that has left: recorded, and told again where the channel knows the wrong one.

Why an effect of its own: the parcel's was told and is over, and telling it anew would be a second parcel. Why numbers
are kept that a parcel had before: a report that names one again is about that parcel and no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial

import structlog
from sqlalchemy import select, update

from erpsync.core.orders import KnownOrder
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import Refused
from erpsync.flows.shipments.packing import load_parcel, order_ids
from erpsync.flows.shipments.push_once import Kind, Outcome, push_once
from erpsync.flows.shipments.record import carrier_code
from erpsync.flows.shipments.tracks import SCAN
from erpsync.sdk.roles import ShipmentCorrector, ShipmentSink, playing
from erpsync.sdk.types import Repeat, Shipment
from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import close_dead_letters
from erpsync.store.events import Event, write_events
from erpsync.store.names import write_names
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import (
    CORRECTION,
    IS_LEASED,
    IS_OPEN,
    LANE_SHIPMENT,
    SHIPMENT,
    Claimed,
    Effect,
    ack,
    claim,
    enqueue,
    free_waiting,
    mark_sent,
    prolong,
)
from erpsync.store.tables import former_tracking, outbox, shipment
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.tracks import begin_tracks, end_track

AT_ONCE = 10
LEASE_S = 180
TASK = "tracking_changed"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What became of a correction.

    Args:
        follows: `told` when the channel is told, `task` when a person has to tell it, `later` when it is still to be
            told of the parcel, `replay` when it refused that and the dead letter waits, `kept` when it is told of no
            parcels, `nothing` when all is as it was.
    """

    number: str
    order: str
    carrier: str
    tracking: str
    follows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    """A recorded parcel as it stands, before it is corrected."""

    id: int
    order_id: int
    number: str
    carrier: str
    tracking: str
    state: str


def correct(ctx: Context, *, number: str, tracking: str, carrier: str = "", actor: str = "") -> Corrected:
    """Give a parcel another tracking number, and carrier if one is named; raises `Refused` with what is against it."""
    return ctx.store.retrying(lambda tx: _correct(tx, ctx, number, tracking.strip(), carrier, actor))


def _correct(tx: Tx, ctx: Context, number: str, tracking: str, carrier: str, actor: str) -> Corrected:
    if not tracking:
        raise Refused("a tracking number is needed")
    order_id = tx.execute(select(shipment.c.order_id).where(shipment.c.number == number)).scalar()
    if order_id is None:
        raise Refused(f"shipment {number} is not known; `erpsync shipments list` shows those that are")
    order = lock_order_ids(tx, [order_id])[order_id]
    parcel = _lock(tx, number)
    now = (carrier_code(carrier) if carrier else parcel.carrier, tracking)
    if now == (parcel.carrier, parcel.tracking):
        return _corrected(order, parcel, now, "nothing")
    _refuse(tx, parcel, now)
    _write(tx, parcel, now)
    _follow_number(tx, ctx, parcel, now)
    follows = _follow(tx, ctx, order, parcel, now)
    detail = {
        "shipment": number,
        "from": f"{parcel.carrier} {parcel.tracking}",
        "to": " ".join(now),
        "follows": follows,
    }
    event = Event(kind="shipment.corrected", order_id=order.id, channel_id=order.channel_id, detail=detail, actor=actor)
    write_events(tx, [event])
    log.info("shipment.corrected", shipment=number, carrier=now[0], follows=follows)
    return _corrected(order, parcel, now, follows)


def _lock(tx: Tx, number: str) -> _Parcel:
    row = tx.execute(select(shipment).where(shipment.c.number == number).with_for_update()).one()
    return _Parcel(**{field.name: getattr(row, field.name) for field in fields(_Parcel)})


def _corrected(order: KnownOrder, parcel: _Parcel, now: tuple[str, str], follows: str) -> Corrected:
    return Corrected(number=parcel.number, order=order.number, carrier=now[0], tracking=now[1], follows=follows)


def _refuse(tx: Tx, parcel: _Parcel, now: tuple[str, str]) -> None:
    if parcel.state == "dropped":
        raise Refused(f"shipment {parcel.number} was dropped: its order was cancelled, and nobody is told of it")
    about = outbox.c.kind.in_((SHIPMENT, CORRECTION)) & (outbox.c.ref_id == parcel.id)
    if tx.execute(select(outbox.c.id).where(about, IS_OPEN, outbox.c.sent_at.is_not(None))).first() is not None:
        raise Refused(
            f"nobody knows whether the channel was told of shipment {parcel.number}; "
            "finish its task first (`erpsync tasks list`), then correct it"
        )
    if tx.execute(select(outbox.c.id).where(about, IS_LEASED)).first() is not None:
        raise Refused(f"the channel is being told of shipment {parcel.number} just now; correct it in a few minutes")
    same = (shipment.c.order_id == parcel.order_id, shipment.c.carrier == now[0], shipment.c.tracking == now[1])
    other = tx.execute(select(shipment.c.number).where(*same)).scalar()
    if other is not None:
        raise Refused(f"tracking {now[1]} is recorded as {other} already")


def _write(tx: Tx, parcel: _Parcel, now: tuple[str, str]) -> None:
    values = {"carrier": now[0], "tracking": now[1]}
    tx.execute(update(shipment).where(shipment.c.id == parcel.id).values(**values))
    was = {"shipment_id": parcel.id, "carrier": parcel.carrier, "tracking": parcel.tracking, "corrected_at": tx.now}
    insert_many(tx, former_tracking, [was], conflict="ON CONFLICT DO NOTHING")
    write_names(tx, [(parcel.order_id, now[1])])


def _follow_number(tx: Tx, ctx: Context, parcel: _Parcel, now: tuple[str, str]) -> None:
    """Have couriers asked about the new number and not the former; a parcel that waits for a scan may have one now."""
    if ctx.is_told_of_parcels:
        begin_tracks(tx, [now])
    end_track(tx, parcel.carrier, parcel.tracking)
    free_waiting(tx, SCAN, kind=SHIPMENT, refs=[parcel.id])


def _follow(tx: Tx, ctx: Context, order: KnownOrder, parcel: _Parcel, now: tuple[str, str]) -> str:
    """See to it that the channel hears of it: by a call, else by a person. What it was not told yet it hears right."""
    if parcel.state != "sent":
        return {"refused": "replay", "kept": "kept"}.get(parcel.state, "later")
    channel = ctx.channels.get(order.channel_id)
    if channel is None or not channel.plays(ShipmentCorrector):
        name = channel.name if channel else "its channel"
        reason = (
            f"parcel {parcel.number} of order {order.number} ({order.external_id}) travels as {' '.join(now)}, "
            f"and {name} was told {parcel.carrier} {parcel.tracking}; correct it there, then `erpsync tasks done ID`"
        )
        task = Task(kind=TASK, key=parcel.number, reason=reason, channel_id=order.channel_id, order_id=order.id)
        open_tasks(tx, [task])
        return "task"
    close_dead_letters(tx, channel.id, CORRECTION, [parcel.number], state="superseded")
    effect = Effect(
        destination_id=channel.id,
        kind=CORRECTION,
        key=parcel.number,
        ref_id=parcel.id,
        serial_key=f"order:{order.id}",
        lane=LANE_SHIPMENT,
        run_at=tx.now,
        marked_at=tx.now,
    )
    enqueue(tx, [effect])
    return "told"


def push_corrections(ctx: Context, channel: Channel) -> int:
    """Claim due corrections of a channel and tell each; return how many rows were handled."""
    corrector = playing(channel.connector, ShipmentCorrector)
    rows = ctx.store.retrying(
        lambda tx: claim(tx, ctx.store.owner, channel.id, CORRECTION, limit=AT_ONCE, lease_s=LEASE_S)
    )
    for row in rows:
        if corrector is None:
            ctx.store.retrying(partial(_leave_to_person, channel=channel, row=row))
        else:
            push_once(ctx, channel, row, _kind(ctx, channel, corrector))
    return len(rows)


def _leave_to_person(tx: Tx, *, channel: Channel, row: Claimed) -> None:
    """End the effect for a channel that cannot be told any more: another connector runs it now."""
    parcel = load_parcel(tx, row.ref_id)
    if ack(tx, row, note="the channel takes no corrections"):
        sent = parcel.shipment
        reason = f"parcel {row.key} travels as {sent.carrier} {sent.tracking}; correct it there"
        open_tasks(tx, [Task(kind=TASK, key=row.key, reason=reason, channel_id=channel.id, order_id=parcel.order.id)])


def _kind(ctx: Context, channel: Channel, corrector: ShipmentCorrector) -> Kind[Shipment, None]:
    sink = playing(channel.connector, ShipmentSink)

    def is_there(row: Claimed) -> bool:
        parcel = ctx.store.retrying(lambda tx: load_parcel(tx, row.ref_id))
        return sink is not None and sink.find_shipment(parcel.shipment)

    return Kind(
        noun=CORRECTION,
        order_ids=order_ids,
        repeat=corrector.correction_repeat,
        find=is_there,
        reread=lambda row: False,
        admit=partial(_admit, corrector=corrector),
        send=corrector.correct_shipment,
        told=partial(_told, channel=channel),
        note=_note,
        facts=_facts,
    )


def _admit(tx: Tx, row: Claimed, *, corrector: ShipmentCorrector) -> Shipment | None:
    """Return the parcel as it is now: of several corrections the last one is told."""
    parcel = load_parcel(tx, row.ref_id)
    if not prolong(tx, row, lease_s=LEASE_S):
        return None
    if corrector.correction_repeat is not Repeat.SAFE and not mark_sent(tx, [row]):
        return None
    return parcel.shipment


def _told(tx: Tx, row: Claimed, answer: None, *, channel: Channel) -> None:
    del answer
    if not ack(tx, row):
        return
    close_tasks(tx, "unknown", [row.key], by="erpsync")
    close_tasks(tx, TASK, [row.key], by="erpsync")
    order_id = tx.execute(select(shipment.c.order_id).where(shipment.c.id == row.ref_id)).scalar_one()
    detail = {"shipment": row.key}
    write_events(tx, [Event(kind="correction.told", order_id=order_id, channel_id=channel.id, detail=detail)])


def _note(tx: Tx, row: Claimed, outcome: Outcome) -> None:
    """Keep nothing: the parcel itself was told, and its dead letter or task says what is missing."""


def _facts(tx: Tx, row: Claimed, orders: Sequence[KnownOrder]) -> str:
    sent = load_parcel(tx, row.ref_id).shipment
    return f"the number {sent.carrier} {sent.tracking} of parcel {sent.number} of order {orders[0].number}"
