"""What belongs to a page of orders, read in one query per table for the whole page."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select

from erpsync.store.db.lookups import has
from erpsync.store.outbox.queue import IS_OPEN
from erpsync.store.tables import (
    backorder,
    event,
    hold,
    order_line,
    orders,
    outbox,
    refund,
    refund_line,
    shipment,
    shipment_line,
    sku,
    warehouse,
)
from erpsync.store.views.details import with_names
from erpsync.store.views.marks import list_marks
from erpsync.store.views.tracks import track_json, with_track
from erpsync.store.views.values import Json, detail, iso

ByOrder = dict[int, list[Json]]


@dataclass(slots=True, kw_only=True)
class Parts:
    """Lines, shipments, refunds, marks and events by order id."""

    lines: ByOrder = field(default_factory=dict)
    shipments: ByOrder = field(default_factory=dict)
    refunds: ByOrder = field(default_factory=dict)
    marks: ByOrder = field(default_factory=dict)
    events: ByOrder = field(default_factory=dict)


def load_parts(connection: Connection, order_ids: Sequence[int], *, events: bool = False) -> Parts:
    """Return what belongs to these orders, each list in the order of its rows."""
    if not order_ids:
        return Parts()
    return Parts(
        lines=_lines(connection, order_ids),
        shipments=_shipments(connection, order_ids),
        refunds=_refunds(connection, order_ids),
        marks=list_marks(connection, order_ids),
        events=_events(connection, order_ids) if events else {},
    )


def _lines(connection: Connection, order_ids: Sequence[int]) -> ByOrder:
    allocations = _allocations(connection, order_ids)
    missing = _backordered(connection, order_ids)
    query = select(order_line, sku.c.code).outerjoin(sku, sku.c.id == order_line.c.sku_id)
    by_order: ByOrder = {}
    for row in connection.execute(query.where(order_line.c.order_id.in_(order_ids)).order_by(order_line.c.id)):
        line = {
            "external_id": row.external_id,
            "channel_sku": row.channel_sku,
            "sku": row.code,
            "origin": row.origin,
            "rule": row.rule,
            "qty": row.qty,
            "cancelled_qty": row.cancelled_qty,
            "price_minor": row.price_minor,
            "allocations": allocations.get(row.id, []),
            "backordered_qty": missing.get(row.id, 0),
            "shipped_qty": row.shipped_qty,
        }
        by_order.setdefault(row.order_id, []).append(line)
    return by_order


def _allocations(connection: Connection, order_ids: Sequence[int]) -> ByOrder:
    # Scans hold: what is open, no history; read whole for a page of orders, where a planner has statistics.
    query = (
        select(order_line.c.id, warehouse.c.code.label("warehouse"), sku.c.code.label("sku"), hold.c.qty)
        .join(hold, and_(hold.c.owner_kind == "line", hold.c.owner_id == order_line.c.id))
        .join(warehouse, warehouse.c.id == hold.c.warehouse_id)
        .join(sku, sku.c.id == hold.c.sku_id)
        .where(order_line.c.order_id.in_(order_ids))
        .order_by(order_line.c.id, warehouse.c.priority, warehouse.c.code, sku.c.code)
    )
    by_line: ByOrder = {}
    for row in connection.execute(query):
        by_line.setdefault(row.id, []).append({"warehouse": row.warehouse, "sku": row.sku, "qty": row.qty})
    return by_line


def _backordered(connection: Connection, order_ids: Sequence[int]) -> dict[int, int]:
    query = (
        select(backorder.c.owner_id, func.sum(backorder.c.qty))
        .where(backorder.c.order_id.in_(order_ids), backorder.c.owner_kind == "line")
        .group_by(backorder.c.owner_id)
    )
    return {line_id: int(qty) for line_id, qty in connection.execute(query)}


def _shipments(connection: Connection, order_ids: Sequence[int]) -> ByOrder:
    query = with_track(select(shipment, shipment_state().label("now")).where(shipment.c.order_id.in_(order_ids)))
    rows = connection.execute(query.order_by(shipment.c.id)).all()
    lines = shipment_lines(connection, [row.id for row in rows])
    by_order: ByOrder = {}
    for row in rows:
        shown = {
            "number": row.number,
            "carrier": row.carrier,
            "tracking": row.tracking,
            "lines": lines.get(row.id, []),
            "state": row.now,
            "track": track_json(row),
        }
        by_order.setdefault(row.order_id, []).append(shown)
    return by_order


def shipment_state() -> ColumnElement[str]:
    """Return a shipment's state as people see it: `unknown` while its report was sent and got no answer.

    A report that is being sent just now is not in doubt yet.
    """
    doubt = select(outbox.c.id).where(
        outbox.c.kind == "shipment",
        outbox.c.ref_id == shipment.c.id,
        outbox.c.sent_at.is_not(None),
        IS_OPEN,
    )
    return case((has(doubt, of=shipment), literal("unknown")), else_=shipment.c.state)


def shipment_lines(connection: Connection, shipment_ids: Sequence[int]) -> ByOrder:
    """Return `{external_id, qty}` of what is in each shipment, by shipment id."""
    if not shipment_ids:
        return {}
    query = (
        select(shipment_line.c.shipment_id, order_line.c.external_id, shipment_line.c.qty)
        .join(order_line, order_line.c.id == shipment_line.c.line_id)
        .where(shipment_line.c.shipment_id.in_(shipment_ids))
        .order_by(order_line.c.id)
    )
    by_shipment: ByOrder = {}
    for row in connection.execute(query):
        by_shipment.setdefault(row.shipment_id, []).append({"external_id": row.external_id, "qty": row.qty})
    return by_shipment


def _refunds(connection: Connection, order_ids: Sequence[int]) -> ByOrder:
    of_order = and_(refund.c.channel_id == orders.c.channel_id, refund.c.order_external_id == orders.c.external_id)
    # Joined from the left, so that it begins at the orders: for a page of them SQLite would read all refunds there are.
    query = select(orders.c.id.label("order_id"), refund).outerjoin(refund, of_order).where(orders.c.id.in_(order_ids))
    rows = [row for row in connection.execute(query.order_by(refund.c.id)) if row.id is not None]
    lines = _refund_lines(connection, [row.id for row in rows])
    by_order: ByOrder = {}
    for row in rows:
        shown = {
            "external_id": row.external_id,
            "state": row.state,
            "amount_minor": row.amount_minor,
            "currency": row.currency,
            "lines": lines.get(row.id, []),
            "reason": row.reason,
        }
        by_order.setdefault(row.order_id, []).append(shown)
    return by_order


def _refund_lines(connection: Connection, refund_ids: Sequence[int]) -> ByOrder:
    if not refund_ids:
        return {}
    query = select(refund_line).where(refund_line.c.refund_id.in_(refund_ids)).order_by(refund_line.c.line_external_id)
    by_refund: ByOrder = {}
    for row in connection.execute(query):
        by_refund.setdefault(row.refund_id, []).append({"external_id": row.line_external_id, "qty": row.qty})
    return by_refund


def _events(connection: Connection, order_ids: Sequence[int]) -> ByOrder:
    query = select(event).where(event.c.order_id.in_(order_ids), event.c.order_id.is_not(None))
    rows = connection.execute(query.order_by(event.c.at, event.c.id)).all()
    told = with_names(connection, [detail(row.detail) for row in rows])
    by_order: ByOrder = {}
    for row, why in zip(rows, told, strict=True):
        shown = {"at": iso(row.at), "kind": row.kind, "detail": why, "actor": row.actor}
        by_order.setdefault(row.order_id, []).append(shown)
    return by_order
