"""The rows that papers are made of, for many releases at once: as many statements for a thousand as for one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from erpsync.store.db.bulk import in_parts
from erpsync.store.goods import SHELF, known, with_base, with_shelf
from erpsync.store.tables import (
    WAYBILL_IS_LIVE,
    order_line,
    orders,
    release,
    release_line,
    release_order,
    sku,
    variant,
    wave,
    waybill,
)


@dataclass(slots=True, kw_only=True)
class Sheet:
    """What the database says of a release that is to be printed.

    Args:
        row: of `release`, with the number of its wave as `wave`.
        orders: rows of `orders`, in the order of their ids.
        lines: rows of `release_line` with what is known of line and SKU.
        waybills: live ones with a number, by parcel.
        replaces: the number on the newest paper of one of its orders that is to be thrown away.
        siblings: the numbers of paid orders to the same recipient that could not join it.
        whole: whether it holds all that its orders are about.
    """

    row: Any
    orders: list[Any] = field(default_factory=list)
    lines: list[Any] = field(default_factory=list)
    waybills: list[Any] = field(default_factory=list)
    replaces: str = ""
    siblings: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A release before anything is printed of it."""

    id: int
    number: str
    warehouse_id: int
    state: str
    reason: str
    slot: int | None
    order_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveHead:
    """A wave without its releases."""

    id: int
    number: str
    warehouse_id: int
    made_at: datetime


def wave_numbered(connection: Connection, number: str) -> WaveHead | None:
    """Return the wave of a number, None where there is none."""
    row = connection.execute(select(wave).where(wave.c.number == number)).first()
    if row is None:
        return None
    return WaveHead(id=row.id, number=row.number, warehouse_id=row.warehouse_id, made_at=row.made_at)


def heads_numbered(connection: Connection, numbers: Iterable[str]) -> list[Head]:
    """Return the releases of these numbers, by id."""
    return [head for part in in_parts(numbers) for head in _heads(connection, release.c.number.in_(part))]


def heads_of_wave(connection: Connection, wave_id: int) -> list[Head]:
    """Return the releases of a wave, by slot."""
    found = _heads(connection, release.c.wave_id == wave_id)
    return sorted(found, key=lambda head: head.slot or 0)


def _heads(connection: Connection, wanted: ColumnElement[bool]) -> list[Head]:
    query = select(release, release_order.c.order_id).join(release_order).where(wanted)
    rows: dict[int, list[Any]] = {}
    for row in connection.execute(query.order_by(release.c.id, release_order.c.order_id)):
        rows.setdefault(row.id, []).append(row)
    return [
        Head(
            id=first.id,
            number=first.number,
            warehouse_id=first.warehouse_id,
            state=first.state,
            reason=first.reason,
            slot=first.slot,
            order_ids=tuple(row.order_id for row in (first, *more)),
        )
        for first, *more in rows.values()
    ]


def sheets_of(connection: Connection, release_ids: Iterable[int]) -> dict[int, Sheet]:
    """Return what is known of releases, by id, in the order of the ids."""
    sheets: dict[int, Sheet] = {}
    for part in in_parts(release_ids):
        found = {row.id: Sheet(row=row) for row in _release_rows(connection, part)}
        _add_orders(connection, part, found)
        _add_lines(connection, part, found)
        _add_waybills(connection, part, found)
        _add_replaced(connection, part, found)
        _add_whole(connection, found)
        sheets |= found
    return sheets


def _release_rows(connection: Connection, part: Sequence[int]) -> Sequence[Any]:
    query = select(release, wave.c.number.label("wave")).outerjoin(wave, wave.c.id == release.c.wave_id)
    return connection.execute(query.where(release.c.id.in_(part)).order_by(release.c.id)).all()


def _add_orders(connection: Connection, part: Sequence[int], sheets: dict[int, Sheet]) -> None:
    query = select(release_order.c.release_id, orders).join(orders, orders.c.id == release_order.c.order_id)
    rows = query.where(release_order.c.release_id.in_(part)).order_by(release_order.c.release_id, orders.c.id)
    for row in connection.execute(rows):
        sheets[row.release_id].orders.append(row)


def _add_lines(connection: Connection, part: Sequence[int], sheets: dict[int, Sheet]) -> None:
    query = (
        select(
            release_line,
            order_line.c.order_id,
            order_line.c.external_id,
            order_line.c.title.label("line_title"),
            order_line.c.properties,
            order_line.c.price_minor,
            order_line.c.has_parts,
            sku.c.code,
            known("title"),
            (variant.c.base_id == order_line.c.sku_id).label("as_wanted"),
            SHELF,
        )
        .join(release, release.c.id == release_line.c.release_id)
        .join(order_line, order_line.c.id == release_line.c.line_id)
        .join(sku, sku.c.id == release_line.c.sku_id)
    )
    rows = with_shelf(with_base(query)).where(release_line.c.release_id.in_(part)).order_by(*release_line.primary_key)
    for row in connection.execute(rows):
        sheets[row.release_id].lines.append(row)


def _add_waybills(connection: Connection, part: Sequence[int], sheets: dict[int, Sheet]) -> None:
    columns = (waybill.c.release_id, waybill.c.parcel, waybill.c.carrier, waybill.c.service, waybill.c.number)
    told = (waybill.c.id, waybill.c.sort_code, waybill.c.label_kind)
    query = select(*columns, *told).where(WAYBILL_IS_LIVE, waybill.c.number != "")
    for row in connection.execute(query.where(waybill.c.release_id.in_(part)).order_by(waybill.c.parcel)):
        sheets[row.release_id].waybills.append(row)


def _add_replaced(connection: Connection, part: Sequence[int], sheets: dict[int, Sheet]) -> None:
    mine, other, gone = release_order.alias(), release_order.alias(), release.alias()
    query = (
        select(mine.c.release_id, gone.c.number)
        .join(other, (other.c.order_id == mine.c.order_id) & (other.c.warehouse_id == mine.c.warehouse_id))
        .join(gone, gone.c.id == other.c.release_id)
        .where(
            mine.c.release_id.in_(part),
            gone.c.id < mine.c.release_id,
            gone.c.state.in_(("stopped", "dropped")),
            gone.c.printed_at.is_not(None),
        )
    )
    for row in connection.execute(query.order_by(gone.c.id)):  # the newest stays
        sheets[row.release_id].replaces = row.number


def _add_whole(connection: Connection, sheets: dict[int, Sheet]) -> None:
    order_ids = {row.id for sheet in sheets.values() for row in sheet.orders}
    units: dict[int, int] = {}
    for part in in_parts(order_ids):
        query = select(order_line.c.order_id, func.sum(order_line.c.qty).label("qty"))
        for row in connection.execute(query.where(order_line.c.order_id.in_(part)).group_by(order_line.c.order_id)):
            units[row.order_id] = int(row.qty)
    for sheet in sheets.values():
        held = {row.line_id: row.units for row in sheet.lines}
        sheet.whole = sum(held.values()) == sum(units.get(row.id, 0) for row in sheet.orders)
