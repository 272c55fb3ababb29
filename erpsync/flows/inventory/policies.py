"""Setting what holds for single SKUs, out of a spreadsheet: all of a file or nothing of it.

Why nothing where one cell is bad: whoever caps a thousand SKUs must not have to find out which ones were.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import and_, delete, or_, select

from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.context import Context
from erpsync.flows.imports import ImportResult
from erpsync.store.db.bulk import in_parts, insert_many
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.dirty import mark_dirty
from erpsync.store.registry import lock_skus, sku_ids
from erpsync.store.tables import sku_policy

FIELDS = ("safety", "cap", "buffer", "paused")
OF_CHANNELS = ("cap", "buffer")
UNSET = "-"
AT_ONCE = 500
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """A row of the file as it stands there; in `cells` an empty one changes nothing and `-` unsets."""

    sku: str
    channel: str = ""
    warehouse: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    sku_id: int
    channel_id: int | None
    warehouse_id: int | None
    values: Mapping[str, int | bool | None]


def import_policies(
    ctx: Context, rows: Iterable[PolicyRow], *, actor: str, progress: Callable[[int], None] = lambda done: None
) -> ImportResult:
    """Set what the rows say in one commit, and plan and tell their SKUs anew; nothing where a cell is bad.

    Each bad cell is refused by the row's source.
    """
    wanted = list(rows)
    problems = problems_of(ctx, wanted)
    if problems or not wanted:
        return ImportResult(refused=problems)
    with ctx.store.read() as connection:
        ids = sku_ids(connection, [row.sku for row in wanted])
    changes = [_change(ctx, row, ids[row.sku]) for row in wanted]
    ctx.store.retrying(partial(_set, ctx=ctx, changes=changes, actor=actor))
    progress(len(wanted))
    return ImportResult(taken=len(wanted))


def problems_of(ctx: Context, rows: Sequence[PolicyRow]) -> list[tuple[str, str]]:
    """Return what is wrong with each cell, by its row's source."""
    with ctx.store.read() as connection:
        ids = sku_ids(connection, [row.sku for row in rows])
    return [(row.source, problem) for row in rows for problem in _problems(ctx, row, ids)]


def _problems(ctx: Context, row: PolicyRow, ids: Mapping[str, int]) -> Iterable[str]:
    """Yield what is wrong with each cell of a row."""
    if row.sku not in ids:
        yield f"sku {row.sku} is not known"
    if bool(row.channel) == bool(row.warehouse):
        yield f"name either a channel or a warehouse, there {'are both' if row.channel else 'is neither'}"
    if row.channel and row.channel not in {channel.name for channel in ctx.channels.values()}:
        yield f"channel {row.channel} is not configured"
    if row.warehouse and row.warehouse not in ctx.codes():
        yield f"warehouse {row.warehouse} is not configured"
    for name in FIELDS:
        cell = row.cells.get(name, "")
        if cell in ("", UNSET):
            continue
        if row.warehouse and not row.channel and name in OF_CHANNELS:
            yield f"{name} is of a channel, the row is of a warehouse"
        elif name == "paused" and cell.lower() not in _WORDS:
            yield f"paused must be yes or no, is {cell}"
        elif name != "paused" and not re.fullmatch(r"[0-9]{1,9}", cell):
            yield f"{name} must be a whole number from 0, is {cell}"


def _change(ctx: Context, row: PolicyRow, sku_id: int) -> _Change:
    return _Change(
        sku_id=sku_id,
        channel_id=ctx.channel(row.channel).id if row.channel else None,
        warehouse_id=ctx.warehouse_id(row.warehouse) if row.warehouse else None,
        values={name: _value(name, row.cells[name]) for name in FIELDS if row.cells.get(name)},
    )


def _value(name: str, cell: str) -> int | bool | None:
    if cell == UNSET:
        return None
    return _WORDS[cell.lower()] if name == "paused" else int(cell)


def _set(tx: Tx, *, ctx: Context, changes: Sequence[_Change], actor: str) -> None:
    skus = sorted({change.sku_id for change in changes})
    lock_skus(tx, skus)
    before = _stored(tx, skus)
    after = dict(before)
    for change in changes:
        key = (change.sku_id, change.channel_id, change.warehouse_id)
        after[key] = after.get(key, dict.fromkeys(FIELDS)) | dict(change.values)
    moved = {key: row for key, row in after.items() if row != before.get(key, dict.fromkeys(FIELDS))}
    _write(tx, moved)
    told = sorted({sku_id for sku_id, _, _ in moved})
    write_events(tx, [_event(key, before.get(key, {}), row, actor) for key, row in sorted(moved.items(), key=str)])
    for part in in_parts(told, AT_ONCE):
        allocate(tx, ctx, [], also=part, actor=actor)
    mark_dirty(tx, told, urgent=[key[0] for key, row in moved.items() if row["paused"]])


_Key = tuple[int, int | None, int | None]


def _stored(tx: Tx, skus: Sequence[int]) -> dict[_Key, dict[str, Any]]:
    stored: dict[_Key, dict[str, Any]] = {}
    for part in in_parts(skus):
        for row in tx.all(select(sku_policy).where(sku_policy.c.sku_id.in_(part), _either())):
            stored[row.sku_id, row.channel_id, row.warehouse_id] = {name: getattr(row, name) for name in FIELDS}
    return stored


def _either() -> Any:
    return or_(sku_policy.c.channel_id.is_not(None), sku_policy.c.warehouse_id.is_not(None))


def _write(tx: Tx, moved: Mapping[_Key, Mapping[str, Any]]) -> None:
    """Replace these rows; one that sets nothing any more is gone."""
    for sku_id, channel_id, warehouse_id in moved:
        place = sku_policy.c.channel_id == channel_id if channel_id else sku_policy.c.warehouse_id == warehouse_id
        tx.execute(delete(sku_policy).where(and_(sku_policy.c.sku_id == sku_id, place)))
    rows = [
        {"sku_id": key[0], "channel_id": key[1], "warehouse_id": key[2], **row}
        for key, row in moved.items()
        if any(value is not None for value in row.values())
    ]
    insert_many(tx, sku_policy, rows)


def _event(key: _Key, before: Mapping[str, Any], after: Mapping[str, Any], actor: str) -> Event:
    changed = {name: [before.get(name), after[name]] for name in FIELDS if before.get(name) != after[name]}
    detail = {"warehouse_id": key[2], **changed} if key[2] else dict(changed)
    return Event(kind="policy.changed", sku_id=key[0], channel_id=key[1], detail=detail, actor=actor)
