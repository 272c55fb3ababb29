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
from sqlalchemy import func, select, update

from erpsync.core.orders import KnownOrder
from erpsync.flows.gate import reread, rule
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

    shipment: Shipment
    order: KnownOrder
    units: dict[int, int]
    forced: bool


def push_shipments(house: House, channel: Channel) -> int:
    """Claim due shipments of a channel and send each; return how many rows were handled."""
    if not may_call(house, channel, probing=True):
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
    run = _Run(house, channel, sink, row)
    try:
        with lane("shipment"):
            run.carry_out()
    except Exception as error:  # noqa: BLE001 the one place that runs every shipment; a state stays behind
        house.store.retrying(partial(_fail, channel=channel, sink=sink, row=row, error=error, sent=run.sent))
        if isinstance(error, ConnectorError) and not isinstance(error, RejectedError):
            mark_down(house, channel, error)
    else:
        if run.called:
            mark_up(house, channel)


class _Run:
    """One parcel on its way. `sent` once the call that takes effect was about to be made, `called` once any ended."""

    def __init__(self, house: House, channel: Channel, sink: ShipmentSink, row: Claimed) -> None:
        self._house, self._channel, self._sink, self._row = house, channel, sink, row
        self.sent = self.called = False

    def carry_out(self) -> None:
        """Look whether the parcel is there already, if that is in doubt; else ask the gate and send."""
        if self._row.unknown and self._is_there():
            return
        parcel = self._house.store.retrying(lambda tx: _load(tx, self._row))
        self.called |= reread(self._house, self._channel, parcel.order)
        admitted = self._house.store.retrying(lambda tx: _admit(tx, self._channel, self._sink, self._row))
        if admitted is None:
            return
        self.sent = True
        self._sink.push_shipment(admitted)
        self.called = True
        self._done()

    def _is_there(self) -> bool:
        """Whether the question is settled: the channel has the parcel, or nobody may find out but a person."""
        if self._sink.repeat is Repeat.NEVER:
            error = OutcomeUnknownError("an earlier try may have reached the channel")
            self._house.store.retrying(lambda tx: _ask_person(tx, self._channel, self._row, error))
            return True
        if self._sink.repeat is Repeat.SAFE:
            return False
        parcel = self._house.store.retrying(lambda tx: _load(tx, self._row)).shipment
        found = self._sink.find_shipment(parcel)
        self.called = True
        if found:
            self._done()
        return found

    def _done(self) -> None:
        self._house.store.retrying(lambda tx: _done(tx, self._channel, self._row))
        log.info(
            "push.done", channel=self._channel.name, kind=SHIPMENT, key=self._row.key, attempt=self._row.attempts + 1
        )


def _admit(tx: Tx, channel: Channel, sink: ShipmentSink, row: Claimed) -> Shipment | None:
    """Return the parcel if it may be told now, noted as sent in the same commit; None when it waits or is dropped.

    One commit for both, so that nothing that is known by then can have been overlooked.
    """
    parcel = _load(tx, row)
    ruling = rule(tx, channel, parcel.order, parcel.units, forced=parcel.forced, confirmed=row.confirmed)
    if ruling.passes:
        safe = sink.repeat is Repeat.SAFE
        return parcel.shipment if safe or mark_sent(tx, [row]) else None
    order, number = parcel.order, parcel.shipment.number
    if ruling.waits_for:
        held = wait(tx, row, waiting_for=ruling.waits_for, error=ruling.reason)
    else:
        held = ack(tx, row, note=ruling.reason)
    if not held:
        return None
    _set_state(tx, row, "waiting" if ruling.waits_for else "dropped")
    if ruling.task:
        task = Task(kind="gate", key=str(row.ref_id), reason=ruling.task, channel_id=channel.id, order_id=order.id)
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


def _load(tx: Tx, row: Claimed) -> _Parcel:
    head = tx.execute(select(shipment).where(shipment.c.id == row.ref_id)).one()
    order = lock_order_ids(tx, [head.order_id])[head.order_id]
    query = select(shipment_line.c.line_id, shipment_line.c.qty).where(shipment_line.c.shipment_id == row.ref_id)
    units = {line.line_id: line.qty for line in tx.all(query)}
    earlier = _earlier(tx, head.order_id, row.ref_id)
    lines = {line.id: line for line in order.lines}
    parcel = Shipment(
        number=head.number,
        order_external_id=order.external_id,
        carrier=head.carrier,
        tracking=head.tracking,
        lines=tuple(
            ShipmentLine(
                external_id=lines[line_id].external_id,
                qty=qty,
                ordered_qty=lines[line_id].qty,
                earlier_qty=earlier.get(line_id, 0),
            )
            for line_id, qty in sorted(units.items())
        ),
        whole=head.whole,
        shipped_at=head.shipped_at,
    )
    return _Parcel(shipment=parcel, order=order, units=units, forced=head.forced)


