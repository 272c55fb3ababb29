"""Orders, their lines, holds and refunds: loaded under lock, written per batch."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, text

from erpsync.core.order_holds import first_reason
from erpsync.core.orders import KnownLine, KnownOrder, OrderKind, Origin, phase
from erpsync.core.readings import Reading
from erpsync.core.refunds import KnownRefund
from erpsync.sdk.types import OrderState, Refund, RefundLine, RefundState
from erpsync.store.db.bulk import delete_many, insert_many, new_ids, update_many
from erpsync.store.db.store import Tx
from erpsync.store.names import write_names
from erpsync.store.tables import line_part, order_hold, order_line, orders, refund, refund_line

_AMOUNTS = ("total_minor", "paid_minor", "goods_minor", "freight_minor", "discount_minor", "refunded_minor")
_GATES = 1024  # per channel: as many locks as one transaction may hold at most, whatever the size of its batch


def await_rivals(tx: Tx, channel_id: int, external_ids: Iterable[str]) -> None:
    """Wait for whoever is storing one of these orders, or a refund of it, for the first time.

    What is not there yet has no row to lock: an order and its refund that came at the same instant would overlook each
    other. To be called before any other lock is taken. SQLite has one writer.
    """
    wanted = set(external_ids)
    if tx.dialect == "sqlite" or not wanted:
        return
    query = select(orders.c.external_id).where(orders.c.channel_id == channel_id, orders.c.external_id.in_(wanted))
    unborn = wanted.difference(tx.execute(query).scalars())
    if unborn:
        gates = sorted({zlib.crc32(external_id.encode()) % _GATES for external_id in unborn})
        wait = text("SELECT pg_advisory_xact_lock(:channel, gate) FROM unnest(CAST(:gates AS int[])) gate")
        tx.execute(wait.bindparams(channel=channel_id, gates=gates))


def lock_orders(tx: Tx, channel_id: int, external_ids: Iterable[str]) -> dict[str, KnownOrder]:
    """Return the stored orders among these of a channel, locked in order of external id."""
    wanted = sorted(set(external_ids))
    query = select(orders).where(orders.c.channel_id == channel_id, orders.c.external_id.in_(wanted))
    return {order.external_id: order for order in _load(tx, query)}


def lock_order_ids(tx: Tx, ids: Iterable[int]) -> dict[int, KnownOrder]:
    """Return these orders by id, locked in order of (channel, external id)."""
    query = select(orders).where(orders.c.id.in_(sorted(set(ids))))
    return {order.id: order for order in _load(tx, query)}


def read_orders(connection: Connection, ids: Iterable[int]) -> dict[int, KnownOrder]:
    """Return these orders by id as they stand, to be looked at only: nothing is locked."""
    query = select(orders).where(orders.c.id.in_(sorted(set(ids)))).order_by(orders.c.id)
    return {order.id: order for order in _built(connection, connection.execute(query).all())}


def _load(tx: Tx, query: Select[Any]) -> list[KnownOrder]:
    locked = query.order_by(orders.c.channel_id, orders.c.external_id).with_for_update(key_share=True)
    return _built(tx.connection, tx.all(locked))


def _built(connection: Connection, rows: Sequence[Any]) -> list[KnownOrder]:
    ids = [row.id for row in rows]
    lines = _lines(connection, order_line.c.order_id.in_(ids)) if ids else {}
    holds: dict[int, dict[str, str]] = {}
    if ids:
        for row in connection.execute(select(order_hold).where(order_hold.c.order_id.in_(ids))):
            holds.setdefault(row.order_id, {})[row.reason] = row.detail
    return [_order(row, tuple(lines.get(row.id, ())), holds.get(row.id, {})) for row in rows]


def _lines(connection: Connection, wanted: ColumnElement[bool]) -> dict[int, list[KnownLine]]:
    rows = connection.execute(select(order_line).where(wanted).order_by(order_line.c.id)).all()
    bundles = [row.id for row in rows if row.has_parts]
    parts: dict[int, dict[int, int]] = {}
    if bundles:
        for part in connection.execute(select(line_part).where(line_part.c.line_id.in_(bundles))):
            parts.setdefault(part.line_id, {})[part.sku_id] = part.qty
    lines: dict[int, list[KnownLine]] = {}
    for row in rows:
        lines.setdefault(row.order_id, []).append(_line(row, parts.get(row.id)))
    return lines


def _line(row: Any, parts: Mapping[int, int] | None) -> KnownLine:
    if parts is None:
        parts = {} if row.sku_id is None else {row.sku_id: row.factor}
    return KnownLine(
        id=row.id,
        external_id=row.external_id,
        channel_sku=row.channel_sku,
        item_ref=row.item_ref,
        title=row.title,
        sku_id=row.sku_id,
        factor=row.factor,
        parts=parts,
        qty=row.qty,
        price_minor=row.price_minor,
        closed_qty=row.closed_qty,
        refunded_qty=row.refunded_qty,
        dropped_qty=row.dropped_qty,
        shipped_qty=row.shipped_qty,
        no_stock=row.no_stock,
        origin=Origin(row.origin),
        rule=row.rule,
        properties=row.properties,
    )


def _order(row: Any, lines: tuple[KnownLine, ...], holds: Mapping[str, str]) -> KnownOrder:
    return KnownOrder(
        id=row.id,
        channel_id=row.channel_id,
        external_id=row.external_id,
        number=row.number,
        kind=OrderKind(row.kind),
        state=OrderState(row.state),
        reading=Reading(
            version_at=row.version_at, digest=row.digest, read_from=row.read_from_at, read_to=row.read_to_at
        ),
        placed_at=row.placed_at,
        paid_at=row.paid_at,
        ship_by_at=row.ship_by_at,
        ready_at=row.ready_at,
        most_minor=row.most_minor,
        lowered_at=row.lowered_at,
        imported_at=row.imported_at,
        currency=row.currency,
        do_not_ship=row.do_not_ship,
        refund_asked=row.refund_asked,
        address_complete=row.address_complete,
        recipient_index=row.recipient_index,
        region=None if row.province is None else (row.province, row.city or "", row.district or ""),
        notes=row.notes,
        buyer_index=row.buyer_index,
        seller_flag=row.seller_flag,
        lines=lines,
        holds=holds,
        **{name: getattr(row, name) for name in _AMOUNTS},
    )


def _order_row(order: KnownOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "phase": phase(order),
        "state": order.state.value,
        "hold_reason": first_reason(order.holds),
        "version_at": order.reading.version_at,
        "digest": order.reading.digest,
        "read_from_at": order.reading.read_from,
        "read_to_at": order.reading.read_to,
        "placed_at": order.placed_at,
        "paid_at": order.paid_at,
        "ship_by_at": order.ship_by_at,
        "ready_at": order.ready_at,
        "most_minor": order.most_minor,
        "lowered_at": order.lowered_at,
        "currency": order.currency,
        "do_not_ship": order.do_not_ship,
        "refund_asked": order.refund_asked,
        "address_complete": order.address_complete,
        "seller_flag": order.seller_flag,
    } | {name: getattr(order, name) for name in _AMOUNTS}


def _line_row(line: KnownLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "channel_sku": line.channel_sku,
        "item_ref": line.item_ref,
        "title": line.title,
        "sku_id": line.sku_id,
        "factor": line.factor,
        "has_parts": bool(line.parts) and line.parts != {line.sku_id: line.factor},
        "no_stock": line.no_stock,
        "qty": line.qty,
        "closed_qty": line.closed_qty,
        "refunded_qty": line.refunded_qty,
        "dropped_qty": line.dropped_qty,
        "cancelled_qty": line.cancelled_qty,
        "shipped_qty": line.shipped_qty,
        "price_minor": line.price_minor,
        "properties": line.properties,
    }


def insert_orders(tx: Tx, new: Sequence[tuple[KnownOrder, Mapping[str, Any]]]) -> None:
    """Store newly seen orders, each with the columns that only its first reading sets (recipient, reservation)."""
    rows = [
        _order_row(order)
        | {
            "channel_id": order.channel_id,
            "external_id": order.external_id,
            "number": order.number,
            "kind": order.kind.value,
            "imported_at": tx.now,
            "notes": order.notes,
            "buyer_index": order.buyer_index,
        }
        | dict(extra)
        for order, extra in new
    ]
    insert_many(tx, orders, rows)
    write_names(tx, [(order.id, name) for order, _ in new for name in (order.number, order.external_id)])
    _insert_lines(tx, [(order.id, line) for order, _ in new for line in order.lines])
    _insert_holds(tx, [(order.id, reason, detail) for order, _ in new for reason, detail in order.holds.items()])


def update_orders(tx: Tx, changed: Sequence[tuple[KnownOrder, KnownOrder]]) -> None:
    """Write what differs between each order's (before, after)."""
    rows = [(_order_row(before), _order_row(after)) for before, after in changed]
    update_many(tx, orders, [new for old, new in rows if old != new], keys=["id"])
    noted = [after for before, after in changed if after.notes != before.notes]
    written = [{"id": order.id, "notes": order.notes, "buyer_index": order.buyer_index} for order in noted]
    update_many(tx, orders, written, keys=["id"])
    lines_before = {line.id: line for before, _ in changed for line in before.lines}
    fresh, differing = [], []
    for _, after in changed:
        for line in after.lines:
            if line.id not in lines_before:
                fresh.append((after.id, line))
            elif line != lines_before[line.id]:
                differing.append(line)
    update_many(tx, order_line, [_line_row(line) for line in differing], keys=["id"])
    _replace_parts(tx, [line for line in differing if line.parts != lines_before[line.id].parts])
    _insert_lines(tx, fresh)
    _write_holds(tx, changed)


