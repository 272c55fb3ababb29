"""Bills of material as `bom list` and `bom show` print them."""

from typing import Any

from sqlalchemy import Connection, Select, case, select

from erpsync.store.boms import IS_ACTIVE, steps_of
from erpsync.store.tables import bom, bom_line, sku
from erpsync.store.views.values import Json, NotFound, row_json

_HEAD = ("sku", "version", "state", "yields", "made_at", "actor")


def _heads() -> Select[Any]:
    columns = (bom.c.id, sku.c.code.label("sku"), bom.c.version, bom.c.state, bom.c.yields, bom.c.made_at, bom.c.actor)
    return select(*columns).join(sku, sku.c.id == bom.c.sku_id)


def list_boms(
    connection: Connection, *, sku_code: str | None = None, state: str | None = None, limit: int = 0
) -> list[Json]:
    """Return bills of material by SKU, the newest version first, `{sku, version, state, yields, made_at, actor}`.

    Args:
        limit: how many at most; 0 is all.
    """
    # Scans bom: it is as long as the assortment, times the versions that people made.
    query = _heads().order_by(sku.c.code, bom.c.id.desc()).limit(limit or None)
    if sku_code is not None:
        query = query.where(sku.c.code == sku_code)
    if state is not None:
        query = query.where(bom.c.state == state)
    return [row_json(row, _HEAD) for row in connection.execute(query)]


def show_bom(connection: Connection, sku_code: str, version: str | None = None) -> Json:
    """Return one bill as listed, with `components` and `steps`; without a version the active one, else the newest.

    Components are `{sku, qty, scrap_percent, step}`, `qty` in the component's base unit for `yields` units; steps
    `{no, name, station, fixed_minutes, seconds_each}`. Raises `NotFound`.
    """
    query = _heads().where(sku.c.code == sku_code)
    if version is not None:
        query = query.where(bom.c.version == version)
    first = case((IS_ACTIVE, 0), else_=1)
    row = connection.execute(query.order_by(first, bom.c.id.desc()).limit(1)).first()
    if row is None:
        if version is not None:
            raise NotFound(f"{sku_code} has no bill of material of version {version}")
        raise NotFound(f"{sku_code} has no bill of material")
    lines = select(sku.c.code, bom_line.c.qty, bom_line.c.scrap_ppm, bom_line.c.step_no)
    joined = lines.join(sku, sku.c.id == bom_line.c.sku_id).where(bom_line.c.bom_id == row.id)
    components = [
        {"sku": each.code, "qty": each.qty, "scrap_percent": each.scrap_ppm / 10_000, "step": each.step_no}
        for each in connection.execute(joined.order_by(bom_line.c.no))
    ]
    steps = [
        {
            "no": step.no,
            "name": step.name,
            "station": step.station,
            "fixed_minutes": step.fixed_minutes,
            "seconds_each": step.seconds_each,
        }
        for step in steps_of(connection, [row.id]).get(row.id, ())
    ]
    return row_json(row, _HEAD) | {"components": components, "steps": steps}


def uses_of(connection: Connection, sku_code: str) -> list[Json]:
    """Return what a SKU goes into directly by active bills, by SKU: `{sku, version, qty, yields}`."""
    part = sku.alias("part")
    query = (
        select(sku.c.code.label("sku"), bom.c.version, bom_line.c.qty, bom.c.yields)
        .join(bom, bom.c.sku_id == sku.c.id)
        .join(bom_line, bom_line.c.bom_id == bom.c.id)
        .join(part, part.c.id == bom_line.c.sku_id)
        .where(part.c.code == sku_code, IS_ACTIVE)
        .order_by(sku.c.code)
    )
    return [row_json(row, ("sku", "version", "qty", "yields")) for row in connection.execute(query)]
