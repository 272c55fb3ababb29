"""What becomes of orders that were handed to a warehouse: whose lines a release holds, and its states to the end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, or_, select, update

from erpsync.core.orders import KnownOrder
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.outbox.queue import RELEASE
from erpsync.store.tables import release, release_order
from erpsync.store.tasks import task_key

ENDS = ("dropped", "stopped", "shipped")
RECALLABLE = ("unsure", "told")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHead:
    """A release without its lines, as it stands in the database; `state` is one of `RELEASE_STATES`."""

    id: int
    number: str
    warehouse_id: int
    state: str


def read_head(tx: Tx, release_id: int) -> ReleaseHead:
    """Return a release as it stands now; there must be one of that id."""
    return _head(tx.execute(select(release).where(release.c.id == release_id)).one())


def heads_numbered(tx: Tx, numbers: Iterable[str], warehouse_ids: Iterable[int]) -> list[ReleaseHead]:
    """Return the releases of these numbers that are in one of these warehouses."""
    query = select(release).where(
        release.c.number.in_(sorted(numbers)), release.c.warehouse_id.in_(sorted(warehouse_ids))
    )
    return [_head(row) for row in tx.all(query)]


def _head(row: Any) -> ReleaseHead:
    return ReleaseHead(id=row.id, number=row.number, warehouse_id=row.warehouse_id, state=row.state)


def orders_in(tx: Tx, release_ids: Iterable[int]) -> dict[int, list[int]]:
    """Return the ids of the orders of which each of these releases holds lines."""
    query = select(release_order.c.release_id, release_order.c.order_id).order_by(*release_order.primary_key)
    order_ids: dict[int, list[int]] = {}
    for row in tx.all(query.where(release_order.c.release_id.in_(sorted(set(release_ids))))):
        order_ids.setdefault(row.release_id, []).append(row.order_id)
    return order_ids


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
        keys |= {row.number, task_key(RELEASE, row.id)}
    own = table.c.order_id == order_id
    named = own if not keys else and_(table.c.order_id.in_(sorted(ids)), or_(own, table.c.key.in_(sorted(keys))))
    return and_(named, table.c.order_id.is_not(None))


def set_release_state(tx: Tx, release_id: int, state: str, *, reason: str | None = None) -> None:
    """Put a release into a state, its end noted if it is one; without a reason it keeps the one it has."""
    why = {} if reason is None else {"reason": reason}
    ended_at = tx.now if state in ENDS else None
    tx.execute(update(release).where(release.c.id == release_id).values(state=state, ended_at=ended_at, **why))
    tx.execute(update(release_order).where(release_order.c.release_id == release_id).values(ended_at=ended_at))


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