def _insert_lines(tx: Tx, lines: Sequence[tuple[int, KnownLine]]) -> None:
    rows = [
        _line_row(line)
        | {"order_id": order_id, "external_id": line.external_id, "origin": line.origin.value, "rule": line.rule}
        for order_id, line in lines
    ]
    insert_many(tx, order_line, rows)
    _insert_parts(tx, [line for _, line in lines])


def _replace_parts(tx: Tx, lines: Sequence[KnownLine]) -> None:
    delete_many(tx, line_part, [{"line_id": line.id} for line in lines])
    _insert_parts(tx, lines)


def _insert_parts(tx: Tx, lines: Iterable[KnownLine]) -> None:
    rows = [
        {"line_id": line.id, "sku_id": sku_id, "qty": qty}
        for line in lines
        if line.parts and line.parts != {line.sku_id: line.factor}
        for sku_id, qty in line.parts.items()
    ]
    insert_many(tx, line_part, rows)


def _insert_holds(tx: Tx, holds: Iterable[tuple[int, str, str]]) -> None:
    rows = [{"order_id": o, "reason": reason, "detail": detail, "at": tx.now} for o, reason, detail in holds]
    insert_many(tx, order_hold, rows)


def _write_holds(tx: Tx, changed: Sequence[tuple[KnownOrder, KnownOrder]]) -> None:
    gone: list[dict[str, Any]] = []
    fresh: list[tuple[int, str, str]] = []
    for before, after in changed:
        ended, begun = before.holds.items() - after.holds.items(), after.holds.items() - before.holds.items()
        gone += [{"order_id": after.id, "reason": reason} for reason, _ in sorted(ended)]
        fresh += [(after.id, reason, detail) for reason, detail in sorted(begun)]
    delete_many(tx, order_hold, gone)
    _insert_holds(tx, fresh)