def _earlier(tx: Tx, order_id: int, shipment_id: int) -> dict[int, int]:
    """Return, by line id, the units that left in the order's earlier parcels."""
    query = (
        select(shipment_line.c.line_id, func.sum(shipment_line.c.qty).label("qty"))
        .join(shipment)
        .where(shipment.c.order_id == order_id, shipment.c.id < shipment_id)
        .group_by(shipment_line.c.line_id)
    )
    return {row.line_id: int(row.qty) for row in tx.all(query)}


def _done(tx: Tx, channel: Channel, row: Claimed) -> None:
    if ack(tx, row):
        _set_state(tx, row, "sent")
        close_tasks(tx, "gate", [str(row.ref_id)], by="erpsync")
        order_id = tx.execute(select(shipment.c.order_id).where(shipment.c.id == row.ref_id)).scalar_one()
        detail = {"shipment": row.key}
        write_events(tx, [Event(kind="shipment.told", order_id=order_id, channel_id=channel.id, detail=detail)])


def _fail(tx: Tx, channel: Channel, sink: ShipmentSink, row: Claimed, error: Exception, sent: bool) -> None:
    """Leave a state behind for a parcel that was not accepted.

    Args:
        sent: whether the call that takes effect was made; a definite answer to it ends every earlier doubt.
    """
    definite = isinstance(error, ConnectorError) and not isinstance(error, OutcomeUnknownError)
    unknown = not definite if sent and sink.repeat is not Repeat.SAFE else row.unknown
    if sent and unknown and sink.repeat is Repeat.NEVER:
        _ask_person(tx, channel, row, error)
    elif isinstance(error, RateLimitedError | AuthError):
        wait_s = error.retry_after_s if isinstance(error, RateLimitedError) else channel.poll.auth_retry_s
        again(tx, row, run_at=tx.now + timedelta(seconds=wait_s), error=str(error), counts=False, unknown=unknown)
    elif isinstance(error, RejectedError) or gives_up(row.attempts) or not isinstance(error, ConnectorError):
        _bury(tx, channel, row, error, unknown=unknown)
    else:
        run_at = tx.now + timedelta(seconds=backoff_s(row.attempts, row.id))
        again(tx, row, run_at=run_at, error=str(error), unknown=unknown)
        kept = {"channel": channel.name, "kind": SHIPMENT, "key": row.key, "attempt": row.attempts + 1}
        if unknown:
            log.warning("push.unknown", **kept)
        else:
            log.warning("push.retried", **kept)


def _ask_person(tx: Tx, channel: Channel, row: Claimed, error: Exception) -> None:
    """Give a parcel that must not be sent twice, and may be there, to a person."""
    if not _bury(tx, channel, row, error, unknown=False):
        return
    _set_state(tx, row, "waiting")
    reason = (
        f"shipment {row.key} was sent and no answer came; look on the channel: if it is not there, "
        f"`erpsync dead replay` sends it again, if it is, `erpsync dead drop` ends it"
    )
    open_tasks(tx, [Task(kind="unknown", key=row.key, reason=reason, channel_id=channel.id)])
    log.error("push.unknown", channel=channel.name, kind=SHIPMENT, key=row.key, action="look on the channel")


def _bury(tx: Tx, channel: Channel, row: Claimed, error: Exception, *, unknown: bool) -> bool:
    if not die(tx, row, error=str(error), unknown=unknown):
        return False
    _set_state(tx, row, "refused")
    order_id = tx.execute(select(shipment.c.order_id).where(shipment.c.id == row.ref_id)).scalar_one()
    letter = DeadLetter(
        channel_id=channel.id, kind=SHIPMENT, key=row.key, error=str(error), order_id=order_id, outbox_id=row.id
    )
    bury(tx, [letter])
    detail = {"shipment": row.key, "error": str(error)}
    write_events(tx, [Event(kind="shipment.refused", order_id=order_id, channel_id=channel.id, detail=detail)])
    log.error("push.buried", channel=channel.name, kind=SHIPMENT, key=row.key, error=str(error))
    return True
