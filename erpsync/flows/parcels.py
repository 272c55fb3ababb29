"""Telling channels which parcels left: through the gate, once, and with the outcome known.

pending ─claim─▶ gate ─▶ call ─▶ done
                  │        └─ no answer ─▶ unknown: SAFE sends again, LOOK_FIRST looks, NEVER asks a person
                  ├─ open refund, do not ship ─▶ waiting, task; freed when that ends
                  └─ cancelled, refund granted ─▶ dropped, task asks for the parcel back
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import select, update

from erpsync.core.orders import KnownOrder
from erpsync.flows.gate import Ruling, reread, rule
from erpsync.flows.health import mark_down, mark_up, may_call
from erpsync.flows.house import Channel, House
from erpsync.flows.retry import backoff_s, gives_up
from erpsync.sdk.errors import AuthError, ConnectorError, OutcomeUnknownError, RateLimitedError, RejectedError
from erpsync.sdk.http import lane
from erpsync.sdk.roles import ShipmentSink, playing
from erpsync.sdk.types import Repeat, Shipment, ShipmentLine
from erpsync.store.notes import DeadLetter, Event, Task, bury, close_tasks, open_tasks, write_events
from erpsync.store.orders import lock_order_ids
from erpsync.store.queue import SHIPMENT, Claimed, ack, again, claim, claiming, die, mark_sent, wait
from erpsync.store.store import Tx
from erpsync.store.tables import shipment, shipment_line

AT_ONCE = 10
LEASE_S = 180
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    """A claimed shipment with its order as of now."""

    row: Claimed
    shipment: Shipment
    order: KnownOrder
    units: dict[int, int]
    forced: bool


def push_shipments(house: House, channel: Channel) -> int:
    """Claim due shipments of a channel and send each; return how many rows were handled."""
    if not may_call(house, channel):
        return 0
    sink = playing(channel.connector, ShipmentSink)
    rows = claiming(
        house.store, lambda tx: claim(tx, house.store.owner, channel.id, SHIPMENT, limit=AT_ONCE, lease_s=LEASE_S)
    )
    for row in rows or ():
        if sink is None:
            house.store.retrying(partial(_keep, row=row))
        else:
            _send(house, channel, sink, row)
    return len(rows or ())


def _keep(tx: Tx, row: Claimed) -> None:
    """End the effect for a channel that is not told about shipments."""
    if ack(tx, row, note="the channel takes no shipments"):
        _set_state(tx, row, "kept")


def _set_state(tx: Tx, row: Claimed, state: str) -> None:
    values: dict[str, Any] = {"state": state}
    if state == "sent":
        values["sent_at"] = tx.now
    tx.execute(update(shipment).where(shipment.c.id == row.ref_id).values(**values))


def _send(house: House, channel: Channel, sink: ShipmentSink, row: Claimed) -> None:
    """Bring one parcel through the gate and to the channel; whatever happens leaves a state behind."""
    try:
        with lane("shipment"):
            if not _passes_gate(house, channel, row):
                return
            _deliver(house, channel, sink, row)
    except Exception as error:  # noqa: BLE001 the one place that runs every shipment; a state stays behind
        house.store.retrying(partial(_fail, channel=channel, sink=sink, row=row, error=error))
        if isinstance(error, ConnectorError) and not isinstance(error, RejectedError):
            mark_down(house, channel, error)
    else:
        mark_up(house, channel)


def _passes_gate(house: House, channel: Channel, row: Claimed) -> bool:
    parcel = house.store.retrying(lambda tx: _load(tx, row))
    if not row.unknown:
        reread(house, channel, parcel.order)
    ruling = house.store.retrying(lambda tx: _ruled(tx, channel, row))
    return ruling.passes


def _ruled(tx: Tx, channel: Channel, row: Claimed) -> Ruling:
    parcel = _load(tx, row)
    ruling = rule(tx, channel, parcel.order, parcel.units, forced=parcel.forced)
    if ruling.passes:
        return ruling
    order, number = parcel.order, parcel.shipment.number
    if ruling.waits_for:
        wait(tx, row, waiting_for=ruling.waits_for, error=ruling.reason, unknown=row.unknown)
        _set_state(tx, row, "waiting")
    else:
        ack(tx, row, note=ruling.reason)
        _set_state(tx, row, "dropped")
    if ruling.task:
        task = Task(kind="gate", key=str(row.ref_id), reason=ruling.task, channel_id=channel.id, order_id=order.id)
        open_tasks(tx, [task])
    kind = "shipment.held" if ruling.waits_for else "shipment.dropped"
    detail = {"shipment": number, "why": ruling.reason}
    write_events(tx, [Event(kind=kind, order_id=order.id, channel_id=channel.id, detail=detail)])
    log.warning(kind, channel=channel.name, order=order.number, shipment=number, why=ruling.reason)
    return ruling


def _load(tx: Tx, row: Claimed) -> _Parcel:
    head = tx.execute(select(shipment).where(shipment.c.id == row.ref_id)).one()
    order = lock_order_ids(tx, [head.order_id])[head.order_id]
    query = select(shipment_line.c.line_id, shipment_line.c.qty).where(shipment_line.c.shipment_id == row.ref_id)
    units = {line.line_id: line.qty for line in tx.all(query)}
    lines = {line.id: line for line in order.lines}
    parcel = Shipment(
        number=head.number,
        order_external_id=order.external_id,
        carrier=head.carrier,
        tracking=head.tracking,
        lines=tuple(
            ShipmentLine(external_id=lines[line_id].external_id, qty=qty, ordered_qty=lines[line_id].qty)
            for line_id, qty in sorted(units.items())
        ),
        whole=head.whole,
        shipped_at=head.shipped_at,
    )
    return _Parcel(row=row, shipment=parcel, order=order, units=units, forced=head.forced)


def _deliver(house: House, channel: Channel, sink: ShipmentSink, row: Claimed) -> None:
    parcel = house.store.retrying(lambda tx: _load(tx, row)).shipment
    if row.unknown and sink.repeat is Repeat.NEVER:
        raise OutcomeUnknownError("an earlier try may have reached the channel")
    if row.unknown and sink.repeat is Repeat.LOOK_FIRST and sink.find_shipment(parcel):
        house.store.retrying(lambda tx: _done(tx, channel, row))
        return
    if sink.repeat is not Repeat.SAFE and not house.store.retrying(lambda tx: mark_sent(tx, [row])):
        return
    sink.push_shipment(parcel)
    house.store.retrying(lambda tx: _done(tx, channel, row))
    log.info("push.done", channel=channel.name, kind=SHIPMENT, key=row.key, attempt=row.attempts + 1)


def _done(tx: Tx, channel: Channel, row: Claimed) -> None:
    if ack(tx, row):
        _set_state(tx, row, "sent")
        close_tasks(tx, "gate", [str(row.ref_id)], by="erpsync")
        order_id = tx.execute(select(shipment.c.order_id).where(shipment.c.id == row.ref_id)).scalar_one()
        detail = {"shipment": row.key}
        write_events(tx, [Event(kind="shipment.told", order_id=order_id, channel_id=channel.id, detail=detail)])


def _fail(tx: Tx, channel: Channel, sink: ShipmentSink, row: Claimed, error: Exception) -> None:
    """Leave a state behind for a parcel that was not accepted."""
    if isinstance(error, OutcomeUnknownError):
        _unknown(tx, channel, sink, row, error)
    elif isinstance(error, RateLimitedError):
        run_at = tx.now + timedelta(seconds=error.retry_after_s)
        again(tx, row, run_at=run_at, error=str(error), counts=False, unknown=row.unknown)
    elif isinstance(error, AuthError):
        run_at = tx.now + timedelta(seconds=channel.poll.auth_retry_s)
        again(tx, row, run_at=run_at, error=str(error), counts=False, unknown=row.unknown)
    elif isinstance(error, RejectedError) or gives_up(row.attempts) or not isinstance(error, ConnectorError):
        _bury(tx, channel, row, error)
    else:
        run_at = tx.now + timedelta(seconds=backoff_s(row.attempts, row.id))
        again(tx, row, run_at=run_at, error=str(error), unknown=row.unknown)
        log.warning("push.retried", channel=channel.name, kind=SHIPMENT, key=row.key, attempt=row.attempts + 1)


def _unknown(tx: Tx, channel: Channel, sink: ShipmentSink, row: Claimed, error: Exception) -> None:
    if sink.repeat is not Repeat.NEVER:
        again(
            tx, row, run_at=tx.now + timedelta(seconds=backoff_s(row.attempts, row.id)), error=str(error), unknown=True
        )
        log.warning("push.unknown", channel=channel.name, kind=SHIPMENT, key=row.key, attempt=row.attempts + 1)
        return
    wait(tx, row, waiting_for="person", error=str(error), unknown=True)
    _set_state(tx, row, "waiting")
    reason = (
        f"shipment {row.key} was sent and no answer came; look on the channel whether it is there, then "
        f"`erpsync tasks done` this task to send it again, or `erpsync dead drop` it"
    )
    open_tasks(tx, [Task(kind="unknown", key=row.key, reason=reason, channel_id=channel.id)])
    log.error("push.unknown", channel=channel.name, kind=SHIPMENT, key=row.key, action="look on the channel")


def _bury(tx: Tx, channel: Channel, row: Claimed, error: Exception) -> None:
    if not die(tx, row, error=str(error)):
        return
    _set_state(tx, row, "refused")
    order_id = tx.execute(select(shipment.c.order_id).where(shipment.c.id == row.ref_id)).scalar_one()
    letter = DeadLetter(
        channel_id=channel.id, kind=SHIPMENT, key=row.key, error=str(error), order_id=order_id, outbox_id=row.id
    )
    bury(tx, [letter])
    detail = {"shipment": row.key, "error": str(error)}
    write_events(tx, [Event(kind="shipment.refused", order_id=order_id, channel_id=channel.id, detail=detail)])
    log.error("push.buried", channel=channel.name, kind=SHIPMENT, key=row.key, error=str(error))