def new_line_ids(tx: Tx, count: int, *, above: int = 0) -> list[int]:
    """Return ids for lines not seen before.

    Args:
        above: the highest id that this transaction gave to a line which is not written yet.
    """
    ids = new_ids(tx, order_line, count)
    behind = max(0, above + 1 - ids[0]) if ids and tx.dialect == "sqlite" else 0
    return [id + behind for id in ids]


def refunds_of(tx: Tx, channel_id: int, order_external_ids: Iterable[str]) -> dict[str, list[KnownRefund]]:
    """Return a channel's refunds by the order they concern."""
    wanted = sorted(set(order_external_ids))
    if not wanted:
        return {}
    rows = tx.all(
        select(refund)
        .where(refund.c.channel_id == channel_id, refund.c.order_external_id.in_(wanted))
        .order_by(refund.c.id)
    )
    lines = _refund_lines(tx, [row.id for row in rows])
    by_order: dict[str, list[KnownRefund]] = {}
    for row in rows:
        by_order.setdefault(row.order_external_id, []).append(_refund(row, lines.get(row.id, ())))
    return by_order


def lock_refunds(tx: Tx, channel_id: int, external_ids: Iterable[str]) -> dict[str, tuple[int, Reading, RefundState]]:
    """Return (row id, reading, state) of the stored refunds among these, locked in order."""
    query = (
        select(refund)
        .where(refund.c.channel_id == channel_id, refund.c.external_id.in_(sorted(set(external_ids))))
        .order_by(refund.c.external_id)
        .with_for_update(key_share=True)
    )
    return {
        row.external_id: (
            row.id,
            Reading(version_at=row.version_at, digest=row.digest, read_from=row.read_from_at, read_to=row.read_to_at),
            RefundState(row.state),
        )
        for row in tx.all(query)
    }


