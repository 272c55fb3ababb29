"""Counts that a warehouse reported and nobody believes yet: they wait for a person, or for a better one.

Why rows of their own: what was reported has to outlive a restart, and only the last word about a SKU in a warehouse
counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from erpsync.store.db.bulk import in_parts, insert_many
from erpsync.store.db.store import Tx
from erpsync.store.tables import waiting_count, warehouse
from erpsync.store.tasks import Task, close_tasks, open_tasks

ROSE = "count_rose"
UNKNOWN = "sku_unknown"
NAMED = 20
_NEWER = """
ON CONFLICT (warehouse_id, sku) DO UPDATE SET
  channel_id = excluded.channel_id, on_hand = excluded.on_hand, counted_at = excluded.counted_at,
  unknown = excluded.unknown
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A count that waits. `unknown` is one of a SKU that nobody here knows."""

    warehouse_id: int
    sku: str
    channel_id: int
    on_hand: int
    counted_at: datetime
    unknown: bool


_FIELDS = tuple(field.name for field in fields(Waiting))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A count that a task asks a person about; `warehouse` is the code."""

    warehouse: str
    sku: str
    on_hand: int
    counted_at: datetime


def waiting_for(tx: Tx, warehouse_ids: Iterable[int], skus: Iterable[str]) -> dict[tuple[int, str], Waiting]:
    """Return the counts that wait for these warehouses and SKUs, by (warehouse id, SKU)."""
    places = sorted(set(warehouse_ids))
    waiting: dict[tuple[int, str], Waiting] = {}
    for codes in in_parts(skus):
        query = select(waiting_count).where(waiting_count.c.warehouse_id.in_(places), waiting_count.c.sku.in_(codes))
        waiting |= {(row.warehouse_id, row.sku): _waiting(row) for row in tx.all(query)}
    return waiting


def _waiting(row: Any) -> Waiting:
    return Waiting(**{name: getattr(row, name) for name in _FIELDS})


def let_wait(tx: Tx, counts: Sequence[Waiting]) -> None:
    """Keep counts until somebody decides; each replaces what waited for its place."""
    ordered = sorted(counts, key=lambda count: (count.warehouse_id, count.sku))
    insert_many(
        tx, waiting_count, [{name: getattr(count, name) for name in _FIELDS} for count in ordered], conflict=_NEWER
    )


def drop_waiting(tx: Tx, taken: Mapping[tuple[int, str], datetime], *, by: str) -> None:
    """Forget what waits for these places and is no newer than the count that was taken there, and its task."""
    stale = [
        row
        for key, row in waiting_for(tx, (place for place, _ in taken), (code for _, code in taken)).items()
        if key in taken and row.counted_at <= taken[key]
    ]
    if not stale:
        return
    for row in stale:
        of_place = (waiting_count.c.warehouse_id == row.warehouse_id) & (waiting_count.c.sku == row.sku)
        tx.execute(delete(waiting_count).where(of_place))
    places = _codes(tx, [row.warehouse_id for row in stale])
    close_tasks(tx, ROSE, [key_of(places[row.warehouse_id], row.sku) for row in stale if not row.unknown], by=by)
    for place in sorted({row.warehouse_id for row in stale if row.unknown}):
        tell_unknown(tx, place, by=by)


def tell_unknown(tx: Tx, warehouse_id: int, *, by: str = "erpsync") -> None:
    """Have one task name the SKUs that a warehouse counts and nobody here knows; without any it is closed."""
    of_warehouse = (waiting_count.c.warehouse_id == warehouse_id) & waiting_count.c.unknown
    total = tx.execute(select(func.count()).where(of_warehouse)).scalar_one()
    code = _codes(tx, [warehouse_id])[warehouse_id]
    if not total:
        close_tasks(tx, UNKNOWN, [code], by=by)
        return
    first = tx.all(select(waiting_count).where(of_warehouse).order_by(waiting_count.c.sku).limit(NAMED))
    named = ", ".join(f"{row.sku} ({row.on_hand})" for row in first) + (", …" if total > NAMED else "")
    reason = f"{code} counts {total} SKU{'' if total == 1 else 's'} that nobody here knows: {named}"
    open_tasks(tx, [Task(kind=UNKNOWN, key=code, reason=reason, channel_id=first[0].channel_id)])


def asked_of(tx: Tx, kind: str, key: str, *, limit: int) -> list[Asked]:
    """Return up to `limit` counts that a task of this kind and key is about, locked."""
    query = select(waiting_count, warehouse.c.code).join(warehouse, warehouse.c.id == waiting_count.c.warehouse_id)
    if kind == UNKNOWN:
        query = query.where(warehouse.c.code == key, waiting_count.c.unknown)
    else:
        place, _, code = key.partition(" ")
        query = query.where(warehouse.c.code == place, waiting_count.c.sku == code, ~waiting_count.c.unknown)
    rows = tx.all(query.order_by(waiting_count.c.sku).limit(limit).with_for_update(of=waiting_count))
    return [Asked(warehouse=row.code, sku=row.sku, on_hand=row.on_hand, counted_at=row.counted_at) for row in rows]


def key_of(code: str, sku: str) -> str:
    """Return the key of the task about one SKU in one warehouse."""
    return f"{code} {sku}"


def _codes(tx: Tx, ids: Iterable[int]) -> dict[int, str]:
    query = select(warehouse.c.id, warehouse.c.code).where(warehouse.c.id.in_(sorted(set(ids))))
    return {row.id: row.code for row in tx.all(query)}
