"""Recording parcels that have left: from the command line, a file, a warehouse or the API, all the same way.

Why `whole` is decided here: only at this moment is it known whether an order goes in one parcel, and platforms want
to be told which lines a split one holds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import select

from erpsync.core.fulfilment import LINE
from erpsync.core.order_holds import HoldReason, OrderHold, kind_of, standing
from erpsync.core.orders import KnownOrder, OrderKind, phase, with_shipped
from erpsync.core.refunds import keeps_here, lines_asked
from erpsync.flows.allocation.departures import Departure
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.decide import redecide
from erpsync.flows.orders.find import find_orders
from erpsync.sdk.carriers import UnknownCarrierError, carrier
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Tx
from erpsync.store.names import write_names
from erpsync.store.orders import refunds_of
from erpsync.store.outbox.queue import LANE_SHIPMENT, SHIPMENT, Effect, enqueue
from erpsync.store.restored import read_restored
from erpsync.store.tables import backorder, former_tracking, shipment, shipment_line
from erpsync.store.tracks import begin_tracks

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipLine:
    """Units of a line in a parcel, in the channel's units; None is all that is open."""

    line: str
    qty: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A parcel somebody says has left. No lines means everything that is open.

    `units`, by line id, is what a warehouse says has left of what it was told to send: it is recorded whatever was
    decided about the order since.
    """

    order: str
    carrier: str
    tracking: str
    lines: Sequence[ShipLine] = ()
    units: Mapping[int, int] | None = None
    force: bool = False
    reason: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipResult:
    """What became of a parcel. `repeated` when it was recorded before, `kept` when no channel is to be told of it."""

    number: str
    order: str
    repeated: bool = False
    kept: bool = False


def ship(
    ctx: Context,
    *,
    order: str,
    carrier: str,
    tracking: str,
    lines: Sequence[ShipLine] = (),
    force: bool = False,
    reason: str = "",
    actor: str = "",
) -> ShipResult:
    """Record one parcel; raises `Refused` with what speaks against it."""
    parcel = Parcel(
        order=order, carrier=carrier, tracking=tracking, lines=lines, force=force, reason=reason, actor=actor
    )
    answer = ctx.store.retrying(lambda tx: record_parcels(tx, ctx, [parcel])[0])
    if isinstance(answer, Refused):
        raise answer
    return answer


def parcel_of(body: dict[str, Any], *, actor: str) -> Parcel:
    """Return the parcel kept in a dead letter by `apply_reports`."""
    lines = [ShipLine(line=line, qty=qty) for line, qty in body["lines"]]
    return Parcel(order=body["order"], carrier=body["carrier"], tracking=body["tracking"], lines=lines, actor=actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShipment:
    """A parcel to be written: of which order (as it was before), under which number, and its units by line id."""

    order: KnownOrder
    number: str
    carrier: str
    tracking: str
    whole: bool
    forced: bool
    forced_reason: str
    actor: str
    units: Mapping[int, int]


@dataclass(slots=True, kw_only=True)
class _Leaving:
    """One order while its parcels are recorded: its numbers by (carrier, tracking), their lines by number.

    `passed` is how many of its parcels may have been numbered between a backup and its restoring; `short` are the
    lines of gifts that nothing covers: they are in no parcel that nobody named them of.
    """

    before: KnownOrder
    now: KnownOrder
    units: Counter[int] = field(default_factory=Counter)
    numbers: dict[tuple[str, str], str] = field(default_factory=dict)
    lines: dict[str, set[int]] = field(default_factory=dict)
    asked: frozenset[str] | None = None
    short: frozenset[int] = frozenset()
    passed: int = 0


def record_parcels(
    tx: Tx, ctx: Context, parcels: Sequence[Parcel], *, departures: Mapping[int, Departure] | None = None
) -> list[ShipResult | Refused]:
    """Record parcels: shipment rows, holds booked out, one effect per parcel. One refused parcel stops no other.

    Args:
        departures: by order id, where and when they left, if a warehouse reports it; one parcel of each order then.
    """
    answers = find_orders(tx, [parcel.order for parcel in parcels])
    known = [order for order in answers.values() if isinstance(order, KnownOrder)]
    restored = read_restored(tx.connection) if known else None
    leaving = {o.id: _Leaving(before=o, now=o, passed=restored.passed(o.id) if restored else 0) for o in known}
    _load_known(tx, leaving)
    _load_asked(tx, leaving)
    _load_short_gifts(tx, leaving)
    recorded: list[NewShipment | ShipResult | Refused] = []
    for parcel in parcels:
        order = answers[parcel.order]
        try:
            recorded.append(order if isinstance(order, Refused) else _record(leaving[order.id], parcel))
        except Refused as refused:
            recorded.append(refused)
    _write(tx, ctx, leaving, [outcome for outcome in recorded if isinstance(outcome, NewShipment)], departures)
    return [
        ShipResult(number=outcome.number, order=outcome.order.number, kept=_is_own(outcome))
        if isinstance(outcome, NewShipment)
        else outcome
        for outcome in recorded
    ]


def _load_known(tx: Tx, leaving: dict[int, _Leaving]) -> None:
    if not leaving:
        return
    of_orders = shipment.c.order_id.in_(sorted(leaving))
    for row in tx.all(select(shipment).where(of_orders)):
        leaving[row.order_id].numbers[(row.carrier, row.tracking)] = row.number
        leaving[row.order_id].lines[row.number] = set()
    lines = select(shipment.c.order_id, shipment.c.number, shipment_line.c.line_id).join(shipment_line)
    for row in tx.all(lines.where(of_orders)):
        leaving[row.order_id].lines[row.number].add(row.line_id)
    former = select(shipment.c.order_id, shipment.c.number, former_tracking).join(former_tracking)
    for row in tx.all(former.where(of_orders)):
        leaving[row.order_id].numbers.setdefault((row.carrier, row.tracking), row.number)


def _load_asked(tx: Tx, leaving: Mapping[int, _Leaving]) -> None:
    """Note of which lines of the orders a refund is asked for."""
    by_channel: dict[int, list[KnownOrder]] = {}
    for item in leaving.values():
        if HoldReason.REFUND_OPEN in item.before.holds:
            by_channel.setdefault(item.before.channel_id, []).append(item.before)
    for channel_id, held in by_channel.items():
        refunds = refunds_of(tx, channel_id, [order.external_id for order in held])
        for order in held:
            leaving[order.id].asked = lines_asked(order, refunds.get(order.external_id, ()))


def _load_short_gifts(tx: Tx, leaving: Mapping[int, _Leaving]) -> None:
    giving = [order_id for order_id, item in leaving.items() if len(item.before.sold) < len(item.before.lines)]
    if not giving:
        return
    short = select(backorder.c.order_id, backorder.c.owner_id)
    for row in tx.all(short.where(backorder.c.order_id.in_(giving), backorder.c.owner_kind == LINE)):
        gifts = {line.id for line in leaving[row.order_id].before.lines if line.rule}
        leaving[row.order_id].short |= gifts & {row.owner_id}


def _record(leaving: _Leaving, parcel: Parcel) -> NewShipment | ShipResult:
    """Return the parcel to be written, counted in `leaving`, or that it was recorded before."""
    order = leaving.now
    code, tracking = carrier_code(parcel.carrier), parcel.tracking.strip()
    if not tracking:
        raise Refused("a tracking number is needed")
    recorded = leaving.numbers.get((code, tracking))
    if recorded is not None:
        return _repeated(order, parcel, recorded, leaving.lines[recorded])
    units = _units(order, parcel, leaving) if parcel.units is None else _released_units(order, parcel.units)
    number = f"{order.number}-{leaving.passed + len(leaving.lines) + 1}"
    leaving.now = with_shipped(order, units)
    leaving.numbers[(code, tracking)] = number
    leaving.lines[number] = set(units)
    leaving.units.update(units)
    return NewShipment(
        order=order,
        number=number,
        carrier=code,
        tracking=tracking,
        whole=_is_whole(order, leaving.now),
        forced=parcel.force,
        forced_reason=parcel.reason if parcel.force else "",
        actor=parcel.actor,
        units=units,
    )


def _is_whole(before: KnownOrder, after: KnownOrder) -> bool:
    """Whether a parcel holds all that its order ever ships; what only we know of a channel's order does not count."""
    own = before.kind is not OrderKind.CHANNEL
    shipped, left = (before.lines, after.lines) if own else (before.of_channel, after.of_channel)
    return not any(line.shipped_qty for line in shipped) and not any(line.open_qty for line in left)