def write_refunds(tx: Tx, channel_id: int, written: Sequence[tuple[int | None, Refund, Reading]]) -> None:
    """Store refunds: (row id or None when new, refund, its reading)."""
    fresh = [(item, reading) for row_id, item, reading in written if row_id is None]
    ids = new_ids(tx, refund, len(fresh))
    insert_many(
        tx,
        refund,
        [
            _refund_row(item, reading) | {"id": i, "channel_id": channel_id, "external_id": item.external_id}
            for i, (item, reading) in zip(ids, fresh, strict=True)
        ],
    )
    stored = [(row_id, item, reading) for row_id, item, reading in written if row_id is not None]
    update_many(tx, refund, [_refund_row(item, reading) | {"id": i} for i, item, reading in stored], keys=["id"])
    delete_many(tx, refund_line, [{"refund_id": i} for i, _, _ in stored])
    numbered = [(i, item) for i, item, _ in stored] + [(i, item) for i, (item, _) in zip(ids, fresh, strict=True)]
    insert_many(
        tx,
        refund_line,
        [
            {"refund_id": i, "line_external_id": line.line_external_id, "qty": line.qty}
            for i, item in numbered
            for line in item.lines
            if line.qty
        ],
    )


def keep_to_pay(tx: Tx, to_pay_minor: Mapping[int, int]) -> None:
    """Keep with granted refunds, by row id, what was to pay when they were."""
    rows = [{"id": id, "to_pay_minor": amount} for id, amount in sorted(to_pay_minor.items())]
    update_many(tx, refund, rows, keys=["id"])


def _refund_row(item: Refund, reading: Reading) -> dict[str, Any]:
    return {
        "order_external_id": item.order_external_id,
        "state": item.state.value,
        "version_at": reading.version_at,
        "digest": reading.digest,
        "read_from_at": reading.read_from,
        "read_to_at": reading.read_to,
        "amount_minor": item.amount_minor,
        "currency": item.currency,
        "reason": item.reason,
    }


def _refund_lines(tx: Tx, ids: Sequence[int]) -> dict[int, list[RefundLine]]:
    lines: dict[int, list[RefundLine]] = {}
    if ids:
        for row in tx.all(select(refund_line).where(refund_line.c.refund_id.in_(ids))):
            line = RefundLine(line_external_id=row.line_external_id, qty=row.qty)
            lines.setdefault(row.refund_id, []).append(line)
    return lines


def _refund(row: Any, lines: Iterable[RefundLine]) -> KnownRefund:
    return KnownRefund(
        id=row.id,
        to_pay_minor=row.to_pay_minor,
        external_id=row.external_id,
        order_external_id=row.order_external_id,
        version_at=row.version_at,
        state=RefundState(row.state),
        amount_minor=row.amount_minor,
        currency=row.currency,
        lines=tuple(lines),
        reason=row.reason,
    )
