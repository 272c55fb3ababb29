"""Work orders as `work list` and `work show` print them."""

from typing import Any

from sqlalchemy import Connection, Select, exists, func, select

from erpsync.store.tables import (
    SUPPLY_IS_OPEN,
    backorder,
    bom,
    hold,
    report,
    sku,
    supply,
    variant,
    warehouse,
    work_part,
    work_step,
)
from erpsync.store.views.values import Json, NotFound, iso, row_json
from erpsync.store.works import WORK

_HEAD = ("number", "sku", "base_sku", "bom_version", "qty", "made_qty", "scrapped_qty", "state", "source", "warehouse")
_TIMES = ("due_at", "made_at", "started_at", "ended_at")


def _works() -> Select[Any]:
    base = sku.alias("base")
    columns = (
        supply.c.id,
        supply.c.number,
        supply.c.sku_id,
        sku.c.code.label("sku"),
        func.coalesce(base.c.code, sku.c.code).label("base_sku"),
        bom.c.version.label("bom_version"),
        supply.c.qty,
        supply.c.done_qty.label("made_qty"),
        supply.c.lost_qty.label("scrapped_qty"),
        supply.c.state,
        supply.c.source,
        supply.c.reason,
        warehouse.c.code.label("warehouse"),
        *(supply.c[name] for name in _TIMES),
    )
    joined = (
        supply.join(sku, sku.c.id == supply.c.sku_id)
        .join(warehouse, warehouse.c.id == supply.c.warehouse_id)
        .join(bom, bom.c.id == supply.c.bom_id)
        .outerjoin(variant, variant.c.sku_id == supply.c.sku_id)
        .outerjoin(base, base.c.id == variant.c.base_id)
    )
    return select(*columns).select_from(joined)


def list_works(
    connection: Connection, *, sku_code: str | None = None, station: str | None = None, limit: int = 0
) -> list[Json]:
    """Return work orders that have not ended, the one that is waited for longest first.

    Each is `{number, sku, base_sku, bom_version, qty, made_qty, scrapped_qty, state, source, warehouse, due_at,
    made_at, started_at, ended_at}`.

    Args:
        station: only those that have a step there.
        limit: how many at most; 0 is all.
    """
    query = _works().where(SUPPLY_IS_OPEN).order_by(supply.c.due_at, supply.c.id).limit(limit or None)
    if sku_code is not None:
        query = query.where(sku.c.code == sku_code)
    if station is not None:
        query = query.where(exists().where(work_step.c.supply_id == supply.c.id, work_step.c.station == station))
    return [row_json(row, (*_HEAD, *_TIMES)) for row in connection.execute(query)]


def show_work(connection: Connection, number: str) -> Json:
    """Return one work order as listed, with `reason`, `orders`, `steps`, `components` and `reports`.

    `orders` are the numbers of those who wait for what it makes; steps `{no, name, station, good_qty, scrap_qty}`;
    components `{sku, need_qty, held_qty, issued_qty, used_qty, scrapped_qty, returned_qty, short_qty}`; reports
    `{id, step, good_qty, scrap_qty, undoes, at, actor}`. Raises `NotFound`.
    """
    row = connection.execute(_works().where(supply.c.number == number)).first()
    if row is None:
        raise NotFound(f"no work order {number}")
    waiting = select(backorder.c.number).where(backorder.c.sku_id == row.sku_id).order_by(backorder.c.due_at)
    steps = select(work_step).where(work_step.c.supply_id == row.id).order_by(work_step.c.no)
    reports = select(report).where(report.c.supply_id == row.id).order_by(report.c.id)
    return row_json(row, (*_HEAD, *_TIMES, "reason")) | {
        "orders": list(dict.fromkeys(connection.execute(waiting).scalars())),
        "steps": [
            row_json(each, ("no", "name", "station", "good_qty", "scrap_qty")) for each in connection.execute(steps)
        ],
        "components": _components(connection, row.id),
        "reports": [
            {
                "id": each.id,
                "step": each.step_no,
                "good_qty": each.good_qty,
                "scrap_qty": each.scrap_qty,
                "undoes": each.undoes_id,
                "at": iso(each.at),
                "actor": each.actor,
            }
            for each in connection.execute(reports)
        ],
    }


def _components(connection: Connection, work_id: int) -> list[Json]:
    held = _by_sku(connection, hold, work_id)
    short = _by_sku(connection, backorder, work_id)
    names = ("need_qty", "issued_qty", "used_qty", "scrapped_qty", "returned_qty")
    query = select(work_part, sku.c.code).join(sku, sku.c.id == work_part.c.sku_id)
    rows = connection.execute(query.where(work_part.c.supply_id == work_id).order_by(sku.c.code))
    return [
        {"sku": row.code, **row_json(row, names)}
        | {"held_qty": held.get(row.sku_id, 0), "short_qty": short.get(row.sku_id, 0)}
        for row in rows
    ]


def _by_sku(connection: Connection, table: Any, work_id: int) -> dict[int, int]:
    """Return the units that a work order holds, or waits for, by SKU."""
    query = select(table.c.sku_id, func.sum(table.c.qty).label("qty")).group_by(table.c.sku_id)
    rows = connection.execute(query.where(table.c.owner_id == work_id, table.c.owner_kind == WORK))
    return {row.sku_id: int(row.qty) for row in rows}
