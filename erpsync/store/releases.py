"""What becomes of orders that were handed to a warehouse: whose lines a release holds, and its states to the end."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, literal_column, or_, select, update

from erpsync.core.orders import KnownOrder
from erpsync.core.release import Piece
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import RELEASE, WAYBILL
from erpsync.store.tables import (
    RELEASES_OUT,
    order_line,
    release,
    release_line,
    release_order,
    shipment,
    shipment_line,
    waybill,
)
from erpsync.store.tasks import task_key

ENDS = ("dropped", "stopped", "shipped")
RECALLABLE = ("unsure", "told")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHead:
    """A release without its lines, as it stands in the database; `state` is one of `RELEASE_STATES`.

    `printed_at` is None while no paper of it was handed out.
    """

    id: int
    number: str
    warehouse_id: int
    state: str
    printed_at: datetime | None = None


def read_head(tx: Tx, release_id: int) -> ReleaseHead:
    """Return a release as it stands now; there must be one of that id."""
    return _head(tx.execute(select(release).where(release.c.id == release_id)).one())


def head_numbered(connection: Connection, number: str) -> ReleaseHead | None:
    """Return the release of a number as it stands, wherever it is; None where there is none."""
    row = connection.execute(select(release).where(release.c.number == number)).first()
    return None if row is None else _head(row)


def release_id_numbered(tx: Tx, name: str) -> int | None:
    """Return the release of a number of ours, or of a booking's key or a courier's number where one alone has it."""
    own = tx.execute(select(release.c.id).where(release.c.number == name)).scalar()
    if own is not None:
        return int(own)
    keyed = select(waybill.c.release_id).where(waybill.c.key == name)
    numbered = select(waybill.c.release_id).where(
        waybill.c.number == name, waybill.c.number != literal_column("''"), waybill.c.release_id.is_not(None)
    )
    found = {int(id) for query in (keyed, numbered) for id in tx.execute(query).scalars()}
    return found.pop() if len(found) == 1 else None


def heads_numbered(tx: Tx, numbers: Iterable[str], warehouse_ids: Iterable[int]) -> list[ReleaseHead]:
    """Return the releases of these numbers that are in one of these warehouses."""
    query = select(release).where(
        release.c.number.in_(sorted(numbers)), release.c.warehouse_id.in_(sorted(warehouse_ids))
    )
    return [_head(row) for row in tx.all(query)]


def _head(row: Any) -> ReleaseHead:
    return ReleaseHead(
        id=row.id, number=row.number, warehouse_id=row.warehouse_id, state=row.state, printed_at=row.printed_at
    )


def orders_in(tx: Tx, release_ids: Iterable[int]) -> dict[int, list[int]]:
    """Return the ids of the orders of which each of these releases holds lines."""
    query = select(release_order.c.release_id, release_order.c.order_id).order_by(*release_order.primary_key)
    order_ids: dict[int, list[int]] = {}
    for row in tx.all(query.where(release_order.c.release_id.in_(sorted(set(release_ids))))):
        order_ids.setdefault(row.release_id, []).append(row.order_id)
    return order_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """What open releases have of orders, in our units that have not left.

    Args:
        units: by line, SKU and warehouse.
        parts: by order and warehouse, by what its releases are told apart.
    """

    units: Mapping[tuple[int, int, int], int]
    parts: Mapping[tuple[int, int], frozenset[str]]

    def of(self, known: Mapping[int, KnownOrder]) -> "UnderWay":
        """Return what of it is of these orders."""
        lines = {line.id for order in known.values() for line in order.lines}
        return UnderWay(
            units={key: qty for key, qty in self.units.items() if key[0] in lines},
            parts={key: names for key, names in self.parts.items() if key[0] in known},
        )

    @property
    def by_piece(self) -> dict[tuple[int, int], int]:
        """Return the units by line and SKU, wherever they lie."""
        found: dict[tuple[int, int], int] = {}
        for (line_id, sku_id, _), qty in self.units.items():
            found[line_id, sku_id] = found.get((line_id, sku_id), 0) + qty
        return found


NOTHING_UNDER_WAY = UnderWay(units={}, parts={})


def under_way(connection: Connection, order_ids: Iterable[int]) -> UnderWay:
    """Return what open releases have of these orders."""
    wanted = sorted(set(order_ids))
    members = select(release_order).where(release_order.c.ended_at.is_(None))
    parts: dict[tuple[int, int], set[str]] = {}
    places: dict[int, int] = {}
    for some in in_parts(wanted):
        for row in connection.execute(members.where(release_order.c.order_id.in_(some))):
            parts.setdefault((row.order_id, row.warehouse_id), set()).add(row.part)
            places[row.release_id] = row.warehouse_id
    lines = select(release_line, order_line.c.order_id).join(order_line, order_line.c.id == release_line.c.line_id)
    units: dict[tuple[int, int, int], int] = {}
    known = set(wanted)
    for some in in_parts(places):
        for row in connection.execute(lines.where(release_line.c.release_id.in_(some))):
            if row.order_id in known:
                key = (row.line_id, row.sku_id, places[row.release_id])
                units[key] = units.get(key, 0) + row.qty - row.qty // row.units * row.left_units
    return UnderWay(units=units, parts={key: frozenset(names) for key, names in parts.items()})


def pieces_in(tx: Tx, release_id: int) -> list[Piece]:
    """Return what a release holds, by line and SKU."""
    return pieces_of(tx.connection, [release_id]).get(release_id, [])


def pieces_of(connection: Connection, release_ids: Iterable[int]) -> dict[int, list[Piece]]:
    """Return what each of these releases holds, by line and SKU; one that holds nothing is left out."""
    query = select(release_line).order_by(*release_line.primary_key)
    found: dict[int, list[Piece]] = {}
    for part in in_parts(release_ids):
        for row in connection.execute(query.where(release_line.c.release_id.in_(part))):
            piece = Piece(line_id=row.line_id, sku_id=row.sku_id, qty=row.qty, units=row.units)
            found.setdefault(row.release_id, []).append(piece)
    return found


def lines_out(tx: Tx, head: ReleaseHead, line_ids: Iterable[int]) -> set[int]:
    """Return which of these lines are in another release, too, that the same warehouse has or may have."""
    wanted = sorted(set(line_ids))
    others = (
        select(release_line.c.line_id)
        .join(release, release.c.id == release_line.c.release_id)
        .join(release_order, release_order.c.release_id == release.c.id)
        .where(
            release_order.c.order_id.in_(orders_in(tx, [head.id]).get(head.id, ())),
            release_order.c.ended_at.is_(None),
            release.c.id != head.id,
            release.c.warehouse_id == head.warehouse_id,
            release.c.state.in_(RELEASES_OUT),
            release_line.c.line_id.in_(wanted),
        )
    )
    return set(tx.execute(others).scalars())


def has_left(tx: Tx, head: ReleaseHead) -> bool:
    """Whether parcels that were recorded since a release was made hold all that is in it, beside those of others."""
    order_ids = orders_in(tx, [head.id]).get(head.id, ())
    lines = {piece.line_id: piece.units for piece in pieces_in(tx, head.id)}
    if not lines or lines_out(tx, head, lines):
        return False
    made_at = tx.execute(select(release.c.made_at).where(release.c.id == head.id)).scalar_one()
    parcels = select(shipment_line.c.line_id, shipment_line.c.qty).join(shipment)
    sent: Counter[int] = Counter()
    for row in tx.all(parcels.where(shipment.c.order_id.in_(order_ids), shipment.c.shipped_at >= made_at)):
        sent[row.line_id] += row.qty
    of_others = (
        select(release_line.c.line_id, release_line.c.left_units)
        .join(release_order, release_order.c.release_id == release_line.c.release_id)
        .where(release_order.c.order_id.in_(order_ids), release_order.c.release_id != head.id)
        .where(release_order.c.ended_at >= made_at)
        .distinct()
    )
    for row in tx.all(of_others.add_columns(release_line.c.release_id)):
        sent[row.line_id] -= row.left_units
    return all(sent[line_id] >= wanted for line_id, wanted in lines.items())


def lock_orders_in(tx: Tx, release_id: int) -> list[KnownOrder]:
    """Return the orders of which a release holds lines, locked: who changes a release has one of them at least."""
    return list(lock_order_ids(tx, orders_in(tx, [release_id])[release_id]).values())


def is_about(connection: Connection, order_id: int, table: Table) -> ColumnElement[bool]:
    """Return which rows of `task` or `dead_letter` are about an order: its own, and those of a release that it shares.

    What is asked about a release stands there once, under one of its orders.
    """
    of_order = release_order.alias()
    shared = (
        select(release.c.id, release.c.number, release_order.c.order_id)
        .join(of_order, of_order.c.release_id == release.c.id)
        .join(release_order, release_order.c.release_id == release.c.id)
        .where(of_order.c.order_id == order_id, release_order.c.order_id != order_id)
    )
    ids, keys = {order_id}, set()
    for row in connection.execute(shared):
        ids.add(row.order_id)
        keys |= {row.number, task_key(RELEASE, row.id), task_key(WAYBILL, row.id)}
    own = table.c.order_id == order_id
    named = own if not keys else and_(table.c.order_id.in_(sorted(ids)), or_(own, table.c.key.in_(sorted(keys))))
    return and_(named, table.c.order_id.is_not(None))


def set_release_state(tx: Tx, release_id: int, state: str, *, reason: str | None = None) -> int | None:
    """Put a release into a state, its end noted if it is one; without a reason it keeps the one it has.

    Return the wave that it is in, None when it is in none.
    """
    why = {} if reason is None else {"reason": reason}
    ended_at = tx.now if state in ENDS else None
    put = update(release).where(release.c.id == release_id).values(state=state, ended_at=ended_at, **why)
    wave_id: int | None = tx.execute(put.returning(release.c.wave_id)).scalar_one()
    tx.execute(update(release_order).where(release_order.c.release_id == release_id).values(ended_at=ended_at))
    return wave_id


def note_release_told(tx: Tx, release_id: int) -> int:
    """Note that the warehouse has a release, and return the warehouse; one that was recalled meanwhile stays so."""
    state = case((release.c.state == "unsure", "told"), else_=release.c.state)
    told = update(release).where(release.c.id == release_id).values(state=state, told_at=tx.now)
    return int(tx.execute(told.returning(release.c.warehouse_id)).scalar_one())


def note_release_found(tx: Tx, release_id: int, *, sent_at: datetime | None) -> None:
    """Note that a person found a release at the warehouse, if nobody knew whether it is there."""
    unsure = (release.c.id == release_id) & (release.c.state == "unsure")
    tx.execute(update(release).where(unsure).values(state="told", told_at=sent_at))


def note_recalled(tx: Tx, release_ids: Iterable[int]) -> set[int]:
    """Note that these releases are to be stopped, but for those that have ended meanwhile or are to be already.

    Return which are: two orders of one release may ask for it at once.
    """
    out = release.c.id.in_(sorted(release_ids)) & release.c.state.in_(RECALLABLE)
    return set(tx.execute(update(release).where(out).values(state="recalled").returning(release.c.id)).scalars())