def _is_own(parcel: NewShipment) -> bool:
    """Whether nothing in a parcel is known to the channel, which is told nothing of it then."""
    return not any(line.id in parcel.units for line in parcel.order.of_channel)


def carrier_code(code: str) -> str:
    """Return our code of a carrier; raises `Refused` for one that is not known."""
    try:
        return carrier(code).code
    except UnknownCarrierError as error:
        raise Refused(str(error), kept=error.unquoted) from error


def _repeated(order: KnownOrder, parcel: Parcel, number: str, lines: set[int]) -> ShipResult:
    ids = {line.external_id: line.id for line in order.lines}
    for line in parcel.lines:
        if ids.get(line.line) not in lines:
            text = f"tracking {parcel.tracking} is recorded as {number} without line {line.line}"
            raise Refused(text, kept=f"that tracking number is recorded as {number} without that line")
    return ShipResult(number=number, order=order.number, repeated=True)


def _refuse(order: KnownOrder, parcel: Parcel, asked: frozenset[str] | None) -> None:
    now = phase(order)
    if now == "cancelled":
        raise Refused(f"order {order.number} is cancelled; nothing of it may leave")
    if order.open_qty == 0:
        raise Refused(f"order {order.number} has nothing left to ship")
    if parcel.force:
        if not parcel.reason.strip():
            raise Refused("--force needs --reason")
        return
    for reason, hold in standing(order.holds):
        if hold.by_lines and not keeps_here(asked, {line.line for line in parcel.lines}):
            continue
        if hold.refusal:
            raise _refund_refused(order, hold, asked) if hold.by_lines else _held_refused(order, reason, hold)
    if order.ready_at is None:
        raise Refused(f"order {order.number} is not ready (not paid); --force --reason TEXT ships it all the same")


