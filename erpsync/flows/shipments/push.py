"""Telling channels which parcels left: through the gate, once, and with the outcome known.

claim ─▶ gate ─▶ call
          ├─ open refund, do not ship ─▶ waiting, task; freed when that ends
          └─ cancelled, refund granted ─▶ dropped, task asks for the parcel back

What may go wrong on the way stands in `push_once`, what an order that cannot be read does to its parcel in `held`; one
that is told at its courier's first scan waits for that before the gate, see `unscanned`.
"""

from functools import partial
from typing import Any

import structlog
from sqlalchemy import select, update

from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.late_refunds import ask_if_asked
from erpsync.flows.shipments.corrections import push_corrections
from erpsync.flows.shipments.gate import reread, rule
from erpsync.flows.shipments.held import ask_overdue, describe
from erpsync.flows.shipments.packing import LoadedParcel, load_parcel, order_ids
from erpsync.flows.shipments.push_once import Kind, Outcome, push_once
from erpsync.flows.shipments.unscanned import ask_for_scan, park_unscanned, wait_for_scans
from erpsync.sdk.roles import ShipmentSink, playing
from erpsync.sdk.types import Repeat, Shipment
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import SHIPMENT, Claimed, ack, claim, mark_sent, park, prolong
from erpsync.store.tables import shipment, shipment_line
from erpsync.store.tasks import Task, close_tasks, open_tasks, task_key

AT_ONCE = 10
LEASE_S = 180
log = structlog.get_logger()


def push_shipments(ctx: Context, channel: Channel) -> int:
    """Claim due shipments of a channel, and corrections of them, and send each; return how many rows were handled."""
    if not may_call(ctx, channel, probing=True):
        if channel.enabled:
            ask_overdue(ctx, channel)
        return 0
    sink = playing(channel.connector, ShipmentSink)
    rows = ctx.store.retrying(
        lambda tx: claim(tx, ctx.store.owner, channel.id, SHIPMENT, limit=AT_ONCE, lease_s=LEASE_S)
    )
    if sink is None:
        for row in rows:
            ctx.store.retrying(partial(_keep, row=row))
    else:
        for row in wait_for_scans(ctx, channel, rows):
            push_once(ctx, channel, row, _kind(ctx, channel, sink))
    return len(rows) + push_corrections(ctx, channel)


def _keep(tx: Tx, row: Claimed) -> None:
    """End the effect for a channel that is not told about shipments."""
    if ack(tx, row, note="the channel takes no shipments"):
        _set_state(tx, row, "kept")


def _set_state(tx: Tx, row: Claimed, state: str) -> None:
    values: dict[str, Any] = {"state": state}
    if state == "sent":
        values["sent_at"] = tx.now
    tx.execute(update(shipment).where(shipment.c.id == row.ref_id).values(**values))


def _kind(ctx: Context, channel: Channel, sink: ShipmentSink) -> Kind[Shipment, None]:
    def parcel(row: Claimed) -> LoadedParcel:
        return ctx.store.retrying(lambda tx: load_parcel(tx, row.ref_id))

    return Kind(
        noun=SHIPMENT,
        order_ids=order_ids,
        repeat=sink.repeat,
        find=lambda row: sink.find_shipment(parcel(row).shipment),
        reread=lambda row: reread(ctx, channel, parcel(row).order),
        admit=partial(_admit, channel=channel, sink=sink),
        send=sink.push_shipment,
        told=partial(_told, channel=channel),
        note=_note,
        facts=lambda tx, row, orders: describe(tx, row.ref_id, orders[0]),
    )


def _admit(tx: Tx, row: Claimed, *, channel: Channel, sink: ShipmentSink) -> Shipment | None:
    """Return the parcel if it may be told now, noted as sent in the same commit; None when it waits or is dropped.

    One commit for both, so that nothing that is known by then can have been overlooked.
    """
    parcel = load_parcel(tx, row.ref_id)
    if not prolong(tx, row, lease_s=LEASE_S):
        return None
    said = {"forced": parcel.forced, "confirmed": row.confirmed, "unread_ok": row.unread_ok}
    ruling = rule(tx, channel, parcel.order, parcel.units, **said)
    if ruling.passes and park_unscanned(tx, channel, row, parcel):
        return None
    if ruling.passes:
        safe = sink.repeat is Repeat.SAFE
        return parcel.shipment if safe or mark_sent(tx, [row]) else None
    order, number = parcel.order, parcel.shipment.number
    if ruling.waits_for:
        held = park(tx, row, waiting_for=ruling.waits_for, error=ruling.reason)
    else:
        held = ack(tx, row, note=ruling.reason)
    if not held:
        return None
    _set_state(tx, row, "waiting" if ruling.waits_for else "dropped")
    if ruling.task:
        key = task_key(SHIPMENT, row.ref_id)
        task = Task(kind="gate", key=key, reason=ruling.task, channel_id=channel.id, order_id=order.id)
        open_tasks(tx, [task])
    kind = "shipment.held" if ruling.waits_for else "shipment.dropped"
    detail = {"shipment": number, "why": ruling.reason}
    write_events(tx, [Event(kind=kind, order_id=order.id, channel_id=channel.id, detail=detail)])
    log.warning(
        "shipment.held" if ruling.waits_for else "shipment.dropped",
        channel=channel.name,
        order=order.number,
        shipment=number,
        why=ruling.reason,
    )
    return None


def _note(tx: Tx, row: Claimed, outcome: Outcome) -> None:
    if outcome is not Outcome.ABSENT:
        _set_state(tx, row, "refused" if outcome is Outcome.REFUSED else "waiting")


def _told(tx: Tx, row: Claimed, answer: None, *, channel: Channel) -> None:
    del answer
    [order] = lock_order_ids(tx, order_ids(tx, row.ref_id)).values()
    if not ack(tx, row):
        return
    forced = tx.execute(select(shipment.c.forced).where(shipment.c.id == row.ref_id)).scalar_one()
    _set_state(tx, row, "sent")
    if not forced:
        lines = select(shipment_line.c.line_id).where(shipment_line.c.shipment_id == row.ref_id)
        ask_if_asked(tx, order, f"parcel {row.key}", list(tx.execute(lines).scalars()))
    close_tasks(tx, "gate", [task_key(SHIPMENT, row.ref_id)], by="erpsync")
    close_tasks(tx, "unknown", [row.key], by="erpsync")
    ask_for_scan(tx, channel, row.ref_id)
    detail = {"shipment": row.key}
    write_events(tx, [Event(kind="shipment.told", order_id=order.id, channel_id=channel.id, detail=detail)])