def _refund_refused(order: KnownOrder, hold: OrderHold, asked: frozenset[str] | None) -> Refused:
    of_lines = f" of line {', '.join(sorted(asked))}" if asked else ""
    rest = "--line ships the others, " if asked and asked < {line.external_id for line in order.of_channel} else ""
    return Refused(f"order {order.number} {hold.refusal}{of_lines}; {rest}{hold.instead}")


def _held_refused(order: KnownOrder, reason: str, hold: OrderHold) -> Refused:
    said = f"order {order.number} {hold.refusal}"
    why = ", ".join(text for of, text in order.holds.items() if kind_of(of) == reason)
    text = f"{said}: {why}; {hold.instead}"
    return Refused(text, kept=text if hold.own_words else f"{said} ({reason}); {hold.instead}")


def _released_units(order: KnownOrder, units: Mapping[int, int]) -> dict[int, int]:
    """Return what left of a release; only units that are not in another parcel already."""
    left = {line.id: line.qty - line.shipped_qty for line in order.lines}
    if not any(units.values()) or any(qty > left[line_id] for line_id, qty in units.items()):
        raise Refused(f"order {order.number} has nothing like that left to ship")
    return {line_id: qty for line_id, qty in units.items() if qty}


def _units(order: KnownOrder, parcel: Parcel, leaving: _Leaving) -> dict[int, int]:
    _refuse(order, parcel, leaving.asked)
    if not parcel.lines:
        return {line.id: line.open_qty for line in order.lines if line.open_qty and line.id not in leaving.short}
    by_external = {line.external_id: line for line in order.lines}
    units: dict[int, int] = {}
    for wanted in parcel.lines:
        line = by_external.get(wanted.line)
        if line is None:
            has = f"it has {', '.join(sorted(by_external))}"
            text = f"order {order.number} has no line {wanted.line}; {has}"
            raise Refused(text, kept=f"order {order.number} has no such line; {has}")
        qty = line.open_qty if wanted.qty is None else wanted.qty
        if qty < 1 or qty + units.get(line.id, 0) > line.open_qty:
            raise Refused(f"line {wanted.line} of order {order.number} has {line.open_qty} open, not {qty}")
        units[line.id] = units.get(line.id, 0) + qty
    return units


def _write(
    tx: Tx,
    ctx: Context,
    leaving: Mapping[int, _Leaving],
    parcels: Sequence[NewShipment],
    departures: Mapping[int, Departure] | None,
) -> None:
    if not parcels:
        return
    new = list(zip(new_ids(tx, shipment, len(parcels)), parcels, strict=True))
    insert_many(tx, shipment, [_row(tx, id, parcel) for id, parcel in new])
    write_names(tx, [(parcel.order.id, parcel.tracking) for parcel in parcels])
    lines = [
        {"shipment_id": id, "line_id": line_id, "qty": qty}
        for id, parcel in new
        for line_id, qty in parcel.units.items()
    ]
    insert_many(tx, shipment_line, lines)
    numbers: dict[int, list[str]] = {}
    for parcel in parcels:
        numbers.setdefault(parcel.order.id, []).append(parcel.number)
    moved = [item for item in leaving.values() if item.units]
    redecide(
        tx,
        ctx,
        [(item.before, item.now) for item in moved],
        event="order.shipped",
        actor=parcels[0].actor,
        details={order_id: {"shipments": shipments} for order_id, shipments in numbers.items()},
        leaving={item.before.id: item.units for item in moved},
        departures=departures,
    )
    enqueue(tx, [_effect(tx, id, parcel) for id, parcel in new if not _is_own(parcel)])
    if ctx.is_told_of_parcels:
        begin_tracks(tx, [(parcel.carrier, parcel.tracking) for parcel in parcels])
    for parcel in parcels:
        log.info("shipment.recorded", shipment=parcel.number, carrier=parcel.carrier, forced=parcel.forced)


def _row(tx: Tx, shipment_id: int, parcel: NewShipment) -> dict[str, Any]:
    return {
        "id": shipment_id,
        "order_id": parcel.order.id,
        "channel_id": parcel.order.channel_id,
        "number": parcel.number,
        "carrier": parcel.carrier,
        "tracking": parcel.tracking,
        "state": "kept" if _is_own(parcel) else "pending",
        "whole": parcel.whole,
        "forced": parcel.forced,
        "forced_reason": parcel.forced_reason,
        "actor": parcel.actor,
        "shipped_at": tx.now,
    }


def _effect(tx: Tx, shipment_id: int, parcel: NewShipment) -> Effect:
    return Effect(
        destination_id=parcel.order.channel_id,
        kind=SHIPMENT,
        key=parcel.number,
        ref_id=shipment_id,
        serial_key=f"order:{parcel.order.id}",
        lane=LANE_SHIPMENT,
        run_at=tx.now,
        marked_at=tx.now,
    )
